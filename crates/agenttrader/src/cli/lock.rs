//! Arguments of `lock`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with the production lock.
#[derive(Debug, Subcommand)]
pub enum LockCommand {
    /// Judge the repository by every rule of the lock; writes nothing
    #[command(after_help = "Examples:\n  agenttrader lock validate\n  agenttrader lock validate --static --json\n  \
                      agenttrader lock validate --require-locked --root SHA256_OF_THE_FIRST_LOCK\n\n\
                      Exit codes: 0 no rule fails; 1 a rule fails; 2 could not judge; 69 git or ssh-keygen is missing.")]
    Validate(ValidateArgs),
    /// Judge any folder by the manifest rules alone; needs no git and writes nothing
    #[command(
        after_help = "Examples:\n  agenttrader lock manifests .\n  agenttrader lock manifests rendered --only no-latest,kill-switch --json"
    )]
    Manifests(ManifestsArgs),
    /// Say how the repository stands to its lock, and list locked files that changed since; writes nothing
    #[command(after_help = "Example:\n  agenttrader lock status")]
    Status(StatusArgs),
    /// Print the page for people as the lock on disk says it
    #[command(after_help = "Example:\n  agenttrader lock page > ops/PRODUCTION_LOCK.md")]
    Page,
    /// Leave draft: name the people, make the reports, write the lock that they sign
    #[command(
        after_help = "Example:\n  agenttrader lock init --operator olga=olga.pub --reviewer rolf=rolf.pub --author anna=anna.pub"
    )]
    Init(InitArgs),
    /// Sign the first lock; with the last signature it is committed
    #[command(after_help = "Example:\n  agenttrader lock sign --principal olga --key ~/.ssh/id_ed25519_sk")]
    Sign(SignArgs),
    /// Commit the lock that follows a completed unlock
    #[command(
        after_help = "Example:\n  agenttrader lock generate --unlock 20261201-fees --principal anna --key ~/.ssh/id_ed25519"
    )]
    Generate(GenerateArgs),
    /// Write an image's digest wherever the manifests name the image
    #[command(after_help = "Example:\n  agenttrader lock pin registry.example/agenttrader@sha256:DIGEST")]
    Pin(PinArgs),
    /// Make a signed tag of the lock, after it was judged
    #[command(after_help = "Example:\n  agenttrader lock tag --principal rolf --key ~/.ssh/id_ed25519_sk")]
    Tag(SignArgs),
}

/// Arguments of `lock validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidateArgs {
    /// Rule `docs` and the manifest rules alone: no history, no clock, no signer
    #[arg(long = "static", conflicts_with_all = ["require_locked", "root"])]
    pub is_static: bool,
    /// A draft is a failure
    #[arg(long)]
    pub require_locked: bool,
    /// SHA-256 of the first lock that you trust
    #[arg(long, value_name = "SHA256")]
    pub root: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lock manifests`.
#[derive(Clone, Debug, Args)]
pub struct ManifestsArgs {
    /// The folder that holds `k8s/`, `infra/`, …
    pub dir: PathBuf,
    /// These rules alone; `parse` and `unresolved` always run
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub only: Option<Vec<String>>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lock status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lock init`.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Who unlocks as the one who operates, with a public key's file; may be repeated
    #[arg(long, value_name = "NAME=PUB", required = true)]
    pub operator: Vec<String>,
    /// Who reviews, with a public key's file; may be repeated
    #[arg(long, value_name = "NAME=PUB", required = true)]
    pub reviewer: Vec<String>,
    /// Who signs commits alone, with a public key's file; may be repeated
    #[arg(long, value_name = "NAME=PUB")]
    pub author: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Who signs.
#[derive(Clone, Debug, Args)]
pub struct SignArgs {
    /// The name in ops/trust/allowed_signers
    #[arg(long, value_name = "NAME")]
    pub principal: String,
    /// The private key's file, or the public key's where an agent holds the private one
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lock generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    /// The unlock: a folder under ops/unlock/
    #[arg(long, value_name = "ID")]
    pub unlock: String,
    /// Who signs the commit.
    #[command(flatten)]
    pub signer: SignArgs,
}

/// Arguments of `lock pin`.
#[derive(Clone, Debug, Args)]
pub struct PinArgs {
    /// The image with its digest
    #[arg(value_name = "IMAGE@sha256:DIGEST")]
    pub image: String,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

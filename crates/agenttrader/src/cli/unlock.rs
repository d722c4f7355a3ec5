//! Arguments of `unlock`.

use crate::cli::lock::SignArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with an unlock.
#[derive(Debug, Subcommand)]
pub enum UnlockCommand {
    /// Ask for a change of locked files, on a branch of its own
    #[command(
        after_help = "Example:\n  agenttrader unlock open --change feature-fees --reason \"new fee table of the exchange\""
    )]
    Open(OpenArgs),
    /// Gather what people look at before they approve, and commit it
    #[command(
        after_help = "Example:\n  agenttrader readiness; agenttrader report deploy\n  agenttrader unlock evidence"
    )]
    Evidence(EvidenceArgs),
    /// Print what is approved, and sign it
    #[command(after_help = "Example:\n  agenttrader unlock approve --principal olga --key ~/.ssh/id_ed25519_sk")]
    Approve(SignArgs),
    /// Make the change that was approved, as one signed commit
    #[command(after_help = "Example:\n  agenttrader unlock apply --principal anna --key ~/.ssh/id_ed25519")]
    Apply(SignArgs),
    /// Judge an unlock from history alone; writes nothing
    #[command(after_help = "Example:\n  agenttrader unlock verify --json\n\n\
                            Exit codes: 0 its steps are good; 1 they are not; 2 could not judge, also where there is no unlock.")]
    Verify(OutputArgs),
    /// Say how far the unlock is, and what is granted; writes nothing
    #[command(after_help = "Example:\n  agenttrader unlock status")]
    Status(OutputArgs),
    /// Sign what an execution agent may do under the lock
    #[command(after_help = "Examples:\n  agenttrader unlock grant --modes paper --symbols SPY --limits limits.json \
                            --not-before 2026-12-01T14:00:00Z --not-after 2026-12-01T21:00:00Z --principal olga --key ~/.ssh/id_ed25519_sk\n  \
                            agenttrader unlock grant --principal rolf --key ~/.ssh/id_ed25519_sk --install .agenttrader")]
    Grant(GrantArgs),
    /// Revoke grants in the data directory: anyone may
    #[command(after_help = "Example:\n  agenttrader unlock revoke --reason \"not needed any more\"")]
    Revoke(RevokeArgs),
}

/// Arguments of commands that only print.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `unlock open`.
#[derive(Clone, Debug, Args)]
pub struct OpenArgs {
    /// The development commit wanted: a branch, a tag, an id
    #[arg(long, value_name = "REV")]
    pub change: String,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// The unlock's name [default: made from day and commit]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// A grant for live will be asked for: two reviewers approve
    #[arg(long)]
    pub live: bool,
    /// JSON list of the findings that the next lock shall waive
    #[arg(long, value_name = "FILE")]
    pub waives: Option<PathBuf>,
    /// The whole scope of the next lock, where it shall be another: what leaves and what enters is approved file by file
    #[arg(long, value_name = "PATTERN,…", value_delimiter = ',')]
    pub scope: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `unlock evidence`.
#[derive(Clone, Debug, Args)]
pub struct EvidenceArgs {
    /// Folder with readiness_report.{json,md} and deploy_report.{json,md}
    #[arg(long, value_name = "DIR", default_value = "audit_artifacts")]
    pub reports: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `unlock grant`.
#[derive(Clone, Debug, Args)]
pub struct GrantArgs {
    /// Execution modes: shadow, paper, live
    #[arg(long, value_name = "MODE,…", value_delimiter = ',', requires_all = ["symbols", "limits", "not_before", "not_after"])]
    pub modes: Vec<String>,
    /// Underlyings
    #[arg(long, value_name = "SYMBOL,…", value_delimiter = ',', requires = "modes")]
    pub symbols: Vec<String>,
    /// JSON object of the limits lowered, by their names in configs/risk.toml; `{}` lowers none
    #[arg(long, value_name = "FILE", requires = "modes")]
    pub limits: Option<PathBuf>,
    /// JSON list of what needs no approval of its own
    #[arg(long, value_name = "FILE", requires = "modes")]
    pub delegate: Option<PathBuf>,
    /// First instant of validity
    #[arg(long, value_name = "TIME", requires = "modes")]
    pub not_before: Option<String>,
    /// First instant after it
    #[arg(long, value_name = "TIME", requires = "modes")]
    pub not_after: Option<String>,
    /// Until then reducing orders still pass
    #[arg(long, value_name = "TIME", requires = "modes")]
    pub exit_until: Option<String>,
    /// Digest of the execution image [default: the one that the lock's manifests pin]
    #[arg(long, value_name = "sha256:DIGEST", requires = "modes")]
    pub image: Option<String>,
    /// Why [default: that it is under the unlock]
    #[arg(long, requires = "modes")]
    pub reason: Option<String>,
    /// Who signs: the name in ops/trust/allowed_signers
    #[arg(long, value_name = "NAME", requires = "key", required_unless_present = "install")]
    pub principal: Option<String>,
    /// The private key's file, or the public key's where an agent holds the private one
    #[arg(long, value_name = "FILE", requires = "principal")]
    pub key: Option<PathBuf>,
    /// Write the grant, once enough have signed, into this data directory
    #[arg(long, value_name = "DATA_DIR")]
    pub install: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `unlock revoke`.
#[derive(Clone, Debug, Args)]
pub struct RevokeArgs {
    /// The grant's SHA-256 [default: every grant in the data directory]
    #[arg(value_name = "SHA256")]
    pub grant: Option<String>,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

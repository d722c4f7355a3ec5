//! Arguments of `audit`. A place is an agent's address, a data directory, the folder of one log, or a pack; what is left out is the data
//! directory.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What to do with audit logs.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Print the newest records of all logs, one line each
    #[command(
        after_help = "Examples:\n  agenttrader audit tail\n  agenttrader audit tail --agent gamma-strategy -n 5 --json\n  \
                            agenttrader audit tail http://127.0.0.1:8081 --follow"
    )]
    Tail(TailArgs),
    /// Print one record whole, and whether a checkpoint covers it
    #[command(
        override_usage = "agenttrader audit show [OPTIONS] [PLACE] AGENT INDEX\n       agenttrader audit show [OPTIONS] [PLACE] INTENT_ID",
        after_help = "Examples:\n  agenttrader audit show gamma-strategy 12\n  agenttrader audit show cda107c4-6ad8-8a9c-8f33-50211cdbbe73\n  \
                      agenttrader audit show http://127.0.0.1:8082 12 --json"
    )]
    Show(ShowArgs),
    /// Write a receipt that shows offline that an entry stands in a log, or prove that a log only grew
    #[command(
        override_usage = "agenttrader audit prove [OPTIONS] [PLACE] AGENT INDEX\n       agenttrader audit prove [OPTIONS] --consistency OLD \
                          NEW [PLACE] AGENT",
        after_help = "Examples:\n  agenttrader audit prove gamma-strategy 12 --out entry-12.tlog-proof\n  \
                      agenttrader audit prove gamma-strategy --consistency 100 250"
    )]
    Prove(ProveArgs),
    /// Recompute everything: say what was checked, what differs, and what cannot be shown
    #[command(
        after_help = "Examples:\n  agenttrader audit verify\n  agenttrader audit verify http://127.0.0.1:8082 --since kept.checkpoints\n  \
                            agenttrader audit verify copy/gamma-strategy --keys keys.txt --json\n  \
                            agenttrader audit verify --proof entry-12.tlog-proof --entry entry-12.json --key VKEY\n\n\
                            Exit codes: 0 nothing differs; 1 something differs; 2 nothing differs, but no usable key verifies a signature."
    )]
    Verify(VerifyArgs),
    /// Copy a log: its entries as lines, or its checkpoint and tiles
    #[command(
        after_help = "Examples:\n  agenttrader audit export --agent gamma-strategy --format ndjson --out gamma.ndjson\n  \
                            agenttrader audit export http://127.0.0.1:8082 --format tiles --out copy/gamma-strategy"
    )]
    Export(ExportArgs),
    /// Print the verifier key of an agent's log alone
    #[command(after_help = "Example:\n  agenttrader audit vkey gamma-strategy")]
    Vkey(VkeyArgs),
    /// Print the latest checkpoints, cosigned where a witness signed
    #[command(
        override_usage = "agenttrader audit checkpoint [OPTIONS] [PLACE] [AGENT]",
        after_help = "Examples:\n  agenttrader audit checkpoint\n  \
                      agenttrader audit checkpoint --export > kept.checkpoints   # keep it elsewhere; later: audit verify --since"
    )]
    Checkpoint(CheckpointArgs),
    /// Put all logs into one file for an auditor, with keys, payloads and a README that needs no program of ours
    #[command(
        after_help = "Examples:\n  agenttrader audit pack\n  agenttrader audit pack --out friday.tar.zst --json\n  \
                            agenttrader audit verify friday.tar.zst"
    )]
    Pack(PackArgs),
    /// List every artefact of a folder: path, size, SHA-256, and who made it
    #[command(
        after_help = "Examples:\n  agenttrader audit index audit_artifacts\n  agenttrader audit index audit_artifacts --json > audit_index.json"
    )]
    Index(IndexArgs),
    /// Tell the story of one proposal, from the market input that caused it to its outcome, each step with its proof
    #[command(after_help = "Examples:\n  agenttrader audit trace 0f8e1c52-5d3b-8a9c-8f33-50211cdbbe73\n  \
                            agenttrader audit trace 0f8e1c52 friday.tar.zst\n  \
                            agenttrader audit trace 0f8e1c52 --json\n\n\
                            Exit codes: 0 told, and every proof holds; 1 something does not hold; 2 no such proposal, or several.")]
    Trace(TraceArgs),
}

/// Arguments of `audit tail`.
#[derive(Clone, Debug, Args)]
pub struct TailArgs {
    /// Address, data directory, log's folder or pack [default: the data directory]
    pub place: Option<String>,
    /// This agent's log alone
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// How many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub lines: u32,
    /// Go on with what comes
    #[arg(short, long)]
    pub follow: bool,
    /// Print the records as JSON, one a line, as the logs hold them
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Which: an agent and a place in its log, or a record's intent id; before it where to look
    #[arg(required = true, num_args = 1..=3, value_name = "WHICH")]
    pub words: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit prove`.
#[derive(Clone, Debug, Args)]
pub struct ProveArgs {
    /// Which: an agent and a place in its log; before it where to look
    #[arg(num_args = 0..=3, value_name = "WHICH")]
    pub words: Vec<String>,
    /// Prove instead that the log's first NEW entries begin with its first OLD ones
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
    pub consistency: Option<Vec<u64>>,
    /// Write to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the entry itself to this file, which must not exist
    #[arg(long, value_name = "FILE", conflicts_with = "consistency")]
    pub entry: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// Address, data directory, log's folder or pack [default: the data directory]
    pub place: Option<String>,
    /// Public keys that you trust: an agents.json, or verifier keys, one a line
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Checkpoints that were kept: each log must extend its own
    #[arg(long, value_name = "FILE")]
    pub since: Vec<PathBuf>,
    /// A witness's verifier key: its cosignatures are checked, and no other's stand
    #[arg(long, value_name = "VKEY")]
    pub witness_key: Vec<String>,
    /// Check this receipt instead of a log, offline
    #[arg(long, value_name = "FILE", requires_all = ["entry", "key"], conflicts_with_all = ["place", "keys", "since"])]
    pub proof: Option<PathBuf>,
    /// The receipt's entry
    #[arg(long, value_name = "FILE", requires = "proof")]
    pub entry: Option<PathBuf>,
    /// The verifier key of the receipt's log
    #[arg(long, value_name = "VKEY", requires = "proof")]
    pub key: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// How a log is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Its entries, one JSON record a line.
    Ndjson,
    /// Its checkpoint and tiles, as tools for C2SP tlog-tiles read them.
    Tiles,
}

/// Arguments of `audit export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Address, data directory, log's folder or pack [default: the data directory]
    pub place: Option<String>,
    /// Which log; needed where there are several
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// As what
    #[arg(long, value_enum, default_value_t = ExportFormat::Ndjson)]
    pub format: ExportFormat,
    /// The file (ndjson) or folder (tiles) to write, which must not exist
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit vkey`.
#[derive(Clone, Debug, Args)]
pub struct VkeyArgs {
    /// The agent
    pub agent_name: String,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit checkpoint`.
#[derive(Clone, Debug, Args)]
pub struct CheckpointArgs {
    /// Where to look, and whose: all agents' unless one is named
    #[arg(num_args = 0..=2, value_name = "WHOSE")]
    pub words: Vec<String>,
    /// Print the signed notes themselves, for keeping elsewhere
    #[arg(long, conflicts_with = "json")]
    pub export: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit pack`.
#[derive(Clone, Debug, Args)]
pub struct PackArgs {
    /// The file to write, which must not exist and ends with .tar.zst [default: one in packs/ of the data directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit index`.
#[derive(Clone, Debug, Args)]
pub struct IndexArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `audit trace`.
#[derive(Clone, Debug, Args)]
pub struct TraceArgs {
    /// Correlation or proposal id, or how one begins: 8 characters or more
    #[arg(value_name = "ID")]
    pub id: String,
    /// Address, data directory, log's folder or pack [default: the data directory]
    pub place: Option<String>,
    /// Print as JSON, with each step's receipt
    #[arg(long)]
    pub json: bool,
}

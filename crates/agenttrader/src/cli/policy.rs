//! Arguments of `policy`.

use clap::{Args, Subcommand};

/// What to do with the policy on actors.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say whether an actor may make a change or a push, and name each hunk that it may not; writes nothing
    #[command(after_help = "Examples:\n  agenttrader policy check --actor strategy-engine --base main\n  \
                      agenttrader policy check --actor strategy-engine --base main --head HEAD --json\n  \
                      exec agenttrader policy check --actor-from REMOTE_USER      as hooks/pre-receive\n\n\
                      Exit codes: 0 allowed; 1 refused; 2 could not judge; 69 git or ssh-keygen is missing.")]
    Check(CheckArgs),
}

/// Arguments of `policy check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// Whose change it is
    #[arg(long, value_name = "NAME", required_unless_present = "actor_from", requires = "base")]
    pub actor: Option<String>,
    /// Judge a push: git's pre-receive lines on standard input, the pusher's name in this variable
    #[arg(long, value_name = "ENV_NAME", conflicts_with_all = ["actor", "head"])]
    pub actor_from: Option<String>,
    /// The commit whose rules hold, and from which the change is made [default of a push: HEAD, which names the baseline branch]
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Where the change ends [default: HEAD]
    #[arg(long, value_name = "REV")]
    pub head: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

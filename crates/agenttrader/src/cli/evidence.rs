//! Arguments of the commands that make evidence: `readiness`, `report`, `lkg`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Of what readiness is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReadinessScope {
    /// What is committed: manifests, documents, tree, lock.
    Repository,
    /// The floor that runs, by its mission control.
    Floor,
    /// The cluster, by kubectl or what it saved.
    Cluster,
}

/// Arguments of `readiness`.
#[derive(Clone, Debug, Args)]
pub struct ReadinessArgs {
    /// Of what [default: repository, or cluster with --from]
    #[arg(long, value_enum)]
    pub scope: Option<ReadinessScope>,
    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of the commands that write a report: `readiness` and `report deploy`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// A file, or a folder of .json files, that `kubectl get … -o json` wrote, instead of asking the cluster
    #[arg(long, value_name = "FILE|DIR")]
    pub from: Option<PathBuf>,
    /// When the objects were saved, for the report to say instead of now: the same objects then give the same bytes
    #[arg(long, value_name = "TIME", requires = "from")]
    pub at: Option<String>,
    /// Folder for the report's files
    #[arg(long, value_name = "DIR", default_value = "audit_artifacts")]
    pub out: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which report.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Say what runs in the cluster, as what, and whether it may
    #[command(after_help = "Examples:\n  agenttrader report deploy\n  \
                            kubectl -n trading-floor get -o json \\\n    \
                            deployments,statefulsets,daemonsets,replicasets,jobs,cronjobs,pods,configmaps > all.json\n  \
                            agenttrader report deploy --from all.json --at 2026-12-01T21:00:00Z\n\n\
                            Exit codes: 0 all may run as it does and the kill switch halts; 1 not so, or no workload is seen; \
                            2 the objects cannot be read; 69 no cluster.")]
    Deploy(ReportArgs),
}

/// What to do with what was last known to be good.
#[derive(Debug, Subcommand)]
pub enum LkgCommand {
    /// Keep what runs, pinned to its digests, with the switch halted and execution at zero
    #[command(
        after_help = "Example:\n  kubectl -n trading-floor get -o json serviceaccounts,configmaps,networkpolicies,pvc,services,\\\n\
                      roles,rolebindings,pdb,deployments,statefulsets,replicasets,pods > saved/floor.json\n  \
                      kubectl get namespaces,priorityclasses -o json > saved/cluster.json\n  \
                      agenttrader lkg capture --from saved --context \"$(kubectl config current-context)\"\n\n\
                      Exit codes: 0 kept; 1 the cluster is not known to be good, and why; 2 the objects cannot be read."
    )]
    Capture(CaptureArgs),
    /// Compare what was kept with what a cluster has now
    #[command(after_help = "Example:\n  agenttrader lkg diff --from saved\n\nExit codes: 0 the same; 1 different.")]
    Diff(DiffArgs),
    /// Print the commands by which a person brings it back; runs none of them
    #[command(after_help = "Example:\n  agenttrader lkg restore --plan")]
    Restore(RestoreArgs),
}

/// Arguments of `lkg capture`.
#[derive(Clone, Debug, Args)]
pub struct CaptureArgs {
    /// A file, or a folder of .json files, that `kubectl get … -o json` wrote
    #[arg(long, value_name = "FILE|DIR")]
    pub from: PathBuf,
    /// When the objects were saved, for the metadata to say instead of now: the same objects then give the same bytes
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Folder for lkg_manifest.yaml and lkg_metadata.json
    #[arg(long, value_name = "DIR", default_value = "ops/lkg")]
    pub out: PathBuf,
    /// The cluster's name, for the metadata
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// kubectl's context, for the metadata: the plan to restore checks it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Print the metadata as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lkg diff`.
#[derive(Clone, Debug, Args)]
pub struct DiffArgs {
    /// A file, or a folder of .json files, that `kubectl get … -o json` wrote
    #[arg(long, value_name = "FILE|DIR")]
    pub from: PathBuf,
    /// Folder of what was kept
    #[arg(long, value_name = "DIR", default_value = "ops/lkg")]
    pub lkg: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lkg restore`.
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// Print the plan: there is nothing else this command does
    #[arg(long, required = true)]
    pub plan: bool,
    /// Folder of what was kept
    #[arg(long, value_name = "DIR", default_value = "ops/lkg")]
    pub lkg: PathBuf,
}

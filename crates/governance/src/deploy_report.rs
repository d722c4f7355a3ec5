//! The deploy report: what runs in the cluster, as what, and whether it may. Evidence contract, "Deploy report".
//!
//! The same objects and the same time give the same bytes.

mod page;

use crate::cluster::Cluster;
use crate::cluster::switch::Switch;
use crate::cluster::workload::Workload;
use agenttrader_core::time::UnixNanos;
use serde::Serialize;

/// A deploy report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployReport {
    report: &'static str,
    /// When it was made, as the caller says.
    pub at_utc: UnixNanos,
    /// The commit of the build that made it.
    pub git_sha: String,
    /// Where the objects came from.
    pub source: String,
    /// The kill switch.
    pub kill_switch: Switch,
    /// What is not allowed to be as it is.
    pub not_allowed: Vec<String>,
    /// Every workload, by kind, namespace and name.
    pub workloads: Vec<Workload>,
}

/// Of when, by which build, and from where a report is.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The time.
    pub at: UnixNanos,
    /// The commit.
    pub git_sha: &'a str,
    /// Where the objects came from, in a word or two.
    pub source: &'a str,
}

impl DeployReport {
    /// The report of a cluster.
    pub fn of(cluster: &Cluster<'_>, made: Made<'_>) -> Self {
        let workloads = cluster.workloads();
        let not_allowed = workloads.iter().filter(|it| !it.allowed_to_run).map(|it| it.workload.clone()).collect();
        Self {
            report: "deploy",
            at_utc: made.at,
            git_sha: made.git_sha.to_owned(),
            source: made.source.to_owned(),
            kill_switch: cluster.switch(),
            not_allowed,
            workloads,
        }
    }

    /// Whether everything may be as it is.
    pub const fn is_allowed(&self) -> bool {
        self.not_allowed.is_empty()
    }

    /// For machines.
    pub fn json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// For people.
    pub fn markdown(&self) -> String {
        page::page(self)
    }

    /// Both, by the names of their files.
    pub fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![("deploy_report.json", self.json()), ("deploy_report.md", self.markdown().into_bytes())]
    }
}

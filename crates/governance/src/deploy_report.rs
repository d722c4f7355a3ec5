//! The deploy report: what runs in the cluster, as what, and whether it may. Evidence contract, "Deploy report".
//!
//! Of manifests it says what they ask for, and that what runs is not known. The same objects and the same time give the same bytes.

mod page;

pub use page::number;

use crate::cluster::Cluster;
use crate::cluster::switch::{State, Switch};
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::json_file;
use crate::workload::manifests::Manifests;
use crate::workload::{Trouble, Workload};
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::object::Object;
use serde::Serialize;
use std::collections::BTreeSet;

/// A deploy report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployReport {
    report: &'static str,
    /// When it was made, as the caller says.
    pub at_utc: UnixNanos,
    /// The commit: of the build that made it, or of the manifests.
    pub git_sha: String,
    /// Where the objects came from.
    pub source: Source,
    /// The kill switch.
    pub kill_switch: Switch,
    /// Workloads that are not allowed to be as they are.
    pub not_allowed: Vec<String>,
    /// Other objects that would start what can place orders: scalers, for example.
    pub would_start: Vec<Starter>,
    /// Every workload, by kind, namespace and name.
    pub workloads: Vec<Workload>,
}

/// An object that would start what can place orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Starter {
    /// `Kind/namespace/name`.
    pub object: String,
    /// How.
    pub why: String,
}

/// Where the objects of a report came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Source {
    /// The cluster that kubectl reaches.
    #[serde(rename = "kubectl")]
    Kubectl,
    /// What kubectl answered earlier.
    #[serde(rename = "saved objects")]
    Saved,
    /// The manifests of a commit: no cluster was asked.
    #[serde(rename = "manifests")]
    Manifests,
}

/// Of when, by which build, and from where a report is.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The time.
    pub at: UnixNanos,
    /// The commit.
    pub git_sha: &'a str,
    /// Where the objects came from.
    pub source: Source,
}

impl DeployReport {
    /// The report of a cluster.
    pub fn of(cluster: &Cluster<'_>, made: Made<'_>) -> Self {
        let (mut workloads, mut would_start) = (cluster.workloads(), Vec::new());
        for finding in cluster.would_start(&workloads) {
            let object = finding.object.unwrap_or_else(|| "an object".to_owned());
            match workloads.iter_mut().find(|it| it.workload == object) {
                Some(workload) if workload.allowed_to_run => {
                    workload.allowed_to_run = false;
                    workload.why = finding.message;
                }
                Some(_) => {}
                None => would_start.push(Starter { object, why: finding.message }),
            }
        }
        would_start.dedup();
        // Pods and replica sets of a workload that is not allowed say no more than it does.
        let is_told = workloads.iter().any(|it| !it.allowed_to_run);
        let owned: BTreeSet<String> = cluster.objects().iter().filter(|it| is_owned(it)).map(Object::label).collect();
        would_start.retain(|it| !(is_told && owned.contains(&it.object)));
        Self::over(workloads, would_start, cluster.switch(), made)
    }

    /// The report of a commit's manifests, before there is a cluster to ask.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn of_manifests(repository: &Repository, commit: Id, at: UnixNanos) -> Result<Self, GitError> {
        let Manifests { workloads, kill_switch } = Manifests::of(repository, commit)?;
        Ok(Self::over(
            workloads,
            Vec::new(),
            kill_switch,
            Made { at, git_sha: &commit.to_string(), source: Source::Manifests },
        ))
    }

    fn over(workloads: Vec<Workload>, would_start: Vec<Starter>, kill_switch: Switch, made: Made<'_>) -> Self {
        let not_allowed = workloads.iter().filter(|it| !it.allowed_to_run).map(|it| it.workload.clone()).collect();
        Self {
            report: "deploy",
            at_utc: made.at,
            git_sha: made.git_sha.to_owned(),
            source: made.source,
            kill_switch,
            not_allowed,
            would_start,
            workloads,
        }
    }

    /// Whether everything may be as it is while execution is to rest. Nothing is good that nobody saw: neither a cluster without workloads nor
    /// a switch that cannot be read.
    pub fn is_allowed(&self) -> bool {
        let rests = self.not_allowed.is_empty() && self.would_start.is_empty();
        rests && !self.workloads.is_empty() && self.kill_switch.state == State::Halted
    }

    /// How many workloads there are, and what is to be said of them, in one line.
    pub fn summary(&self) -> String {
        let of = |kept: fn(&&Workload) -> bool| self.workloads.iter().filter(kept).count();
        format!(
            "{} workloads: {} not allowed to run as they do, {} with a problem, {} that can place orders",
            self.workloads.len(),
            of(|it| !it.allowed_to_run),
            of(|it| it.problems.iter().any(|problem| problem.trouble != Trouble::Told)),
            of(|it| it.can_place_orders()),
        )
    }

    /// For machines.
    pub fn json(&self) -> Vec<u8> {
        json_file::bytes(self)
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

fn is_owned(object: &Object<'_>) -> bool {
    object.at(&["metadata", "ownerReferences"]).is_some()
}

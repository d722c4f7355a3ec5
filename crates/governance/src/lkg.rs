//! Last known good: what ran when everything was well, kept so that people can bring it back. Evidence contract, "Last known good".
//!
//! What is kept holds the switch at halted and execution at zero, whatever the cluster had. A plan to bring it back is text for a person:
//! nothing here runs it, and no text of it starts what can place orders.

pub mod capture;
pub mod diff;
mod image_pin;
mod keep;
pub mod restore;
mod yaml;

use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use agenttrader_policy::tree::{Entry, Tree};
use serde::{Deserialize, Serialize};

/// The objects, by the name of their file.
pub const MANIFEST: &str = "lkg_manifest.yaml";

/// What is known about them.
pub const METADATA: &str = "lkg_metadata.json";

/// The form of the metadata.
pub const FORMAT: &str = "agenttrader/lkg/v1";

/// The rules that hold for whatever is brought back.
const RULES: [Rule; 5] = [Rule::ExecScale, Rule::NoExecute, Rule::KillSwitch, Rule::SwitchRead, Rule::Parse];

/// What is known about what was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// [`FORMAT`].
    pub format: String,
    /// When, as the caller says.
    pub at_utc: UnixNanos,
    /// The commit of the build that captured.
    pub git_sha: String,
    /// That build.
    pub build_id: String,
    /// The cluster, as the caller names it.
    pub cluster: Option<String>,
    /// The context of kubectl by which it is reached, as the caller names it.
    pub context: Option<String>,
    /// The namespace.
    pub namespace: String,
    /// SHA-256 of the manifest's bytes.
    pub manifest_sha256: Digest,
    /// What runs.
    pub components: Vec<Component>,
    /// What was not kept, and why.
    pub left_out: Vec<LeftOut>,
    /// What the cluster had, and what is kept instead.
    pub safety_posture: Posture,
}

/// A workload that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// `Kind/namespace/name`.
    pub workload: String,
    /// Pods that it is kept with; null where its kind has no number.
    pub replicas: Option<u64>,
    /// Whether it can place orders, and is kept at zero for that.
    pub can_place_orders: bool,
    /// Its images.
    pub images: Vec<Image>,
}

/// An image of a workload that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The container.
    pub container: String,
    /// The reference that is kept.
    pub image: String,
    /// Whether it is pinned to the digest that ran; otherwise it is what the cluster's manifest asks for.
    pub is_pinned: bool,
}

/// What was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// `Kind/namespace/name`.
    pub object: String,
    /// Why.
    pub why: String,
}

/// What the cluster had, and what is kept instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posture {
    /// What the switch was seen to say.
    pub kill_switch_seen: String,
    /// What is kept.
    pub kill_switch_kept: String,
    /// What can place orders and was seen above zero; it is kept at zero.
    pub execution_seen_running: Vec<String>,
}

/// What speaks against bringing a manifest back.
fn objections(manifest: &[u8]) -> Vec<Finding> {
    let mut tree = Tree::new();
    tree.insert(format!("k8s/{MANIFEST}"), Entry::File(manifest.to_vec()));
    let mut findings = agenttrader_policy::judge(&tree, Some(&RULES));
    findings.retain(|finding| finding.verdict == Verdict::Fail && RULES.contains(&finding.rule));
    findings
}

/// Findings as one sentence.
fn said(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|it| format!("{} {}: {}", it.rule.id(), it.object.as_deref().unwrap_or("-"), it.message))
        .collect()
}

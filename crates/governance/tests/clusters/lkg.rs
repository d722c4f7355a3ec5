//! What is kept of the clusters, and the plan to bring it back.

use crate::change::{Change, changed};
use crate::{at, deploy, folder, golden, ready, saved};
use agenttrader_core::identity::Build;
use agenttrader_governance::artefacts;
use agenttrader_governance::cluster::Cluster;
use agenttrader_governance::cluster::saved::Saved;
use agenttrader_governance::lkg::capture::{Captured, Lkg, NotGood, capture};
use agenttrader_governance::lkg::diff::diff;
use agenttrader_governance::lkg::restore::{Kept, KeptError};

pub fn captured(saved: &Saved) -> Result<Lkg, NotGood> {
    let build = Build { git_sha: "0123456789abcdef0123456789abcdef01234567".to_owned(), build_id: "test".to_owned() };
    let parsed = saved.parsed().unwrap();
    let context = Some("floor@example");
    capture(&Cluster::of(&parsed).unwrap(), Captured { at: at(), build: &build, cluster: Some("floor"), context })
}

/// What was kept, in a folder.
fn kept(lkg: &Lkg) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    artefacts::write(dir.path(), &lkg.files()).unwrap();
    dir
}

fn plan(lkg: &Lkg) -> String {
    Kept::read(kept(lkg).path()).unwrap().plan("ops/lkg").unwrap()
}

/// Execution that runs, in a mode that may be kept, with the switch released.
const RUNNING: [Change<'static>; 4] = [
    (("ConfigMap", "agenttrader-kill-switch"), "/data/EXECUTION_HALTED", "\"0\""),
    (("Deployment", "execution-agent"), "/spec/replicas", "3"),
    (("Deployment", "execution-agent"), "/status", "{\"replicas\": 3, \"readyReplicas\": 3}"),
    (("ReplicaSet", "execution-agent"), "/spec/replicas", "3"),
];

#[test]
fn a_healthy_cluster_is_kept_and_planned_back_as_a_person_has_read_it() {
    let lkg = captured(&saved("healthy")).unwrap();
    for (name, bytes) in lkg.files() {
        golden(&format!("healthy/{name}"), &bytes);
    }
    golden("healthy/restore_plan.txt", plan(&lkg).as_bytes());
    assert_eq!(lkg, captured(&saved("healthy")).unwrap());
    for word in ["resourceVersion", "uid:", "creationTimestamp", "managedFields", "status:", "nodePort", "last-applied"]
    {
        assert!(!lkg.manifest.contains(word), "{word}");
    }
    let images: Vec<_> =
        lkg.metadata.components.iter().flat_map(|it| it.images.iter().map(move |image| (it, image))).collect();
    assert!(
        images.iter().all(|(it, image)| image.is_pinned != it.can_place_orders),
        "what is at zero keeps its reference"
    );
    assert!(images.iter().all(|(_, image)| image.is_pinned == image.image.contains("@sha256:")));
}

#[test]
fn a_released_switch_and_a_running_execution_are_kept_at_rest_and_told() {
    let lkg = captured(&changed(&folder("healthy"), &RUNNING)).unwrap();
    assert_eq!(lkg.manifest, captured(&saved("healthy")).unwrap().manifest);
    let posture = &lkg.metadata.safety_posture;
    assert_eq!(posture.execution_seen_running, ["Deployment/trading-floor/execution-agent"]);
    assert!(posture.kill_switch_seen.ends_with("is `0`"), "{posture:?}");
}

#[test]
fn what_is_not_well_or_set_to_execute_is_not_kept() {
    let reasons = |saved: &Saved| captured(saved).unwrap_err().reasons.join("\n");
    let degraded = reasons(&saved("degraded"));
    for word in ["crashes in a loop", "cannot be pulled", "0 of 1 ready", "has not taken up the last change"] {
        assert!(degraded.contains(word), "{word} in {degraded}");
    }
    let alarming = reasons(&saved("alarming"));
    assert!(alarming.contains("no-execute"), "{alarming}");
    let pod = ("Pod", "gamma-strategy-0");
    assert!(
        reasons(&changed(&folder("healthy"), &[(pod, "/status/containerStatuses/0/imageID", "\"\"")]))
            .contains("0 digests")
    );
    let mut without_pods = saved("healthy");
    without_pods.insert("pods.json", br#"{"kind": "List", "apiVersion": "v1", "items": []}"#.to_vec());
    let unseen = reasons(&without_pods);
    assert!(
        unseen.contains("StatefulSet/trading-floor/gamma-strategy, container") && unseen.contains("0 digests"),
        "{unseen}"
    );
    assert!(!unseen.contains("execution-agent"), "kept at zero, it needs none: {unseen}");
    let switch = (("ConfigMap", "agenttrader-kill-switch"), "/metadata/name", "\"other\"");
    assert!(reasons(&changed(&folder("healthy"), &[switch])).contains("no ConfigMap agenttrader-kill-switch"));
    let mut empty = Saved::default();
    empty.insert("all", br#"{"kind": "List", "apiVersion": "v1", "items": []}"#.to_vec());
    assert!(reasons(&empty).contains("no workload"));
}

#[test]
fn a_cluster_differs_from_what_was_kept_of_it_by_what_changed_alone() {
    let lkg = captured(&saved("healthy")).unwrap();
    let differences = |saved: &Saved| {
        let parsed = saved.parsed().unwrap();
        let found = diff(lkg.manifest.as_bytes(), &Cluster::of(&parsed).unwrap());
        found.into_iter().map(|it| format!("{} {}", it.object, it.field)).collect::<Vec<_>>()
    };
    assert_eq!(differences(&saved("healthy")), [""; 0]);
    assert_eq!(
        differences(&changed(&folder("healthy"), &RUNNING)),
        [
            "ConfigMap/trading-floor/agenttrader-kill-switch data.EXECUTION_HALTED",
            "Deployment/trading-floor/execution-agent spec.replicas"
        ]
    );
}

#[test]
fn a_plan_repeats() {
    let lkg = captured(&saved("healthy")).unwrap();
    assert_eq!(plan(&lkg), plan(&lkg));
}

#[test]
fn a_plan_verifies_the_switch_before_it_touches_anything_else() {
    let plan = plan(&captured(&saved("healthy")).unwrap());
    let at = |word: &str| plan.find(word).unwrap_or_else(|| panic!("{word} in {plan}"));
    assert!(at("EXECUTION_HALTED: \"1\"") < at("echo HALTED"));
    assert!(at("echo HALTED") < at("kubectl diff -f") && at("kubectl diff -f") < at("kubectl apply -f ops/lkg"));
    assert!(at("rollout status deployment/marketdata-mcp-server") < at("rollout status statefulset/gamma-strategy"));
    assert!(!plan.contains("rollout status deployment/execution-agent"));
}

#[test]
fn no_output_holds_a_command_that_starts_execution() {
    let mut outputs = Vec::new();
    for name in ["healthy", "degraded", "alarming"] {
        let saved = saved(name);
        outputs
            .extend(deploy(&saved).files().into_iter().chain(ready(&saved).files()).map(|(_, bytes)| (false, bytes)));
    }
    for saved in [saved("healthy"), changed(&folder("healthy"), &RUNNING)] {
        let lkg = captured(&saved).unwrap();
        outputs.push((true, plan(&lkg).into_bytes()));
        outputs.extend(lkg.files().into_iter().map(|(_, bytes)| (true, bytes)));
    }
    assert!(outputs.len() > 20);
    for (is_kept, bytes) in outputs {
        let text = String::from_utf8(bytes).unwrap();
        let starts = |line: &&str| {
            ["scale", "--replicas", "set env", "kubectl patch", "kubectl edit", "agenttrader execution", "resume"]
                .iter()
                .any(|word| line.contains(word))
        };
        let starting: Vec<_> = text.lines().filter(starts).collect();
        assert!(starting.iter().all(|line| line.contains("HorizontalPodAutoscaler")), "{starting:?}");
        assert!(!is_kept || !text.contains("EXECUTE"), "{text}");
        assert!(is_kept || !text.contains("kubectl "), "{text}");
    }
}

#[test]
fn what_was_altered_after_it_was_kept_is_not_planned() {
    let lkg = captured(&saved("healthy")).unwrap();
    let refused = |name: &str, from: &str, to: &str| {
        let dir = kept(&lkg);
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(dir.path().join(name), text.replace(from, to)).unwrap();
        Kept::read(dir.path()).and_then(|kept| kept.plan("ops/lkg"))
    };
    let manifest = "lkg_manifest.yaml";
    assert!(matches!(refused(manifest, "replicas: 0", "replicas: 1"), Err(KeptError::Refused { .. })));
    assert!(matches!(refused("lkg_metadata.json", "lkg/v1", "lkg/v2"), Err(KeptError::Refused { .. })));
    assert!(matches!(refused("lkg_metadata.json", "floor@example", "x'; rm -r /; '"), Err(KeptError::Refused { .. })));
    assert!(matches!(Kept::read(std::path::Path::new("/nowhere")), Err(KeptError::Read { .. })));
    // Whoever makes the digest anew as well still meets the lock's rules.
    for (from, to) in [("replicas: 0", "replicas: 1"), ("EXECUTION_HALTED: \"1\"", "EXECUTION_HALTED: \"0\"")] {
        let mut altered = lkg.clone();
        assert!(altered.manifest.contains(from), "{from}");
        altered.manifest = altered.manifest.replace(from, to);
        altered.metadata.manifest_sha256 = agenttrader_core::digest::Digest::of(altered.manifest.as_bytes());
        let error = Kept::read(kept(&altered).path()).unwrap_err();
        assert!(matches!(error, KeptError::Refused { name: "lkg_manifest.yaml", .. }), "{error}");
    }
}

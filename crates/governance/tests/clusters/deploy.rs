//! Everything that a deploy report can say is wrong, each said of a cluster that has it.

use crate::change::{Change, changed};
use crate::{deploy, folder, ready, saved};
use agenttrader_governance::cluster::switch::State;
use agenttrader_governance::workload::Trouble;
use std::collections::BTreeSet;

const POD: (&str, &str) = ("Pod", "gamma-strategy-0");
const SET: (&str, &str) = ("StatefulSet", "gamma-strategy");
const STATE: &str = "/status/containerStatuses/0/state";

/// What a cluster has, of which sort the report says it is, and in which words.
const TROUBLES: [(&[Change<'static>], Trouble, &str); 13] = [
    (
        &[(POD, STATE, "{\"waiting\": {\"reason\": \"CrashLoopBackOff\"}}")],
        Trouble::CrashLoop,
        "crashes in a loop, 0 restarts",
    ),
    (
        &[(POD, "/status/containerStatuses/0/restartCount", "3"), (POD, "/status/containerStatuses/0/ready", "false")],
        Trouble::CrashLoop,
        "is not ready after 3 restarts",
    ),
    (
        &[(POD, STATE, "{\"waiting\": {\"reason\": \"ErrImagePull\"}}")],
        Trouble::ImagePull,
        "its image cannot be pulled (ErrImagePull)",
    ),
    (&[(POD, STATE, "{\"waiting\": {\"reason\": \"CreateContainerConfigError\"}}")], Trouble::NotReady, "cannot start"),
    (&[(POD, "/status/phase", "\"Failed\"")], Trouble::NotReady, "has failed"),
    (&[(POD, "/status/phase", "\"Unknown\"")], Trouble::NotReady, "its node does not say how it is"),
    (
        &[(
            POD,
            "/status/conditions/0",
            "{\"type\": \"PodScheduled\", \"status\": \"False\", \"reason\": \"Unschedulable\"}",
        )],
        Trouble::NotReady,
        "no node has room for it",
    ),
    (&[(SET, "/status/readyReplicas", "0")], Trouble::NotReady, "0 of 1 ready"),
    (&[(SET, "/spec/replicas", "2")], Trouble::NotReady, "1 of 2 ready"),
    (&[(SET, "/spec/replicas", "\"some\"")], Trouble::Unclear, "nothing says how many pods it should have"),
    (&[(SET, "/status/observedGeneration", "0")], Trouble::Unclear, "has not taken up the last change"),
    (
        &[(POD, "/metadata/ownerReferences/0/name", "\"gone\"")],
        Trouble::Unclear,
        "it belongs to StatefulSet gone, which is not among the objects",
    ),
    (
        &[(POD, "/status/containerStatuses/0/lastState", "{\"terminated\": {\"reason\": \"OOMKilled\"}}")],
        Trouble::Told,
        "was ended for want of memory",
    ),
];

#[test]
fn each_problem_is_told_of_a_cluster_that_has_it_and_of_no_healthy_one() {
    let all: BTreeSet<Trouble> = Trouble::ALL.into();
    assert_eq!(
        TROUBLES.iter().map(|(_, trouble, _)| *trouble).collect::<BTreeSet<_>>(),
        all,
        "a sort that no cluster here has"
    );
    assert!(deploy(&saved("healthy")).workloads.iter().all(|it| it.problems.is_empty()));
    for (changes, trouble, words) in TROUBLES {
        let report = deploy(&changed(&folder("healthy"), changes));
        let problems: Vec<_> = report.workloads.iter().flat_map(|it| &it.problems).collect();
        assert!(problems.iter().any(|it| it.trouble == trouble && it.what.contains(words)), "{words}: {problems:?}");
        assert!(report.markdown().contains("## Problems") && report.is_allowed(), "{}", report.markdown());
    }
}

#[test]
fn each_state_of_the_switch_is_told_and_only_halted_is_healthy() {
    for value in ["1", "0", "", "true"] {
        let switch = ("ConfigMap", "agenttrader-kill-switch");
        let report = deploy(&changed(&folder("healthy"), &[(switch, "/data/EXECUTION_HALTED", &format!("{value:?}"))]));
        // A new state does not compile here before it has a value that leads to it.
        let expected = match report.kill_switch.state {
            State::Halted => "1",
            State::Released => "0",
            State::Unknown if value.is_empty() => "",
            State::Unknown => "true",
        };
        assert_eq!(value, expected);
        assert_eq!(report.is_allowed(), report.kill_switch.state == State::Halted);
        let word = format!("{:?}", report.kill_switch.state).to_uppercase();
        assert!(report.markdown().contains(&format!("Kill switch: **{word}**")), "{}", report.markdown());
    }
}

#[test]
fn what_can_place_orders_is_not_allowed_above_zero_or_where_nothing_holds_it_there() {
    let execution = ("Deployment", "execution-agent");
    let label = ("Pod", "gamma-strategy-0");
    for (change, workload, why) in [
        ((execution, "/spec/replicas", "1"), "Deployment/trading-floor/execution-agent", "is not at zero"),
        ((execution, "/spec/replicas", "\"0\""), "Deployment/trading-floor/execution-agent", "is not at zero"),
        ((execution, "/status", "{\"replicas\": 1}"), "Deployment/trading-floor/execution-agent", "is not at zero"),
        (
            (("ReplicaSet", "execution-agent"), "/spec/replicas", "1"),
            "Deployment/trading-floor/execution-agent",
            "is not at zero",
        ),
        (
            (label, "/metadata/labels/app.kubernetes.io~1name", "\"execution-agent\""),
            "StatefulSet/trading-floor/gamma-strategy",
            "is not at zero",
        ),
        (
            (execution, "/kind", "\"DaemonSet\""),
            "DaemonSet/trading-floor/execution-agent",
            "cannot be held at zero as a DaemonSet",
        ),
    ] {
        let report = deploy(&changed(&folder("healthy"), &[change]));
        let it = report.workloads.iter().find(|it| it.workload == workload).unwrap();
        assert!(!it.allowed_to_run && it.why.contains(why), "{change:?}: {}", it.why);
        assert!(report.not_allowed.contains(&it.workload) && !report.is_allowed());
        assert!(report.markdown().contains("## Not allowed"));
    }
}

#[test]
fn what_would_start_execution_is_not_allowed_though_it_places_no_orders_itself() {
    let mut cluster = saved("healthy");
    let more = serde_json::json!({"kind": "List", "apiVersion": "v1", "items": [
        {
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "at-open", "namespace": "trading-floor"},
            "spec": {"schedule": "30 9 * * 1-5", "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "scale", "image": "tools:1",
                    "command": ["kubectl", "scale", "deploy/execution-agent", "--replicas=1"]}]}}}}}
        },
        {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "execution", "namespace": "trading-floor"},
            "spec": {"minReplicas": 1, "maxReplicas": 2,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "execution-agent"}}
        }
    ]});
    cluster.insert("more.json", more.to_string().into_bytes());
    let report = deploy(&cluster);
    assert_eq!(report.not_allowed, ["CronJob/trading-floor/at-open"]);
    let starters: Vec<&str> = report.would_start.iter().map(|it| it.object.as_str()).collect();
    assert_eq!(starters, ["HorizontalPodAutoscaler/trading-floor/execution"]);
    assert!(!report.is_allowed() && !ready(&cluster).is_ready());
    let page = report.markdown();
    for line in ["- **CronJob/trading-floor/at-open** ", "execution** starts execution: "] {
        assert!(page.contains(line), "{page}");
    }
}

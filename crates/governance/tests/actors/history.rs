//! Commits one by one and together: what was taken back, what a merge brings, what was others'.

use crate::floor::Floor;
use agenttrader_governance::actors::offence::Kind;

const GAMMA: &str = "k8s/gamma-strategy.yaml";

fn set(floor: &Floor, from: &str, to: &str) {
    let text = floor.read(GAMMA);
    assert!(text.contains(from));
    floor.put(GAMMA, &text.replace(from, to));
}

#[test]
fn a_commit_that_a_later_one_takes_back_is_named() {
    let Some(floor) = Floor::new() else { return };
    set(&floor, "\"OBSERVE\"", "\"EXECUTE\"");
    let bad = floor.commit("worse");
    set(&floor, "\"EXECUTE\"", "\"OBSERVE\"");
    floor.commit("as it was");
    let found = floor.judge();
    assert!(found.iter().any(|offence| offence.kind == Kind::AgentMode && offence.commit == Some(bad)), "{found:#?}");
    let shown = found.iter().find(|offence| offence.commit == Some(bad)).unwrap();
    assert_eq!((shown.path.as_deref(), shown.text.as_deref()), (Some(GAMMA), Some("value: \"EXECUTE\"")));
}

#[test]
fn what_people_did_on_the_base_and_is_merged_in_is_nobodys_change() {
    let Some(floor) = Floor::new() else { return };
    floor.git(&["switch", "--quiet", "--create", "agent"]);
    floor.put("README.md", "An agent's.\n");
    floor.commit("work");
    floor.git(&["switch", "--quiet", "base"]);
    set(&floor, "\"OBSERVE\"", "\"OFF\"");
    floor.commit("people's");
    floor.git(&["switch", "--quiet", "agent"]);
    // Behind the base, and after merging it.
    assert_eq!(floor.judge(), []);
    floor.git(&["merge", "--quiet", "--no-edit", "base"]);
    assert_eq!(floor.judge(), []);
}

#[test]
fn a_merge_that_brings_what_neither_side_has_or_undoes_the_base_is_refused() {
    let Some(floor) = Floor::new() else { return };
    floor.git(&["switch", "--quiet", "--create", "agent"]);
    floor.put("README.md", "An agent's.\n");
    floor.commit("work");
    floor.git(&["switch", "--quiet", "base"]);
    set(&floor, "\"OBSERVE\"", "\"OFF\"");
    floor.commit("people's");
    floor.git(&["switch", "--quiet", "agent"]);
    floor.git(&["merge", "--quiet", "--no-commit", "base"]);
    set(&floor, "\"OFF\"", "\"EXECUTE\"");
    floor.commit("merged");
    assert!(floor.judge().iter().any(|offence| offence.kind == Kind::AgentMode));
    floor.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    floor.git(&["merge", "--quiet", "--no-edit", "--strategy=ours", "base"]);
    assert!(floor.judge().iter().any(|offence| offence.kind == Kind::AgentMode), "the base's change was undone");
}

#[test]
fn a_history_of_its_own_is_compared_with_the_base() {
    let Some(floor) = Floor::new() else { return };
    floor.git(&["switch", "--quiet", "--orphan", "alone"]);
    floor.put("README.md", "Nothing else.\n");
    floor.commit("alone");
    let found = floor.judge();
    for kind in [Kind::KillSwitch, Kind::Enrol] {
        assert!(found.iter().any(|offence| offence.kind == kind), "{found:#?}");
    }
}

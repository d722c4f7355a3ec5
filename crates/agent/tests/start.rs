//! No identity, no start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_agent::start::{floor_identities, identify, mode};
use agenttrader_core::identity::{AgentMode, AgentRole, Build};
use std::collections::BTreeMap;

fn environment(changes: &[(&str, Option<&str>)]) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = [
        ("REPO_ID", "agent-trader-v2"),
        ("AGENT_NAME", "gamma-strategy"),
        ("AGENT_ROLE", "strategy_eval"),
        ("AGENT_MODE", "OBSERVE"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (name, value) in changes {
        match value {
            Some(value) => environment.insert((*name).to_owned(), (*value).to_owned()),
            None => environment.remove(*name),
        };
    }
    environment
}

fn compiled() -> Build {
    Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "unknown".into() }
}

#[test]
fn a_whole_environment_is_an_identity() {
    let identity = identify(&environment(&[]), &compiled()).unwrap();
    assert_eq!(identity.agent.agent_name, "gamma-strategy");
    assert_eq!(identity.agent.agent_role, AgentRole::StrategyEval);
    assert_eq!(identity.agent.agent_mode, AgentMode::Observe);
    assert_eq!(identity.build, compiled());
    assert_eq!(identity.build_shown, compiled());
    assert_eq!(identity.mode_problem, None);
}

#[test]
fn every_bad_variable_is_named_with_what_it_must_be() {
    for (name, bads) in [
        ("REPO_ID", [None, Some(""), Some("agent-trader"), Some("agent-trader-v2 "), Some("AGENT-TRADER-V2")]),
        ("AGENT_NAME", [None, Some(""), Some("../x"), Some("a b"), Some(" gamma-strategy")]),
        ("AGENT_ROLE", [None, Some(""), Some("strategy"), Some("Marketdata"), Some("ops ")]),
    ] {
        for bad in bads {
            let refused = identify(&environment(&[(name, bad)]), &compiled()).unwrap_err();
            assert_eq!(refused.problems.len(), 1, "{refused}");
            assert_eq!(refused.problems[0].variable, name);
            assert!(refused.to_string().contains(name));
        }
    }
    let refused = identify(&BTreeMap::new(), &compiled()).unwrap_err();
    let named: Vec<&str> = refused.problems.iter().map(|problem| problem.variable).collect();
    assert_eq!(named, ["REPO_ID", "AGENT_NAME", "AGENT_ROLE"]);
    assert_eq!(
        refused.to_string(),
        "no identity, no start: REPO_ID is not set, must be `agent-trader-v2`; AGENT_NAME is not set, must be 1 to 64 letters, digits, \
         `-` and `_`; AGENT_ROLE is not set, must be one of marketdata, strategy_eval, execution, ops, ingest"
    );
}

#[test]
fn only_the_exact_words_are_a_mode_and_anything_else_is_off_and_told() {
    assert_eq!(mode(None), (AgentMode::Off, None));
    assert_eq!(mode(Some("OFF")), (AgentMode::Off, None));
    assert_eq!(mode(Some("OBSERVE")), (AgentMode::Observe, None));
    assert_eq!(mode(Some("EXECUTE")), (AgentMode::Execute, None));
    for bad in ["", " observe", "Execute", "1", "observe", "OBSERVE ", "OBSERVE\n", "EXECUTE\0", "LIVE"] {
        let (mode, problem) = mode(Some(bad));
        assert_eq!(mode, AgentMode::Off, "{bad:?}");
        assert!(problem.unwrap().contains(&format!("{bad:?}")));
    }
    let identity = identify(&environment(&[("AGENT_MODE", Some(" observe"))]), &compiled()).unwrap();
    assert_eq!(identity.agent.agent_mode, AgentMode::Off);
    assert!(identity.mode_problem.is_some());
}

#[test]
fn execute_is_for_the_role_execution_alone() {
    for role in AgentRole::ALL {
        let environment = environment(&[("AGENT_MODE", Some("EXECUTE")), ("AGENT_ROLE", Some(role.as_str()))]);
        match identify(&environment, &compiled()) {
            Ok(identity) => assert_eq!((role, identity.agent.agent_mode), (AgentRole::Execution, AgentMode::Execute)),
            Err(refused) => {
                assert_ne!(role, AgentRole::Execution);
                assert_eq!(refused.problems[0].variable, "AGENT_MODE");
            }
        }
    }
}

#[test]
fn the_build_in_the_environment_is_shown_and_never_compared() {
    let environment = environment(&[("GIT_SHA", Some("ffff")), ("BUILD_ID", Some("77"))]);
    let identity = identify(&environment, &compiled()).unwrap();
    assert_eq!(identity.build, compiled());
    assert_eq!((identity.build_shown.git_sha.as_str(), identity.build_shown.build_id.as_str()), ("ffff", "77"));
}

#[test]
fn the_floors_agents_all_observe_and_have_names_of_their_own() {
    let all = floor_identities();
    let names: Vec<&str> = all.iter().map(|identity| identity.agent_name.as_str()).collect();
    assert_eq!(names, ["marketdata-mcp-server", "gamma-strategy", "whale-strategy", "shadow-gate", "mission-control"]);
    assert!(all.iter().all(|identity| identity.agent_mode == AgentMode::Observe));
    assert!(all.iter().all(|identity| identity.agent_role != AgentRole::Execution));
}

//! Roots of trust that would take an agent for a person.

use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::trust_root::{AgentKeys, AgentTrusted, SignersText, TrustRoot};
use agenttrader_people::{OPERATOR, Person, REVIEWER, three};

fn root(more: &str) -> TrustRoot {
    TrustRoot::read(SignersText { allowed_signers: three().allowed_signers + more, revoked_keys: String::new() })
        .unwrap()
}

fn point(root: &TrustRoot, principal: &str) -> [u8; 32] {
    *root.signers().lines().iter().find(|line| line.principal == principal).unwrap().key.point()
}

fn agents(of: &[(&str, &[[u8; 32]])]) -> Vec<AgentKeys> {
    of.iter().map(|(agent, points)| AgentKeys { agent: (*agent).to_owned(), points: points.to_vec() }).collect()
}

#[test]
fn an_agent_signs_commits_at_most_under_its_own_name() {
    let agent = Person::new("gamma-strategy");
    let known = agents(&[("whale-strategy", &[]), ("gamma-strategy", &[])]);
    assert_eq!(root("").trusts_none_of(&known), Ok(()));
    assert_eq!(root(&agent.line("git")).trusts_none_of(&known), Ok(()));
    for namespace in Namespace::ALL.into_iter().filter(|namespace| *namespace != Namespace::Git) {
        let refused = AgentTrusted::Name { agent: "gamma-strategy".to_owned(), namespace };
        assert_eq!(root(&agent.line(namespace.as_str())).trusts_none_of(&known), Err(refused.clone()));
        let other_case = Person::new("Gamma-Strategy").line(&format!("git,{namespace}"));
        assert_eq!(root(&other_case).trusts_none_of(&known), Err(refused));
    }
}

#[test]
fn an_agents_key_is_nobody_elses_whatever_it_may_sign_and_whatever_holds_it() {
    for person in [Person::new("dora"), Person::new("dora").with_security_key()] {
        for namespaces in [OPERATOR, REVIEWER, "git"] {
            let root = root(&person.line(namespaces));
            let dora = point(&root, "dora");
            let refused = AgentTrusted::Key { principal: "dora".to_owned(), agent: "whale-strategy".to_owned() };
            let known = agents(&[("gamma-strategy", &[[7; 32]]), ("whale-strategy", &[[8; 32], dora])]);
            assert_eq!(root.trusts_none_of(&known), Err(refused));
            assert_eq!(root.trusts_none_of(&known[..1]), Ok(()));
        }
    }
    // Nor another agent's.
    let root = root(&Person::new("gamma-strategy").line("git"));
    let key = point(&root, "gamma-strategy");
    assert_eq!(root.trusts_none_of(&agents(&[("gamma-strategy", &[key])])), Ok(()));
    assert!(root.trusts_none_of(&agents(&[("gamma-strategy", &[]), ("whale-strategy", &[key])])).is_err());
    assert_eq!(TrustRoot::draft().trusts_none_of(&agents(&[("gamma-strategy", &[key])])), Ok(()));
}

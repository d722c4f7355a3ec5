//! This repository is a draft that trusts nobody, and holds.

use agenttrader_authority::signers::AllowedSigners;
use agenttrader_governance::lock::model::{LOCK_PATH, Lock, State};
use agenttrader_governance::lock::rules::docs::REQUIRED;
use agenttrader_governance::lock::validate::statically;
use agenttrader_governance::scope::Scope;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn this_repository_is_a_draft_of_the_usual_scope_and_lists_no_signer() {
    let lock = Lock::parse(&fs::read(root().join(LOCK_PATH)).unwrap()).unwrap();
    assert_eq!(lock.state, State::Draft);
    assert_eq!(lock.terms.scope, Scope::usual().unwrap());
    let read = |name: &str| fs::read(root().join("ops/trust").join(name)).unwrap();
    assert!(AllowedSigners::parse(&read("allowed_signers"), &read("revoked_keys")).unwrap().is_nobody());
}

#[test]
fn this_repository_holds_statically() {
    let found = crate::repo::failures(&statically(&root(), None).unwrap());
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_runbook_and_every_page_on_operations_of_this_repository_is_required() {
    for folder in ["docs/runbooks", "docs/ops"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
            assert!(REQUIRED.contains(&path.as_str()), "{path} may go missing unnoticed");
        }
    }
}

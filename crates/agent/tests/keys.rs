//! Keys are made once, kept from others, and never shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_agent::keys::{KeyError, Keys, adopt, agents, key_id, keys_dir};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn keys_are_made_once_and_what_they_sign_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let first = Keys::open(dir.path(), "gamma-strategy").unwrap();
    let signature = first.sign.sign(b"a proposal");
    let again = Keys::open(dir.path(), "gamma-strategy").unwrap();
    again.sign.public_key().verify_strict(b"a proposal", &signature).unwrap();
    assert!(again.sign.public_key().verify_strict(b"another", &signature).is_err());
    assert_eq!(first.public(), again.public());
    assert_ne!(first.log.key_id(), first.sign.key_id());
    assert_eq!(first.sign.key_id(), key_id(&first.sign.public_key().to_bytes()));
    assert_eq!(first.sign.key_id().len(), 32);
    let known = agents(dir.path()).unwrap();
    assert_eq!(known["gamma-strategy"].signing_key(), Some(first.sign.public_key()));
}

#[test]
fn private_keys_are_for_their_owner_and_refused_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    Keys::open(dir.path(), "gamma-strategy").unwrap();
    for name in ["gamma-strategy.log", "gamma-strategy.sign"] {
        let path = keys_dir(dir.path()).join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        for mode in [0o604, 0o640, 0o601, 0o666] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(Keys::open(dir.path(), "gamma-strategy"), Err(KeyError::Exposed { mode: found, .. }) if found == mode)
            );
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(fs::metadata(keys_dir(dir.path())).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn nothing_of_a_private_key_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(dir.path(), "a").unwrap();
    let printed = format!("{keys:?}");
    assert_eq!(printed, format!("Keys {{ log: Signer({}), sign: Signer({}) }}", keys.log.key_id(), keys.sign.key_id()));
    let secret = fs::read_to_string(keys_dir(dir.path()).join("a.sign")).unwrap();
    let public = fs::read_to_string(keys_dir(dir.path()).join("agents.json")).unwrap();
    assert!(!public.contains(secret.trim()));
}

#[test]
fn agents_that_start_side_by_side_all_stand_in_the_list() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let dir = dir.path();
            scope.spawn(move || Keys::open(dir, &format!("agent-{}", number % 4)).unwrap());
        }
    });
    assert_eq!(agents(dir.path()).unwrap().len(), 4);
}

#[test]
fn what_is_no_key_is_an_error_and_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    Keys::open(dir.path(), "a").unwrap();
    let path = keys_dir(dir.path()).join("a.sign");
    for text in ["", "nonsense", "AAAA", &"A".repeat(4_000)] {
        fs::write(&path, text).unwrap();
        assert!(matches!(Keys::open(dir.path(), "a"), Err(KeyError::Unreadable { .. })), "{text:.10}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
    assert!(
        matches!(Keys::open(dir.path(), "a"), Err(KeyError::Differs { .. })),
        "a new key under an old name is told"
    );
    fs::write(keys_dir(dir.path()).join("agents.json"), "{").unwrap();
    assert!(matches!(Keys::open(dir.path(), "b"), Err(KeyError::Agents { .. })));
    assert!(matches!(Keys::open(dir.path(), "../b"), Err(KeyError::Name { .. })));
}

#[test]
fn keys_made_elsewhere_are_taken_over_once_and_never_exchanged() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let listed = here.path().join("keys.json");
    adopt(here.path(), &listed).unwrap();
    assert!(agents(here.path()).unwrap().is_empty(), "no list, no keys");

    let made = Keys::open(there.path(), "gamma-strategy").unwrap();
    fs::copy(keys_dir(there.path()).join("agents.json"), &listed).unwrap();
    for _ in 0..2 {
        adopt(here.path(), &listed).unwrap();
        assert_eq!(agents(here.path()).unwrap()["gamma-strategy"], made.public());
    }

    let other = tempfile::tempdir().unwrap();
    Keys::open(other.path(), "gamma-strategy").unwrap();
    fs::copy(keys_dir(other.path()).join("agents.json"), &listed).unwrap();
    assert!(matches!(adopt(here.path(), &listed), Err(KeyError::Differs { .. })));
    fs::write(&listed, "{").unwrap();
    assert!(matches!(adopt(here.path(), &listed), Err(KeyError::Agents { .. })));
    assert_eq!(agents(here.path()).unwrap()["gamma-strategy"], made.public());
}

#[test]
fn the_witness_has_one_key_of_its_own_that_nobody_else_reads() {
    let data_dir = tempfile::tempdir().unwrap();
    let first = agenttrader_agent::keys::witness(data_dir.path(), "example/witness").unwrap();
    let again = agenttrader_agent::keys::witness(data_dir.path(), "example/witness").unwrap();
    assert_eq!(first.verifier(), again.verifier());
    assert_eq!(first.verifier().kind(), agenttrader_audit::note::KeyKind::Cosigner);
    let path = data_dir.path().join("keys/witness");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap()) & 0o777, 0o600);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(matches!(
        agenttrader_agent::keys::witness(data_dir.path(), "example/witness"),
        Err(KeyError::Exposed { .. })
    ));
}

#[test]
fn a_log_is_verified_with_the_key_that_signs_it() {
    let data_dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(data_dir.path(), "gamma-strategy").unwrap();
    let signer = keys.log.note_signer("agenttrader/agent-trader-v2/gamma-strategy");
    let public = &agents(data_dir.path()).unwrap()["gamma-strategy"];
    assert_eq!(public.log_verifier(signer.name()), Some(signer.verifier()));
}

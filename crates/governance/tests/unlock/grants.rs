//! Grants under a lock that an unlock led to.

use crate::floor::{Floor, ID, floor, relock};
use crate::repo::later;
use agenttrader_authority::grant::ExecutionMode;
use agenttrader_authority::grant_limits::GrantLimits;
use agenttrader_authority::presented::Presented;
use agenttrader_core::digest::Digest;
use agenttrader_core::symbol::Symbol;
use agenttrader_governance::lock::write_error::WriteError;
use agenttrader_governance::unlock::grant::{Asking, Granted, grant, granting};
use agenttrader_governance::unlock::install::install;
use agenttrader_governance::unlock::status::status;
use std::fs;
use std::process::{Command, Stdio};

fn locked_again() -> Option<Floor> {
    let floor = floor()?;
    relock(&floor.repo, later(300));
    Some(floor)
}

fn paper() -> Asking {
    Asking {
        modes: vec![ExecutionMode::Shadow, ExecutionMode::Paper],
        symbols: vec![Symbol::parse("SPY").unwrap()],
        limits: GrantLimits { daily_orders: Some(5), ..GrantLimits::default() },
        delegation: Vec::new(),
        not_before: later(400),
        not_after: later(400 + 24 * 3600),
        exit_until: None,
        reason: "a day on paper".to_owned(),
        image: Some(Digest::of(b"an image")),
    }
}

fn sign(floor: &Floor, name: &str, asking: Option<&Asking>, at: i64) -> Result<Granted, WriteError> {
    let repository = floor.repo.open();
    let granting = granting(&repository)?;
    let statement = granting.statement(&repository, asking, later(at))?;
    grant(&repository, &granting, &statement, &floor.repo.signer(name), later(at))
}

#[test]
fn an_operator_and_a_reviewer_grant_and_stock_ssh_keygen_agrees() {
    let Some(floor) = locked_again() else { return };
    let lock = floor.repo.head();
    let first = sign(&floor, "olga", Some(&paper()), 350).unwrap();
    assert!(matches!(first.standing, Presented::Unusable { .. }));
    let second = sign(&floor, "rolf", None, 360).unwrap();
    let Presented::Good(good) = &second.standing else { panic!("{:?}", second.standing) };
    assert_eq!(good.get().git_commit.as_str(), lock.to_string());
    assert_eq!(good.get().signed_by, ["olga", "rolf"]);
    assert_eq!(second.sha256, first.sha256);
    let path = floor.repo.root().join(format!("ops/unlock/{ID}/grant.json"));
    for name in ["olga", "rolf"] {
        let verified = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-I", name, "-n", "execution-grant@agenttrader", "-f"])
            .arg(floor.repo.root().join("ops/trust/allowed_signers"))
            .arg("-s")
            .arg(format!("{}.{name}.sig", path.display()))
            .stdin(Stdio::from(fs::File::open(&path).unwrap()))
            .stdout(Stdio::null())
            .status();
        assert!(verified.unwrap().success(), "{name}");
    }
    let repository = floor.repo.open();
    let file = granting(&repository).unwrap().file().unwrap();
    let installed = install(&file, &floor.repo.beside("data")).unwrap();
    assert_eq!(Digest::of(&fs::read(installed).unwrap()), second.sha256);
    let unlock = status(&repository, later(500)).unwrap().unlock.unwrap();
    assert!(unlock.is_locked && unlock.refused.is_none() && unlock.grant.word() == "good");
}

#[test]
fn nothing_is_granted_under_a_first_lock_or_while_an_unlock_is_under_way() {
    let Some(floor) = floor() else { return };
    let why = sign(&floor, "olga", Some(&paper()), 350).unwrap_err().to_string();
    assert!(why.contains("the lock is the first"), "{why}");
}

#[test]
fn too_much_is_not_granted_and_nobody_else_signs() {
    let Some(floor) = locked_again() else { return };
    let head = floor.repo.head();
    let live = Asking { modes: vec![ExecutionMode::Live], ..paper() };
    for (asking, says) in [
        (live, "did not ask for a grant for live"),
        (Asking { not_after: later(400 + 8 * 24 * 3600), ..paper() }, "longer than"),
        (Asking { image: None, ..paper() }, "do not pin one image"),
        (Asking { symbols: Vec::new(), ..paper() }, "symbols"),
    ] {
        // The image is in the manifests or is not: where it is, the rest of the grant is good.
        match sign(&floor, "olga", Some(&asking), 350) {
            Ok(_) if asking.image.is_none() => {
                floor.repo.git(&["reset", "--quiet", "--hard", &head.to_string()]);
            }
            Ok(_) => panic!("granted: {asking:?}"),
            Err(why) => assert!(why.to_string().contains(says), "{why}"),
        }
    }
    for name in ["anna", "stranger"] {
        let why = sign(&floor, name, Some(&paper()), 350).unwrap_err().to_string();
        assert!(why.contains("neither operator nor reviewer"), "{why}");
    }
    assert_eq!(floor.repo.head(), head);
    sign(&floor, "olga", Some(&paper()), 350).unwrap();
    assert!(sign(&floor, "olga", None, 350).unwrap_err().to_string().contains("signed already"));
    let other = Asking { reason: "something else".to_owned(), ..paper() };
    assert!(sign(&floor, "rolf", Some(&other), 350).unwrap_err().to_string().contains("waits for signatures"));
    assert!(matches!(sign(&floor, "rolf", Some(&paper()), 360).unwrap().standing, Presented::Good(_)));
}

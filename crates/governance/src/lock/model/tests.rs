use super::*;

fn terms() -> Terms {
    Terms {
        repo_id: format!("somebody/{REPO_ID}"),
        baseline_branch: "main".to_owned(),
        clusters: vec!["test".to_owned()],
        safety: vec!["nothing is executed".to_owned()],
        components: vec![Component { name: "manifests".to_owned(), paths: vec!["k8s/".to_owned()] }],
        guarantees: vec!["the mode is not EXECUTE".to_owned()],
        require_sk: false,
        scope: Scope::parse(&["k8s/**"]).unwrap(),
    }
}

fn locked() -> Locked {
    let sha256 = Digest::of(b"x");
    let file = |path: &str| LockedFile { path: path.to_owned(), mode: Mode::File, sha256 };
    let timestamp = UnixNanos::parse("2026-11-30T17:00:00Z").unwrap();
    Locked {
        timestamp,
        git_sha: Id::from_bytes([7; 20]),
        build_id: "test".to_owned(),
        policy_sha256: sha256,
        files: vec![file("k8s/a.yaml"), file("k8s/b.yaml")],
        evidence: vec![Evidence { report: Report::DeployReport, path: "ops/unlock/x/d.json".to_owned(), sha256 }],
        previous: Some(sha256),
        unlock_id: Some("20261130-fees".to_owned()),
        waives: vec![Waiver {
            rule: Rule::KillSwitch,
            path: "k8s/a.yaml".to_owned(),
            object: None,
            field: Some("data".to_owned()),
            value: None,
            expires: timestamp.plus(Span::from_seconds(3600)),
        }],
    }
}

fn lock(locked: Locked) -> Lock {
    Lock { terms: terms(), state: State::Locked(Box::new(locked)) }
}

#[test]
fn a_lock_and_a_draft_are_read_back_as_they_were_written() {
    for lock in [lock(locked()), Lock { terms: terms(), state: State::Draft }] {
        assert_eq!(Lock::parse(&lock.bytes()), Ok(lock));
    }
    let text = String::from_utf8(lock(locked()).bytes()).unwrap();
    assert!(text.contains("\n    {\"mode\":\"100644\",\"path\":\"k8s/a.yaml\","), "{text}");
}

#[test]
fn a_lock_that_is_spelled_in_another_way_is_refused() {
    let text = String::from_utf8(lock(locked()).bytes()).unwrap();
    for bad in [
        text.trim_end().to_owned(),
        format!("{text}\n"),
        format!("\u{feff}{text}"),
        text.replacen("  \"build_id\"", " \"build_id\"", 1),
        text.replacen("\"test\"", "\"t\\u0065st\"", 1),
        text.replacen("\"require_sk\": false", "\"require_sk\": false,\n  \"require_sk\": false", 1),
        text.replacen("\"version\": 1", "\"version\": 2", 1),
        text.replacen("\"version\": 1", "\"version\": 1,\n  \"zeal\": 1", 1),
        text.replacen("\"state\": \"locked\"", "\"state\": \"draft\"", 1),
        text.replacen("\"state\": \"locked\"", "\"state\": \"open\"", 1),
        text.replacen("17:00:00Z", "18:00:00+01:00", 1),
    ] {
        assert_ne!(bad, text);
        assert!(Lock::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn a_lock_that_says_what_none_can_say_is_refused() {
    type Change = fn(&mut Locked);
    let bad: [(&str, Change); 11] = [
        ("half a second", |lock| lock.timestamp = lock.timestamp.plus(Span::from_millis(500))),
        ("order", |lock| lock.files.reverse()),
        ("twice", |lock| lock.files = [&lock.files[..1], &lock.files[..1]].concat()),
        ("outside", |lock| lock.files[1].path = "z/a".to_owned()),
        ("no previous", |lock| lock.previous = None),
        ("no unlock", |lock| lock.unlock_id = None),
        ("bad id", |lock| lock.unlock_id = Some("../x".to_owned())),
        ("genesis again", |lock| lock.unlock_id = Some("genesis".to_owned())),
        ("other rule", |lock| lock.waives[0].rule = Rule::NoExecute),
        ("too long", |lock| lock.waives[0].expires = lock.timestamp.plus(Span::from_seconds(8 * 24 * 3600))),
        ("first waives", |lock| (lock.previous, lock.unlock_id) = (None, None)),
    ];
    for (what, change) in bad {
        let mut one = locked();
        change(&mut one);
        assert!(matches!(Lock::parse(&lock(one).bytes()), Err(LockError::Says(_))), "{what}");
    }
    let mut other = lock(locked());
    other.terms.repo_id = "somebody/else".to_owned();
    assert!(matches!(Lock::parse(&other.bytes()), Err(LockError::Says(_))));
}

#[test]
fn the_policys_digest_is_over_the_crates_that_judge() {
    let of = |paths: &[(&str, &[u8])]| {
        let files = paths.iter().map(|(path, bytes)| LockedFile {
            path: (*path).to_owned(),
            mode: Mode::File,
            sha256: Digest::of(bytes),
        });
        policy_digest(&files.collect::<Vec<_>>())
    };
    let rule: (&str, &[u8]) = ("crates/policy/src/rules.rs", b"1");
    assert_eq!(of(&[rule, ("docs/a.md", b"1")]), of(&[rule, ("docs/a.md", b"2")]));
    assert_ne!(of(&[rule]), of(&[("crates/policy/src/rules.rs", b"2")]));
}

//! The profile of `allowed_signers`: what it takes stock ssh-keygen takes too, and much of what ssh-keygen takes it refuses.

use crate::common::{SshKeygen, at};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signer_line::LineError;
use agenttrader_authority::signers::{AllowedSigners, SIGNERS_BYTES_MAX, SignerError, SignersError};
use agenttrader_core::time::UnixNanos;
use agenttrader_people::{OPERATOR, Person, REVIEWER};
use proptest::prelude::*;

const MESSAGE: &[u8] = b"message";

fn refused(text: &str) -> SignersError {
    AllowedSigners::parse(text.as_bytes(), b"").expect_err(text)
}

fn problem(line: &str) -> LineError {
    match refused(line) {
        SignersError::Line { line: 1, problem } => problem,
        other => panic!("{line:?}: {other:?}"),
    }
}

fn as_operator(signers: &AllowedSigners, person: &Person, at: UnixNanos) -> Result<(), SignerError> {
    let signature = person.sign("unlock-operator@agenttrader", MESSAGE);
    signers.verify(person.name(), Namespace::UnlockOperator, MESSAGE, signature.as_bytes(), at).map(drop)
}

#[test]
fn a_file_of_comments_trusts_nobody() {
    for text in ["", "\n", "# nobody yet\n\n  # nor here\n\t\n"] {
        let signers = AllowedSigners::parse(text.as_bytes(), text.as_bytes()).unwrap();
        assert!(signers.is_nobody());
        let unknown = as_operator(&signers, &Person::new("ann"), at());
        assert!(matches!(unknown, Err(SignerError::UnknownKey { .. })));
    }
}

#[test]
fn each_signs_only_for_what_the_line_says() {
    let (ann, bob, eve) = (Person::new("ann"), Person::new("bob"), Person::new("eve"));
    let text = format!("# people\n{}\n{}", ann.line(OPERATOR), bob.line(REVIEWER));
    let signers = AllowedSigners::parse(text.as_bytes(), b"").unwrap();
    for person in [&ann, &bob, &eve] {
        for namespace in Namespace::ALL {
            let may = match person.name() {
                "ann" => OPERATOR.split(',').any(|name| name == namespace.as_str()),
                "bob" => REVIEWER.split(',').any(|name| name == namespace.as_str()),
                _ => false,
            };
            let signature = person.sign(namespace.as_str(), MESSAGE);
            let answer = signers.verify(person.name(), namespace, MESSAGE, signature.as_bytes(), at());
            assert_eq!(answer.is_ok(), may, "{} {namespace}: {answer:?}", person.name());
            if let Some(ssh_keygen) = SshKeygen::find() {
                let (name, namespace) = (person.name(), namespace.as_str());
                assert_eq!(ssh_keygen.verifies(&text, name, namespace, signature.as_bytes(), MESSAGE), may);
            }
        }
    }
    let signature = ann.sign("git", MESSAGE);
    let other = signers.verify("bob", Namespace::Git, MESSAGE, signature.as_bytes(), at());
    assert_eq!(other, Err(SignerError::OtherPrincipal { found: "ann".to_owned(), wanted: "bob".to_owned() }));
    assert_eq!(signers.who(Namespace::Git, MESSAGE, signature.as_bytes(), at()).unwrap().principal(), "ann");
}

#[test]
fn one_person_may_have_several_keys_and_holds_all_their_roles() {
    let (first, second) = (Person::new("first"), Person::new("second"));
    let text = format!("ann namespaces=\"unlock-operator@agenttrader\" {}\n", first.public_key())
        + &format!("ann namespaces=\"git\" {} her laptop\n", second.public_key());
    let signers = AllowedSigners::parse(text.as_bytes(), b"").unwrap();
    let signature = second.sign("git", MESSAGE);
    let signed_by = signers.verify("ann", Namespace::Git, MESSAGE, signature.as_bytes(), at()).unwrap();
    assert!(signed_by.is_operator());
    let signature = second.sign("unlock-operator@agenttrader", MESSAGE);
    let not = signers.verify("ann", Namespace::UnlockOperator, MESSAGE, signature.as_bytes(), at());
    assert!(matches!(not, Err(SignerError::NotForThis { .. })));
}

#[test]
fn what_ssh_keygen_reads_too_permissively_is_refused() {
    let key = Person::new("ann").public_key();
    let principals = ["*", "ann*", "an?", "!ann", "ann,bob", "\"ann\"", "ann\\", "änn", ".ann", "-ann", "a/b", "@cert"];
    for principal in principals {
        let line = format!("{principal} namespaces=\"git\" {key}\n");
        let refused = AllowedSigners::parse(line.as_bytes(), b"");
        assert!(refused.is_err(), "{line}");
    }
    assert_eq!(problem(&format!("{} namespaces=\"git\" {key}", "a".repeat(65))), LineError::Principal);
    assert_eq!(problem(&format!("ann {key}")), LineError::Parts);
    assert_eq!(problem(&format!("ann {key} comment")), LineError::NoNamespaces);
    assert_eq!(problem(&format!("ann valid-after=\"20250101Z\" {key}")), LineError::NoNamespaces);
    for namespaces in ["*", "unlock-*", "git,*", "!git", "unlock-operator@elsewhere", "Git", "git,", ",git", "git, "] {
        let line = format!("ann namespaces=\"{namespaces}\" {key}");
        assert!(matches!(refused(&line), SignersError::Line { .. }), "{line}");
    }
    assert_eq!(
        problem(&format!("ann cert-authority,namespaces=\"git\" {key}")),
        LineError::Option("cert-authority,namespaces".to_owned())
    );
    assert_eq!(problem(&format!("ann namespaces=\"git\",cert-authority {key}")), LineError::Options);
    assert_eq!(problem(&format!("ann touch=\"no\",namespaces=\"git\" {key}")), LineError::Option("touch".to_owned()));
    for options in
        ["namespaces=git", "namespaces=\"git", "namespaces=\"\"", "namespaces=\"git\",", "=\"git\"", "\"git\""]
    {
        assert!(matches!(refused(&format!("ann {options} {key}")), SignersError::Line { .. }), "{options}");
    }
    assert_eq!(problem(&format!("ann namespaces=\"git,git\" {key}")), LineError::Twice("git".to_owned()));
    assert_eq!(
        problem(&format!("ann namespaces=\"git\",namespaces=\"git\" {key}")),
        LineError::Twice("namespaces".to_owned())
    );
    for line in [
        format!(" ann namespaces=\"git\" {key}"),
        format!("ann  namespaces=\"git\" {key}"),
        format!("ann\tnamespaces=\"git\" {key}"),
        format!("ann namespaces=\"git\" {}", key.replace(' ', "  ")),
        format!("ann namespaces=\"git\" {key}=="),
        format!("ann namespaces=\"git\" {}", key.replace("ssh-ed25519", "ssh-rsa")),
        format!("ann namespaces=\"git\" {}", key.replace("ssh-ed25519", "sk-ssh-ed25519@openssh.com")),
        "ann namespaces=\"git\" ssh-ed25519 AAAA".to_owned(),
        "ann".to_owned(),
    ] {
        assert!(matches!(refused(&line), SignersError::Line { .. }), "{line}");
    }
    for plain in
        [format!("ann namespaces=\"git\" {key}\r\n"), format!("ann namespaces=\"git\" {key} ü\n"), "# \0\n".to_owned()]
    {
        assert_eq!(refused(&plain), SignersError::NotPlain { file: "allowed_signers" });
    }
    let large = "#".repeat(SIGNERS_BYTES_MAX + 1);
    assert!(matches!(refused(&large), SignersError::TooLarge { .. }));
}

#[test]
fn one_bad_line_refuses_the_whole_file() {
    let text = format!("{}nobody\n", Person::new("ann").line(OPERATOR));
    assert!(matches!(refused(&text), SignersError::Line { line: 2, problem: LineError::Parts }));
}

#[test]
fn a_key_stands_in_one_line_whoever_holds_it() {
    let ann = Person::new("ann");
    let as_bob = ann.line(OPERATOR).replace("ann ", "bob ");
    assert_eq!(refused(&(ann.line(OPERATOR) + &as_bob)), SignersError::KeyTwice { line: 2, first: 1 });
    let again = ann.line(OPERATOR) + "\n" + &ann.line("git");
    assert_eq!(refused(&again), SignersError::KeyTwice { line: 3, first: 1 });
    let in_hardware = ann.line(OPERATOR) + &ann.clone().with_security_key().line("git");
    assert_eq!(refused(&in_hardware), SignersError::KeyTwice { line: 2, first: 1 });
    let lookalike = ann.line(OPERATOR) + &Person::new("Ann").line(REVIEWER);
    let principal = "Ann".to_owned();
    assert_eq!(refused(&lookalike), SignersError::Lookalike { line: 2, first: 1, principal });
}

#[test]
fn a_key_is_good_in_its_time_alone() {
    let ann = Person::new("ann");
    let line = |options: &str| ann.line(OPERATOR).replace(" ssh-", &format!(",{options} ssh-"));
    let answer = |options: &str, time: &str| {
        let signers = AllowedSigners::parse(line(options).as_bytes(), b"").unwrap();
        as_operator(&signers, &ann, UnixNanos::parse(time).unwrap())
    };
    let both = "valid-after=\"20260105Z\",valid-before=\"202601051500Z\"";
    for (time, good) in [
        ("2026-01-04T23:59:59.999999999Z", false),
        ("2026-01-05T00:00:00Z", true),
        ("2026-01-05T14:59:59.999999999Z", true),
        ("2026-01-05T15:00:00Z", false),
    ] {
        assert_eq!(answer(both, time).is_ok(), good, "{time}");
    }
    if let Some(ssh_keygen) = SshKeygen::find() {
        let signature = ann.sign("unlock-operator@agenttrader", MESSAGE);
        for (options, good) in [
            ("valid-after=\"20260105145959Z\"", true),
            ("valid-after=\"20260105150001Z\"", false),
            ("valid-before=\"20260105150001Z\"", true),
            ("valid-before=\"20260105145959Z\"", false),
        ] {
            let (text, namespace) = (line(options), "unlock-operator@agenttrader");
            assert_eq!(answer(options, "2026-01-05T15:00:00Z").is_ok(), good, "{options}");
            assert_eq!(ssh_keygen.verifies(&text, "ann", namespace, signature.as_bytes(), MESSAGE), good, "{options}");
        }
    }
    for time in [
        "20260105",
        "20261305Z",
        "20260230Z",
        "202601051560Z",
        "20260105145960Z",
        "2026010515Z",
        "+0260105Z",
        "20260105z",
    ] {
        let line = line(&format!("valid-after=\"{time}\""));
        assert_eq!(problem(&line), LineError::Time(time.to_owned()));
    }
    assert_eq!(problem(&line("valid-after=\"20260106Z\",valid-before=\"20260106Z\"")), LineError::Never);
}

#[test]
fn a_revoked_key_signs_nothing_whatever_holds_it() {
    let (ann, bob) = (Person::new("ann"), Person::new("bob"));
    let allowed = ann.line(OPERATOR) + &bob.line(OPERATOR);
    for revoked in [
        ann.public_key(),
        ann.clone().with_security_key().public_key() + " lost\n",
        "# lost\n".to_owned() + &ann.public_key(),
    ] {
        let signers = AllowedSigners::parse(allowed.as_bytes(), revoked.as_bytes()).unwrap();
        let principal = "ann".to_owned();
        assert_eq!(as_operator(&signers, &ann, at()), Err(SignerError::Revoked { principal }));
        assert_eq!(as_operator(&signers, &bob, at()), Ok(()));
    }
    for bad in ["ann", "ssh-ed25519 AAAA", "ssh-ed25519", "\0", "SSHKRL\n"] {
        assert!(AllowedSigners::parse(allowed.as_bytes(), bad.as_bytes()).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = AllowedSigners::parse(&bytes, &bytes);
        let _ = agenttrader_authority::sshsig::SshSignature::parse(&bytes);
        let _ = agenttrader_authority::git_signature::commit(&bytes);
        let _ = agenttrader_authority::git_signature::tag(&bytes);
    }

    /// A byte changed in a good file either refuses it, or leaves a file that trusts the same key for no more.
    #[test]
    fn a_changed_byte_trusts_no_other_key(index in any::<prop::sample::Index>(), byte in 1_u8..128) {
        let text = Person::new("ann").line(OPERATOR);
        let good = AllowedSigners::parse(text.as_bytes(), b"").unwrap();
        let mut changed = text.clone().into_bytes();
        changed[index.index(text.len())] = byte;
        if let Ok(signers) = AllowedSigners::parse(&changed, b"") {
            for line in signers.lines() {
                // One in two changes of the point gives another point: then no signature of anybody's verifies.
                prop_assert!(line.namespaces.is_subset(&good.lines()[0].namespaces));
            }
        }
    }
}

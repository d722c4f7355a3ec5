//! SSH signatures, with stock ssh-keygen as the second opinion in both directions.

use crate::common::{SshKeygen, at};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signers::{AllowedSigners, SignerError};
use agenttrader_authority::ssh_key::{KeyError, PublicKey};
use agenttrader_authority::sshsig::{SIGNATURE_BYTES_MAX, SignatureError, SshSignature};
use agenttrader_people::{OPERATOR, Person, TOUCHED, armored};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const FOR: &str = "execution-grant@agenttrader";
const MESSAGE: &[u8] = b"{\"a\":1}\n";

fn signers(text: &str) -> AllowedSigners {
    AllowedSigners::parse(text.as_bytes(), b"").unwrap()
}

fn bytes_of(signature: &str) -> Vec<u8> {
    let lines: String = signature.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(lines).unwrap()
}

#[test]
fn what_ssh_keygen_signs_verifies_here() {
    let Some(ssh_keygen) = SshKeygen::find() else { return };
    let key = ssh_keygen.make_key("ann");
    let text = format!("ann namespaces=\"{OPERATOR}\" {key}\n");
    let signers = signers(&text);
    for (hash, message) in [("sha512", MESSAGE), ("sha256", MESSAGE), ("sha512", b""), ("sha512", &[0xff; 70_000])] {
        let signature = ssh_keygen.sign("ann", FOR, hash, message);
        let signed_by = signers.verify("ann", Namespace::ExecutionGrant, message, &signature, at()).unwrap();
        assert_eq!((signed_by.principal(), signed_by.is_operator(), signed_by.is_reviewer()), ("ann", true, false));
        assert!(ssh_keygen.verifies(&text, "ann", FOR, &signature, message));
        let changed = [message, b" "].concat();
        let refused = signers.verify("ann", Namespace::ExecutionGrant, &changed, &signature, at());
        assert_eq!(refused, Err(SignerError::Signature(SignatureError::Mismatch)));
        let elsewhere = signers.verify("ann", Namespace::Git, message, &signature, at());
        assert!(matches!(elsewhere, Err(SignerError::Signature(SignatureError::Namespace { .. }))));
    }
}

#[test]
fn what_verifies_here_verifies_with_ssh_keygen() {
    let Some(ssh_keygen) = SshKeygen::find() else { return };
    for person in [Person::new("ann"), Person::new("ann").with_security_key()] {
        let text = person.line(OPERATOR);
        for hash in ["sha512", "sha256"] {
            let signature = person.sign_as(FOR, MESSAGE, hash, TOUCHED);
            signers(&text).verify("ann", Namespace::ExecutionGrant, MESSAGE, signature.as_bytes(), at()).unwrap();
            assert!(ssh_keygen.verifies(&text, "ann", FOR, signature.as_bytes(), MESSAGE), "{hash}");
        }
        std::fs::write(ssh_keygen.path("key.pub"), person.public_key()).unwrap();
        let listed = String::from_utf8(ssh_keygen.run(&["-l", "-f", "key.pub"], b"").stdout).unwrap();
        let (kind, base64) = person.public_key().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(listed.contains(&PublicKey::parse(&kind, &base64).unwrap().fingerprint()), "{listed}");
    }
}

#[test]
fn a_security_key_signs_only_when_touched() {
    let ann = Person::new("ann").with_security_key();
    let signers = signers(&ann.line(OPERATOR));
    let answer = |flags| {
        let signature = ann.sign_as(FOR, MESSAGE, "sha512", flags);
        signers.verify("ann", Namespace::ExecutionGrant, MESSAGE, signature.as_bytes(), at()).map(drop)
    };
    for (flags, touched) in [(0x01, true), (0x05, true), (0x00, false), (0x04, false), (0x81, false), (0x03, false)] {
        let expected = if touched { Ok(()) } else { Err(SignatureError::NoTouch(flags).into()) };
        assert_eq!(answer(flags), expected, "{flags:#x}");
    }
}

#[test]
fn no_bit_of_a_signature_can_be_changed() {
    for person in [Person::new("ann"), Person::new("ann").with_security_key()] {
        let signers = signers(&person.line(OPERATOR));
        let signature = person.sign(FOR, MESSAGE);
        let answer = |text: &[u8]| signers.verify("ann", Namespace::ExecutionGrant, MESSAGE, text, at());
        assert!(answer(signature.as_bytes()).is_ok());
        let bytes = bytes_of(&signature);
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                assert!(answer(armored(&changed).as_bytes()).is_err(), "byte {index} bit {bit}");
            }
            assert!(answer(armored(&bytes[..index]).as_bytes()).is_err(), "cut at {index}");
            let longer = [&bytes[..index], &[0], &bytes[index..]].concat();
            assert!(answer(armored(&longer).as_bytes()).is_err(), "a byte more at {index}");
        }
        assert!(answer(armored(&[&bytes[..], &[0]].concat()).as_bytes()).is_err());
    }
}

#[test]
fn no_character_of_a_signature_s_text_can_be_changed() {
    let ann = Person::new("ann");
    let signers = signers(&ann.line(OPERATOR));
    let text = ann.sign(FOR, MESSAGE).into_bytes();
    let answer = |text: &[u8]| signers.verify("ann", Namespace::ExecutionGrant, MESSAGE, text, at());
    // A line's end may move: lines are the text's form, not its content. Nothing else may.
    for index in 0..text.len() - 1 {
        for other in [b' ', b'\t', b'\r', 0, b'=', b'-', b'A', b'/', 0x80, text[index] ^ 0x20] {
            if other != text[index] {
                let mut changed = text.clone();
                changed[index] = other;
                assert!(answer(&changed).is_err(), "{other:#x} at {index}");
            }
        }
    }
    let string = String::from_utf8(text.clone()).unwrap();
    assert!(answer(string.trim_end().as_bytes()).is_ok());
    for hostile in [
        String::new(),
        "\n".to_owned(),
        string.clone() + "\n",
        string.clone() + &string,
        " ".to_owned() + &string,
        "\u{feff}".to_owned() + &string,
        string.replace('\n', "\r\n"),
        string.replace("\n-----END", "\n\n-----END"),
        string.replace("\n-----END", "=\n-----END"),
        string.replace('\n', ""),
        "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n".to_owned(),
        "-----BEGIN SSH SIGNATURE-----\n".to_owned(),
    ] {
        assert!(answer(hostile.as_bytes()).is_err(), "{hostile:?}");
    }
    let large = vec![b'A'; SIGNATURE_BYTES_MAX + 1];
    assert_eq!(SshSignature::parse(&large), Err(SignatureError::TooLarge { size: large.len() }));
}

/// The parts of a signature's bytes, to be put together otherwise.
struct Parts<'a> {
    version: u32,
    key: Vec<u8>,
    reserved: &'a [u8],
    hash: &'a [u8],
    algorithm: &'a [u8],
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn with(change: impl FnOnce(&mut Parts<'_>)) -> Result<SshSignature, SignatureError> {
    let (_, base64) =
        Person::new("ann").public_key().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let key = STANDARD.decode(base64).unwrap();
    let mut parts = Parts { version: 1, key, reserved: b"", hash: b"sha512", algorithm: b"ssh-ed25519" };
    change(&mut parts);
    let signature = [string(parts.algorithm), string(&[7; 64])].concat();
    let bytes = [
        b"SSHSIG".to_vec(),
        parts.version.to_be_bytes().to_vec(),
        string(&parts.key),
        string(FOR.as_bytes()),
        string(parts.reserved),
        string(parts.hash),
        string(&signature),
    ];
    SshSignature::parse(armored(&bytes.concat()).as_bytes())
}

#[test]
fn other_versions_algorithms_hashes_and_reserved_bytes_are_refused() {
    assert!(with(|_| {}).is_ok());
    assert_eq!(with(|parts| parts.version = 2), Err(SignatureError::Version(2)));
    assert_eq!(with(|parts| parts.version = 0), Err(SignatureError::Version(0)));
    assert_eq!(with(|parts| parts.reserved = b"x"), Err(SignatureError::Reserved));
    assert_eq!(with(|parts| parts.hash = b"sha1"), Err(SignatureError::Hash("sha1".to_owned())));
    let algorithm = with(|parts| parts.algorithm = b"sk-ssh-ed25519@openssh.com");
    assert!(matches!(algorithm, Err(SignatureError::Algorithm(_))));
    let rsa = with(|parts| parts.key = [string(b"ssh-rsa"), string(&[3]), string(&[1; 256])].concat());
    assert_eq!(rsa, Err(SignatureError::Key(KeyError::Algorithm("ssh-rsa".to_owned()))));
    // Under the neutral point, (0, 1), one signature fits any message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let weak = with(|parts| parts.key = [string(b"ssh-ed25519"), string(&neutral)].concat());
    assert_eq!(weak, Err(SignatureError::Key(KeyError::Point)));
    let application = with(|parts| {
        parts.key = [string(b"sk-ssh-ed25519@openssh.com"), string(&parts.key[19..51]), string(b"web:")].concat()
    });
    assert_eq!(application, Err(SignatureError::Key(KeyError::Application("web:".to_owned()))));
}

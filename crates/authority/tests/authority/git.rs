//! Signatures in git's objects, with stock git as the second opinion.

use crate::common::{Git, SshKeygen, at};
use agenttrader_authority::git_signature::{self, GitSignatureError, SignedObject};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signers::AllowedSigners;
use agenttrader_people::{Person, REVIEWER};

/// A repository whose commits ann signs.
struct Signed {
    _folder: SshKeygen,
    git: Git,
    signers: AllowedSigners,
}

impl Signed {
    fn init() -> Option<Self> {
        let ssh_keygen = SshKeygen::find()?;
        let key = ssh_keygen.make_key("ann");
        let git = Git::init(ssh_keygen.folder.path())?;
        let text = format!("ann namespaces=\"{REVIEWER}\" {key}\n");
        let signers = AllowedSigners::parse(text.as_bytes(), b"").unwrap();
        std::fs::write(ssh_keygen.path("allowed"), text).unwrap();
        for (name, value) in [
            ("user.name", "Ann"),
            ("user.email", "ann@example.org"),
            ("user.signingKey", ssh_keygen.path("ann").to_str().unwrap()),
            ("gpg.format", "ssh"),
            ("gpg.ssh.program", ssh_keygen.program.to_str().unwrap()),
            ("gpg.ssh.allowedSignersFile", ssh_keygen.path("allowed").to_str().unwrap()),
        ] {
            git.ok(&["config", name, value], b"");
        }
        Some(Self { _folder: ssh_keygen, git, signers })
    }

    fn object(&self, kind: &str, name: &str) -> Vec<u8> {
        self.git.ok(&["cat-file", kind, name], b"")
    }

    fn is_anns(&self, object: &SignedObject) -> bool {
        let SignedObject { payload, signature } = object;
        self.signers.verify("ann", Namespace::Git, payload, signature, at()).is_ok()
    }

    /// Writes an object and asks stock git about it.
    fn git_verifies(&self, kind: &str, command: &str, object: &[u8]) -> bool {
        let id = self.git.ok(&["hash-object", "-t", kind, "-w", "--literally", "--stdin"], object);
        let id = String::from_utf8(id).unwrap();
        self.git.run(&[command, id.trim()], b"").status.success()
    }
}

#[test]
fn a_commit_that_git_signed_verifies_over_its_bytes() {
    let Some(signed) = Signed::init() else { return };
    let git = &signed.git;
    git.ok(&["commit", "-q", "--allow-empty", "-S", "-m", "first\n\n-----BEGIN PGP SIGNATURE-----\n quoted"], b"");
    let object = signed.object("commit", "HEAD");
    let parted = git_signature::commit(&object).unwrap().unwrap();
    assert!(signed.is_anns(&parted));
    assert!(signed.git_verifies("commit", "verify-commit", &object));
    // A merge of a signed tag holds that tag, its signature too, in its header.
    git.ok(&["checkout", "-q", "-b", "side"], b"");
    git.ok(&["commit", "-q", "--allow-empty", "-S", "-m", "side"], b"");
    git.ok(&["tag", "-s", "-m", "tagged", "v1"], b"");
    git.ok(&["checkout", "-q", "main"], b"");
    git.ok(&["merge", "-q", "--no-ff", "-S", "-m", "merge", "v1"], b"");
    let merge = signed.object("commit", "HEAD");
    assert!(merge.windows(9).any(|window| window == b"\nmergetag"));
    assert!(signed.is_anns(&git_signature::commit(&merge).unwrap().unwrap()));
    git.ok(&["commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "unsigned"], b"");
    assert_eq!(git_signature::commit(&signed.object("commit", "HEAD")), Ok(None));
}

#[test]
fn a_tag_that_git_signed_verifies_over_its_bytes() {
    let Some(signed) = Signed::init() else { return };
    signed.git.ok(&["commit", "-q", "--allow-empty", "-m", "first"], b"");
    signed.git.ok(&["tag", "-s", "-m", "a\n\nb", "v1"], b"");
    signed.git.ok(&["tag", "-a", "-m", "unsigned", "v2"], b"");
    let object = signed.object("tag", "v1");
    assert!(signed.is_anns(&git_signature::tag(&object).unwrap().unwrap()));
    assert!(signed.git_verifies("tag", "verify-tag", &object));
    assert_eq!(git_signature::tag(&signed.object("tag", "v2")), Ok(None));
    let longer = [&object[..], b"after\n"].concat();
    assert!(!signed.is_anns(&git_signature::tag(&longer).unwrap().unwrap()));
}

#[test]
fn a_changed_byte_is_never_anns() {
    let Some(signed) = Signed::init() else { return };
    signed.git.ok(&["commit", "-q", "--allow-empty", "-S", "-m", "first"], b"");
    signed.git.ok(&["tag", "-s", "-m", "tagged", "v1"], b"");
    type Part = fn(&[u8]) -> Result<Option<SignedObject>, GitSignatureError>;
    let readers: [(&str, &str, Part); 2] =
        [("commit", "HEAD", git_signature::commit), ("tag", "v1", git_signature::tag)];
    for (kind, name, part) in readers {
        let object = signed.object(kind, name);
        let newline_at_end = object.len() - 1;
        for index in 0..object.len() {
            // The newline after the last armour line of a tag is form, not content, and lines of base64 may be cut elsewhere.
            for other in [object[index] ^ 0x01, object[index] ^ 0x20, b'\n', b' ', 0] {
                let mut changed = object.clone();
                changed[index] = other;
                let anns = part(&changed).is_ok_and(|parted| parted.is_some_and(|parted| signed.is_anns(&parted)));
                assert!(!anns || other == object[index] || index == newline_at_end, "{kind} {index} {other:#x}");
            }
        }
    }
}

#[test]
fn what_could_be_taken_two_ways_is_refused() {
    let ann = Person::new("ann");
    let payload = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 0 +0000\n";
    let header = |name: &str, text: &str| format!("{name} {}\n", text.trim_end().replace('\n', "\n "));
    let whole = format!("{payload}\nmessage\n");
    let signature = ann.sign("git", whole.as_bytes());
    let signed = format!("{payload}{}\nmessage\n", header("gpgsig", &signature));
    let parted = git_signature::commit(signed.as_bytes()).unwrap().unwrap();
    assert_eq!(parted, SignedObject { payload: whole.into_bytes(), signature: signature.clone().into_bytes() });
    let several = Err(GitSignatureError::Several("commit"));
    let twice = format!("{payload}{0}{0}\nmessage\n", header("gpgsig", &signature));
    assert_eq!(git_signature::commit(twice.as_bytes()), several);
    let other_name =
        format!("{payload}{}{}\nmessage\n", header("gpgsig", &signature), header("gpgsig-sha256", &signature));
    assert_eq!(git_signature::commit(other_name.as_bytes()), several);
    let only_other = format!("{payload}{}\nmessage\n", header("gpgsig-sha256", &signature));
    assert_eq!(git_signature::commit(only_other.as_bytes()), several);
    let pgp = format!("{payload}{}\nmessage\n", header("gpgsig", "-----BEGIN PGP SIGNATURE-----\nx"));
    assert_eq!(git_signature::commit(pgp.as_bytes()), Err(GitSignatureError::Format("commit")));
    for malformed in ["", "tree x", "tree x\n", "tree x\0\n\nm", "blob x\n\n", "object x\n\n"] {
        assert!(git_signature::commit(malformed.as_bytes()).is_err(), "{malformed:?}");
    }
    let tag = "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\ntagger A <a@b> 0 +0000\n\nm\n";
    assert_eq!(
        git_signature::tag(format!("{tag}{signature}{signature}").as_bytes()),
        Err(GitSignatureError::Several("tag"))
    );
    assert_eq!(
        git_signature::tag(format!("{tag}-----BEGIN PGP MESSAGE-----\n").as_bytes()),
        Err(GitSignatureError::Format("tag"))
    );
    let in_header = tag.replace("\n\nm", &format!("\n{}\nm", header("gpgsig-sha256", &signature)));
    assert_eq!(git_signature::tag(in_header.as_bytes()), Err(GitSignatureError::Several("tag")));
    for malformed in ["", "object x\n", "tree x\n\n", "object x\0\n\n"] {
        assert!(git_signature::tag(malformed.as_bytes()).is_err(), "{malformed:?}");
    }
}

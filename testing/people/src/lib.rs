//! People for tests. Each has an Ed25519 key that follows from the name, in a file or in a make-believe security key, and signs as
//! `ssh-keygen -Y sign` does.
//!
//! For tests alone: these keys are known to everybody. The crates that verify never depend on this one but in their tests.

use agenttrader_authority::grant::{ExecutionMode, GrantPredicate, PAPER_WINDOW_MAX};
use agenttrader_authority::grant_limits::GrantLimits;
use agenttrader_authority::signed_file::{PersonsSignature, SignedFile};
use agenttrader_authority::statement::GitCommit;
use agenttrader_authority::trust_root::SignersText;
use agenttrader_core::digest::Digest;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256, Sha512};
use std::path::Path;

/// All that an operator's key may sign for.
pub const OPERATOR: &str = "unlock-operator@agenttrader,execution-grant@agenttrader,execution-resume@agenttrader,\
proposal-approval@agenttrader,lock-genesis@agenttrader,git";

/// All that a reviewer's key may sign for.
pub const REVIEWER: &str = "unlock-reviewer@agenttrader,execution-grant@agenttrader,proposal-approval@agenttrader,\
lock-genesis@agenttrader,git";

/// A security key's answer to a touch.
pub const TOUCHED: u8 = 0x01;

/// A person with a key.
#[derive(Clone, Debug)]
pub struct Person {
    name: String,
    key: SigningKey,
    security_key: bool,
}

impl Person {
    /// With a key in a file.
    pub fn new(name: &str) -> Self {
        let seed = Sha256::digest(format!("the key of {name}, which everybody knows"));
        Self { name: name.to_owned(), key: SigningKey::from_bytes(&seed.into()), security_key: false }
    }

    /// With the same secret in a security key.
    #[must_use]
    pub fn with_security_key(self) -> Self {
        Self { security_key: true, ..self }
    }

    /// The principal.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As in a `.pub` file: type and base64.
    pub fn public_key(&self) -> String {
        format!("{} {}", self.kind(), STANDARD.encode(self.public_wire()))
    }

    /// The line of `allowed_signers`, with its newline.
    pub fn line(&self, namespaces: &str) -> String {
        format!("{} namespaces=\"{namespaces}\" {}\n", self.name, self.public_key())
    }

    /// Signs a message for a namespace; a security key is touched.
    pub fn sign(&self, namespace: &str, message: &[u8]) -> String {
        self.sign_as(namespace, message, "sha512", TOUCHED)
    }

    /// Signs with that hash (`sha512`, `sha256`) and, by a security key, with those flags.
    pub fn sign_as(&self, namespace: &str, message: &[u8], hash: &str, flags: u8) -> String {
        let digest = if hash == "sha256" { Sha256::digest(message).to_vec() } else { Sha512::digest(message).to_vec() };
        let mut signed = b"SSHSIG".to_vec();
        put(namespace.as_bytes(), &mut signed);
        put(b"", &mut signed);
        put(hash.as_bytes(), &mut signed);
        put(&digest, &mut signed);
        let mut tail = Vec::new();
        if self.security_key {
            tail.push(flags);
            tail.extend_from_slice(&7_u32.to_be_bytes());
            signed = [&Sha256::digest(b"ssh:")[..], &tail, &Sha256::digest(&signed)[..]].concat();
        }
        let mut signature = Vec::new();
        put(self.kind().as_bytes(), &mut signature);
        put(&self.key.sign(&signed).to_bytes(), &mut signature);
        signature.extend_from_slice(&tail);
        let mut bytes = b"SSHSIG\0\0\0\x01".to_vec();
        put(&self.public_wire(), &mut bytes);
        put(namespace.as_bytes(), &mut bytes);
        put(b"", &mut bytes);
        put(hash.as_bytes(), &mut bytes);
        put(&signature, &mut bytes);
        armored(&bytes)
    }

    const fn kind(&self) -> &'static str {
        if self.security_key { "sk-ssh-ed25519@openssh.com" } else { "ssh-ed25519" }
    }

    fn public_wire(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(self.kind().as_bytes(), &mut bytes);
        put(self.key.verifying_key().as_bytes(), &mut bytes);
        if self.security_key {
            put(b"ssh:", &mut bytes);
        }
        bytes
    }
}

/// A repository that trusts ann as an operator, bob and cat as reviewers, and nobody else.
pub fn three() -> SignersText {
    let people = [("ann", OPERATOR), ("bob", REVIEWER), ("cat", REVIEWER)];
    let allowed_signers = people.iter().map(|(name, namespaces)| Person::new(name).line(namespaces)).collect();
    SignersText { allowed_signers, revoked_keys: String::new() }
}

/// A file as it lies in its folder, signed for that by people of these names.
pub fn signed_file(bytes: &[u8], namespace: &str, names: &[&str]) -> SignedFile {
    let sign = |name: &&str| PersonsSignature {
        principal: (*name).to_owned(),
        text: Person::new(name).sign(namespace, bytes),
    };
    SignedFile {
        sha256: Digest::of(bytes),
        text: String::from_utf8_lossy(bytes).into_owned(),
        signatures: names.iter().map(sign).collect(),
        revoked: false,
    }
}

/// Puts a file and its signatures into a folder, as `--install` does: the signatures first.
///
/// # Errors
/// As the folder answers.
pub fn install(file: &SignedFile, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for PersonsSignature { principal, text } in &file.signatures {
        std::fs::write(folder.join(format!("{}.json.{principal}.sig", file.sha256)), text)?;
    }
    std::fs::write(folder.join(format!("{}.json", file.sha256)), &file.text)
}

/// A grant for SPY and its like in the shadow ledger and on paper, of that commit, for the days around that instant, signed by ann and bob.
pub fn week(git_sha: &str, around: UnixNanos) -> Option<SignedFile> {
    let day = Span::from_minutes(24 * 60);
    let begins = around.minus(day);
    let symbols = ["SPY", "QQQ", "IWM", "AAPL", "MSFT", "NVDA"];
    let terms = GrantPredicate {
        unlock_id: "rehearsal".to_owned(),
        modes: vec![ExecutionMode::Shadow, ExecutionMode::Paper],
        symbols: symbols.iter().filter_map(|symbol| Symbol::parse(symbol).ok()).collect(),
        limits: GrantLimits::default(),
        delegation: Vec::new(),
        waives_kill_switch: false,
        not_before: begins,
        not_after: begins.plus(PAPER_WINDOW_MAX),
        exit_until: None,
        reason: "a rehearsal".to_owned(),
        nonce: "1".to_owned(),
    };
    let statement = terms.about(GitCommit::parse(git_sha)?, Digest::of(b"a lock"), Digest::of(b"an image"));
    Some(signed_file(&statement.to_bytes().ok()?, "execution-grant@agenttrader", &["ann", "bob"]))
}

/// A signature's bytes between their two lines, as `ssh-keygen` writes them.
pub fn armored(bytes: &[u8]) -> String {
    let base64 = STANDARD.encode(bytes);
    let mut text = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(70));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END SSH SIGNATURE-----\n");
    text
}

/// Appends a string with its length before it.
fn put(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

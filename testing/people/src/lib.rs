//! People for tests. Each has an Ed25519 key that follows from the name, in a file or in a make-believe security key, and signs as
//! `ssh-keygen -Y sign` does.
//!
//! For tests alone: these keys are known to everybody. The crates that verify never depend on this one but in their tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256, Sha512};

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

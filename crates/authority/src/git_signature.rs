//! The SSH signature inside a git commit or tag, and the bytes that it is over.
//!
//! A caller reads the object itself (`git cat-file`) and verifies here, over its bytes, in the namespace `git`; no verdict of
//! git's own is asked.

/// A signed object's two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedObject {
    /// What was signed: the object without its signature.
    pub payload: Vec<u8>,
    /// The signature's text, for [`crate::sshsig::SshSignature::parse`].
    pub signature: Vec<u8>,
}

/// Why an object's signature cannot be told from what it signs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitSignatureError {
    /// Not a commit, or not a tag, by its first line.
    #[error("the object's bytes do not begin as a {0}")]
    Kind(&'static str),
    /// The header has no end, or bytes that no header has.
    #[error("the {0}'s header is malformed")]
    Header(&'static str),
    /// More than one signature, or one under another name: git and others would take different ones.
    #[error("the {0} has more than one signature")]
    Several(&'static str),
    /// Signed, but not with an SSH key.
    #[error("the {0}'s signature is no SSH signature: sign with `gpg.format=ssh`")]
    Format(&'static str),
}

const BEGIN_SSH: &[u8] = b"-----BEGIN SSH SIGNATURE-----";

/// The lines by which git finds a signature at the end of a tag.
const BEGINNINGS: [&[u8]; 4] =
    [BEGIN_SSH, b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN PGP MESSAGE-----", b"-----BEGIN SIGNED MESSAGE-----"];

/// Parts a commit's raw bytes. `None`: it is not signed.
///
/// # Errors
/// [`GitSignatureError`] for what is no commit, or has a signature that another reader could take differently.
pub fn commit(object: &[u8]) -> Result<Option<SignedObject>, GitSignatureError> {
    const COMMIT: &str = "commit";
    let (header, message) = parts(object, b"tree ", COMMIT)?;
    let mut payload = Vec::with_capacity(object.len());
    let mut signature = None::<Vec<u8>>;
    let mut inside = false;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if let Some(continued) = line.strip_prefix(b" ").filter(|_| inside) {
            signature.get_or_insert_default().extend_from_slice(continued);
        } else if let Some(first) = line.strip_prefix(b"gpgsig ").filter(|_| signature.is_none()) {
            signature = Some(first.to_vec());
            inside = true;
        } else if line.starts_with(b"gpgsig") {
            return Err(GitSignatureError::Several(COMMIT));
        } else {
            inside = false;
            payload.extend_from_slice(line);
        }
    }
    payload.extend_from_slice(message);
    match signature {
        Some(signature) if !signature.starts_with(BEGIN_SSH) => Err(GitSignatureError::Format(COMMIT)),
        signature => Ok(signature.map(|signature| SignedObject { payload, signature })),
    }
}

/// Parts an annotated tag's raw bytes. `None`: it is not signed.
///
/// # Errors
/// [`GitSignatureError`] for what is no tag, or has a signature that another reader could take differently.
pub fn tag(object: &[u8]) -> Result<Option<SignedObject>, GitSignatureError> {
    const TAG: &str = "tag";
    let (header, _) = parts(object, b"object ", TAG)?;
    if header.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"gpgsig")) {
        return Err(GitSignatureError::Several(TAG));
    }
    let mut found = None;
    let mut offset = 0_usize;
    for line in object.split_inclusive(|byte| *byte == b'\n') {
        if BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)) {
            if found.is_some() {
                return Err(GitSignatureError::Several(TAG));
            }
            found = Some(offset);
        }
        offset = offset.saturating_add(line.len());
    }
    let Some((payload, signature)) = found.and_then(|at| object.split_at_checked(at)) else { return Ok(None) };
    if !signature.starts_with(BEGIN_SSH) {
        return Err(GitSignatureError::Format(TAG));
    }
    Ok(Some(SignedObject { payload: payload.to_vec(), signature: signature.to_vec() }))
}

/// The header's lines, and the empty line with the message after it.
fn parts<'a>(object: &'a [u8], begins: &[u8], kind: &'static str) -> Result<(&'a [u8], &'a [u8]), GitSignatureError> {
    if !object.starts_with(begins) {
        return Err(GitSignatureError::Kind(kind));
    }
    let end = object.windows(2).position(|pair| pair == b"\n\n").ok_or(GitSignatureError::Header(kind))?;
    let (header, message) = object.split_at_checked(end.saturating_add(1)).ok_or(GitSignatureError::Header(kind))?;
    // A NUL ends what some readers take for the header.
    if header.contains(&0) { Err(GitSignatureError::Header(kind)) } else { Ok((header, message)) }
}

//! The head: what the log has committed itself to. It is durable before the checkpoint that says the same leaves the process, so that no
//! start ever signs a checkpoint that contradicts an earlier one.

use crate::merkle::Hash;
use agenttrader_core::canonical_json;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};

/// Bytes of the longest head that is read.
pub(crate) const HEAD_BYTES_MOST: usize = 4_096;

/// What the log has committed itself to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Whose it is.
    pub(crate) origin: String,
    /// Entries.
    pub(crate) size: u64,
    /// The root of their tree.
    pub(crate) root: Hash,
    /// The journal's chain after them.
    pub(crate) chain: Hash,
    /// The latest time any of them carries.
    pub(crate) last_time: Option<UnixNanos>,
}

/// The head as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    origin: String,
    size: u64,
    root: String,
    chain: String,
    last_time: Option<UnixNanos>,
}

impl Head {
    /// Canonical JSON and a line end.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, canonical_json::CanonicalError> {
        let wire = Wire {
            origin: self.origin.clone(),
            size: self.size,
            root: self.root.to_string(),
            chain: self.chain.to_string(),
            last_time: self.last_time,
        };
        let mut bytes = canonical_json::of(&wire)?.into_bytes();
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a head, in the one form it is written in.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value = canonical_json::parse_within(bytes, HEAD_BYTES_MOST).map_err(|error| error.to_string())?;
        let wire: Wire = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let hash = |text: &str| Hash::parse(text).ok_or("a hash is not 32 bytes in standard Base64");
        let head = Self {
            root: hash(&wire.root)?,
            chain: hash(&wire.chain)?,
            origin: wire.origin,
            size: wire.size,
            last_time: wire.last_time,
        };
        match head.to_bytes() {
            Ok(written) if written == bytes => Ok(head),
            _ => Err("not in canonical form".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written_and_in_no_other_form() {
        for last_time in [None, Some(UnixNanos::from_seconds(5))] {
            let head = Head {
                origin: "agenttrader/r/a".into(),
                size: 7,
                root: Hash::from_bytes([1; 32]),
                chain: Hash::from_bytes([2; 32]),
                last_time,
            };
            let bytes = head.to_bytes().unwrap();
            assert_eq!(Head::parse(&bytes), Ok(head));
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(Head::parse(&flipped).is_err() || Head::parse(&flipped) != Head::parse(&bytes));
            }
            assert!(Head::parse(&bytes[..bytes.len() - 1]).is_err());
            assert!(Head::parse(&[b" ", bytes.as_slice()].concat()).is_err());
        }
    }
}

//! The files of a pack: which there can be, in which order they stand, and how large each may be.

use agenttrader_audit::merkle::HASH_BYTES;
use agenttrader_audit::note::NOTE_BYTES_MOST;
use agenttrader_audit::read::PAYLOAD_BYTES_MOST;
use agenttrader_audit::tile::{BUNDLE_BYTES_MOST, Level, TILE_WIDTH, Tile};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::is_agent_name;

/// The effective configuration of the last recorded run.
pub(super) const EFFECTIVE: &str = "configuration/effective.json";
/// The digests of its files, as `sha256sum` prints them.
pub(super) const CONFIGS: &str = "configuration/configs.sha256";
/// Public keys.
pub(super) const KEYS: &str = "keys.json";
/// The logs' verifier keys, one a line.
pub(super) const VKEYS: &str = "vkeys";
/// The witnesses' verifier keys, one a line.
pub(super) const WITNESS_VKEYS: &str = "witness-vkeys";
/// What the pack says of itself.
pub(super) const ABOUT: &str = "pack.json";
/// What an auditor does with it.
pub(super) const README: &str = "README.md";
/// The digests of all other files, as `sha256sum` prints them.
pub(super) const INDEX: &str = "index.sha256";

/// Bytes of the largest configuration: recorded inputs are smaller.
const CONFIGURATION_BYTES_MOST: usize = 16 << 20;
/// Bytes of the largest file of keys, and of the README.
const TEXT_BYTES_MOST: usize = 4 << 20;
/// Bytes of the largest file of evidence.
pub(super) const EVIDENCE_BYTES_MOST: usize = 4 << 20;
/// Folders of evidence: reports, unlocks, what people signed.
const EVIDENCE: [&str; 3] = ["artefacts", "unlock", "signed"];
/// Folders in folders of evidence.
const EVIDENCE_DEPTH: usize = 6;
/// Longest path of a file of evidence, for which every header has room.
const EVIDENCE_PATH_MOST: usize = 100;
/// Bytes of the largest index: some two million files.
const INDEX_BYTES_MOST: usize = 256 << 20;

/// A file of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member<'path> {
    /// Of a log: the agent, and the path below the log's root.
    Log(&'path str, &'path str),
    /// A large payload.
    Blob(Digest),
    /// An agent's checkpoint with cosignatures.
    Cosigned(&'path str),
    /// A report, an approval, a grant: its whole path.
    Evidence(&'path str),
    /// Any other, by its name.
    Named(&'static str),
}

/// The others, in their order after logs, payloads and cosigned checkpoints.
const NAMED: [&str; 8] = [EFFECTIVE, CONFIGS, KEYS, VKEYS, WITNESS_VKEYS, ABOUT, README, INDEX];

impl<'path> Member<'path> {
    /// What a path is; `None` where no pack has such a file.
    pub(super) fn parse(path: &'path str) -> Option<Self> {
        if let Some(named) = NAMED.into_iter().find(|named| *named == path) {
            return Some(Self::Named(named));
        }
        let (folder, rest) = path.split_once('/')?;
        match folder {
            "logs" => {
                let (agent_name, file) = rest.split_once('/').filter(|(name, _)| is_agent_name(name))?;
                (file == "checkpoint" || Tile::parse(file).is_some()).then_some(Self::Log(agent_name, file))
            }
            "blobs" => Digest::parse(rest).map(Self::Blob),
            "cosigned" => is_agent_name(rest).then_some(Self::Cosigned(rest)),
            _ if EVIDENCE.contains(&folder) => is_evidence(path, rest).then_some(Self::Evidence(path)),
            _ => None,
        }
    }

    /// Its place among the kinds: files stand by this and then by their path.
    pub(super) fn rank(&self) -> usize {
        match self {
            Self::Log(..) => 0,
            Self::Blob(_) => 1,
            Self::Cosigned(_) => 2,
            Self::Evidence(_) => 3,
            Self::Named(name) => NAMED.iter().position(|named| named == name).map_or(4, |at| at.saturating_add(4)),
        }
    }

    /// Bytes it may have.
    pub(super) fn bytes_most(&self) -> usize {
        match self {
            Self::Log(_, file) => Tile::parse(file).map_or(NOTE_BYTES_MOST, |tile| tile_bytes_most(&tile)),
            Self::Blob(_) => usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX),
            Self::Cosigned(_) => NOTE_BYTES_MOST,
            Self::Evidence(_) => EVIDENCE_BYTES_MOST,
            Self::Named(EFFECTIVE | CONFIGS) => CONFIGURATION_BYTES_MOST,
            Self::Named(INDEX) => INDEX_BYTES_MOST,
            Self::Named(_) => TEXT_BYTES_MOST,
        }
    }
}

/// Whether a path below a folder of evidence is one that is plain everywhere.
fn is_evidence(path: &str, rest: &str) -> bool {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_' | b'-' | b'@' | b'+');
    let part = |part: &str| part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.bytes().all(plain);
    path.len() <= EVIDENCE_PATH_MOST && rest.split('/').count() <= EVIDENCE_DEPTH && rest.split('/').all(part)
}

/// Bytes a tile or bundle may have.
fn tile_bytes_most(tile: &Tile) -> usize {
    match tile.level {
        Level::Entries => BUNDLE_BYTES_MOST,
        Level::Hashes(_) => usize::from(TILE_WIDTH).saturating_mul(HASH_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_packs_have_are_known_and_none_by_two_names() {
        let blob = format!("blobs/{}", Digest::of(b"x"));
        for good in [
            README,
            EFFECTIVE,
            "logs/a/checkpoint",
            "logs/a/tile/entries/000.p/3",
            "cosigned/a",
            &blob,
            "artefacts/readiness.json",
            "unlock/u-1/approval.json.bob@x.sig",
        ] {
            assert!(Member::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "/README.md",
            "./README.md",
            "readme.md",
            "README.md/",
            "logs",
            "logs/a",
            "logs/a/",
            "logs/../checkpoint",
            "logs/a/tile/../checkpoint",
            "logs/a/tile/0/0",
            "logs/a//checkpoint",
            "logs/-a/checkpoint",
            "blobs/abc",
            &blob.to_uppercase(),
            "cosigned/",
            "cosigned/a/b",
            "keys/a.log",
            "configuration/other",
            "artefacts",
            "artefacts/",
            "unlock/../keys",
            "unlock//a",
            "unlock/.a",
            "signed/a b",
            "signed/1/2/3/4/5/6/7",
        ] {
            assert_eq!(Member::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_index_stands_last() {
        assert!(NAMED.iter().all(|name| *name == INDEX || Member::Named(name).rank() < Member::Named(INDEX).rank()));
        assert!(Member::Cosigned("a").rank() < Member::Evidence("unlock/a").rank());
        assert!(Member::Evidence("unlock/a").rank() < Member::Named(EFFECTIVE).rank());
    }
}

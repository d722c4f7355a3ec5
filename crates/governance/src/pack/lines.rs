//! What stands in the text files of a pack, the same for who writes and who checks them.

use agenttrader_audit::record::Record;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use agenttrader_sequence::input::Configuration;

/// A line as `sha256sum` prints it.
pub(super) fn index_line(path: &str, digest: Digest) -> String {
    format!("{digest}  {path}\n")
}

/// The digests of a configuration's files, as `sha256sum` prints them where these files are.
pub(super) fn configs_lines(configuration: &Configuration) -> String {
    configuration
        .files
        .iter()
        .map(|file| index_line(&format!("configs/{}", file.name), Digest::of(file.text.as_bytes())))
        .collect()
}

/// The time that an entry bears.
pub(super) fn time_of(entry: &[u8]) -> Option<UnixNanos> {
    serde_json::from_slice::<Record>(entry).ok().map(|record| record.timestamp)
}

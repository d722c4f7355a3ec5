//! Only the log says that a record is durable.

use agenttrader_audit::Receipt;
use agenttrader_core::digest::Digest;

fn main() {
    let _ = Receipt { origin: "agenttrader/x/y".into(), index: 0, payload_digest: Digest::of(b"") };
}

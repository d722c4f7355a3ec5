//! Not even with the log's own maker.

use agenttrader_audit::Receipt;
use agenttrader_core::digest::Digest;

fn main() {
    let _ = Receipt::of_durable("agenttrader/x/y".into(), 0, Digest::of(b""));
}

//! One record, one receipt.

use agenttrader_audit::Receipt;

fn twice(receipt: &Receipt) -> Receipt {
    receipt.clone()
}

fn main() {}

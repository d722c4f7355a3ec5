//! Nobody can add a signer to those compiled in.

use agenttrader_authority::trust_root::{SignersText, TrustRoot};

fn main() {
    let mut root = TrustRoot::draft();
    root.signers = TrustRoot::read(SignersText::default()).unwrap().signers().clone();
}

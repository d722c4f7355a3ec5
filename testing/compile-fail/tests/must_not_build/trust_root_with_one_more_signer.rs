//! Nobody can add a signer to those compiled in.

use agenttrader_authority::trust_root::TrustRoot;

fn main() {
    let mut root = TrustRoot::draft();
    root.signers.push(1);
}

//! Nobody but the build says whom it trusts.

use agenttrader_authority::trust_root::TrustRoot;

fn main() {
    let _ = TrustRoot { signers: vec![1, 2, 3] };
}

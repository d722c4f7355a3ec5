//! A trust root is read from its two files, or is nobody.

use agenttrader_authority::signers::AllowedSigners;
use agenttrader_authority::trust_root::{SignersText, TrustRoot};

fn trusting(signers: AllowedSigners) -> TrustRoot {
    TrustRoot { text: SignersText::default(), signers }
}

fn main() {}

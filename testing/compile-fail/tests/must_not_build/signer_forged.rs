//! Only a verified signature says who signed.

use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signers::SignedBy;
use agenttrader_authority::ssh_key::PublicKey;
use std::collections::BTreeSet;

fn ann(key: PublicKey) -> SignedBy {
    let (namespace, roles) = (Namespace::ExecutionGrant, BTreeSet::new());
    SignedBy { principal: "ann".to_owned(), namespace, key, roles }
}

fn main() {}

//! What a file claims is no verified value.

use agenttrader_authority::grant::Grant;
use agenttrader_authority::presented::{Presented, Verified};

fn believed(presented: Presented<Grant>) -> Presented<Grant> {
    match presented {
        Presented::Unusable { claims: Some(claims), .. } => Presented::Good(Verified::of(*claims)),
        other => other,
    }
}

fn main() {}

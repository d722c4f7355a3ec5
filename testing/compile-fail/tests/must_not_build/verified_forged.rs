//! Only verification verifies.

use agenttrader_authority::grant::Grant;
use agenttrader_authority::presented::{Presented, Verified};

fn good(grant: Grant) -> Presented<Grant> {
    Presented::Good(Verified { value: grant })
}

fn main() {}

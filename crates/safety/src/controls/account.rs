//! The account's standing: SYMBOL_UNRECONCILED, ACCOUNT_RESTRICTED.

use crate::answer::Answer;
use crate::seen::Account;

/// SYMBOL_UNRECONCILED.
pub(crate) fn symbol_unreconciled(account: &Account) -> Answer {
    Answer::known(account.unreconciled)
}

/// ACCOUNT_RESTRICTED.
pub(crate) fn restricted(account: &Account) -> Answer {
    Answer::known(account.restricted)
}

#[cfg(test)]
mod tests {
    use crate::tests::fixture::World;
    use agenttrader_core::reason::Reason;

    #[test]
    fn an_account_that_may_not_trade_or_cannot_be_asked_refuses() {
        World::shares().with(|seen| seen.account.restricted = Some(true)).refused_for(Reason::AccountRestricted);
        World::shares().with(|seen| seen.account.restricted = None).unknown(Reason::AccountRestricted);
    }

    #[test]
    fn an_unknown_outcome_blocks_its_symbol() {
        World::shares().with(|seen| seen.account.unreconciled = Some(true)).refused_for(Reason::SymbolUnreconciled);
        World::shares().with(|seen| seen.account.unreconciled = None).unknown(Reason::SymbolUnreconciled);
    }
}

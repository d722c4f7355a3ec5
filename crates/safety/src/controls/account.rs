//! The account's standing: SYMBOL_UNRECONCILED, ACCOUNT_RESTRICTED.

use crate::facts::Answer;
use crate::seen::Account;

/// SYMBOL_UNRECONCILED.
pub(crate) fn symbol_unreconciled(account: &Account) -> Answer {
    Answer::known(account.unreconciled)
}

/// ACCOUNT_RESTRICTED.
pub(crate) fn restricted(account: &Account) -> Answer {
    Answer::known(account.restricted)
}

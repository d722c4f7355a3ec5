//! Reason codes of the gate: every way an order can be refused, in the one order in which they are listed.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

macro_rules! reasons {
    ($($name:ident $code:literal $words:literal,)+) => {
        /// Why the gate refuses. Declared in the order in which reasons are evaluated and listed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $(#[doc = $words] $name,)+ }

        impl Reason {
            /// Every reason, in order.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// The code, as records and APIs spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The reason in a sentence for people.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)+ }
            }
        }
    };
}

reasons! {
    ExecutionDisabled "EXECUTION_DISABLED" "Execution is not enabled for this agent.",
    AgentModeNotExecute "AGENT_MODE_NOT_EXECUTE" "The agent's mode is not EXECUTE.",
    KillSwitch "KILL_SWITCH" "The kill switch halts execution, or cannot be read.",
    StateNotReady "STATE_NOT_READY" "The execution state machine is not ready.",
    UnlockMissing "UNLOCK_MISSING" "There is no unlock grant.",
    UnlockInvalid "UNLOCK_INVALID" "The unlock grant does not verify.",
    UnlockExpired "UNLOCK_EXPIRED" "The unlock grant is not valid at this time.",
    UnlockScope "UNLOCK_SCOPE" "The unlock grant does not cover this order.",
    BuildMismatch "BUILD_MISMATCH" "The unlock grant names another build, or this build is not exact.",
    MarketdataMissing "MARKETDATA_MISSING" "No market data has arrived for what is to be traded.",
    MarketdataStale "MARKETDATA_STALE" "Market data is older than its limit.",
    MarketClosed "MARKET_CLOSED" "The market is closed.",
    SignatureInvalid "SIGNATURE_INVALID" "The proposal's signature does not verify.",
    AgentUnknown "AGENT_UNKNOWN" "The proposing agent is not known.",
    ProposalMalformed "PROPOSAL_MALFORMED" "The proposal is malformed.",
    ProposalExpired "PROPOSAL_EXPIRED" "The proposal has expired.",
    ProposalDuplicate "PROPOSAL_DUPLICATE" "The proposal was judged before.",
    ApprovalMissing "APPROVAL_MISSING" "No person has approved the proposal.",
    ApprovalInvalid "APPROVAL_INVALID" "The approval does not verify or no longer binds.",
    SymbolNotAllowed "SYMBOL_NOT_ALLOWED" "The symbol is not on the allowlist.",
    SymbolRestricted "SYMBOL_RESTRICTED" "The instrument is restricted.",
    SymbolHalted "SYMBOL_HALTED" "Trading in the symbol is halted.",
    ExpiryCutoff "EXPIRY_CUTOFF" "The contract expires today and its cut-off has passed.",
    SymbolUnreconciled "SYMBOL_UNRECONCILED" "An order in this symbol has an unknown outcome.",
    AccountRestricted "ACCOUNT_RESTRICTED" "The account may not trade.",
    OrderQty "ORDER_QTY" "The order's quantity is above its limit.",
    OrderNotional "ORDER_NOTIONAL" "The order's notional is above its limit.",
    PriceCollar "PRICE_COLLAR" "The price is outside the collar, or there is no reference for it.",
    OrderDuplicate "ORDER_DUPLICATE" "The same order was made within the duplicate window.",
    PositionLimit "POSITION_LIMIT" "The position would be above its limit.",
    Concentration "CONCENTRATION" "One underlying would be too large a part of equity.",
    GrossExposure "GROSS_EXPOSURE" "Gross exposure would be above its limit.",
    OpenOrders "OPEN_ORDERS" "Too many orders are working.",
    OrderRate "ORDER_RATE" "Orders come faster than their limit.",
    RepeatExecution "REPEAT_EXECUTION" "The strategy has executed too often and is disabled.",
    DailyOrders "DAILY_ORDERS" "The day's orders are used up.",
    DailyNotional "DAILY_NOTIONAL" "The day's notional is used up.",
    DailyLoss "DAILY_LOSS" "The day's loss is above its limit.",
    Drawdown "DRAWDOWN" "The drawdown from the high-water mark is above its limit.",
    SelfTrade "SELF_TRADE" "The order could cross one of our own working orders.",
    BuyingPower "BUYING_POWER" "The account cannot pay for the order.",
    VolatilityGuard "VOLATILITY_GUARD" "Order limits count half while volatility is high, and the order passes them.",
    AuditUnavailable "AUDIT_UNAVAILABLE" "The audit log cannot be written.",
}

impl Reason {
    /// Reads a code, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Whether people lift this reason (the posture), as opposed to the order, the market or the account being wrong.
    pub const fn is_posture(self) -> bool {
        matches!(
            self,
            Self::ExecutionDisabled
                | Self::AgentModeNotExecute
                | Self::KillSwitch
                | Self::StateNotReady
                | Self::UnlockMissing
                | Self::UnlockInvalid
                | Self::UnlockExpired
                | Self::UnlockScope
                | Self::BuildMismatch
                | Self::ApprovalMissing
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format_args!("`{text}` is no reason code")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posture_is_the_first_nine_and_the_missing_approval() {
        let posture: Vec<_> = Reason::ALL.into_iter().filter(|reason| reason.is_posture()).collect();
        let mut expected = Reason::ALL[..9].to_vec();
        expected.push(Reason::ApprovalMissing);
        assert_eq!(posture, expected);
    }

    #[test]
    fn codes_are_distinct_and_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("kill_switch"), None);
    }
}

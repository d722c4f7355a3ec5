//! The limits and the shadow account's start, from `configs/risk.toml`.

use agenttrader_core::money::Money;
use agenttrader_safety::limits::Limits;
use serde::Deserialize;

/// The name under which the option quotes' age stands among the limits. It comes from the environment, never from the file.
const QUOTE_AGE: &str = "option_quote_max_age_seconds";

/// What `configs/risk.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The limits in force.
    pub limits: Limits,
    /// Equity the shadow account starts with, dollars; above zero.
    pub start_equity: Money,
}

/// Why the file is refused. A file that is refused lets nothing trade.
#[derive(Debug, thiserror::Error)]
pub enum RiskError {
    /// Not TOML, or a field is missing, unknown or of the wrong kind.
    #[error("risk.toml cannot be read")]
    Unreadable(#[source] Box<toml::de::Error>),
    /// The file sets what the environment alone sets.
    #[error("risk.toml: `{QUOTE_AGE}` is set by OPTION_QUOTE_MAX_AGE_SECONDS alone")]
    QuoteAge,
    /// There is no section for the shadow account.
    #[error("risk.toml: section `[shadow]` is missing")]
    NoShadow,
    /// An account that starts with nothing can measure no limit.
    #[error("risk.toml: shadow.start_equity_usd is {given}, must be above zero")]
    StartEquity {
        /// The value given.
        given: Money,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shadow {
    start_equity_usd: Money,
}

impl Risk {
    /// Reads the file. `option_quote_max_age_seconds` comes from the effective configuration.
    ///
    /// # Errors
    /// [`RiskError`]: a missing limit refuses the whole file.
    pub fn parse(text: &str, option_quote_max_age_seconds: u32) -> Result<Self, RiskError> {
        let unreadable = |error: toml::de::Error| RiskError::Unreadable(Box::new(error));
        let mut table: toml::Table = text.parse().map_err(unreadable)?;
        let shadow = table.remove("shadow").ok_or(RiskError::NoShadow)?;
        let Shadow { start_equity_usd } = shadow.try_into().map_err(unreadable)?;
        if start_equity_usd <= Money::ZERO {
            return Err(RiskError::StartEquity { given: start_equity_usd });
        }
        if table.insert(QUOTE_AGE.to_owned(), i64::from(option_quote_max_age_seconds).into()).is_some() {
            return Err(RiskError::QuoteAge);
        }
        let limits = table.try_into().map_err(unreadable)?;
        Ok(Self { limits, start_equity: start_equity_usd })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../configs/risk.toml");

    #[test]
    fn the_default_file_reads_whole() {
        let risk = Risk::parse(FILE, 900).unwrap();
        assert_eq!(risk.start_equity, Money::from_dollars(1_000_000));
        assert_eq!(risk.limits.option_quote_max_age_seconds, 900);
        assert_eq!(risk.limits.shares.unwrap().order_quantity, 300);
        assert_eq!(risk.limits.options.unwrap().order_quantity, 10);
    }

    #[test]
    fn every_missing_line_of_a_limit_refuses_the_file() {
        for (index, line) in FILE.lines().enumerate().filter(|(_, line)| line.contains('=')) {
            let kept: Vec<&str> =
                FILE.lines().enumerate().filter(|(other, _)| *other != index).map(|(_, line)| line).collect();
            assert!(Risk::parse(&kept.join("\n"), 900).is_err(), "without `{line}`");
        }
    }

    #[test]
    fn unknown_names_and_an_empty_account_are_refused() {
        assert!(matches!(Risk::parse(&format!("surprise = 1\n{FILE}"), 900), Err(RiskError::Unreadable(_))));
        assert!(matches!(Risk::parse(&format!("{QUOTE_AGE} = 1\n{FILE}"), 900), Err(RiskError::QuoteAge)));
        assert!(matches!(Risk::parse(&FILE.replace("\"1000000\"", "\"0\""), 900), Err(RiskError::StartEquity { .. })));
        assert!(matches!(Risk::parse("", 900), Err(RiskError::NoShadow)));
    }

    #[test]
    fn an_asset_class_left_out_has_no_limits() {
        let start = FILE.find("[options]").unwrap();
        let end = FILE.find("[shadow]").unwrap();
        let text = format!("{}{}", &FILE[..start], &FILE[end..]);
        assert_eq!(Risk::parse(&text, 900).unwrap().limits.options, None);
    }
}

//! What strategies read of the configuration: their own files and the order limits they cut to.

use agenttrader_core::money::Money;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::Span;
use agenttrader_safety::limits::AssetLimits;
use agenttrader_sequence::input::Configuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a configuration gives no seats.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that is needed is not part of the configuration.
    #[error("configs/{file} is missing")]
    Missing {
        /// Its path below `configs/`.
        file: String,
    },
    /// A file is not TOML of its shape: a field is missing, unknown or of another type. The cause names it.
    #[error("configs/{file} is refused: {}", source.message())]
    Shape {
        /// Its path below `configs/`.
        file: String,
        /// What the reader says.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A field has a value that makes no sense.
    #[error("configs/{file}: `{field}` {problem}")]
    Field {
        /// Its path below `configs/`.
        file: String,
        /// The field, dotted.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A seat names a strategy that does not exist.
    #[error("there is no strategy `{name}`; there are {known}")]
    UnknownStrategy {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
}

/// The settings that every strategy has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// What it looks at: never empty unless the run has no underlying at all.
    pub underlyings: Vec<Symbol>,
    /// Most entries a day in one underlying.
    pub entries_per_day: u32,
    /// Rest before the next entry after a refusal beyond the posture, or a lapse.
    pub cool_down: Span,
}

/// Bounds that orders are cut to before they are proposed, and ages beyond which a quote says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLimits {
    /// Of shares; none: shares cannot trade.
    pub shares: Option<AssetLimits>,
    /// Of options; none: options cannot trade.
    pub options: Option<AssetLimits>,
    /// Most hedges a day.
    pub daily_hedges: u32,
    /// Most notional of hedges a day.
    pub daily_hedge_notional: Money,
    /// Two like orders within it are one too many.
    pub duplicate_window: Span,
    /// Oldest an option's own quote may be to price an order.
    pub option_quote_max_age: Span,
}

/// The fields of `risk.toml` that strategies cut to. Whoever judges reads the file whole and refuses what is unknown.
#[derive(Deserialize)]
struct RiskFile {
    shares: Option<AssetLimits>,
    options: Option<AssetLimits>,
    daily_hedges: u32,
    daily_hedge_notional_usd: Money,
    duplicate_window_seconds: u32,
}

impl OrderLimits {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] naming `risk.toml` and the field.
    pub fn read(configuration: &Configuration) -> Result<Self, ConfigError> {
        let file: RiskFile = read(configuration, "risk.toml")?;
        Ok(Self {
            shares: file.shares,
            options: file.options,
            daily_hedges: file.daily_hedges,
            daily_hedge_notional: file.daily_hedge_notional_usd,
            duplicate_window: Span::from_seconds(i64::from(file.duplicate_window_seconds)),
            option_quote_max_age: Span::from_seconds(i64::from(configuration.option_quote_max_age_seconds)),
        })
    }
}

/// Reads one file of the configuration.
///
/// # Errors
/// [`ConfigError::Missing`] or [`ConfigError::Shape`].
pub fn read<T: DeserializeOwned>(configuration: &Configuration, file: &str) -> Result<T, ConfigError> {
    let text = configuration.file(file).ok_or_else(|| ConfigError::Missing { file: file.to_owned() })?;
    toml::from_str(text).map_err(|source| ConfigError::Shape { file: file.to_owned(), source: Box::new(source) })
}

/// Refuses a field's value unless `holds`.
///
/// # Errors
/// [`ConfigError::Field`].
pub fn check(file: &str, field: &'static str, holds: bool, problem: &str) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::Field { file: file.to_owned(), field, problem: problem.to_owned() })
}

/// The settings that every strategy has, checked. A run that has none of the configured underlyings (a recording of
/// something else) gives its own; none configured means all.
///
/// # Errors
/// [`ConfigError::Field`].
pub fn common(
    configuration: &Configuration,
    file: &str,
    underlyings: &[Symbol],
    entries_per_day: u32,
    cool_down_seconds: u32,
) -> Result<Common, ConfigError> {
    let twice =
        underlyings.iter().enumerate().any(|(place, symbol)| underlyings.iter().take(place).any(|it| it == symbol));
    check(file, "underlyings", !twice, "names a symbol twice")?;
    check(file, "entries_per_day", (1..=100).contains(&entries_per_day), "must be 1 to 100")?;
    check(file, "cool_down_seconds", cool_down_seconds <= 86_400, "must be at most a day, 86400")?;
    let run = &configuration.symbols;
    let mut effective: Vec<Symbol> = underlyings.iter().copied().filter(|symbol| run.contains(symbol)).collect();
    if effective.is_empty() {
        effective.clone_from(run);
    }
    Ok(Common { underlyings: effective, entries_per_day, cool_down: Span::from_seconds(i64::from(cool_down_seconds)) })
}

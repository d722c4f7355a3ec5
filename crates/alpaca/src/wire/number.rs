//! Numbers as the two services write them.

use agenttrader_core::price::Price;
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// Largest whole number that a double holds without gaps below it.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The whole number that a float stands for; `None` if it has a fraction, is negative, not finite or above 2^53.
pub(crate) fn whole_from_f64(value: f64) -> Option<u64> {
    ((0.0..=WHOLE_MAX).contains(&value) && value.trunc() == value).then_some(value as u64)
}

/// The price of a feed's float: finite and not negative.
pub(crate) fn price_from_f64(value: f64) -> Option<Price> {
    Price::from_f64(value).filter(|price| *price >= Price::ZERO)
}

/// A price as a JSON number of dollars, as the data service writes it.
pub mod dollars {
    use super::{Deserialize, Deserializer, Price, Serializer, price_from_f64};
    use serde::de::Error as _;

    /// Writes dollars as a float.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(price: &Price, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(price.as_f64())
    }

    /// Reads a number of dollars.
    ///
    /// # Errors
    /// If it is no number, negative, or does not fit a price.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Price, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        price_from_f64(dollars)
            .ok_or_else(|| D::Error::custom(format_args!("price {dollars} is not 0 to 9.2 billion dollars")))
    }
}

/// A price as a JSON number of dollars, or null.
pub mod dollars_or_null {
    use super::{Deserialize, Deserializer, Price, Serializer, price_from_f64};
    use serde::de::Error as _;

    /// Writes dollars as a float, or null.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(price: &Option<Price>, serializer: S) -> Result<S::Ok, S::Error> {
        match price {
            Some(price) => serializer.serialize_f64(price.as_f64()),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a number of dollars or null.
    ///
    /// # Errors
    /// If it is neither, negative, or does not fit a price.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Price>, D::Error> {
        let Some(dollars) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
        let price = price_from_f64(dollars);
        price.map(Some).ok_or_else(|| D::Error::custom(format_args!("price {dollars} is not 0 to 9.2 billion dollars")))
    }
}

/// A count that may be written as a float: `100` and `100.0` are the same.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(u64),
        Float(f64),
    }
    match Written::deserialize(deserializer)? {
        Written::Whole(count) => Ok(count),
        Written::Float(value) => whole_from_f64(value)
            .ok_or_else(|| D::Error::custom(format_args!("{value} is not a whole number from 0 to 2^53"))),
    }
}

/// A count of 64 bits.
pub mod count {
    use super::{Deserializer, Serializer};

    /// Writes the count.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(count: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(*count)
    }

    /// Reads the count.
    ///
    /// # Errors
    /// If it is not a whole number from 0.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        super::whole(deserializer)
    }
}

/// A size of 32 bits: shares or contracts.
pub mod size {
    use super::{Deserializer, Serializer};
    use serde::de::Error as _;

    /// Writes the size.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(size: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(*size)
    }

    /// Reads the size.
    ///
    /// # Errors
    /// If it is not a whole number from 0 to 4,294,967,295.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let size = super::whole(deserializer)?;
        u32::try_from(size).map_err(|_| D::Error::custom(format_args!("size {size} is above {}", u32::MAX)))
    }
}

/// A decimal string of the trading service as money. Places beyond the ninth are cut; null and the empty text are zero.
pub mod money {
    use agenttrader_core::money::Money;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
    use std::borrow::Cow;

    /// Writes a decimal string.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
        money.serialize(serializer)
    }

    /// Reads a decimal string.
    ///
    /// # Errors
    /// If it is no decimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let text = <Option<Cow<'de, str>>>::deserialize(deserializer)?.unwrap_or_default();
        if text.is_empty() {
            return Ok(Money::ZERO);
        }
        let kept = match text.split_once('.') {
            Some((whole, places)) if places.len() > 9 && places.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.get(..whole.len().saturating_add(10)).unwrap_or(&text)
            }
            _ => &text,
        };
        Money::parse(kept).map_err(D::Error::custom)
    }
}

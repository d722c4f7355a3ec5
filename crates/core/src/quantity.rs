//! How much of an instrument: whole shares or contracts.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;

/// A count of shares or contracts, 1 to 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quantity(u32);

/// Why a number is no quantity.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("quantity {given} is outside 1 to {max}", max = Quantity::MAX)]
pub struct QuantityError {
    /// The number as it came.
    pub given: i64,
}

impl Quantity {
    /// The smallest.
    pub const ONE: Self = Self(1);
    /// The largest: no order of this system comes near, and its product with any price fits 128 bits.
    pub const MAX: u32 = 1_000_000_000;

    /// A quantity of that many.
    ///
    /// # Errors
    /// [`QuantityError`] for zero, negative, or above [`Quantity::MAX`].
    pub fn new(count: i64) -> Result<Self, QuantityError> {
        match u32::try_from(count) {
            Ok(count) if (1..=Self::MAX).contains(&count) => Ok(Self(count)),
            _ => Err(QuantityError { given: count }),
        }
    }

    /// The count, positive.
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

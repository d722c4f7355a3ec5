//! Option symbols as the Options Clearing Corporation writes them, both ways.
//!
//! Two spellings of one thing: compact, as most feeds write it (`SPY261218C00450000`), and padded to 21 characters
//! (`SPY   261218C00450000`), the root blank-filled to six. Source: OCC, "Options Symbology Initiative", 2010.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::as_text::as_text;
use crate::price::Price;
use crate::right::Right;

/// One listed option contract, by its OCC symbol. A plain value: reading one allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OccSymbol {
    /// Blank-filled at its end.
    root: [u8; ROOT_LEN],
    expiration: Date,
    right: Right,
    strike: Price,
}

/// Why a text or a set of fields is no OCC symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OccSymbolError {
    /// Too short or too long for root, date, right and strike.
    #[error("option symbol `{text}` has {len} characters; 16 to 21 are wanted")]
    Length {
        /// The text, its first 32 characters.
        text: String,
        /// Its length in bytes.
        len: usize,
    },
    /// The root is not one to six of `A–Z` and `0–9` beginning with a letter.
    #[error("option symbol `{text}`: root `{root}` is not 1 to 6 of A-Z and 0-9 beginning with a letter")]
    Root {
        /// The text, its first 32 characters.
        text: String,
        /// The root in it.
        root: String,
    },
    /// The six digits are no day of the years 2000 to 2099.
    #[error("option symbol `{text}`: `{date}` is not a day of 2000 to 2099 as YYMMDD")]
    Expiration {
        /// The text, its first 32 characters.
        text: String,
        /// What stands where the date should.
        date: String,
    },
    /// Neither `C` nor `P` between date and strike.
    #[error("option symbol `{text}`: `{right}` is neither C nor P")]
    Right {
        /// The text, its first 32 characters.
        text: String,
        /// What stands where the right should.
        right: String,
    },
    /// The strike is not from 0.001 to 99,999.999 dollars in whole thousandths.
    #[error(
        "option symbol `{text}`: strike `{strike}` is not 0.001 to 99999.999 dollars in whole thousandths (eight digits)"
    )]
    Strike {
        /// The text, its first 32 characters; the root when made from fields.
        text: String,
        /// What stands where the strike should.
        strike: String,
    },
}

/// Books hold one for every contract of a chain.
const _: () = assert!(size_of::<OccSymbol>() <= 24);

/// Characters of a root at most.
const ROOT_LEN: usize = 6;
/// Date, right and strike.
const TAIL_LEN: usize = 15;
/// The padded form.
const PADDED_LEN: usize = ROOT_LEN + TAIL_LEN;
/// The strike's unit, a thousandth of a dollar.
const STRIKE_UNIT: i64 = 1_000_000;
/// The largest strike that eight digits hold, in thousandths.
const STRIKE_MAX: i64 = 99_999_999;

impl OccSymbol {
    /// The symbol of these fields.
    ///
    /// # Errors
    /// [`OccSymbolError`] if the root is not one to six of `A–Z`, `0–9` beginning with a letter, the expiration is outside the years 2000
    /// to 2099, or the strike is not from 0.001 to 99,999.999 in whole thousandths.
    pub fn new(root: &str, expiration: Date, right: Right, strike: Price) -> Result<OccSymbol, OccSymbolError> {
        let root_bytes =
            root_field(root).ok_or_else(|| OccSymbolError::Root { text: shown(root), root: shown(root) })?;
        if !(2000..=2099).contains(&expiration.year()) {
            return Err(OccSymbolError::Expiration { text: shown(root), date: expiration.to_string() });
        }
        if !is_strike(strike) {
            return Err(OccSymbolError::Strike { text: shown(root), strike: strike.to_string() });
        }
        Ok(OccSymbol { root: root_bytes, expiration, right, strike })
    }

    /// Reads either spelling.
    ///
    /// # Errors
    /// [`OccSymbolError`], naming the text and the part of it that is wrong. Lower case, other blanks and leading digits are refused.
    pub fn parse(text: &str) -> Result<OccSymbol, OccSymbolError> {
        let wrong_length = || OccSymbolError::Length { text: shown(text), len: text.len() };
        if text.len() > PADDED_LEN {
            return Err(wrong_length());
        }
        // A text that is not ASCII where it is cut is no symbol either.
        let root_len = text.len().checked_sub(TAIL_LEN).filter(|len| *len > 0).ok_or_else(wrong_length)?;
        let (root, tail) = text.split_at_checked(root_len).ok_or_else(wrong_length)?;
        let root = if root_len == ROOT_LEN { root.trim_end_matches(' ') } else { root };
        let root_bytes =
            root_field(root).ok_or_else(|| OccSymbolError::Root { text: shown(text), root: root.to_owned() })?;

        let (date, tail) = tail.split_at_checked(6).ok_or_else(wrong_length)?;
        let expiration =
            parse_date(date).ok_or_else(|| OccSymbolError::Expiration { text: shown(text), date: date.to_owned() })?;

        let (right, strike) = tail.split_at_checked(1).ok_or_else(wrong_length)?;
        let right = match right {
            "C" => Right::Call,
            "P" => Right::Put,
            _ => return Err(OccSymbolError::Right { text: shown(text), right: right.to_owned() }),
        };

        let strike = digits(strike)
            .and_then(|thousandths| thousandths.checked_mul(STRIKE_UNIT))
            .map(Price::from_nanos)
            .filter(|price| is_strike(*price))
            .ok_or_else(|| OccSymbolError::Strike { text: shown(text), strike: strike.to_owned() })?;
        Ok(OccSymbol { root: root_bytes, expiration, right, strike })
    }

    /// The root without padding: for a standard contract the underlying's ticker, save for index roots such as `SPXW`.
    pub fn root(&self) -> &str {
        // Only ASCII is ever stored.
        std::str::from_utf8(&self.root).unwrap_or_default().trim_end_matches(' ')
    }

    /// The last day of the contract.
    pub const fn expiration(&self) -> Date {
        self.expiration
    }

    /// Call or put.
    pub const fn right(&self) -> Right {
        self.right
    }

    /// The strike in dollars: from 0.001 to 99,999.999, whole thousandths.
    pub const fn strike(&self) -> Price {
        self.strike
    }

    /// Whether the root ends in a digit: a contract adjusted after a split, merger or special dividend (or a mini), which may not
    /// deliver 100 shares of the ticker in its name.
    pub fn is_adjusted_root(&self) -> bool {
        self.root().ends_with(|last: char| last.is_ascii_digit())
    }

    /// The 21-character spelling, for display and comparison with OCC files.
    pub fn padded(&self) -> Padded {
        Padded(*self)
    }

    fn write_tail(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = match self.right {
            Right::Call => 'C',
            Right::Put => 'P',
        };
        let (year, month, day) = (self.expiration.year() % 100, self.expiration.month(), self.expiration.day());
        write!(out, "{year:02}{month:02}{day:02}{right}{:08}", self.strike.nanos() / STRIKE_UNIT)
    }
}

/// An [`OccSymbol`] that displays as 21 characters, the root blank-filled to six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padded(OccSymbol);

impl fmt::Display for Padded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<6}", self.0.root())?;
        self.0.write_tail(out)
    }
}

/// The compact spelling.
impl fmt::Display for OccSymbol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.root())?;
        self.write_tail(out)
    }
}

impl FromStr for OccSymbol {
    type Err = OccSymbolError;

    fn from_str(text: &str) -> Result<OccSymbol, OccSymbolError> {
        OccSymbol::parse(text)
    }
}

as_text!(OccSymbol);

/// The root blank-filled to six, if it is one.
fn root_field(root: &str) -> Option<[u8; ROOT_LEN]> {
    if !root.starts_with(|first: char| first.is_ascii_uppercase()) || root.len() > ROOT_LEN {
        return None;
    }
    let mut field = [b' '; ROOT_LEN];
    for (slot, byte) in field.iter_mut().zip(root.bytes()) {
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return None;
        }
        *slot = byte;
    }
    Some(field)
}

fn parse_date(text: &str) -> Option<Date> {
    let part =
        |from: usize| text.get(from..from.checked_add(2)?).and_then(digits).and_then(|value| i8::try_from(value).ok());
    let (year, month, day) = (part(0)?, part(2)?, part(4)?);
    Date::new(i16::from(year).checked_add(2000)?, month, day).ok()
}

/// A number written in ASCII digits alone: no sign, no blank.
fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_strike(strike: Price) -> bool {
    let thousandths = strike.nanos() / STRIKE_UNIT;
    strike.nanos() % STRIKE_UNIT == 0 && (1..=STRIKE_MAX).contains(&thousandths)
}

fn shown(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn dollars(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    #[test]
    fn both_spellings_are_read_and_written() {
        for (compact, padded, root, expiration, right, strike) in [
            ("SPY261218C00450000", "SPY   261218C00450000", "SPY", date(2026, 12, 18), Right::Call, "450"),
            ("AAPL140606P00092860", "AAPL  140606P00092860", "AAPL", date(2014, 6, 6), Right::Put, "92.86"),
            ("SPXW210104C03700000", "SPXW  210104C03700000", "SPXW", date(2021, 1, 4), Right::Call, "3700"),
            ("F000229P00000001", "F     000229P00000001", "F", date(2000, 2, 29), Right::Put, "0.001"),
            ("ABCDE1991231C99999999", "ABCDE1991231C99999999", "ABCDE1", date(2099, 12, 31), Right::Call, "99999.999"),
        ] {
            let symbol = OccSymbol::new(root, expiration, right, dollars(strike)).unwrap();
            assert_eq!(symbol.to_string(), compact);
            assert_eq!(symbol.padded().to_string(), padded);
            assert_eq!(OccSymbol::parse(compact), Ok(symbol));
            assert_eq!(padded.parse(), Ok(symbol));
            assert_eq!(
                (symbol.root(), symbol.expiration(), symbol.right(), symbol.strike()),
                (root, expiration, right, dollars(strike))
            );
            assert_eq!(serde_json::to_string(&symbol).unwrap(), format!("\"{compact}\""));
            assert_eq!(serde_json::from_str::<OccSymbol>(&format!("\"{padded}\"")).unwrap(), symbol);
        }
    }

    #[test]
    fn a_root_that_ends_in_a_digit_is_adjusted() {
        assert!(OccSymbol::parse("AAPL7140606P00092860").unwrap().is_adjusted_root());
        assert!(!OccSymbol::parse("AAPL140606P00092860").unwrap().is_adjusted_root());
        assert!(!OccSymbol::parse("B2X260116C00010000").unwrap().is_adjusted_root());
    }

    #[test]
    fn what_is_wrong_is_named_with_the_text() {
        let root = |root| format!("root `{root}` is not 1 to 6 of A-Z and 0-9 beginning with a letter");
        let date = |date| format!("`{date}` is not a day of 2000 to 2099 as YYMMDD");
        let strike =
            |strike| format!("strike `{strike}` is not 0.001 to 99999.999 dollars in whole thousandths (eight digits)");
        for (text, said) in [
            ("1SPX261218C00450000", root("1SPX")),
            ("spy261218C00450000", root("spy")),
            ("SPY  261218C00450000", root("SPY  ")),
            ("   SPY261218C00450000", root("   SPY")),
            ("      261218C00450000", root("")),
            ("SPY260229C00450000", date("260229")),
            ("SPY26+218C00450000", date("26+218")),
            ("SPY261218X00450000", "`X` is neither C nor P".to_owned()),
            ("SPY261218c00450000", "`c` is neither C nor P".to_owned()),
            ("SPY261218C00000000", strike("00000000")),
            ("SPY261218C+0450000", strike("+0450000")),
        ] {
            assert_eq!(OccSymbol::parse(text).unwrap_err().to_string(), format!("option symbol `{text}`: {said}"));
        }
        for text in ["", "261218C00450000", "SPYXXXX261218C00450000"] {
            let said = format!("option symbol `{text}` has {} characters; 16 to 21 are wanted", text.len());
            assert_eq!(OccSymbol::parse(text).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn fields_outside_what_a_symbol_holds_are_refused() {
        let (day, strike) = (date(2026, 12, 18), dollars("450"));
        for root in ["", "ABCDEFG", "A B", "A.B", "\u{c4}", "9A", "a"] {
            assert!(
                matches!(OccSymbol::new(root, day, Right::Call, strike), Err(OccSymbolError::Root { .. })),
                "{root}"
            );
        }
        for expiration in [date(1999, 12, 31), date(2100, 1, 1)] {
            assert!(matches!(
                OccSymbol::new("SPY", expiration, Right::Call, strike),
                Err(OccSymbolError::Expiration { .. })
            ));
        }
        for bad in ["0", "-1", "100000", "0.0001", "450.0005"] {
            assert!(
                matches!(OccSymbol::new("SPY", day, Right::Call, dollars(bad)), Err(OccSymbolError::Strike { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn every_day_of_the_century_and_no_other_is_an_expiration() {
        let mut days = 0;
        for digits in 0..1_000_000 {
            if let Some(date) = parse_date(&format!("{digits:06}")) {
                assert_eq!(
                    i32::from(date.year()) % 100 * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day()),
                    digits
                );
                days += 1;
            }
        }
        assert_eq!(days, 36_525);
    }

    fn symbols() -> impl Strategy<Value = OccSymbol> {
        ("[A-Z][A-Z0-9]{0,5}", 2000_i16..2100, 1_i8..13, 1_i8..32, any::<bool>(), 1..=STRIKE_MAX).prop_filter_map(
            "the day exists",
            |(root, year, month, day, call, thousandths)| {
                let expiration = Date::new(year, month, day).ok()?;
                let right = if call { Right::Call } else { Right::Put };
                OccSymbol::new(&root, expiration, right, Price::from_nanos(thousandths * STRIKE_UNIT)).ok()
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(symbol in symbols()) {
            prop_assert_eq!(OccSymbol::parse(&symbol.to_string()), Ok(symbol));
            let padded = symbol.padded().to_string();
            prop_assert_eq!(padded.len(), 21);
            prop_assert_eq!(OccSymbol::parse(&padded), Ok(symbol));
        }

        #[test]
        fn what_is_read_writes_back(text in "[A-Z]{1,6} {0,5}[0-9]{5,7}[CPX][0-9]{7,8}") {
            if let Ok(symbol) = OccSymbol::parse(&text) {
                prop_assert!(symbol.to_string() == text || symbol.padded().to_string() == text);
            }
        }

        #[test]
        fn no_text_stops_the_reader(text in ".{0,24}", at in 0_usize..21, put in any::<char>()) {
            let _ = OccSymbol::parse(&text);
            let changed: String = "SPY   261218C00450000".chars().enumerate().map(|(index, old)| if index == at { put } else { old }).collect();
            if let Ok(symbol) = OccSymbol::parse(&changed) {
                prop_assert_eq!(symbol.padded().to_string(), changed);
            }
        }
    }
}

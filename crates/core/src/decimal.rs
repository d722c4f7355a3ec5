//! Decimal text to integer billionths and back: the one form in which prices and money are written.

/// Billionths in one unit.
pub const SCALE: i128 = 1_000_000_000;

/// Decimal places that [`SCALE`] holds.
const PLACES: usize = 9;

/// Longest text read: the digits of an `i128`, a sign, a point. Longer text is no number that fits.
const LONGEST: usize = 48;

/// Reads `[-]digits[.digits]` with at most nine places as billionths. `None` for anything else: no exponent, no `+`,
/// no blank, no bare point.
pub fn parse_billionths(text: &str) -> Option<i128> {
    if text.len() > LONGEST {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.is_empty() || fraction.len() > PLACES {
        return None;
    }
    let mut value: i128 = 0;
    let padding = PLACES.checked_sub(fraction.len())?;
    for byte in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding)) {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = i128::from(byte.checked_sub(b'0')?);
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    if negative { value.checked_neg() } else { Some(value) }
}

/// Writes billionths in shortest form: no exponent, no `+`, no trailing zeros, never `-0`.
pub fn write_billionths(value: i128, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let magnitude = value.unsigned_abs();
    let scale = SCALE.unsigned_abs();
    let (whole, fraction) = (magnitude.checked_div(scale).unwrap_or(0), magnitude.checked_rem(scale).unwrap_or(0));
    if value < 0 {
        out.write_str("-")?;
    }
    if fraction == 0 {
        return write!(out, "{whole}");
    }
    let digits = format!("{fraction:09}");
    write!(out, "{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Shown(i128);
    impl std::fmt::Display for Shown {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write_billionths(self.0, out)
        }
    }

    #[test]
    fn only_plain_decimals_are_read() {
        for bad in ["", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1 ", "0x1", "1.0000000001", "--1", "1,0", "NaN", "١"]
        {
            assert_eq!(parse_billionths(bad), None, "{bad:?}");
        }
        assert_eq!(parse_billionths("-0"), Some(0));
        assert_eq!(parse_billionths("0.000000001"), Some(1));
        assert_eq!(parse_billionths("00012.50"), Some(12_500_000_000));
    }

    #[test]
    fn the_shortest_form_is_written() {
        for (value, text) in [(0, "0"), (-1, "-0.000000001"), (1_500_000_000, "1.5"), (-2_000_000_000, "-2")] {
            assert_eq!(Shown(value).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any::<i64>()) {
            prop_assert_eq!(parse_billionths(&Shown(i128::from(value)).to_string()), Some(i128::from(value)));
        }
    }
}

//! Whether bytes are canonical as they stand: one pass over them, no tree of values.

use super::{MAX_DEPTH, is_escaped, number_from, write_number};

/// Digits of a decimal that a double always holds apart from every other: what is written in no more is what its double is written as.
const DIGITS_EXACT: usize = 15;

/// Noughts that may follow `0.` before ECMAScript writes an exponent.
const NOUGHTS_MOST: usize = 5;

/// Whether `bytes` are one JSON value in its canonical form (RFC 8785): exactly when [`parse`](super::parse) reads them and
/// [`to_bytes`](super::to_bytes) of what it read gives them back.
pub fn is_canonical(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut scan = Scan { text, at: 0 };
    scan.value(MAX_DEPTH).is_some() && scan.at == bytes.len()
}

/// The members of an object in their order, if `bytes` are one in canonical form: each name as it is written between its quotes, and its
/// value's bytes. What has one canonical form has one spelling, so names and values may be compared as they stand.
pub fn members(bytes: &[u8]) -> Option<Vec<(&str, &str)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut members = Vec::with_capacity(20);
    let mut scan = Scan { text, at: 0 };
    if scan.peek() != Some(b'{') {
        return None;
    }
    scan.object(MAX_DEPTH.checked_sub(1)?, |key, value| members.push((key, value)))?;
    (scan.at == bytes.len()).then_some(members)
}

/// An object that has members of exactly these names, whatever their values.
#[derive(Clone, Debug)]
pub struct Shape<const N: usize> {
    /// What stands before each value.
    before: [String; N],
    end: &'static str,
}

impl<const N: usize> Shape<N> {
    /// Of names as they are written between their quotes, in canonical order.
    pub fn new(names: [&str; N]) -> Self {
        let mut opening = '{';
        let before = names.map(|name| format!("{}\"{name}\":", std::mem::replace(&mut opening, ',')));
        Self { before, end: if N == 0 { "{}" } else { "}" } }
    }

    /// The members' values, each as it is written, if `bytes` are such an object in canonical form.
    pub fn values<'text>(&self, bytes: &'text [u8]) -> Option<[&'text str; N]> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut scan = Scan { text, at: 0 };
        let mut values = [""; N];
        for (before, value) in self.before.iter().zip(&mut values) {
            scan.word(before)?;
            let start = scan.at;
            scan.value(const { MAX_DEPTH - 1 })?;
            *value = text.get(start..scan.at)?;
        }
        scan.word(self.end)?;
        (scan.at == bytes.len()).then_some(values)
    }
}

/// Stands at a byte of a text; each part is `None` where the text is not canonical.
struct Scan<'text> {
    text: &'text str,
    at: usize,
}

/// A string as it is written between its quotes.
#[derive(Clone, Copy)]
struct Written<'text> {
    text: &'text str,
    escaped: bool,
}

impl Written<'_> {
    /// ASCII without escapes: its bytes are its UTF-16 code units.
    fn is_plain(self) -> bool {
        !self.escaped && self.text.is_ascii()
    }
}

impl<'text> Scan<'text> {
    fn value(&mut self, levels_left: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(levels_left.checked_sub(1)?, |_, _| ()),
            b'[' => self.array(levels_left.checked_sub(1)?),
            b'-' | b'0'..=b'9' => self.number(),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            _ => None,
        }
    }

    fn array(&mut self, levels_left: usize) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            self.value(levels_left)?;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    fn object(&mut self, levels_left: usize, mut each: impl FnMut(&'text str, &'text str)) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        let mut before: Option<Written<'text>> = None;
        loop {
            let key = self.string()?;
            if before.is_some_and(|before| !comes_before(before, key)) {
                return None;
            }
            before = Some(key);
            self.take(b':')?;
            let start = self.at;
            self.value(levels_left)?;
            each(key.text, self.text.get(start..self.at)?);
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    fn string(&mut self) -> Option<Written<'text>> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.at = self.at.saturating_add(unescaped(rest));
            match self.peek()? {
                b'"' => {
                    let text = self.text.get(start..self.at)?;
                    self.step();
                    return Some(Written { text, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.step();
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    /// What follows `\`, in the one spelling of it.
    fn escape(&mut self) -> Option<()> {
        let code = match self.peek()? {
            b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => {
                self.step();
                return Some(());
            }
            b'u' => self.text.as_bytes().get(self.at..self.at.saturating_add(5))?,
            _ => return None,
        };
        self.at = self.at.saturating_add(5);
        // Those that have a shorter escape are not written so.
        match code {
            [b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f'] => Some(()),
            [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f'] => Some(()),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let sign = usize::from(self.take(b'-').is_some());
        let whole = self.digits();
        let fraction_at = if self.take(b'.').is_some() { Some(self.at) } else { None };
        let fraction = if fraction_at.is_some() { self.digits() } else { 0 };
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.step();
            if self.take(b'+').is_none() {
                let _ = self.take(b'-');
            }
            self.digits();
        }
        let literal = self.text.get(start..self.at)?;
        let bytes = literal.as_bytes();
        let (first, last) = (bytes.get(sign).copied()?, bytes.last().copied()?);
        if first == b'0' && whole > 1 {
            return None;
        }
        if has_exponent || whole == 0 || whole.saturating_add(fraction) > DIGITS_EXACT {
            return is_canonical_number(literal).then_some(());
        }
        let Some(fraction_at) = fraction_at else {
            // Minus nought is nought.
            return (first != b'0' || sign == 0).then_some(());
        };
        if fraction == 0 || last == b'0' {
            return None;
        }
        let digits = self.text.as_bytes().get(fraction_at..self.at)?;
        let noughts = digits.iter().take_while(|digit| **digit == b'0').count();
        // Below a millionth an exponent is written.
        (first != b'0' || noughts <= NOUGHTS_MOST).then_some(())
    }

    /// How many digits stand here; steps over them.
    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at = self.at.saturating_add(count);
        count
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| self.at = self.at.saturating_add(word.len()))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.step())
    }
}

/// How many bytes stand before the first that is escaped in a string, or ends it. Eight are looked at together.
fn unescaped(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // The top bit of each byte that is below `bound`, which is at most 128; of those after the first such byte it may say too much.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES.wrapping_mul(u64::from(bound))) & !word & TOPS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ ONES.wrapping_mul(u64::from(byte)), 1);
        let found = below(word, b' ') | equal(b'"') | equal(b'\\');
        if found != 0 {
            let within = usize::try_from(found.trailing_zeros() >> 3).unwrap_or(0);
            return place.saturating_mul(8).saturating_add(within);
        }
    }
    let before = words.len().saturating_mul(8);
    before.saturating_add(rest.iter().position(|byte| is_escaped(*byte)).unwrap_or(rest.len()))
}

/// Whether a name stands before another one: by UTF-16 code units, and never twice.
fn comes_before(one: Written<'_>, other: Written<'_>) -> bool {
    // Mostly the first letters tell.
    if let (Some(one), Some(other)) = (one.text.bytes().next(), other.text.bytes().next())
        && one != other
        && [one, other].iter().all(|byte| byte.is_ascii() && *byte != b'\\')
    {
        return one < other;
    }
    if one.is_plain() && other.is_plain() {
        return one.text < other.text;
    }
    units(one.text).lt(units(other.text))
}

/// The UTF-16 code units that a string means.
fn units(written: &str) -> impl Iterator<Item = u16> + '_ {
    characters(written).flat_map(|character| {
        let mut units = [0; 2];
        let count = character.encode_utf16(&mut units).len();
        units.into_iter().take(count)
    })
}

/// The characters that a string means, of what [`Scan::string`] has found canonical.
fn characters(written: &str) -> impl Iterator<Item = char> + '_ {
    let mut rest = written.chars();
    std::iter::from_fn(move || match rest.next()? {
        '\\' => match rest.next()? {
            'b' => Some('\u{8}'),
            't' => Some('\t'),
            'n' => Some('\n'),
            'f' => Some('\u{c}'),
            'r' => Some('\r'),
            'u' => {
                let code = (0..4).try_fold(0, |code, _| Some((code << 4) | rest.next()?.to_digit(16)?))?;
                char::from_u32(code)
            }
            same => Some(same),
        },
        plain => Some(plain),
    })
}

/// Whether a number's literal is what its double is written as. What ECMAScript writes is JSON, so that need not be looked at.
fn is_canonical_number(literal: &str) -> bool {
    let mut written = String::new();
    number_from(literal).is_ok_and(|number| write_number(&number, &mut written).is_ok() && written == literal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["", "a", "a\\n", "b"];

    proptest! {
        /// Members that are missing, too many, in another order, twice, or of other names.
        #[test]
        fn the_values_of_named_members_are_those_of_an_object_with_exactly_these_members(
            members in prop::collection::vec(
                (prop::sample::select(vec!["", "a", "a\\n", "b", "c"]), prop::sample::select(vec!["1", "[]", "{\"b\":{}}", "\"\\n\"", "01"])),
                0..6,
            ),
            whole in any::<bool>(),
            after in prop::sample::select(vec!["", " ", ",", "}"]),
        ) {
            let of_all = || NAMES.into_iter().zip(members.iter().map(|(_, value)| *value).cycle());
            let chosen: Vec<_> = if whole && !members.is_empty() { of_all().collect() } else { members.clone() };
            let written: Vec<_> = chosen.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let text = format!("{{{}}}{after}", written.join(","));
            let found = super::super::members(text.as_bytes());
            let wanted = found.filter(|found| found.iter().map(|(name, _)| *name).eq(NAMES));
            let wanted = wanted.map(|found| found.into_iter().map(|(_, value)| value).collect::<Vec<_>>());
            prop_assert_eq!(Shape::new(NAMES).values(text.as_bytes()).map(Vec::from), wanted, "{}", text);
        }
    }

    #[test]
    fn an_object_without_members_has_the_values_of_no_names() {
        assert_eq!(Shape::new([]).values(b"{}"), Some([]));
        assert_eq!(Shape::new([]).values(b"{\"a\":1}"), None);
        assert_eq!(Shape::new(["a"]).values(b"{}"), None);
    }

    #[test]
    fn the_first_escaped_byte_is_found_wherever_it_stands_and_whatever_stands_around_it() {
        for around in [b'x', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
            for length in 0..20 {
                assert_eq!(unescaped(&vec![around; length]), length);
                for at in 0..length {
                    for byte in 0..=u8::MAX {
                        let mut bytes = vec![around; length];
                        bytes[at] = byte;
                        let wanted = bytes.iter().position(|byte| is_escaped(*byte)).unwrap_or(length);
                        assert_eq!(unescaped(&bytes), wanted, "{bytes:?}");
                    }
                }
            }
        }
    }
}

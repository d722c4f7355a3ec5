//! MessagePack, as far as the streams use it: a cursor that reads one item after another without allocating, and appends.
//!
//! Source: the MessagePack specification of 2017 (<https://github.com/msgpack/msgpack/blob/master/spec.md>), with its
//! timestamp extension, type −1.

use agenttrader_core::time::UnixNanos;
use rmp::{Marker, encode};
use serde_json::Value;

/// Most levels that a control message may nest; theirs have three.
const DEPTH_MAX: u32 = 16;
/// The extension type of timestamps.
const TIMESTAMP: i8 = -1;

/// One item; of arrays and maps the head alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    /// Nothing.
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number from zero.
    Unsigned(u64),
    /// A whole number below zero.
    Negative(i64),
    /// A float.
    Float(f64),
    /// A text; not checked to be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Binary(&'a [u8]),
    /// So many items follow.
    Array(u32),
    /// So many pairs follow.
    Map(u32),
    /// An extension of that type.
    Extension(i8, &'a [u8]),
}

/// Reads items in order. After a `None` the place is lost.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next item; `None` if the bytes end within it or it begins with the one reserved byte.
    pub fn item(&mut self) -> Option<Item<'a>> {
        let [marker] = self.array()?;
        Some(match Marker::from_u8(marker) {
            Marker::Null => Item::Nil,
            Marker::Reserved => return None,
            Marker::False => Item::Bool(false),
            Marker::True => Item::Bool(true),
            Marker::FixPos(value) => Item::Unsigned(value.into()),
            Marker::U8 => Item::Unsigned(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Item::Unsigned(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Item::Unsigned(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Item::Unsigned(u64::from_be_bytes(self.array()?)),
            Marker::FixNeg(value) => signed(value.into()),
            Marker::I8 => signed(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => signed(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => signed(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => signed(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Item::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Item::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(len) => Item::Text(self.take(len.into())?),
            Marker::Str8 => Item::Text(self.long8()?),
            Marker::Str16 => Item::Text(self.long16()?),
            Marker::Str32 => Item::Text(self.long32()?),
            Marker::Bin8 => Item::Binary(self.long8()?),
            Marker::Bin16 => Item::Binary(self.long16()?),
            Marker::Bin32 => Item::Binary(self.long32()?),
            Marker::FixArray(len) => Item::Array(len.into()),
            Marker::Array16 => Item::Array(u16::from_be_bytes(self.array()?).into()),
            Marker::Array32 => Item::Array(u32::from_be_bytes(self.array()?)),
            Marker::FixMap(len) => Item::Map(len.into()),
            Marker::Map16 => Item::Map(u16::from_be_bytes(self.array()?).into()),
            Marker::Map32 => Item::Map(u32::from_be_bytes(self.array()?)),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => {
                let len = u8::from_be_bytes(self.array()?);
                self.extension(len.into())?
            }
            Marker::Ext16 => {
                let len = u16::from_be_bytes(self.array()?);
                self.extension(len.into())?
            }
            Marker::Ext32 => {
                let len = u32::from_be_bytes(self.array()?);
                self.extension(len)?
            }
        })
    }

    /// Reads past one whole value, however deep. Every item takes a byte, so that the bytes bound the work.
    pub fn skip(&mut self) -> Option<()> {
        let mut pending = 1_u64;
        while pending > 0 {
            let children = match self.item()? {
                Item::Array(len) => u64::from(len),
                Item::Map(len) => u64::from(len).saturating_mul(2),
                _ => 0,
            };
            pending = pending.saturating_sub(1).saturating_add(children);
        }
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn take(&mut self, len: u32) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(head)
    }

    fn long8(&mut self) -> Option<&'a [u8]> {
        let len = u8::from_be_bytes(self.array()?);
        self.take(len.into())
    }

    fn long16(&mut self) -> Option<&'a [u8]> {
        let len = u16::from_be_bytes(self.array()?);
        self.take(len.into())
    }

    fn long32(&mut self) -> Option<&'a [u8]> {
        let len = u32::from_be_bytes(self.array()?);
        self.take(len)
    }

    fn extension(&mut self, len: u32) -> Option<Item<'a>> {
        let kind = i8::from_be_bytes(self.array()?);
        Some(Item::Extension(kind, self.take(len)?))
    }
}

fn signed(value: i64) -> Item<'static> {
    match u64::try_from(value) {
        Ok(value) => Item::Unsigned(value),
        Err(_) => Item::Negative(value),
    }
}

impl Item<'_> {
    /// The instant, if this is a timestamp that fits 64 bits of nanoseconds.
    pub fn timestamp(self) -> Option<UnixNanos> {
        let Self::Extension(TIMESTAMP, bytes) = self else { return None };
        let (seconds, nanos) = match bytes.len() {
            4 => (u32::from_be_bytes(bytes.try_into().ok()?).into(), 0),
            8 => {
                let both = u64::from_be_bytes(bytes.try_into().ok()?);
                (i64::try_from(both & 0x3_ffff_ffff).ok()?, u32::try_from(both >> 34).ok()?)
            }
            12 => {
                let (nanos, seconds) = bytes.split_first_chunk::<4>()?;
                (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(*nanos))
            }
            _ => return None,
        };
        if nanos > 999_999_999 {
            return None;
        }
        let total = i128::from(seconds).saturating_mul(1_000_000_000).saturating_add(i128::from(nanos));
        i64::try_from(total).ok().map(UnixNanos::from_nanos)
    }
}

/// Reads one whole value, for control messages; timestamps become RFC 3339 texts. `None` if it is truncated, nests deeper
/// than they do, has other extensions, keys that are no texts, texts that are no UTF-8, floats that are not finite, or is
/// followed by more bytes.
pub fn to_value(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::new(bytes);
    let value = read_value(&mut reader, 0)?;
    reader.rest().is_empty().then_some(value)
}

/// Reads one whole value where the reader stands; see [`to_value`].
pub(crate) fn read_value(reader: &mut Reader<'_>, depth: u32) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    let deeper = depth.saturating_add(1);
    Some(match reader.item()? {
        Item::Nil => Value::Null,
        Item::Bool(value) => value.into(),
        Item::Unsigned(value) => value.into(),
        Item::Negative(value) => value.into(),
        Item::Float(value) => serde_json::Number::from_f64(value)?.into(),
        Item::Text(text) | Item::Binary(text) => std::str::from_utf8(text).ok()?.into(),
        // No capacity is reserved: the length is the sender's word.
        Item::Array(len) => (0..len).map(|_| read_value(reader, deeper)).collect::<Option<Vec<_>>>()?.into(),
        Item::Map(len) => {
            let mut map = serde_json::Map::new();
            for _ in 0..len {
                let Item::Text(key) = reader.item()? else { return None };
                map.insert(std::str::from_utf8(key).ok()?.to_owned(), read_value(reader, deeper)?);
            }
            map.into()
        }
        item @ Item::Extension(..) => item.timestamp()?.to_string().into(),
    })
}

/// Appends a JSON value; of a map, the key `T` comes first, as clients want it.
pub fn append_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => append_nil(out),
        Value::Bool(value) => infallible(encode::write_bool(out, *value)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(value), _) => append_unsigned(value, out),
            (None, Some(value)) => infallible(encode::write_sint(out, value)),
            (None, None) => append_float(number.as_f64().unwrap_or(f64::NAN), out),
        },
        Value::String(text) => append_text(text, out),
        Value::Array(values) => {
            append_array(values.len(), out);
            for value in values {
                append_value(value, out);
            }
        }
        Value::Object(map) => {
            append_map(map.len(), out);
            let (first, others): (Vec<_>, Vec<_>) = map.iter().partition(|(key, _)| *key == "T");
            for (key, value) in first.into_iter().chain(others) {
                append_text(key, out);
                append_value(value, out);
            }
        }
    }
}

/// Appends nothing as a value.
pub fn append_nil(out: &mut Vec<u8>) {
    infallible(encode::write_nil(out));
}

/// Appends a whole number.
pub fn append_unsigned(value: u64, out: &mut Vec<u8>) {
    infallible(encode::write_uint(out, value));
}

/// Appends a float of 64 bits.
pub fn append_float(value: f64, out: &mut Vec<u8>) {
    infallible(encode::write_f64(out, value));
}

/// Appends a text.
pub fn append_text(text: &str, out: &mut Vec<u8>) {
    infallible(encode::write_str(out, text));
}

/// Appends the head of an array.
pub fn append_array(len: usize, out: &mut Vec<u8>) {
    infallible(encode::write_array_len(out, u32::try_from(len).unwrap_or(u32::MAX)));
}

/// Appends the head of a map.
pub fn append_map(pairs: usize, out: &mut Vec<u8>) {
    infallible(encode::write_map_len(out, u32::try_from(pairs).unwrap_or(u32::MAX)));
}

/// Appends an instant in the shortest of the three forms of a timestamp.
pub fn append_time(time: UnixNanos, out: &mut Vec<u8>) {
    let seconds = time.seconds();
    let nanos = time.nanos().rem_euclid(1_000_000_000);
    match (u32::try_from(seconds), u64::try_from(seconds)) {
        (Ok(seconds), _) if nanos == 0 => {
            infallible(encode::write_ext_meta(out, 4, TIMESTAMP));
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        (_, Ok(positive)) if positive < 1 << 34 => {
            infallible(encode::write_ext_meta(out, 8, TIMESTAMP));
            let both = (u64::try_from(nanos).unwrap_or(0) << 34) | positive;
            out.extend_from_slice(&both.to_be_bytes());
        }
        _ => {
            infallible(encode::write_ext_meta(out, 12, TIMESTAMP));
            out.extend_from_slice(&u32::try_from(nanos).unwrap_or(0).to_be_bytes());
            out.extend_from_slice(&seconds.to_be_bytes());
        }
    }
}

/// Writing to a vector cannot fail.
fn infallible<T, E>(_written: Result<T, E>) {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timestamps_take_the_forms_of_the_specification() {
        for (nanos, bytes) in [
            (1_000_000_000, vec![0xd6, 0xff, 0, 0, 0, 1]),
            (1_000_000_001, vec![0xd7, 0xff, 0, 0, 0, 4, 0, 0, 0, 1]),
            (-1, vec![0xc7, 12, 0xff, 0x3b, 0x9a, 0xc9, 0xff, 255, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let mut out = Vec::new();
            append_time(UnixNanos::from_nanos(nanos), &mut out);
            assert_eq!(out, bytes);
        }
        for bad in [&[0xd6, 0xfe, 0, 0, 0, 1][..], &[0xd5, 0xff, 0, 0], &[0xd7, 0xff, 255, 255, 255, 255, 0, 0, 0, 0]] {
            assert_eq!(Reader::new(bad).item().unwrap().timestamp(), None, "{bad:?}");
        }
    }

    #[test]
    fn a_bomb_of_nesting_is_skipped_and_refused() {
        let mut bomb = vec![0x91; 1_000_000];
        assert_eq!(to_value(&bomb), None);
        assert_eq!(Reader::new(&bomb).skip(), None);
        bomb.push(0xc0);
        assert_eq!(Reader::new(&bomb).skip(), Some(()));
        assert_eq!(to_value(&[0xdd, 255, 255, 255, 255]), None);
    }

    proptest! {
        #[test]
        fn times_read_back(nanos in any::<i64>()) {
            let mut out = Vec::new();
            append_time(UnixNanos::from_nanos(nanos), &mut out);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.item().unwrap().timestamp(), Some(UnixNanos::from_nanos(nanos)));
            prop_assert!(reader.rest().is_empty());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = to_value(&bytes);
            let _ = Reader::new(&bytes).skip();
        }
    }
}

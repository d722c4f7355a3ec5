//! The one form of tar that packs have: POSIX ustar, plain files alone, every header byte implied by name, size and time.
//!
//! A header is read by making the header that should stand there and comparing, so nothing can hide in it: no link, no owner, no other
//! spelling of a number.

/// Bytes of a block: a header is one, contents are filled up to whole ones.
pub(super) const BLOCK: usize = 512;

/// Blocks of zeros at the end.
pub(super) const END_BLOCKS: usize = 2;

/// Bytes of the longest name that fits into `name` alone, and into `prefix`.
const NAME_MOST: usize = 100;
const PREFIX_MOST: usize = 155;

/// The largest number of eleven octal digits.
const OCTAL_11_MOST: u64 = 0o77_777_777_777;

/// A block.
pub(super) type Block = [u8; BLOCK];

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The path, with `/`.
    pub(super) path: String,
    /// Bytes of the content.
    pub(super) size: u64,
    /// Seconds since 1970.
    pub(super) mtime: u64,
}

impl Header {
    /// The header's bytes; `None` where name, size or time have no place in one.
    pub(super) fn to_block(&self) -> Option<Block> {
        let (prefix, name) = split(&self.path)?;
        let mut block = [0_u8; BLOCK];
        put(&mut block, 0, name.as_bytes())?;
        put(&mut block, 100, b"0000644\0")?;
        put(&mut block, 108, b"0000000\0")?;
        put(&mut block, 116, b"0000000\0")?;
        put(&mut block, 124, octal(self.size)?.as_bytes())?;
        put(&mut block, 136, octal(self.mtime)?.as_bytes())?;
        put(&mut block, 148, b"        ")?;
        put(&mut block, 156, b"0")?;
        put(&mut block, 257, b"ustar\x0000")?;
        put(&mut block, 329, b"0000000\0")?;
        put(&mut block, 337, b"0000000\0")?;
        put(&mut block, 345, prefix.as_bytes())?;
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes())?;
        Some(block)
    }

    /// Reads a header.
    pub(super) fn parse(block: &Block) -> Result<Self, &'static str> {
        let kind = match block.get(156) {
            Some(b'0') => None,
            Some(b'1') => Some("a hard link"),
            Some(b'2') => Some("a symbolic link"),
            Some(b'3' | b'4') => Some("a device"),
            Some(b'5') => Some("a folder"),
            Some(b'6') => Some("a pipe"),
            Some(b'x' | b'g' | b'L' | b'K') => Some("an extended header"),
            _ => Some("no plain file"),
        };
        if let Some(kind) = kind {
            return Err(kind);
        }
        let (name, prefix) =
            text(block, 0, NAME_MOST).zip(text(block, 345, PREFIX_MOST)).ok_or("a name not in ASCII")?;
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let number = |from: usize| text(block, from, 12).and_then(|digits| u64::from_str_radix(digits, 8).ok());
        let (size, mtime) = number(124).zip(number(136)).ok_or("a size or time that is no number")?;
        let header = Self { path, size, mtime };
        if header.to_block().as_ref() == Some(block) {
            Ok(header)
        } else {
            Err("a header not in the one form that packs have")
        }
    }
}

/// Zero bytes between the end of a content and the next block.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over == 0 { 0 } else { BLOCK.saturating_sub(over) }
}

/// The parts of a path for `prefix` and `name`: cut at the first `/` that makes both fit.
fn split(path: &str) -> Option<(&str, &str)> {
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    if path.len() <= NAME_MOST {
        return (!path.is_empty()).then_some(("", path));
    }
    path.match_indices('/')
        .filter_map(|(at, _)| Some((path.get(..at)?, path.get(at.checked_add(1)?..)?)))
        .find(|(prefix, name)| (1..=PREFIX_MOST).contains(&prefix.len()) && (1..=NAME_MOST).contains(&name.len()))
}

fn octal(number: u64) -> Option<String> {
    (number <= OCTAL_11_MOST).then(|| format!("{number:011o}\0"))
}

fn put(block: &mut Block, at: usize, bytes: &[u8]) -> Option<()> {
    block.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
    Some(())
}

/// The ASCII text of a field, up to its first zero byte.
fn text(block: &Block, at: usize, len: usize) -> Option<&str> {
    let field = block.get(at..at.checked_add(len)?)?;
    let text = std::str::from_utf8(field.split(|byte| *byte == 0).next()?).ok()?;
    text.is_ascii().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(path: &str) -> Header {
        Header { path: path.to_owned(), size: 12_345, mtime: 1_700_000_000 }
    }

    #[test]
    fn every_bit_of_a_header_is_implied_by_what_it_says() {
        let agent = "a".repeat(64);
        for path in
            ["README.md", "logs/gamma/tile/entries/000", &format!("logs/{agent}/tile/entries/x001/x234/067.p/255")]
        {
            let block = header(path).to_block().unwrap();
            assert_eq!(Header::parse(&block), Ok(header(path)));
            for bit in 0..BLOCK * 8 {
                let mut other = block;
                other[bit / 8] ^= 1 << (bit % 8);
                // A flipped bit that gives another well-formed header would need the checksum to change as well.
                assert!(Header::parse(&other).is_err(), "{path} bit {bit}");
            }
        }
    }

    #[test]
    fn links_folders_and_extensions_are_told_by_their_kind() {
        for (flag, told) in
            [(b'1', "a hard link"), (b'2', "a symbolic link"), (b'5', "a folder"), (b'x', "an extended header")]
        {
            let mut block = header("a").to_block().unwrap();
            block[156] = flag;
            assert_eq!(Header::parse(&block), Err(told));
        }
    }

    #[test]
    fn what_has_no_place_in_a_header_gives_none() {
        assert!(header("").to_block().is_none());
        assert!(header("a b").to_block().is_none());
        assert!(header(&"a".repeat(101)).to_block().is_none());
        assert!(Header { size: 1 << 33, ..header("a") }.to_block().is_none());
    }

    proptest! {
        #[test]
        fn no_block_is_read_as_another_header_than_its_own(bytes in proptest::collection::vec(any::<u8>(), BLOCK), flag in any::<bool>()) {
            let mut block: Block = bytes.try_into().unwrap();
            if flag { block[156] = b'0'; }
            if let Ok(header) = Header::parse(&block) {
                prop_assert_eq!(header.to_block(), Some(block));
            }
        }
    }
}

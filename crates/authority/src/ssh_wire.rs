//! The wire encoding of SSH (RFC 4251, section 5), read strictly: bytes, 32-bit numbers and strings with their length before them.

/// What is left to read. Every reader answers `None` where the bytes end too early, and consumes nothing then that a caller could use.
pub(crate) struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Exactly so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// Exactly as many bytes as the array has.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A number of 32 bits, the highest byte first.
    pub(crate) fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A string: its length, then its bytes.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// A string that holds exactly one value of fixed size.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.string()?.try_into().ok()
    }

    /// Whether everything was read.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Appends a string with its length. `None` if the length does not fit.
pub(crate) fn put_string(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
    out.extend_from_slice(bytes);
    Some(())
}

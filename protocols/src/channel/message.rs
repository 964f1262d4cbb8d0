//! What a message is: a kind, and one canonical encoding.

use crate::fault::Malformed;

/// The name and number of one kind of message. Numbers are unique in the crate: the high byte is the protocol folder's
/// (`0x01` psi/ecdh, `0x02` ot, `0x03` vole, `0x04` psi/vole, `0x05` blind and, from `0x0580` on, oprf, `0x06` release, `0x07` aggregate), the low byte counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    number: u16,
    name: &'static str,
}

impl Kind {
    /// A kind; meant for constants.
    pub const fn new(number: u16, name: &'static str) -> Self {
        Self { number, name }
    }

    /// The number that travels.
    pub const fn number(self) -> u16 {
        self.number
    }

    /// The name that faults show.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// A small message: one frame. Vectors travel as [`Element`](super::Element)s instead.
///
/// The encoding must be canonical: `decode` accepts exactly the bytes that `encode` produces, and two values never share
/// an encoding. The channel refuses trailing bytes by itself.
pub trait Message: Sized {
    /// Name and number.
    const KIND: Kind;
    /// Appends the encoding to `body`; must not touch what is already there.
    fn encode(&self, body: &mut Vec<u8>);
    /// Reads the encoding from the start of a body whose length has been checked already.
    fn decode(body: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// Takes fields off the front of a body. Never panics, never reads past the end.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// At the start of `body`.
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let short = Malformed::Short {
            needed: count,
            left: self.rest.len(),
        };
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let short = Malformed::Short {
            needed: N,
            left: self.rest.len(),
        };
        let (taken, rest) = self.rest.split_first_chunk().ok_or(short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes, little endian.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little endian.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little endian.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Refuses anything left.
    pub fn end(self) -> Result<(), Malformed> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(Malformed::Trailing { bytes }),
        }
    }
}

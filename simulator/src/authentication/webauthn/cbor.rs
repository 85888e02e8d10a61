//! The part of CBOR (RFC 8949) that authenticators use: definite lengths, integers, bytes, text,
//! arrays and maps (CTAP 2.1 section 8).

/// Deeper nesting than an attestation or an extension needs is refused, to limit recursion.
const DEPTH: u8 = 4;

/// The head of an item: its type, and its value or length.
enum Head {
    Unsigned(u64),
    /// The value is −1 − this.
    Negative(u64),
    Bytes(usize),
    Text(usize),
    Array(u64),
    Map(u64),
    Simple,
}

/// Reads one item after the other. Every method gives none for an item of another type.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that are left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// RFC 8949 section 3: three bits of major type, five bits of argument or of its length.
    /// The shortest form only (section 4.2.1).
    fn head(&mut self) -> Option<Head> {
        let first = *self.take(1)?.first()?;
        let length = match first & 31 {
            0..24 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let mut bytes = [0; 8];
        bytes[8 - length..].copy_from_slice(self.take(length)?);
        let argument = if length == 0 {
            u64::from(first & 31)
        } else {
            u64::from_be_bytes(bytes)
        };
        let shortest = match length {
            0 => true,
            1 => argument >= 24,
            _ => argument >> (length * 4) != 0,
        };
        if !shortest {
            return None;
        }
        Some(match first >> 5 {
            0 => Head::Unsigned(argument),
            1 => Head::Negative(argument),
            2 => Head::Bytes(usize::try_from(argument).ok()?),
            3 => Head::Text(usize::try_from(argument).ok()?),
            4 => Head::Array(argument),
            5 => Head::Map(argument),
            // False, true and null.
            7 if (20..=22).contains(&argument) => Head::Simple,
            _ => return None,
        })
    }

    pub(crate) fn integer(&mut self) -> Option<i64> {
        match self.head()? {
            Head::Unsigned(argument) => i64::try_from(argument).ok(),
            Head::Negative(argument) => i64::try_from(argument).ok().map(|value| -1 - value),
            _ => None,
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        match self.head()? {
            Head::Bytes(length) => self.take(length),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        match self.head()? {
            Head::Text(length) => std::str::from_utf8(self.take(length)?).ok(),
            _ => None,
        }
    }

    /// The number of pairs that follow.
    pub(crate) fn map(&mut self) -> Option<u64> {
        match self.head()? {
            Head::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Skips one item, and gives a reader of it.
    pub(crate) fn item(&mut self) -> Option<Self> {
        let before = self.0;
        self.skip(DEPTH)?;
        let length = before.len() - self.0.len();
        before.get(..length).map(Self)
    }

    fn skip(&mut self, depth: u8) -> Option<()> {
        let items = match self.head()? {
            Head::Unsigned(_) | Head::Negative(_) | Head::Simple => 0,
            Head::Bytes(length) | Head::Text(length) => self.take(length).map(|_| 0)?,
            Head::Array(items) => items,
            Head::Map(pairs) => pairs.checked_mul(2)?,
        };
        // Each item has at least a byte, so the input limits a wrong count.
        for _ in 0..items {
            self.skip(depth.checked_sub(1)?)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn integers_are_read_in_their_shortest_form_only() {
        let rows: [(&[u8], Option<i64>); 10] = [
            (&[0x00], Some(0)),
            (&[0x17], Some(23)),
            (&[0x18, 24], Some(24)),
            (&[0x18, 23], None),
            (&[0x19, 0x01, 0x00], Some(256)),
            (&[0x19, 0x00, 0xff], None),
            (&[0x26], Some(-7)),
            (&[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0], None),
            (&[0x18], None),
            (&[0x41, 0x00], None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(Reader::new(bytes).integer(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_nested_item_is_skipped_as_one() {
        let rows: [(&[u8], bool); 9] = [
            (&[0xa1, 0x61, b'a', 0x82, 0x01, 0xf5], true),
            (&[0x80], true),
            (&[0xa1, 0x61, b'a'], false),
            (&[0x5f, 0x41, 0x00, 0xff], false),
            (&[0xc0, 0x00], false),
            (&[0xf9, 0x00, 0x00], false),
            (
                &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                false,
            ),
            (&[0x81, 0x81, 0x81, 0x81, 0x00], true),
            (&[0x81, 0x81, 0x81, 0x81, 0x81, 0x00], false),
        ];
        for (bytes, good) in rows {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.item().is_some(), good, "{bytes:?}");
            assert!(!good || reader.is_at_end(), "{bytes:?}");
        }
    }
}

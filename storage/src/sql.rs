//! Compile-time concatenation of SQL statements.

/// Concatenates constant parts of a statement.
#[macro_export]
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; $crate::sql::length(PARTS)] = $crate::sql::joined(PARTS);
        $crate::sql::text(&BYTES)
    }};
}

#[doc(hidden)]
#[must_use]
pub const fn length(parts: &[&str]) -> usize {
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

#[doc(hidden)]
#[must_use]
pub const fn joined<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut place, mut part) = (0, 0);
    while part < parts.len() {
        let (_, rest) = bytes.split_at_mut(place);
        let (here, _) = rest.split_at_mut(parts[part].len());
        here.copy_from_slice(parts[part].as_bytes());
        place += parts[part].len();
        part += 1;
    }
    bytes
}

#[doc(hidden)]
#[must_use]
pub const fn text(bytes: &[u8]) -> &str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("texts one behind the other are a text"),
    }
}

#[doc(hidden)]
#[must_use]
pub const fn count(columns: &[&str]) -> usize {
    columns.len()
}

/// Columns with a comma before each.
#[doc(hidden)]
#[must_use]
pub const fn list(columns: &str) -> &str {
    columns.split_at(", ".len()).1
}

/// `$1, $2, …`, up to the maximum of a statement.
const PLACEHOLDERS: &str = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
     $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32,";

#[doc(hidden)]
#[must_use]
pub const fn placeholders(count: usize) -> &'static str {
    let bytes = PLACEHOLDERS.as_bytes();
    let (mut place, mut commas) = (0, 0);
    while commas < count {
        if bytes[place] == b',' {
            commas += 1;
        }
        place += 1;
    }
    PLACEHOLDERS.split_at(place.saturating_sub(1)).0
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn parts_are_concatenated() {
        const NAMES: &str = "id, merchant";
        const SELECT: &str = sql!("SELECT ", NAMES, " FROM payouts");
        assert_eq!(SELECT, "SELECT id, merchant FROM payouts");
        assert_eq!(sql!(""), "");
    }

    #[test]
    fn placeholders_are_counted() {
        assert_eq!(placeholders(1), "$1");
        assert_eq!(placeholders(11).rsplit(", ").next(), Some("$11"));
        assert!(placeholders(32).ends_with("$31, $32"));
    }
}

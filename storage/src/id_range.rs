//! Ranges of identifiers. Identifiers sort by creation time, so a range of identifiers selects a
//! time span and the next page of a list.

use sealpay_protocol::ids::Identifier;

/// A half-open range of identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange<I> {
    /// The first identifier, inclusive.
    pub from: I,
    /// The end, exclusive.
    pub before: I,
}

impl<I: Identifier> IdRange<I> {
    /// Identifiers made from `from_ms` (inclusive) to `before_ms` (exclusive), milliseconds since
    /// 1970.
    #[must_use]
    pub fn of_ms(from_ms: Option<i64>, before_ms: Option<i64>) -> Self {
        let first_of = |at_ms: i64| I::first_of(u64::try_from(at_ms).unwrap_or(0));
        Self {
            from: from_ms.map_or(I::MIN, first_of),
            before: before_ms.map_or(I::MAX, first_of),
        }
    }

    /// Identifiers made from `from` to the end of the second `until`, seconds since 1970.
    #[must_use]
    pub fn of_seconds(from: Option<u64>, until: Option<u64>) -> Self {
        let first_of = |second: u64| I::first_of(second.saturating_mul(1000));
        let behind = |second: u64| first_of(second.saturating_add(1));
        Self {
            from: from.map_or(I::MIN, first_of),
            before: until.map_or(I::MAX, behind),
        }
    }

    /// The part of the range that is older than the last row of the previous page.
    #[must_use]
    pub fn older_than(self, after: Option<I>) -> Self {
        Self {
            before: after.map_or(self.before, |after| after.min(self.before)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IdRange;
    use sealpay_protocol::ids::{Identifier, PaymentId};

    fn at(ms: u64) -> PaymentId {
        PaymentId::new(ms, [0; 10])
    }

    #[test]
    fn seconds_and_milliseconds_convert_to_identifiers() {
        let (min, max) = (PaymentId::MIN, PaymentId::MAX);
        let rows = [
            (IdRange::of_seconds(None, None), min, max),
            (IdRange::of_seconds(Some(2), Some(3)), at(2000), at(4000)),
            (
                IdRange::of_seconds(Some(u64::MAX), Some(u64::MAX)),
                max,
                max,
            ),
            (IdRange::of_ms(None, None), min, max),
            (IdRange::of_ms(Some(2), Some(3)), at(2), at(3)),
            (IdRange::of_ms(Some(-1), Some(i64::MAX)), at(0), max),
        ];
        for (range, from, before) in rows {
            assert_eq!(range, IdRange { from, before });
        }
    }

    #[test]
    fn ranges_end_at_the_cursor_or_at_the_end_of_the_span() {
        let span = IdRange::of_seconds(None, Some(3));
        assert_eq!(span.older_than(None), span);
        assert_eq!(span.older_than(Some(at(1))).before, at(1));
        assert_eq!(span.older_than(Some(at(9000))).before, at(4000));
    }
}

//! The list of orders, newest first: the page of it that is asked for, and what is searched for.

use super::Order;
use super::store::{OrderFile, find};
use rusqlite::params;

/// How many orders are on a page.
pub(crate) const PAGE_ORDERS: u32 = 20;

/// Most words that are searched for; what comes after them is not looked at.
const MOST_WORDS: usize = 8;

/// Which orders.
#[derive(Debug, Default)]
pub(crate) struct OrderFilter {
    /// What was typed: an order fits when each word is a part of what is known of it.
    pub(crate) words: String,
    /// 1 and so on.
    pub(crate) page: u32,
}

/// A page of the list.
pub(crate) struct OrderPage {
    pub(crate) orders: Vec<Order>,
    pub(crate) filter: OrderFilter,
    /// Whether older orders fit, too.
    pub(crate) has_older: bool,
}

/// Words are compared with an order's reference, product and amount, and with what the webhooks told
/// of its payments.
const FITTING: &str = "SELECT reference FROM orders AS o WHERE NOT EXISTS (
        SELECT 1 FROM json_each(?1) AS word WHERE NOT (
            instr(lower(o.reference), word.value ->> 'text') > 0
            OR instr(o.product, word.value ->> 'text') > 0
            OR o.amount_minor IS (word.value ->> 'minor')
            OR EXISTS (
                SELECT 1 FROM attempts AS a WHERE a.order_reference = o.reference AND instr(
                    lower(a.payment || ' ' || a.method || ' ' || a.card || ' ' || a.state),
                    word.value ->> 'text') > 0)))
    ORDER BY o.created_at DESC, o.rowid DESC LIMIT ?2 OFFSET ?3";

impl OrderFile {
    /// The orders of a page, with their attempts.
    pub(crate) fn list(&self, filter: OrderFilter) -> rusqlite::Result<OrderPage> {
        let connection = self.lock();
        let skipped = i64::from(filter.page.saturating_sub(1)) * i64::from(PAGE_ORDERS);
        // One more than is shown says whether there is another page.
        let mut references: Vec<String> = connection
            .prepare_cached(FITTING)?
            .query_map(
                params![words_of(&filter.words), PAGE_ORDERS + 1, skipped],
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<_>>()?;
        let page_orders = usize::try_from(PAGE_ORDERS).unwrap_or(usize::MAX);
        let has_older = references.len() > page_orders;
        references.truncate(page_orders);
        let orders = references
            .iter()
            .filter_map(|reference| find(&connection, reference).transpose())
            .collect::<rusqlite::Result<_>>()?;
        Ok(OrderPage {
            orders,
            filter,
            has_older,
        })
    }
}

/// The words as JSON, for the query. A word such as `€24.90` or `¥3,200` is an amount as well.
fn words_of(typed: &str) -> String {
    let words = typed.split_whitespace().take(MOST_WORDS).map(
        |word| serde_json::json!({ "text": word.to_lowercase(), "minor": amount_minor(word) }),
    );
    serde_json::Value::from_iter(words).to_string()
}

/// The minor units of an amount that is written with all decimals of its currency. Digits alone are
/// none: they are more likely those of a card.
fn amount_minor(word: &str) -> Option<i64> {
    let amount = word.trim_start_matches(['€', '¥']);
    let is_amount = amount
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let is_marked = amount.len() < word.len() || amount.contains(['.', ',']);
    let digits: String = amount.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|_| is_amount && is_marked)
}

#[cfg(test)]
mod tests {
    use super::amount_minor;

    #[test]
    fn an_amount_is_told_from_the_digits_of_a_card() {
        let rows = [
            ("24.90", Some(2_490)),
            ("€24.90", Some(2_490)),
            ("24,90", Some(2_490)),
            ("¥3,200", Some(3_200)),
            ("7.500", Some(7_500)),
            ("4242", None),
            ("PL-1.2", None),
            ("€", None),
            (".", None),
            ("99999999999999999999.9", None),
        ];
        for (word, minor) in rows {
            assert_eq!(amount_minor(word), minor, "{word}");
        }
    }
}

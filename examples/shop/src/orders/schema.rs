//! The tables, and how a file of an earlier version is brought up to this one.

use rusqlite::{Connection, TransactionBehavior};

/// Each step is taken once; the file counts them in `user_version`. The first one also fits files
/// that were made before anything was counted.
const STEPS: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS orders (
        reference TEXT PRIMARY KEY, product TEXT NOT NULL, pieces INTEGER NOT NULL,
        amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, capture TEXT NOT NULL,
        simulate TEXT, signed TEXT, signed_until INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS attempts (
        payment TEXT PRIMARY KEY, order_reference TEXT NOT NULL REFERENCES orders,
        sequence INTEGER NOT NULL, state TEXT NOT NULL, card TEXT NOT NULL,
        decline_code TEXT, response_code TEXT, class TEXT, message TEXT,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS attempts_of_order ON attempts (order_reference);
    CREATE TABLE IF NOT EXISTS webhooks (
        id TEXT PRIMARY KEY, received_at INTEGER NOT NULL
    ) STRICT;",
    // Whatever is there already was offered, and tried, by card.
    "ALTER TABLE orders ADD COLUMN methods TEXT NOT NULL DEFAULT 'card';
    ALTER TABLE orders ADD COLUMN billing_country TEXT;
    ALTER TABLE orders ADD COLUMN requires_authentication INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN method TEXT NOT NULL DEFAULT 'card';
    ALTER TABLE attempts ADD COLUMN details TEXT NOT NULL DEFAULT '{}';",
    // What happened to a payment, one row for each event.
    "CREATE TABLE news (
        webhook TEXT PRIMARY KEY, payment TEXT NOT NULL REFERENCES attempts,
        sequence INTEGER NOT NULL, kind TEXT NOT NULL, told TEXT NOT NULL,
        told_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX news_of_payment ON news (payment, sequence);",
];

/// Takes the steps that the file has not taken yet.
pub(super) fn bring_up_to_date(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken: u16 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (number, step) in (1_u16..).zip(STEPS) {
        if number > taken {
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", number)?;
        }
    }
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::{STEPS, bring_up_to_date};
    use rusqlite::Connection;

    #[test]
    fn a_file_of_the_first_version_keeps_its_orders() {
        let mut file = Connection::open_in_memory().unwrap();
        file.execute_batch(STEPS[0]).unwrap();
        let order = "INSERT INTO orders
            (reference, product, pieces, amount_minor, currency, capture, created_at)
            VALUES ('PL-1', 'moon-lantern', 1, 2490, 'EUR', 'automatic', 1)";
        file.execute_batch(order).unwrap();
        for round in 1..=2 {
            bring_up_to_date(&mut file).unwrap();
            let methods = "SELECT methods FROM orders";
            let methods: String = file.query_row(methods, [], |row| row.get(0)).unwrap();
            assert_eq!(methods, "card", "round {round}");
        }
    }
}

//! Invariants of payments, after every step and at rest.

use harness::folder::Folder;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;

/// What has to select nothing at any moment, and what it means when it does. The bank's tables are
/// attached as `bank`.
const ALWAYS: [(&str, &str); 14] = [
    (
        "a reference was approved more than once",
        "SELECT reference FROM bank.bank_authorizations
         WHERE state IN ('held', 'booked', 'released') GROUP BY reference HAVING COUNT(*) > 1",
    ),
    (
        "an account holds another sum than its holds",
        "SELECT a.id FROM bank.bank_accounts a WHERE a.held_minor <> (
           SELECT COALESCE(SUM(e.account_minor - e.booked_account_minor), 0) FROM bank.bank_authorizations e
           WHERE e.account = a.id AND e.state = 'held' AND e.counted = 1)",
    ),
    (
        "an account has more money held or spent than it has",
        "SELECT id FROM bank.bank_accounts WHERE credit_limit_minor IS NOT NULL
         AND balance_minor + credit_limit_minor - held_minor < 0",
    ),
    (
        "an account was used more often in a day than it may",
        "SELECT id FROM bank.bank_accounts WHERE day_count > daily_count_limit
         OR day_sum_minor > daily_sum_limit_minor",
    ),
    (
        "captured, and nothing is booked",
        "SELECT id FROM payments WHERE state = 'captured' AND method <> 'bank_transfer'
         AND id NOT IN (SELECT reference FROM bank.bank_authorizations WHERE state = 'booked')",
    ),
    (
        "authorized, and nothing was held",
        "SELECT id FROM payments WHERE state = 'authorized' AND id NOT IN (
           SELECT reference FROM bank.bank_authorizations WHERE state IN ('held', 'released'))",
    ),
    (
        "declined or expired, and money is held or booked",
        "SELECT id FROM payments WHERE state IN ('declined', 'expired') AND id IN (
           SELECT reference FROM bank.bank_authorizations
           WHERE state = 'held' OR (state = 'booked' AND refunded_minor < booked_minor))
         AND id NOT IN (SELECT payment FROM reversals WHERE state IN ('watched', 'approved'))",
    ),
    (
        "booked for another amount than the payment's",
        "SELECT p.id FROM payments p JOIN bank.bank_authorizations e ON e.reference = p.id
         WHERE e.state = 'booked'
         AND (e.booked_minor <> p.amount_minor OR e.currency <> p.currency)",
    ),
    (
        "a transfer is captured with too little money, or waits with enough",
        "SELECT id FROM payments WHERE json_extract(details, '$.transfer') IS NOT NULL
         AND (state = 'captured')
             <> (json_extract(details, '$.transfer.received_minor') >= amount_minor)",
    ),
    (
        "a session is held by what came to nothing, or not held by what came to something",
        "SELECT s.id FROM payments p JOIN sessions s ON s.id = p.session
         WHERE (p.state NOT IN ('declined', 'expired'))
         <> (COALESCE(s.active_attempt, '') = p.attempt)",
    ),
    (
        "a session has counted other attempts than it has payments",
        "SELECT id FROM sessions s
         WHERE s.attempts <> (SELECT COUNT(*) FROM payments p WHERE p.session = s.id)",
    ),
    (
        "a payment was told by another number of events than it says",
        "SELECT id FROM payments p
         WHERE p.sequence <> (SELECT COUNT(*) FROM events e WHERE e.subject = p.id)",
    ),
    (
        "a payment came to its end twice, or to two ends",
        "SELECT subject FROM events
         WHERE kind IN ('payment.captured', 'payment.declined', 'payment.expired')
         GROUP BY subject HAVING COUNT(*) > 1",
    ),
    (
        "the last event of a payment tells another state",
        "SELECT id FROM payments p WHERE p.state <> 'authorizing' AND NOT EXISTS (
           SELECT 1 FROM events e WHERE e.subject = p.id AND e.merchant = p.merchant
           AND e.sequence = p.sequence AND e.kind = 'payment.' || p.state)",
    ),
];

/// The same when everything has come to rest.
#[rustfmt::skip]
const AT_REST: [(&str, &str); 5] = [
    (
        "a payment is still open",
        "SELECT id || ' ' || state FROM payments
         WHERE state IN ('authorizing', 'requires_action', 'unknown', 'authorized')",
    ),
    (
        "an approval after the end of its payment was not voided",
        "SELECT payment FROM reversals WHERE state = 'approved'",
    ),
    ("the bank still holds money", "SELECT reference FROM bank.bank_authorizations WHERE state = 'held'"),
    ("money arrived and nobody has dealt with it", "SELECT id FROM bank.bank_transfers WHERE state = 'pending'"),
    (
        "an approval belongs to no payment that came to something",
        "SELECT reference FROM bank.bank_authorizations WHERE state = 'booked'
         AND refunded_minor < booked_minor AND reference NOT IN (SELECT id FROM payments WHERE state = 'captured')",
    ),
];

/// Looks into both files from outside.
pub(crate) struct Inspector {
    connection: Connection,
    /// What each account had before anything was booked.
    beginnings: BTreeMap<String, i64>,
}

impl Inspector {
    pub(crate) fn of(folder: &Folder) -> Self {
        let file = folder.path().join("sealpay.sqlite");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(file, flags).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .unwrap();
        let bank = folder.path().join("simulated-bank.sqlite");
        connection
            .execute("ATTACH ?1 AS bank", [bank.to_str().unwrap()])
            .unwrap();
        Self {
            connection,
            beginnings: BTreeMap::new(),
        }
    }

    fn first(&self, sql: &str) -> Option<String> {
        let mut statement = self.connection.prepare_cached(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        rows.next().unwrap().map(|row| row.get(0).unwrap())
    }

    fn findings(&self, table: &[(&str, &str)]) -> Vec<String> {
        let found = table.iter().filter_map(|(meaning, sql)| {
            let row = self.first(sql)?;
            Some(format!("{meaning}: {row}"))
        });
        found.collect()
    }

    /// What is not as it always has to be.
    pub(crate) fn always(&mut self) -> Vec<String> {
        let mut found = self.findings(&ALWAYS);
        found.extend(self.balances());
        found
    }

    /// What is not as it has to be at rest.
    pub(crate) fn at_rest(&mut self) -> Vec<String> {
        let mut found = self.always();
        found.extend(self.findings(&AT_REST));
        found
    }

    /// A balance is what it was at first less what was booked: nothing comes from nowhere.
    fn balances(&mut self) -> Vec<String> {
        let sql = "SELECT a.id, a.balance_minor, (
               SELECT COALESCE(SUM(e.booked_account_minor - e.refunded_account_minor), 0) FROM bank.bank_authorizations e
               WHERE e.account = a.id AND e.counted = 1)
             FROM bank.bank_accounts a";
        let mut statement = self.connection.prepare_cached(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let rows: Vec<(String, i64, i64)> = rows.unwrap().map(Result::unwrap).collect();
        let mut found = Vec::new();
        for (account, balance, booked) in rows {
            let beginning = *self
                .beginnings
                .entry(account.clone())
                .or_insert(balance + booked);
            if beginning != balance + booked {
                found.push(format!(
                    "{account} had {beginning}, booked {booked} and has {balance}"
                ));
            }
        }
        found
    }

    /// How many payments there are, and how many of them are in a state.
    pub(crate) fn count(&self, state: &str) -> u64 {
        let sql = "SELECT COUNT(*) FROM payments WHERE state = ?1";
        let counted = self
            .connection
            .query_row(sql, [state], |row| row.get::<_, i64>(0));
        counted.unwrap().try_into().unwrap()
    }
}

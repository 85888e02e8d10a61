//! What a verifier inside the test stored and said: searched and compared when a test ends.

use crate::gateway::TestGateway;
use crate::leaks::{self, Typed, contains, places_of};
use crate::log;
use crate::rows::{Reader, Row, StoredState};
use crate::time::now;
use sealpay_protocol::card::YearMonth;
use sealpay_simulator::direct_debit::debtor;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use verifier_server::balance;

/// The codes of [`crate::client::card`].
const SECURITY_CODES: [&str; 2] = ["737", "7373"];
/// Tables that count and measure, with their texts: a number there may by chance be one of the codes.
const TEXTS: [(&str, &str); 5] = [
    (
        "audit_log",
        "SELECT request, merchant, actor, action, subject, source FROM audit_log",
    ),
    (
        "deliveries",
        "SELECT event, endpoint, merchant, state, last_error FROM deliveries",
    ),
    (
        "delivery_attempts",
        "SELECT event, endpoint, error, response FROM delivery_attempts",
    ),
    (
        "events",
        "SELECT id, merchant, subject, kind, body FROM events",
    ),
    (
        "webhook_endpoints",
        "SELECT id, merchant, url, description, event_types FROM webhook_endpoints",
    ),
];
/// How secrets that are not cards begin, and how many characters more make one of them.
const BEGINNINGS: [(&str, usize); 6] = [
    ("sk_test_", 20),
    ("sk_live_", 20),
    ("whsec_", 20),
    // `{"alg":` and `{"iss":` in base64url: the two parts of an order.
    ("eyJhbGciOi", 20),
    ("eyJpc3MiOi", 20),
    ("PRIVATE KEY", 0),
];
/// How long running payments may take until a test counts as ended.
const PATIENCE: usize = 100;

/// Every table with its rows, those of the simulated bank too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRows(BTreeMap<String, Vec<Row>>);

impl StoredRows {
    /// Which tables changed; those that the test names are left out.
    #[must_use]
    pub fn changes_since(&self, before: &Self, except: &[&str]) -> Vec<String> {
        let tables = self.0.keys().chain(before.0.keys());
        let mut changed: Vec<_> = tables
            .filter(|table| !except.contains(&table.as_str()))
            .filter(|table| self.0.get(*table) != before.0.get(*table))
            .map(|table| {
                let rows = |stored: &Self| stored.0.get(table).map_or(0, Vec::len);
                format!("{table}: {} rows, before {}", rows(self), rows(before))
            })
            .collect();
        changed.sort();
        changed.dedup();
        changed
    }

    /// How many rows a table has.
    #[must_use]
    pub fn rows_of(&self, table: &str) -> usize {
        self.0.get(table).map_or(0, Vec::len)
    }
}

/// What has to select nothing, and what it means when it does.
const MUST_BE_EMPTY: [(&str, &str); 16] = [
    (
        "a payment is left authorizing",
        "SELECT id FROM payments WHERE state = 'authorizing'",
    ),
    (
        "a session is held by an attempt that is not there or came to nothing",
        "SELECT s.id FROM sessions s
         LEFT JOIN payments p ON p.session = s.id AND p.attempt = s.active_attempt
         WHERE s.active_attempt IS NOT NULL
         AND (p.id IS NULL OR p.state IN ('declined', 'expired'))",
    ),
    (
        "a payment that came to something does not hold its session",
        "SELECT p.id FROM payments p LEFT JOIN sessions s ON s.id = p.session
         WHERE p.state NOT IN ('declined', 'expired') AND p.session IS NOT NULL
         AND (s.active_attempt IS NULL OR s.active_attempt <> p.attempt)",
    ),
    (
        "a payment has neither a session nor an agreement of its merchant",
        "SELECT p.id FROM payments p LEFT JOIN agreements a
         ON a.id = p.agreement AND a.merchant = p.merchant
         WHERE a.id IS NULL AND (p.session IS NULL OR p.agreement IS NOT NULL)",
    ),
    (
        "an agreement is active, and its instrument is detached or another customer's",
        "SELECT a.id FROM agreements a LEFT JOIN instruments i
         ON i.id = a.instrument AND i.customer = a.customer AND i.state <> 'detached'
         WHERE a.state = 'active' AND i.id IS NULL",
    ),
    (
        "an instrument can be charged, and no agreement permits it",
        "SELECT id FROM instruments WHERE state <> 'detached'
         AND id NOT IN (SELECT instrument FROM agreements WHERE state = 'active')",
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
        "the last event of a payment tells another state",
        "SELECT id FROM payments p WHERE NOT EXISTS (
           SELECT 1 FROM events e WHERE e.subject = p.id AND e.merchant = p.merchant
           AND e.kind = 'payment.' || p.state AND e.sequence = (
             SELECT MAX(o.sequence) FROM events o WHERE o.subject = p.id
             AND o.kind LIKE 'payment.%' AND o.kind NOT LIKE '%failed'))",
    ),
    (
        "an event has no delivery to an endpoint of its merchant",
        "SELECT e.id FROM events e JOIN webhook_endpoints w ON w.merchant = e.merchant
         WHERE w.created_at_ms <= e.created_at_ms AND w.deleted_at_ms IS NULL
         AND (w.event_types = '*' OR ',' || w.event_types || ',' LIKE '%,' || e.kind || ',%')
         AND e.kind <> 'ping' AND e.kind NOT LIKE 'webhook_endpoint.%'
         AND (w.disabled_at_ms IS NULL OR w.disabled_at_ms > e.created_at_ms)
         AND NOT EXISTS (
           SELECT 1 FROM deliveries d WHERE d.event = e.id AND d.endpoint = w.id)",
    ),
    (
        "an event does not name its merchant in the envelope",
        "SELECT id FROM events e
         WHERE e.body NOT LIKE '%,\"merchant\":\"' || e.merchant || '\",%\"data\":{%'",
    ),
    (
        "a delivery has no event",
        "SELECT d.event FROM deliveries d WHERE NOT EXISTS (
           SELECT 1 FROM events e WHERE e.id = d.event AND e.merchant = d.merchant)",
    ),
    (
        "the state of an invoice and what is due differ",
        "SELECT id FROM invoices WHERE (state = 'paid' AND total_minor <> applied_minor + paid_minor + credited_minor)
         OR (state = 'open' AND total_minor <= applied_minor + paid_minor + credited_minor)
         OR (state IN ('open', 'paid', 'uncollectible') AND number IS NULL)",
    ),
    (
        "the numbers of a merchant's invoices or credit notes have a gap",
        "SELECT merchant FROM number_series n WHERE next_number - 1 <> CASE series
         WHEN 'INV' THEN (SELECT COUNT(number) FROM invoices WHERE merchant = n.merchant)
         ELSE (SELECT COUNT(*) FROM credit_notes WHERE merchant = n.merchant) END",
    ),
    (
        "an invoice counts more than was paid for it",
        "SELECT id FROM invoices i WHERE paid_minor > (
           SELECT COALESCE(SUM(captured_minor - returned_minor), 0) FROM payments p WHERE p.invoice = i.id)",
    ),
    (
        "a subscription that has ended is due",
        "SELECT id FROM subscriptions WHERE ended_at_ms > 0 AND due IS NOT NULL",
    ),
];

/// The same for the bank.
const BANK_MUST_BE_EMPTY: [(&str, &str); 3] = [
    (
        "a reference was approved twice",
        "SELECT reference FROM bank_authorizations WHERE state IN ('held', 'booked', 'released')
         GROUP BY reference HAVING COUNT(*) > 1",
    ),
    (
        "what an account holds is not the sum of its holds",
        "SELECT a.id FROM bank_accounts a WHERE a.held_minor <> (
           SELECT COALESCE(SUM(e.account_minor - e.booked_account_minor), 0) FROM bank_authorizations e
           WHERE e.account = a.id AND e.state = 'held' AND e.counted = 1)",
    ),
    (
        "an account has more money held or spent than it has",
        "SELECT id FROM bank_accounts WHERE credit_limit_minor IS NOT NULL
         AND balance_minor + credit_limit_minor - held_minor < 0",
    ),
];

/// Connections to what the verifier and the bank keep.
struct Books {
    verifier: Reader,
    bank: Reader,
}

impl TestGateway {
    /// A file of the verifier's, or the one Postgres database.
    pub(crate) fn stored_in(&self, file: &str) -> StoredState {
        match &self.database {
            None => StoredState::Sqlite(self.folder.path().join(file)),
            Some(database) => StoredState::Postgres(database.url().to_owned()),
        }
    }

    async fn books(&self) -> Books {
        Books {
            verifier: self.stored_in("sealpay.sqlite").open().await,
            bank: self.stored_in("simulated-bank.sqlite").open().await,
        }
    }

    /// Asks the verifier's database.
    pub async fn rows(&self, sql: &str) -> Vec<Row> {
        self.stored_in("sealpay.sqlite").rows(sql).await
    }

    /// Everything that the verifier and the bank keep.
    pub async fn stored_rows(&self) -> StoredRows {
        let tables = match &self.database {
            None => TABLES_OF_A_FILE,
            Some(_) => {
                "SELECT table_name FROM information_schema.tables
                        WHERE table_schema = 'public' ORDER BY 1"
            }
        };
        let books = self.books().await;
        let mut readers = vec![&books.verifier];
        if self.database.is_none() {
            readers.push(&books.bank);
        }
        let mut stored = BTreeMap::new();
        for reader in readers {
            for table in reader.rows(tables).await {
                let mut rows = reader.rows(&format!("SELECT * FROM {}", table[0])).await;
                rows.sort();
                stored.insert(table[0].clone(), rows);
            }
        }
        StoredRows(stored)
    }

    /// Asks the simulated bank's database.
    pub async fn bank_rows(&self, sql: &str) -> Vec<Row> {
        self.stored_in("simulated-bank.sqlite").rows(sql).await
    }

    /// Ends the test: nothing is left half done, what was stored fits together and with the bank, and
    /// no secret is in it or in the log.
    pub async fn finish(mut self) {
        self.finished = true;
        let books = self.books().await;
        for _ in 0..PATIENCE {
            if books.verifier.rows(MUST_BE_EMPTY[0].1).await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut found = Vec::new();
        for (meaning, sql) in MUST_BE_EMPTY {
            let rows = books.verifier.rows(sql).await;
            if let Some(row) = rows.first() {
                found.push(format!("{meaning}: {}, {} rows", row[0], rows.len()));
            }
        }
        found.extend(books.differences().await);
        found.extend(books.credentials_left_behind().await);
        let store = self.server.state.gateway.store();
        found.extend(
            balance::service::check(store)
                .await
                .expect("the ledger is audited"),
        );
        found.extend(self.secrets_kept(&books).await);
        found.extend(log::search(|lines| secrets_in("the log", lines)));
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    async fn secrets_kept(&self, books: &Books) -> Vec<String> {
        let mut found = Vec::new();
        for (table, rows) in self.stored_rows().await.0 {
            let cells: Vec<_> = rows.iter().flatten().map(String::as_str).collect();
            let texts = match TEXTS.iter().find(|(counting, _)| *counting == table) {
                Some((_, sql)) => books.verifier.rows(sql).await,
                None => rows.clone(),
            };
            let mut texts = texts.iter().flatten().map(String::as_str);
            if texts.any(|cell| SECURITY_CODES.contains(&cell)) {
                found.push(format!("{table} holds a security code"));
            }
            found.extend(secrets_in(&table, cells.join("\n").as_bytes()));
        }
        let files = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        for path in files.flatten().map(|file| file.path()) {
            let name = path.display().to_string();
            let bytes = std::fs::read(&path).unwrap_or_default();
            found.extend(leaks::in_text(&name, &bytes, &typed(&expiry())));
            // A file has no separators, so only whole secrets can be told from their neighbours.
            let known = self.secrets();
            let known = known
                .iter()
                .filter(|secret| contains(&bytes, secret.as_bytes()));
            found.extend(known.map(|secret| format!("{name} holds {}…", &secret[..8])));
        }
        found
    }
}

impl Books {
    /// Money that the bank holds and the verifier does not know of, or the other way round.
    async fn differences(&self) -> Vec<String> {
        let entries = "SELECT reference, state FROM bank_authorizations";
        let entries = self.bank.rows(entries).await;
        let approved: BTreeMap<String, String> = entries
            .iter()
            .filter(|row| ["held", "booked", "released"].contains(&row[1].as_str()))
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect();
        let payments = "SELECT id, state, method FROM payments";
        let payments = self.verifier.rows(payments).await;
        let fits = |row: &Row| {
            let entry = approved.get(&row[0]).map(String::as_str);
            match (row[1].as_str(), row[2].as_str()) {
                // Money that arrived is no authorization.
                (_, "bank_transfer" | "sepa_debit") => entry.is_none(),
                ("captured", _) => entry == Some("booked"),
                // The bank's clock may be past the end of a hold when nobody has looked yet.
                ("authorized", _) => matches!(entry, Some("held" | "released")),
                ("expired", _) => entry == Some("released"),
                ("declined", _) => entry.is_none(),
                _ => true,
            }
        };
        let mut found: Vec<_> = payments
            .iter()
            .filter(|row| !fits(row))
            .map(|row| {
                format!(
                    "{} is {}, and the bank's book says otherwise",
                    row[0], row[1]
                )
            })
            .collect();
        let known: HashSet<&String> = payments.iter().map(|row| &row[0]).collect();
        let strangers = entries.iter().filter(|row| !known.contains(&row[0]));
        found.extend(strangers.map(|row| format!("the bank knows {}, we do not", row[0])));
        for (meaning, sql) in BANK_MUST_BE_EMPTY {
            let rows = self.bank.rows(sql).await;
            found.extend(rows.first().map(|row| format!("{meaning}: {}", row[0])));
        }
        found
    }

    /// Cards that the bank stores and nothing uses, or that something uses and the bank has deleted.
    async fn credentials_left_behind(&self) -> Vec<String> {
        let stored = "SELECT reference FROM bank_credentials WHERE revoked_at_ms IS NULL
             UNION ALL SELECT credential FROM bank_debtor_accounts WHERE revoked_at_ms IS NULL";
        let stored: HashSet<String> = first_cells(self.bank.rows(stored).await);
        let used = "SELECT credential FROM instruments WHERE state <> 'detached'";
        let used: HashSet<String> = first_cells(self.verifier.rows(used).await);
        let waiting = "SELECT credential FROM credential_revocations";
        let waiting: HashSet<String> = first_cells(self.verifier.rows(waiting).await);
        let left = stored
            .iter()
            .filter(|one| !used.contains(*one) && !waiting.contains(*one));
        let left = left.map(|one| format!("the bank stores the credential {one} for nobody"));
        let gone = used.difference(&stored);
        let gone =
            gone.map(|one| format!("the bank has deleted the credential {one}, which is used"));
        left.chain(gone).collect()
    }
}

/// What in these bytes is a secret of a test: a card, an API key, a webhook secret, an order.
#[must_use]
pub fn secrets_in(name: &str, bytes: &[u8]) -> Vec<String> {
    let mut found = leaks::in_text(name, bytes, &typed(&expiry()));
    let mut ibans = debtor::all().iter().map(|debtor| debtor.iban.as_bytes());
    if ibans.any(|iban| places_of(bytes, iban).next().is_some()) {
        found.push(format!("{name} holds the IBAN of a debtor"));
    }
    for (beginning, length) in BEGINNINGS {
        let part_of_it = |c: &&u8| c.is_ascii_alphanumeric() || b"-_+/".contains(c);
        let is_secret = |place: usize| {
            let rest = &bytes[place + beginning.len()..];
            rest.iter().take_while(part_of_it).count() >= length
        };
        if places_of(bytes, beginning.as_bytes()).any(is_secret) {
            found.push(format!("{name} holds what begins with {beginning}"));
        }
    }
    found
}

/// The expiry of [`crate::client::card`] as it is sealed.
fn expiry() -> String {
    let year = YearMonth::from_unix_seconds(now()).year() + 3;
    format!("{year}12")
}

fn typed(expiry: &str) -> [Typed<'_>; 2] {
    SECURITY_CODES.map(|security_code| Typed {
        security_code,
        expiry,
    })
}

const TABLES_OF_A_FILE: &str =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1";

fn first_cells(rows: Vec<Row>) -> HashSet<String> {
    rows.into_iter()
        .filter_map(|row| row.into_iter().next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::secrets_in;

    #[test]
    fn secrets_are_found_by_how_they_begin() {
        let order = format!("eyJhbGciOi{}.eyJpc3MiOi", "a".repeat(60));
        let rows = [
            ("sk_test_AbCd of key_01", false),
            ("Bearer sk_test_AbCdEfGhIjKlMnOpQrStUvWx", true),
            ("whsec_ is how it begins", false),
            ("whsec_AbCdEfGhIjKlMnOpQrStUvWx==", true),
            (order.as_str(), true),
            ("-----BEGIN PRIVATE KEY-----", true),
            ("number 4242424242424242", true),
            ("\"security_code\":\"737\"", true),
            ("pay_01jd captured after 737 us", false),
        ];
        for (text, expected) in rows {
            assert_eq!(
                !secrets_in("text", text.as_bytes()).is_empty(),
                expected,
                "{text}"
            );
        }
    }
}

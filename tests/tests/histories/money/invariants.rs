//! Invariants of the ledger, after every step and at rest.

use super::database_reader::DatabaseReader;

/// What has to select nothing at any moment, and what it means when it does.
const ALWAYS: [(&str, &str); 25] = [
    (
        "more was captured than was authorized, or more went back than was received",
        "SELECT id FROM payments WHERE captured_minor > amount_minor OR captured_minor < 0
         OR refunded_minor < 0 OR disputed_minor < 0 OR overpaid_minor < 0
         OR disputed_minor > captured_minor
         OR refunded_minor + disputed_minor > captured_minor + overpaid_minor",
    ),
    (
        "a payment counts other captures than were made",
        "SELECT p.id FROM payments p WHERE p.captured_minor <>
         CASE WHEN p.capture = 'automatic' AND p.captured_minor > 0 THEN p.amount_minor ELSE (
           SELECT CAST(COALESCE(SUM(m.amount_minor), 0) AS BIGINT) FROM modifications m
           WHERE m.payment = p.id AND m.kind = 'capture' AND m.state = 'succeeded') END",
    ),
    (
        "a payment counts other refunds than were made",
        "SELECT p.id FROM payments p WHERE p.refunded_minor <> (
           SELECT CAST(COALESCE(SUM(m.amount_minor), 0) AS BIGINT) FROM modifications m
           WHERE m.payment = p.id AND m.kind = 'refund' AND m.state = 'succeeded')",
    ),
    (
        "a payment counts other disputes than are open or lost",
        "SELECT p.id FROM payments p WHERE p.disputed_minor <> (
           SELECT CAST(COALESCE(SUM(d.amount_minor), 0) AS BIGINT) FROM disputes d
           WHERE d.payment = p.id AND d.state <> 'won')",
    ),
    (
        "the lines of a payment are other than what was captured of it",
        "SELECT p.id FROM payments p WHERE p.captured_minor <> (
           SELECT CAST(COALESCE(SUM(l.gross_minor), 0) AS BIGINT) FROM balance_transactions l
           WHERE l.payment = p.id AND l.kind = 'capture')",
    ),
    (
        "the lines of a payment are other than what was refunded of the merchant's",
        "SELECT p.id FROM payments p WHERE CASE WHEN p.refunded_minor > p.overpaid_minor
         THEN p.overpaid_minor - p.refunded_minor ELSE 0 END <> (
           SELECT CAST(COALESCE(SUM(l.gross_minor), 0) AS BIGINT) FROM balance_transactions l
           WHERE l.payment = p.id AND l.kind = 'refund')",
    ),
    (
        "the ledger owes a shopper other than what came too much and did not go back",
        "SELECT p.id FROM payments p WHERE CASE WHEN p.refunded_minor > p.overpaid_minor
         THEN 0 ELSE p.overpaid_minor - p.refunded_minor END * CASE WHEN p.overpaid_minor > 0
         THEN 1 ELSE 0 END <> (
           SELECT CAST(COALESCE(SUM(CASE WHEN t.credit_account = 'overpayment'
             THEN t.amount_minor WHEN t.debit_account = 'overpayment'
             THEN -t.amount_minor ELSE 0 END), 0) AS BIGINT)
           FROM ledger_transfers t WHERE t.cause_id = p.id
           OR t.cause_id IN (SELECT m.id FROM modifications m WHERE m.payment = p.id))",
    ),
    (
        "the bank has sent back another sum of a transfer than the payment says",
        "SELECT p.id FROM payments p JOIN bank_collections c ON c.reference = p.id
         WHERE p.modification IS NULL AND c.refunded_minor <> p.refunded_minor",
    ),
    (
        "the lines of a payment are other than what is disputed of it",
        "SELECT p.id FROM payments p WHERE -p.disputed_minor <> (
           SELECT CAST(COALESCE(SUM(l.gross_minor), 0) AS BIGINT) FROM balance_transactions l
           WHERE l.payment = p.id AND l.kind IN ('dispute', 'dispute_won'))",
    ),
    (
        "the ledger has another sum for a payment than its lines",
        "SELECT p.id FROM payments p WHERE (
           SELECT CAST(COALESCE(SUM(l.gross_minor), 0) AS BIGINT) FROM balance_transactions l
           WHERE l.payment = p.id
         ) <> (
           SELECT CAST(COALESCE(SUM(CASE WHEN t.credit_account = 'merchant_payable'
             THEN t.amount_minor WHEN t.debit_account = 'merchant_payable'
             THEN -t.amount_minor ELSE 0 END), 0) AS BIGINT)
           FROM ledger_transfers t WHERE t.cause_id = p.id
           OR t.cause_id IN (SELECT m.id FROM modifications m WHERE m.payment = p.id)
           OR t.cause_id IN (SELECT d.id FROM disputes d WHERE d.payment = p.id))",
    ),
    (
        "gross without fees is not net",
        "SELECT id FROM balance_transactions WHERE gross_minor - interchange_minor - scheme_minor
         - processor_minor <> net_minor",
    ),
    (
        "a settlement has other lines than it counts",
        "SELECT s.id FROM settlements s WHERE s.lines <> (
           SELECT COUNT(*) FROM balance_transactions l WHERE l.settlement = s.id)",
    ),
    (
        "lines and what was brought forward are not what is paid out and carried forward",
        "SELECT s.id FROM settlements s WHERE s.brought_forward_minor + (
           SELECT CAST(COALESCE(SUM(l.net_minor), 0) AS BIGINT) FROM balance_transactions l
           WHERE l.settlement = s.id) <> s.payout_minor + s.carried_forward_minor",
    ),
    (
        "a line is in a settlement of somebody else's, of another currency, or before its time",
        "SELECT l.id FROM balance_transactions l JOIN settlements s ON s.id = l.settlement
         WHERE l.merchant <> s.merchant OR l.currency <> s.currency
         OR l.settlement_date > s.settlement_date",
    ),
    (
        "a line names a settlement that is not there",
        "SELECT id FROM balance_transactions WHERE settlement IS NOT NULL
         AND settlement NOT IN (SELECT id FROM settlements)",
    ),
    (
        "settlements are not numbered without gaps",
        "SELECT s.id FROM settlements s WHERE s.number <> (
           SELECT COUNT(*) FROM settlements o WHERE o.merchant = s.merchant
           AND o.currency = s.currency AND o.settlement_date <= s.settlement_date)",
    ),
    (
        "what one settlement carries on is not what the next one brings forward",
        "SELECT s.id FROM settlements s WHERE s.brought_forward_minor <> COALESCE((
           SELECT o.carried_forward_minor FROM settlements o WHERE o.merchant = s.merchant
           AND o.currency = s.currency AND o.number = s.number - 1), 0)",
    ),
    (
        "a positive balance is carried forward, or a negative one is paid out",
        "SELECT id FROM settlements WHERE carried_forward_minor > 0 OR payout_minor < 0
         OR (payout_minor > 0 AND carried_forward_minor <> 0)",
    ),
    (
        "a settlement has no payout of what it pays out, or one of nothing",
        "SELECT s.id FROM settlements s WHERE s.payout_minor <> COALESCE((
           SELECT p.amount_minor FROM payouts p WHERE p.settlement = s.id
           AND p.currency = s.currency AND p.merchant = s.merchant), 0)",
    ),
    (
        "a payout that came back is owed other than once",
        "SELECT p.id FROM payouts p WHERE (p.state = 'returned') <> (
           1 = (SELECT COUNT(*) FROM balance_transactions l WHERE l.source = p.id
             AND l.kind = 'payout_return' AND l.gross_minor = p.amount_minor))",
    ),
    (
        "the bank has paid what is not to be paid, or another sum",
        "SELECT b.id FROM bank_payouts b WHERE b.id NOT IN (
           SELECT p.id FROM payouts p WHERE p.amount_minor = b.amount_minor
           AND p.currency = b.currency AND p.account = b.account)",
    ),
    (
        "paid, and the bank knows nothing of it",
        "SELECT id FROM payouts WHERE state <> 'pending' AND id NOT IN (
           SELECT id FROM bank_payouts)",
    ),
    (
        "the bank has booked or given back another sum than the payment says",
        "SELECT p.id FROM payments p JOIN bank_authorizations b ON b.reference = p.id
         WHERE p.modification IS NULL AND p.state NOT IN ('authorizing', 'unknown', 'declined')
         AND (b.booked_minor <> p.captured_minor OR b.refunded_minor <> p.refunded_minor)",
    ),
    (
        "a payment was told by another number of events than it says, or one twice",
        "SELECT p.id FROM payments p WHERE p.sequence <> (
           SELECT COUNT(*) FROM events e WHERE e.subject = p.id)",
    ),
    (
        "a payment names a modification that is not pending, or one that is pending is not named",
        "SELECT m.id FROM modifications m JOIN payments p ON p.id = m.payment
         WHERE (m.state = 'pending') <> (COALESCE(p.modification, '') = m.id)",
    ),
];

/// The same when everything has come to rest.
#[rustfmt::skip]
const AT_REST: [(&str, &str); 8] = [
    (
        "a payment is still open or held",
        "SELECT id || ' ' || state FROM payments WHERE state IN
         ('authorizing', 'requires_action', 'unknown', 'authorized', 'partially_captured')",
    ),
    ("a modification is still pending", "SELECT id FROM modifications WHERE state = 'pending'"),
    ("a dispute waits for an answer that will not come", "SELECT id FROM disputes WHERE state = 'needs_response'"),
    (
        "a line was forgotten",
        "SELECT id || ' of ' || settlement_date FROM balance_transactions WHERE settlement IS NULL",
    ),
    ("a payout is still on its way", "SELECT id FROM payouts WHERE state = 'pending'"),
    ("a payout came back and nobody has dealt with it", "SELECT id FROM bank_payouts WHERE state = 'returned'"),
    (
        "other money came by transfer than is captured and owed to the shopper",
        "SELECT p.id FROM payments p JOIN bank_collections c ON c.reference = p.id
         WHERE p.captured_minor + p.overpaid_minor <> (
           SELECT CAST(COALESCE(SUM(t.amount), 0) AS BIGINT) FROM bank_transfers t
           WHERE t.plain_reference = c.creditor_reference AND t.currency = c.currency
           AND t.state = 'matched')",
    ),
    ("the bank still holds money", "SELECT reference FROM bank_authorizations WHERE state = 'held'"),
];

/// What stands on the accounts when nothing is on its way: what shoppers have paid beyond what is
/// settled is what came too much, the merchant is owed what is carried, and whatever providers keep
/// are the fees, the reserve and what is under review.
const ACCOUNTS: &str = "SELECT merchant, currency,
    CAST(SUM(CASE WHEN account = 'shopper_clearing' THEN minor ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN account = 'merchant_payable' THEN -minor ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN account = 'provider_receivable' THEN minor ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN account = 'fees' THEN -minor ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN account = 'reserve' THEN -minor ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN account = 'dispute' THEN -minor ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN account = 'overpayment' THEN -minor ELSE 0 END) AS BIGINT),
    (SELECT COALESCE((SELECT s.carried_forward_minor FROM settlements s
       WHERE s.merchant = a.merchant AND s.currency = a.currency
       ORDER BY s.number DESC LIMIT 1), 0))
    FROM (
      SELECT merchant, currency, debit_account AS account, amount_minor AS minor
      FROM ledger_transfers
      UNION ALL SELECT merchant, currency, credit_account, -amount_minor FROM ledger_transfers
    ) a GROUP BY merchant, currency";

async fn findings(reader: &DatabaseReader, table: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for (meaning, sql) in table {
        if let Some(row) = reader.rows(sql).await.first() {
            found.push(format!("{meaning}: {}", row.join(" ")));
        }
    }
    found
}

/// What is not as it always has to be.
pub(crate) async fn always(reader: &DatabaseReader) -> Vec<String> {
    findings(reader, &ALWAYS).await
}

/// What is not as it has to be at rest.
pub(crate) async fn at_rest(reader: &DatabaseReader) -> Vec<String> {
    let mut found = always(reader).await;
    found.extend(findings(reader, &AT_REST).await);
    if !found.is_empty() {
        return found;
    }
    for row in reader.rows(ACCOUNTS).await {
        let numbers: Vec<i64> = row[2..].iter().map(|text| text.parse().unwrap()).collect();
        let &[
            clearing,
            payable,
            receivable,
            fees,
            reserve,
            dispute,
            overpayment,
            carried_forward,
        ] = &numbers[..]
        else {
            panic!("{row:?}");
        };
        if clearing != overpayment
            || payable != carried_forward
            || receivable != payable + fees + reserve + dispute
        {
            found.push(format!("accounts do not fit each other: {row:?}"));
        }
    }
    found
}

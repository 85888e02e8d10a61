//! The ledger audit: the account balances, and everything that must agree with them.

use super::store::LedgerStore;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::MerchantId;
use sealpay_storage::{ByName, DatabaseError, projection};

/// A sum of the books, or an inconsistent row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The type of the finding.
    pub of: FindingOf,
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// The summed group or the inconsistent row: names separated by `:`.
    pub name: String,
    /// A sum, or the expected value; minor units.
    pub first: i64,
    /// Another sum, or the actual value; minor units.
    pub second: i64,
}

/// The type of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingOf {
    /// Transfers of one posting type between two accounts, `cause:debit:credit`: their sum.
    Transfers,
    /// Balance transactions of one type, `kind:bound` or `kind:unbound`: gross and fees.
    Lines,
    /// Settlements: sums of their fees and of their payouts.
    Settled,
    /// The last settlement: its amount carried forward.
    Carried,
    /// Payouts in a state: their sum.
    Payouts,
    /// Disputes in a state: their sum.
    Disputes,
    /// Overpaid payments: the excess, and its refunded part.
    Overpaid,
    /// A balance transaction whose net is not gross minus fees.
    LineNet,
    /// A balance transaction in a settlement of another merchant, a missing one, or one before its
    /// date.
    LineMisplaced,
    /// A settlement whose net and carried amounts do not add up.
    SettlementSum,
    /// A settlement whose balance transactions do not add up to it: net of both.
    SettlementLines,
    /// A settlement that does not bring forward what the previous one carried forward: both
    /// amounts.
    SettlementChain,
    /// A settlement whose number has no predecessor, or whose date is not later.
    SettlementOrder,
    /// A settlement and its payout disagree: both amounts.
    PayoutAmount,
    /// A returned payout without its balance transaction, or the reverse: both amounts.
    PayoutReturned,
    /// A payment whose captures are not all balance transactions: both amounts.
    PaymentCaptured,
    /// A payment whose refunds, without the overpaid part, are not all balance transactions: both
    /// amounts.
    PaymentRefunded,
    /// A payment whose returned amount is not its balance transaction: both amounts.
    PaymentReturned,
    /// A stored total, `debit:credit`, that differs from the sum of the transfers before the
    /// checkpoint: the sum and the total.
    AccountTotal,
}

sealpay_protocol::names! {
    FindingOf {
        Transfers = "transfers",
        Lines = "lines",
        Settled = "settled",
        Carried = "carried_forward",
        Payouts = "payouts",
        Disputes = "disputes",
        Overpaid = "overpaid",
        LineNet = "line_net",
        LineMisplaced = "line_misplaced",
        SettlementSum = "settlement_sum",
        SettlementLines = "settlement_lines",
        SettlementChain = "settlement_chain",
        SettlementOrder = "settlement_order",
        PayoutAmount = "payout_amount",
        PayoutReturned = "payout_returned",
        PaymentCaptured = "payment_captured",
        PaymentRefunded = "payment_refunded",
        PaymentReturned = "payment_returned",
        AccountTotal = "account_total",
    }
}

/// One statement, so that all findings are of the same time despite concurrent writes.
const FINDINGS: &str = concat!(
    "WITH bound AS (
        SELECT settlement, COUNT(*) AS lines,
            CAST(SUM(gross_minor) AS BIGINT) AS gross_minor,
            CAST(SUM(interchange_minor + scheme_minor + processor_minor) AS BIGINT) AS fees_minor,
            CAST(SUM(net_minor) AS BIGINT) AS net_minor
        FROM balance_transactions WHERE settlement IS NOT NULL GROUP BY settlement
    ), paid AS (
        SELECT payment,
            CAST(SUM(CASE kind WHEN 'capture' THEN gross_minor ELSE 0 END) AS BIGINT)
                AS captured_minor,
            CAST(SUM(CASE kind WHEN 'refund' THEN -gross_minor ELSE 0 END) AS BIGINT)
                AS refunded_minor,
            CAST(SUM(CASE kind WHEN 'direct_debit_return' THEN -gross_minor ELSE 0 END) AS BIGINT)
                AS returned_minor
        FROM balance_transactions WHERE payment IS NOT NULL GROUP BY payment
    )
    SELECT 'transfers', merchant, currency,
        cause || ':' || debit_account || ':' || credit_account,
        CAST(SUM(amount_minor) AS BIGINT), COUNT(*)
    FROM ledger_transfers GROUP BY merchant, currency, cause, debit_account, credit_account
    UNION ALL SELECT 'lines', merchant, currency,
        kind || CASE WHEN settlement IS NULL THEN ':unbound' ELSE ':bound' END,
        CAST(SUM(gross_minor) AS BIGINT),
        CAST(SUM(interchange_minor + scheme_minor + processor_minor) AS BIGINT)
    FROM balance_transactions
    GROUP BY merchant, currency, kind,
        CASE WHEN settlement IS NULL THEN ':unbound' ELSE ':bound' END
    UNION ALL SELECT 'settled', merchant, currency, '',
        CAST(SUM(interchange_minor + scheme_minor + processor_minor) AS BIGINT),
        CAST(SUM(payout_minor) AS BIGINT)
    FROM settlements GROUP BY merchant, currency
    UNION ALL SELECT 'carried_forward', s.merchant, s.currency, '', s.carried_forward_minor, s.number
    FROM settlements s WHERE s.number = (
        SELECT MAX(t.number) FROM settlements t
        WHERE t.merchant = s.merchant AND t.currency = s.currency)
    UNION ALL SELECT 'payouts', merchant, currency, state,
        CAST(SUM(amount_minor) AS BIGINT), COUNT(*)
    FROM payouts GROUP BY merchant, currency, state
    UNION ALL SELECT 'disputes', merchant, currency, state,
        CAST(SUM(amount_minor) AS BIGINT), COUNT(*)
    FROM disputes GROUP BY merchant, currency, state
    UNION ALL SELECT 'overpaid', merchant, currency, '',
        CAST(SUM(overpaid_minor) AS BIGINT),
        CAST(SUM(CASE WHEN refunded_minor < overpaid_minor THEN refunded_minor
            ELSE overpaid_minor END) AS BIGINT)
    FROM payments WHERE overpaid_minor > 0 GROUP BY merchant, currency ",
    "UNION ALL SELECT 'line_net', merchant, currency, id,
        gross_minor - interchange_minor - scheme_minor - processor_minor, net_minor
    FROM balance_transactions
    WHERE gross_minor - interchange_minor - scheme_minor - processor_minor <> net_minor
    UNION ALL SELECT 'line_misplaced', b.merchant, b.currency, b.id, b.net_minor, b.net_minor
    FROM balance_transactions b LEFT JOIN settlements s ON s.id = b.settlement
    WHERE b.settlement IS NOT NULL AND (s.id IS NULL OR s.merchant <> b.merchant
        OR s.currency <> b.currency OR s.settlement_date < b.settlement_date)
    UNION ALL SELECT 'settlement_sum', merchant, currency, id,
        net_minor + brought_forward_minor, payout_minor + carried_forward_minor
    FROM settlements
    WHERE net_minor + brought_forward_minor <> payout_minor + carried_forward_minor
        OR payout_minor < 0 OR carried_forward_minor > 0
        OR (payout_minor > 0 AND carried_forward_minor < 0)
    UNION ALL SELECT 'settlement_lines', s.merchant, s.currency, s.id,
        COALESCE(b.net_minor, 0), s.net_minor
    FROM settlements s LEFT JOIN bound b ON b.settlement = s.id
    WHERE COALESCE(b.lines, 0) <> s.lines OR COALESCE(b.gross_minor, 0) <> s.gross_minor
        OR COALESCE(b.fees_minor, 0) <> s.interchange_minor + s.scheme_minor + s.processor_minor
        OR COALESCE(b.net_minor, 0) <> s.net_minor
    UNION ALL SELECT 'settlement_chain', s.merchant, s.currency, s.id,
        COALESCE(p.carried_forward_minor, 0), s.brought_forward_minor
    FROM settlements s LEFT JOIN settlements p
        ON p.merchant = s.merchant AND p.currency = s.currency AND p.number = s.number - 1
    WHERE COALESCE(p.carried_forward_minor, 0) <> s.brought_forward_minor
    UNION ALL SELECT 'settlement_order', s.merchant, s.currency, s.id,
        COALESCE(p.number, 0) + 1, s.number
    FROM settlements s LEFT JOIN settlements p
        ON p.merchant = s.merchant AND p.currency = s.currency AND p.number = s.number - 1
    WHERE (p.id IS NULL AND s.number <> 1) OR p.settlement_date >= s.settlement_date ",
    "UNION ALL SELECT 'payout_amount', s.merchant, s.currency, s.id, s.payout_minor,
        COALESCE(p.amount_minor, 0)
    FROM settlements s LEFT JOIN payouts p ON p.settlement = s.id
    WHERE s.payout_minor <> COALESCE(p.amount_minor, 0) OR COALESCE(s.payout, '') <> COALESCE(p.id, '')
        OR (p.id IS NOT NULL AND (p.merchant <> s.merchant OR p.currency <> s.currency))
    UNION ALL SELECT 'payout_amount', p.merchant, p.currency, p.settlement, 0, p.amount_minor
    FROM payouts p LEFT JOIN settlements s ON s.id = p.settlement WHERE s.id IS NULL
    UNION ALL SELECT 'payout_returned', p.merchant, p.currency, p.id,
        CASE p.state WHEN 'returned' THEN p.amount_minor ELSE 0 END, COALESCE(b.gross_minor, 0)
    FROM payouts p LEFT JOIN balance_transactions b
        ON b.source = p.id AND b.kind = 'payout_return'
    WHERE CASE p.state WHEN 'returned' THEN p.amount_minor ELSE 0 END
        <> COALESCE(b.gross_minor, 0)
    UNION ALL SELECT 'payment_captured', p.merchant, p.currency, p.id, p.captured_minor,
        COALESCE(l.captured_minor, 0)
    FROM payments p LEFT JOIN paid l ON l.payment = p.id
    WHERE p.captured_minor <> COALESCE(l.captured_minor, 0)
    UNION ALL SELECT 'payment_refunded', p.merchant, p.currency, p.id,
        CASE WHEN p.refunded_minor > p.overpaid_minor
            THEN p.refunded_minor - p.overpaid_minor ELSE 0 END,
        COALESCE(l.refunded_minor, 0)
    FROM payments p LEFT JOIN paid l ON l.payment = p.id
    WHERE CASE WHEN p.refunded_minor > p.overpaid_minor
            THEN p.refunded_minor - p.overpaid_minor ELSE 0 END
        <> COALESCE(l.refunded_minor, 0)
    UNION ALL SELECT 'payment_returned', p.merchant, p.currency, p.id, p.returned_minor,
        COALESCE(l.returned_minor, 0)
    FROM payments p LEFT JOIN paid l ON l.payment = p.id
    WHERE p.returned_minor <> COALESCE(l.returned_minor, 0) ",
    "UNION ALL SELECT 'account_total', merchant, currency,
        debit_account || ':' || credit_account,
        CAST(SUM(moved_minor) AS BIGINT), CAST(SUM(total_minor) AS BIGINT)
    FROM (
        SELECT t.merchant, t.currency, t.debit_account, t.credit_account,
            t.amount_minor AS moved_minor, 0 AS total_minor
        FROM ledger_transfers t JOIN ledger_checkpoints c ON c.merchant = t.merchant
        WHERE t.period < c.period
        UNION ALL SELECT merchant, currency, debit_account, credit_account, 0, amount_minor
        FROM ledger_totals
    ) compared GROUP BY merchant, currency, debit_account, credit_account
    HAVING SUM(moved_minor) <> SUM(total_minor) ",
    "ORDER BY 1, 2, 3, 4"
);

projection! {
    Finding from "the whole ledger" {
        of as ByName,
        merchant,
        currency,
        name,
        first,
        second,
    }
}

impl LedgerStore {
    /// All sums of the books and all inconsistent rows, as of one time.
    pub async fn discrepancies(&self) -> Result<Vec<Finding>, DatabaseError> {
        self.database.list(FINDINGS, []).await
    }
}

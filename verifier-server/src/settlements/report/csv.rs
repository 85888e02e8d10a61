//! The report as comma-separated values (RFC 4180): a header, a row for each balance transaction,
//! and a trailer.
//!
//! Amounts are integers in minor units; `exponent` is the number of decimals. `gross − fee = net`
//! in each row. The trailer has sums in the columns of the rows, totals of the settlement in
//! columns of its own, and as the last cell of the file the SHA-256 of everything before that cell:
//! `head -c -66 report.csv | sha256sum`.
//!
//! Spreadsheets evaluate cells that look like formulas. A text that could be one is prefixed with
//! an apostrophe, and so is a text that begins with an apostrophe: programs that read the file
//! remove one leading apostrophe to get the original text. Our own numbers are written as they are,
//! including negative ones.

use super::{Statement, checksum, moment};
use crate::balance::model::BalanceTransaction;
use crate::settlements::fees::Fees;
use crate::settlements::schedule;

/// The header, and with it the order of the cells.
pub const COLUMNS: [&str; 34] = [
    "record",
    "line_id",
    "settlement_id",
    "settlement_number",
    "settlement_date",
    "closed_at",
    "payout_id",
    "merchant_id",
    "merchant_name",
    "livemode",
    "type",
    "source",
    "payment_id",
    "order_ref",
    "method",
    "brand",
    "region",
    "currency",
    "exponent",
    "gross_minor",
    "interchange_minor",
    "scheme_minor",
    "processor_minor",
    "fee_minor",
    "net_minor",
    "created_at",
    "business_date",
    "cut_off_at",
    "time_zone",
    "lines",
    "brought_forward_minor",
    "carried_forward_minor",
    "payout_minor",
    "sha256",
];

/// A row being written: cells separated by commas.
struct Row {
    text: String,
    cells: usize,
}

impl Row {
    fn from_record(record: &str) -> Self {
        Self {
            text: record.to_owned(),
            cells: 1,
        }
    }

    /// A cell with our own content: a number, a name, a date.
    fn own(&mut self, cell: &str) {
        self.text.push(',');
        self.text.push_str(cell);
        self.cells += 1;
    }

    fn number(&mut self, number: i64) {
        self.own(&number.to_string());
    }

    /// A cell with content from others.
    fn foreign(&mut self, cell: &str) {
        self.own(&quoted(&harmless(cell)));
    }

    fn amounts(&mut self, gross_minor: i64, fees: Fees, net_minor: i64) {
        self.number(gross_minor);
        self.number(fees.interchange_minor);
        self.number(fees.scheme_minor);
        self.number(fees.processor_minor);
        self.number(fees.total_minor());
        self.number(net_minor);
    }

    fn empty(&mut self, cells: usize) {
        for _ in 0..cells {
            self.own("");
        }
    }
}

/// Prefixes an apostrophe to a text that could be a formula or begins with an apostrophe.
pub(super) fn harmless(text: &str) -> String {
    let begins = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if begins || text.starts_with(['\t', '\r', '\n', '\'']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Quotes a cell if necessary (RFC 4180, section 2, 5 to 7).
fn quoted(text: &str) -> String {
    let needs = |c: char| matches!(c, '"' | ',' | '\r' | '\n');
    if text.contains(needs) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The report.
#[must_use]
pub fn write(statement: &Statement<'_>) -> String {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    for line in statement.lines() {
        text.push_str(&row(statement, line));
        text.push_str("\r\n");
    }
    text.push_str(&trailer(statement));
    text.push(',');
    let checksum = checksum(&text);
    text.push_str(&checksum);
    text.push_str("\r\n");
    text
}

/// The cells from `settlement_id` to `livemode`.
fn of_settlement(row: &mut Row, statement: &Statement<'_>) {
    let settlement = statement.settlement;
    row.own(&settlement.id.to_string());
    row.number(settlement.number);
    row.own(&settlement.settlement_date.to_string());
    row.own(&moment(settlement.closed_at_ms));
    row.own(
        &settlement
            .payout
            .map(|payout| payout.to_string())
            .unwrap_or_default(),
    );
    row.own(&settlement.merchant.to_string());
    row.foreign(statement.merchant_name);
    row.own(if statement.livemode { "true" } else { "false" });
}

fn row(statement: &Statement<'_>, line: &BalanceTransaction) -> String {
    let mut row = Row::from_record("line");
    row.own(&line.id.to_string());
    of_settlement(&mut row, statement);
    row.own(line.kind.name());
    row.foreign(&line.source);
    row.own(
        &line
            .payment
            .map(|payment| payment.to_string())
            .unwrap_or_default(),
    );
    for cell in [&line.order_ref, &line.method, &line.brand, &line.region] {
        row.foreign(cell.as_deref().unwrap_or_default());
    }
    row.own(line.currency.code());
    row.number(i64::from(line.currency.exponent()));
    row.amounts(line.gross_minor, line.fees, line.net_minor);
    row.own(&moment(line.created_at_ms));
    row.own(&line.business_date.to_string());
    row.own(&moment(schedule::cut_off_ms(
        line.currency,
        line.business_date,
    )));
    row.own(schedule::zone_name(line.currency));
    row.empty(COLUMNS.len() - row.cells);
    row.text
}

/// The last row, without its last cell.
fn trailer(statement: &Statement<'_>) -> String {
    let settlement = statement.settlement;
    let mut row = Row::from_record("trailer");
    row.empty(1);
    of_settlement(&mut row, statement);
    row.empty(7);
    row.own(settlement.currency.code());
    row.number(i64::from(settlement.currency.exponent()));
    row.amounts(
        settlement.gross_minor,
        settlement.fees,
        settlement.net_minor,
    );
    row.empty(3);
    row.own(schedule::zone_name(settlement.currency));
    row.number(settlement.lines);
    row.number(settlement.brought_forward_minor);
    row.number(settlement.carried_forward_minor);
    row.number(settlement.payout_minor);
    row.text
}

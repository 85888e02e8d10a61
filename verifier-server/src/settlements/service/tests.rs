//! The memory use of a report.

use super::{Format, REPORT_LINES_MOST};
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::error::ErrorCode;
use crate::settlements::fees::Fees;
use crate::settlements::model::Settlement;
use crate::settlements::report::Statement;
use jiff::civil::date;
use sealpay_protocol::ids::{MerchantId, PaymentId, SettlementId, TransactionId};
use sealpay_protocol::limits::REFERENCE_CHARACTERS;

/// A balance transaction with the longest value in every column, which grows further when escaped.
fn line(number: i64) -> BalanceTransaction {
    let random = [255; 10];
    BalanceTransaction {
        id: TransactionId::new(number.unsigned_abs(), random),
        merchant: MerchantId::new(1, random),
        currency: "KWD".parse().unwrap(),
        kind: TransactionKind::ReserveRelease,
        source: PaymentId::new(1, random).to_string(),
        payment: Some(PaymentId::new(1, random)),
        order_ref: Some("\"".repeat(REFERENCE_CHARACTERS)),
        method: Some("simulated_bank_transfer".into()),
        brand: Some("american_express".into()),
        region: Some("international".into()),
        gross_minor: -999_999_999_999,
        fees: Fees {
            interchange_minor: -99_999_999_999,
            scheme_minor: -99_999_999_999,
            processor_minor: -99_999_999_999,
        },
        net_minor: -999_999_999_999,
        business_date: date(2026, 11, 24),
        settlement_date: date(2026, 11, 26),
        settlement: Some(SettlementId::new(1, random)),
        created_at_ms: 1_763_800_000_999,
    }
}

#[test]
fn oversized_reports_are_rejected_with_the_limit() {
    let sentence = ErrorCode::ReportTooLarge.detail();
    let most = format!("more than {REPORT_LINES_MOST} lines");
    assert!(sentence.contains(&most), "{sentence}");
}

#[test]
fn the_longest_report_fits_into_32_mib() {
    let lines: Vec<_> = (0..REPORT_LINES_MOST).map(line).collect();
    let settlement = Settlement {
        id: SettlementId::new(1, [1; 10]),
        merchant: MerchantId::new(1, [1; 10]),
        currency: "KWD".parse().unwrap(),
        number: 1,
        settlement_date: date(2026, 11, 26),
        lines: REPORT_LINES_MOST,
        gross_minor: 0,
        fees: Fees::default(),
        net_minor: 0,
        brought_forward_minor: 0,
        carried_forward_minor: 0,
        payout: None,
        payout_minor: 0,
        closed_at_ms: 1_763_800_000_000,
    };
    let statement = Statement {
        livemode: false,
        settlement: &settlement,
        payout: None,
        lines: &lines,
        merchant_name: "Paper Lantern",
        account: "DE00",
    };
    // A row in memory and, in the worst case, its serialized form.
    let of_lines = lines.len() * (2 * size_of::<BalanceTransaction>() + 512);
    for format in Format::ALL {
        let text = format.write(&statement);
        // A growing buffer exists twice while it is copied.
        let bytes = of_lines + text.capacity() + text.capacity() / 2;
        assert!(bytes < 32 << 20, "{format:?} takes {bytes} bytes");
    }
}

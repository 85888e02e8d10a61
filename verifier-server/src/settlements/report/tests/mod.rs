//! Generated statements, and tests of all formats.

mod camt053;
mod csv;
mod json;
mod schema;
mod xml;

use super::Statement;
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::payouts::model::{Payout, PayoutState};
use crate::settlements::fees::Fees;
use crate::settlements::model::Settlement;
use crate::settlements::schedule;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId, PayoutId, SettlementId, TransactionId};

const ACCOUNT: &str = "DE89370400440532013000";
const AT_MS: i64 = 1_795_435_200_000;

/// Order references that an attacker may send, or that were stored before references were
/// validated.
const HOSTILE: [&str; 26] = [
    "",
    "A-1",
    "=cmd|' /C calc'!A0",
    "+49 30 1234",
    "-2+3",
    "@SUM(A1:A9)",
    "'quoted",
    "''",
    " =1+1",
    "\t=1",
    "＝1+1",
    "a,b",
    "say \"hello\"",
    "\"",
    "line\nbreak",
    "line\r\nbreak",
    "\r",
    "<b>&amp;</b>",
    "]]>",
    "&#60;",
    " space ",
    "/slash//slash/",
    "🧾 Bestellung №7 — 日本",
    "thirty-five characters, not one more",
    "0123456789012345678901234567890123456789012345678901234567890123",
    "AbCdEfGhIjKlMnOpQrStUvWxYz-12345678",
];

/// The owned content of a report.
struct Story {
    settlement: Settlement,
    payout: Option<Payout>,
    lines: Vec<BalanceTransaction>,
    merchant_name: String,
}

impl Story {
    fn statement(&self) -> Statement<'_> {
        Statement {
            livemode: false,
            settlement: &self.settlement,
            payout: self.payout.as_ref(),
            lines: &self.lines,
            merchant_name: &self.merchant_name,
            account: ACCOUNT,
        }
    }
}

/// A small generator (Numerical Recipes' constants); each seed gives one statement.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn minor(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }
}

fn random(number: u64) -> [u8; 10] {
    let mut random = [7; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    random
}

fn unix_ms() -> u64 {
    u64::try_from(AT_MS).unwrap()
}

fn line(
    number: u64,
    currency: Currency,
    (kind, method): (TransactionKind, &str),
    gross_minor: i64,
    fees: Fees,
    order_ref: &str,
) -> BalanceTransaction {
    let business_date = schedule::business_date(currency, AT_MS);
    BalanceTransaction {
        id: TransactionId::new(unix_ms(), random(number)),
        merchant: MerchantId::new(1, [1; 10]),
        currency,
        kind,
        source: PaymentId::new(unix_ms(), random(number)).to_string(),
        payment: Some(PaymentId::new(unix_ms(), random(number))),
        order_ref: Some(order_ref.to_owned()),
        method: Some(method.to_owned()),
        brand: (method == "card").then(|| "visa".to_owned()),
        region: (method == "card").then(|| "domestic".to_owned()),
        gross_minor,
        fees,
        net_minor: gross_minor - fees.total_minor(),
        business_date,
        settlement_date: schedule::settlement_date(currency, business_date),
        settlement: None,
        created_at_ms: AT_MS,
    }
}

/// Settles balance transactions after an amount brought forward.
fn settle(currency: Currency, lines: Vec<BalanceTransaction>, brought_forward_minor: i64) -> Story {
    let sum = |of: fn(&BalanceTransaction) -> i64| lines.iter().map(of).sum::<i64>();
    let net_minor = sum(|line| line.net_minor);
    let (payout_minor, carried_forward_minor) = (
        (net_minor + brought_forward_minor).max(0),
        (net_minor + brought_forward_minor).min(0),
    );
    let settlement_date =
        schedule::settlement_date(currency, schedule::business_date(currency, AT_MS));
    let id = SettlementId::new(unix_ms(), [3; 10]);
    let payout = (payout_minor > 0).then(|| Payout {
        id: PayoutId::new(unix_ms(), [4; 10]),
        merchant: MerchantId::new(1, [1; 10]),
        settlement: id,
        currency,
        amount_minor: payout_minor,
        account: ACCOUNT.to_owned(),
        state: PayoutState::Pending,
        failure: None,
        created_at_ms: AT_MS,
        updated_at_ms: AT_MS,
        lease_until_ms: 0,
    });
    Story {
        settlement: Settlement {
            id,
            merchant: MerchantId::new(1, [1; 10]),
            currency,
            number: 7,
            settlement_date,
            lines: i64::try_from(lines.len()).unwrap(),
            gross_minor: sum(|line| line.gross_minor),
            fees: Fees {
                interchange_minor: sum(|line| line.fees.interchange_minor),
                scheme_minor: sum(|line| line.fees.scheme_minor),
                processor_minor: sum(|line| line.fees.processor_minor),
            },
            net_minor,
            brought_forward_minor,
            carried_forward_minor,
            payout: payout.as_ref().map(|payout| payout.id),
            payout_minor,
            closed_at_ms: schedule::closes_at_ms(currency, settlement_date),
        },
        payout,
        lines,
        merchant_name: "=Müller & Söhne, \"Köln\"".to_owned(),
    }
}

/// A random settlement: types of balance transactions, amounts, references and carried balance.
fn story(seed: u64) -> Story {
    let mut chance = Chance(seed);
    let codes = ["EUR", "JPY", "KWD", "USD"];
    let currency: Currency = codes[usize::try_from(seed % 4).unwrap()].parse().unwrap();
    let lines = (0..chance.below(40))
        .map(|number| {
            let kind = TransactionKind::ALL[usize::try_from(chance.below(7)).unwrap()];
            let takes = matches!(
                kind,
                TransactionKind::Refund | TransactionKind::Dispute | TransactionKind::ReserveHold
            );
            let gross_minor = chance.minor(100_000) * if takes { -1 } else { 1 };
            let fees = Fees {
                interchange_minor: chance.minor(3) * chance.minor(90),
                scheme_minor: chance.minor(3) * chance.minor(40),
                processor_minor: chance.minor(3) * chance.minor(1_500),
            };
            let method = if chance.below(3) == 0 {
                "bank_transfer"
            } else {
                "card"
            };
            let order_ref = HOSTILE[usize::try_from(chance.below(26)).unwrap()];
            line(
                number,
                currency,
                (kind, method),
                gross_minor,
                fees,
                order_ref,
            )
        })
        .collect();
    let brought_forward_minor = -chance.minor(2) * chance.minor(200_000);
    settle(currency, lines, brought_forward_minor)
}

/// A capture for each hostile reference.
fn hostile() -> Story {
    let euro = "EUR".parse().unwrap();
    let fees = Fees {
        interchange_minor: 20,
        scheme_minor: 0,
        processor_minor: 33,
    };
    let card = (TransactionKind::Capture, "card");
    let lines = (0..).zip(HOSTILE);
    let lines = lines.map(|(number, text)| line(number, euro, card, 10_000, fees, text));
    settle(euro, lines.collect(), -250)
}

#[test]
fn every_format_ends_with_the_checksum_of_all_previous_bytes() {
    let story = story(11);
    let statement = story.statement();
    let reports = [
        (super::csv::write(&statement), "\r\n"),
        (super::json::write(&statement), "\"}}"),
        (
            super::camt053::write(&statement),
            "</AddtlStmtInf>\n</Stmt>\n</BkToCstmrStmt>\n</Document>\n",
        ),
    ];
    for (report, after) in reports {
        let before = report.strip_suffix(after).unwrap();
        let (before, checksum) = before.split_at(before.len() - 64);
        let before = before.split("<AddtlStmtInf>").next().unwrap();
        assert_eq!(super::checksum(before), checksum);
        assert_ne!(super::checksum(&before.replacen('7', "8", 1)), checksum);
    }
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(super::checksum("abc"), known);
}

#[test]
fn reports_do_not_depend_on_the_state_of_the_payout() {
    let mut story = story(11);
    let write = |story: &Story| {
        let statement = story.statement();
        [
            super::csv::write(&statement),
            super::json::write(&statement),
            super::camt053::write(&statement),
        ]
    };
    let before = write(&story);
    story.lines.reverse();
    let payout = story.payout.as_mut().unwrap();
    payout.state = PayoutState::Returned;
    payout.failure = Some("account_closed".to_owned());
    payout.updated_at_ms += 86_400_000;
    assert_eq!(write(&story), before);
    story.lines[0].gross_minor += 1;
    assert!(
        write(&story)
            .iter()
            .zip(&before)
            .all(|(now, before)| now != before)
    );
}

//! Debtors, their R-transactions, deadlines, and what a tester requests.

use super::{NAME, SimulatedDirectDebits, debtor};
use crate::control::ControlError;
use crate::outcome::Directive;
use crate::simulation::tests::{APPROVED, TestBank, declined, euros, modification, money, payment};
use jiff::civil::date;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::direct_debit::CollectionStatus::{Refunded, Rejected, Returned, Settled};
use sealpay_provider::direct_debit::{
    CollectionRequest, CollectionStatus, Debtor, DebtorAccount, Mandate, ReasonCode, ReasonKind,
    Scheme, SequenceType,
};
use sealpay_provider::modification::ModificationKind::{Refund, Void};
use sealpay_provider::{DirectDebitProvider, PaymentOperations, ProviderDecision};
use std::sync::Arc;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn iban(name: &str) -> &'static str {
    &debtor::named(name).unwrap().iban
}

fn request(
    reference: PaymentId,
    money: Money,
    iban: &str,
    scheme: Scheme,
) -> CollectionRequest<'_> {
    CollectionRequest {
        reference,
        money,
        mandate: Mandate {
            creditor: "DE98ZZZ09999999999",
            reference: "M-1",
            signed_on: date(2026, 6, 1),
            scheme,
        },
        sequence: SequenceType::Ooff,
        debtor: Debtor::Account(DebtorAccount {
            iban,
            holder: "Sam Settles",
        }),
        collect_on: date(2026, 6, 3),
    }
}

impl TestBank {
    async fn collect(&self, request: CollectionRequest<'_>) -> ProviderDecision {
        self.bank.direct_debits().collect(request).await.unwrap()
    }

    /// A collection of 24.90 euros, and its reference.
    async fn debit(&self, number: u8, name: &str, scheme: Scheme) -> PaymentId {
        let reference = payment(number);
        let wanted = request(reference, euros(2490), iban(name), scheme);
        assert!(self.collect(wanted).await.is_approved(), "{name}");
        reference
    }

    /// The news of the next days, each acknowledged: how many days later, and what.
    async fn news_within(&self, days: u64) -> Vec<(u64, CollectionStatus)> {
        let mut found = Vec::new();
        for day in 0..=days {
            let debits = self.bank.direct_debits();
            for news in debits.news(self.now_ms(), 100).await.unwrap() {
                debits.acknowledge(&news.id).await.unwrap();
                found.push((day, news.status));
            }
            self.advance(DAY_MS);
        }
        found
    }

    async fn reverse(
        &self,
        reference: PaymentId,
        kind: ReasonKind,
        code: ReasonCode,
    ) -> Result<(), ControlError> {
        self.bank.reverse_debit(reference, kind, code).await
    }
}

/// The bank's clock begins on Monday, 1 June 2026 at noon; collections are of Wednesday morning.
#[tokio::test]
async fn debtors_have_the_outcomes_that_they_promise() {
    let (am04, md06, md01) = (ReasonCode::Am04, ReasonCode::Md06, ReasonCode::Md01);
    let rejected = Rejected(ReasonCode::Ms03);
    type Row<'a> = (&'a str, Scheme, &'a [(u64, CollectionStatus)]);
    let rows: [Row<'_>; 8] = [
        ("settles", Scheme::Core, &[(2, Settled)]),
        ("rejected", Scheme::Core, &[(2, rejected)]),
        ("rejected", Scheme::B2b, &[(2, rejected)]),
        (
            "unfunded",
            Scheme::Core,
            &[(2, Settled), (4, Returned(am04))],
        ),
        (
            "refunded",
            Scheme::Core,
            &[(2, Settled), (47, Refunded(md06))],
        ),
        ("refunded", Scheme::B2b, &[(2, Settled)]),
        (
            "unauthorized",
            Scheme::Core,
            &[(2, Settled), (352, Refunded(md01))],
        ),
        (
            "unauthorized",
            Scheme::B2b,
            &[(2, Settled), (352, Refunded(md01))],
        ),
    ];
    for (number, (name, scheme, expected)) in (0_u8..).zip(rows) {
        let test = TestBank::new(&format!("debit-debtor-{number}")).await;
        test.debit(number, name, scheme).await;
        assert_eq!(test.news_within(400).await, expected, "{name} {scheme:?}");
    }
    let test = TestBank::new("debit-declined").await;
    let declines = debtor::all()
        .iter()
        .filter(|debtor| sealpay_provider::decline::find(&debtor.outcome).is_some())
        .filter(|debtor| debtor.outcome != "approved");
    for (number, debtor) in (0_u8..).zip(declines) {
        let wanted = request(payment(number), euros(1), &debtor.iban, Scheme::Core);
        assert_eq!(test.collect(wanted).await, declined(&debtor.outcome));
    }
    assert!(test.news_within(10).await.is_empty());
}

#[tokio::test]
async fn an_order_may_ask_for_an_outcome() {
    let test = TestBank::new("debit-directed").await;
    let directive = Directive::from_name("debit_unfunded");
    let directed = SimulatedDirectDebits::new(Arc::clone(&test.simulation), directive);
    let wanted = request(payment(1), euros(2490), iban("settles"), Scheme::Core);
    assert!(directed.collect(wanted).await.unwrap().is_approved());
    let returned = Returned(ReasonCode::Am04);
    assert_eq!(test.news_within(30).await, [(2, Settled), (4, returned)]);
    let directive = Directive::from_name("debit_account_blocked");
    let directed = SimulatedDirectDebits::new(Arc::clone(&test.simulation), directive);
    let wanted = request(payment(2), euros(2490), iban("settles"), Scheme::Core);
    let decision = directed.collect(wanted).await.unwrap();
    assert_eq!(decision, declined("debit_account_blocked"));
}

#[tokio::test]
async fn either_the_merchant_or_the_debtor_has_a_refund() {
    let test = TestBank::new("debit-both-refunds").await;
    let debits = test.bank.direct_debits();
    let reference = test.debit(1, "refunded", Scheme::Core).await;
    let refund = |number, minor| modification(number, reference, Refund, euros(minor));
    let early = debits.modify(refund(1, 1)).await.unwrap();
    assert_eq!(early, declined("invalid_transaction"));
    test.advance(3 * DAY_MS);
    for (number, minor, expected) in [
        (2, 0, declined("invalid_amount")),
        (3, 2491, declined("invalid_amount")),
        (4, 490, APPROVED),
        (4, 490, APPROVED),
        (5, 2001, declined("invalid_amount")),
        (6, 2000, APPROVED),
        (7, 1, declined("invalid_amount")),
    ] {
        let decision = debits.modify(refund(number, minor)).await.unwrap();
        assert_eq!(decision, expected, "{number}");
    }
    let other = modification(8, reference, Refund, money(1, "USD"));
    let decision = debits.modify(other).await.unwrap();
    assert_eq!(decision, declined("invalid_amount"));
    assert_eq!(test.news_within(60).await, [(0, Settled)]);
    let md06 = ReasonCode::Md06;
    let late = test.reverse(reference, ReasonKind::Refund, md06).await;
    assert!(matches!(
        late,
        Err(ControlError::Invalid { field: "type", .. })
    ));
    let reference = test.debit(2, "refunded", Scheme::Core).await;
    let news = test.news_within(60).await;
    assert_eq!(news.last().map(|(_, status)| *status), Some(Refunded(md06)));
    let late = modification(9, reference, Refund, euros(1));
    let decision = debits.modify(late).await.unwrap();
    assert_eq!(decision, declined("invalid_transaction"));
}

#[tokio::test]
async fn testers_reverse_within_the_deadlines() {
    use ReasonCode::{Am04, Md01, Md06, Ms03};
    let reject = (ReasonKind::Reject, Ms03);
    let unfunded = (ReasonKind::Return, Am04);
    let refund = (ReasonKind::Refund, Md06);
    let disputed = (ReasonKind::Refund, Md01);
    // Days after the submission; settled after two.
    let rows = [
        (Scheme::Core, 1, reject, Some(Rejected(Ms03))),
        (Scheme::Core, 3, reject, None),
        (Scheme::Core, 1, unfunded, None),
        (Scheme::Core, 3, unfunded, Some(Returned(Am04))),
        (Scheme::Core, 3, refund, Some(Refunded(Md06))),
        (Scheme::Core, 57, refund, Some(Refunded(Md06))),
        (Scheme::Core, 58, refund, None),
        (Scheme::Core, 58, disputed, Some(Refunded(Md01))),
        (Scheme::Core, 397, disputed, Some(Refunded(Md01))),
        (Scheme::Core, 398, disputed, None),
        (Scheme::B2b, 3, refund, None),
        (Scheme::B2b, 3, disputed, Some(Refunded(Md01))),
    ];
    for (number, (scheme, days, (kind, code), expected)) in (0_u8..).zip(rows) {
        let test = TestBank::new(&format!("debit-reversed-{number}")).await;
        let reference = test.debit(number, "settles", scheme).await;
        test.advance(days * DAY_MS);
        let reversed = test.reverse(reference, kind, code).await;
        assert_eq!(reversed.is_ok(), expected.is_some(), "row {number}");
        assert!(test.reverse(reference, kind, code).await.is_err());
        let news = test.news_within(10).await;
        let last = news.last().map(|(_, status)| *status);
        assert_eq!(last, Some(expected.unwrap_or(Settled)), "row {number}");
    }
    let test = TestBank::new("debit-reversed-unknown").await;
    let unknown = test.reverse(payment(1), ReasonKind::Reject, Ms03).await;
    assert!(matches!(unknown, Err(ControlError::NotFound)));
    let unfit = test.reverse(payment(1), ReasonKind::Reject, Md06).await;
    assert!(matches!(
        unfit,
        Err(ControlError::Invalid {
            field: "reason",
            ..
        })
    ));
}

#[tokio::test]
async fn no_iban_is_stored() {
    let test = TestBank::new("debit-no-iban").await;
    let mut first = request(payment(1), euros(1), iban("settles"), Scheme::Core);
    first.sequence = SequenceType::Frst;
    assert!(test.collect(first).await.is_approved());
    let void = modification(1, payment(2), Void, euros(1));
    let debits = test.bank.direct_debits();
    assert_eq!(debits.modify(void).await.unwrap(), APPROVED);
    assert_eq!(debits.name(), NAME);
    test.bank.close().await;
    for file in test.files() {
        let bytes = std::fs::read(&file).unwrap();
        let iban = iban("settles").as_bytes();
        let is_there = bytes.windows(iban.len()).any(|window| window == iban);
        assert!(!is_there, "{}", file.display());
    }
}

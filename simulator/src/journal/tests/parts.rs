//! Captures and refunds in parts add up in every currency, also at once.

use super::operations::change;
use super::{input, reference};
use crate::account::{Account, tests::account};
use crate::simulation::tests::{APPROVED, euros, journal, money};
use sealpay_protocol::order::Capture;
use sealpay_provider::modification::ModificationKind;
use std::sync::Arc;

/// Pseudo-random numbers, the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: i64) -> i64 {
        let (factor, addend) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(addend);
        let most = u64::try_from(most).unwrap();
        i64::try_from(self.0 >> 33).unwrap() % i64::try_from(most).unwrap() + 1
    }
}

#[tokio::test]
async fn parts_in_another_currency_add_up_to_the_minor_unit() {
    let (journal, _folder) = journal("shares").await;
    let currencies = ["EUR", "USD", "JPY", "KWD", "HUF"];
    let mut number = 0;
    for (seed, currency) in (1..=8).flat_map(|seed| currencies.map(|currency| (seed, currency))) {
        let mut dice = Dice(seed);
        let state = Account {
            id: format!("card:{seed}:{currency}"),
            balance_minor: 1_000_000_000,
            ..account()
        };
        let row = format!("{currency} {seed}");
        let whole = dice.up_to(10_000) + 20;
        number += 1;
        let payment = reference(number);
        let paid = input(number, &state, money(whole, currency), Capture::Manual);
        journal.decide(paid).await;
        let held = journal.stored(&state).await.held_minor;
        assert!(held > 0, "{row}");
        let mut part = async |kind, amount| {
            number += 1;
            let mut change = change(number, kind, money(amount, currency));
            change.request.payment = payment;
            let modified = journal.run(change).await;
            assert_eq!(modified.decision, APPROVED, "{row} {kind:?} {amount}");
            journal.stored(&state).await
        };
        let captured = if seed % 2 == 0 { whole } else { whole - 7 };
        let (mut left, mut debited) = (captured, 0);
        while left > 0 {
            let amount = dice.up_to(whole / 4 + 1).min(left);
            left -= amount;
            let now = part(ModificationKind::Capture, amount).await;
            let (before, spent) = (debited, 1_000_000_000 - now.balance_minor);
            debited = spent;
            assert!(spent >= before, "{row}");
            assert_eq!(
                spent + now.held_minor,
                held,
                "{row}: nothing is lost or created"
            );
        }
        if captured == whole {
            assert_eq!(debited, held, "{row}");
        }
        let mut left = captured;
        while left > 0 {
            let amount = dice.up_to(whole / 4 + 1).min(left);
            left -= amount;
            let now = part(ModificationKind::Refund, amount).await;
            let spent = 1_000_000_000 - now.balance_minor;
            assert!((0..=debited).contains(&spent), "{row}");
            assert_eq!(now.held_minor, 0, "{row}");
            debited = spent;
        }
        assert_eq!(debited, 0, "{row}: all of it is refunded");
    }
}

#[tokio::test]
async fn parts_at_once_are_together_at_most_the_whole() {
    let (journal, _folder) = journal("parts-at-once").await;
    let input = input(1, &account(), euros(6_000), Capture::Manual);
    journal.decide(input).await;
    for (first, kind) in [
        (0, ModificationKind::Capture),
        (100, ModificationKind::Refund),
    ] {
        let parts = (1..=40).map(|number| {
            let journal = Arc::clone(&journal);
            // Each one twice.
            let part = change(first + number / 2, kind, euros(700));
            tokio::spawn(async move { journal.run(part).await })
        });
        let (mut done, mut repeated) = (0, 0);
        for part in parts.collect::<Vec<_>>() {
            let part = part.await.unwrap();
            repeated += usize::from(part.is_repeated);
            done += usize::from(part.decision == APPROVED && !part.is_repeated);
        }
        assert_eq!((done, repeated), (8, 19), "{kind:?}");
        let first = journal.first().await;
        let expected = if kind == ModificationKind::Capture {
            (5_600, 0)
        } else {
            (5_600, 5_600)
        };
        assert_eq!((first.booked_minor, first.refunded_minor), expected);
    }
    let now = journal.stored(&account()).await;
    assert_eq!((now.balance_minor, now.held_minor), (10_000, 0));
}

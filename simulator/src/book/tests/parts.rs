//! Parts of a payment: they add up in every currency, whoever asks for them at once.

use super::holds::{change, entry, run};
use super::{NOON, euros, input, reference, stored, times};
use crate::account::{Account, tests::account};
use crate::book::authorize;
use crate::world::tests::{TestFolder, database};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use sealpay_provider::modification::ModificationKind;

/// Small numbers that look like chance and are the same each time.
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
    let folder = TestFolder::new("shares");
    let database = database(&folder).await;
    let currencies = ["EUR", "USD", "JPY", "KWD", "HUF"];
    let mut number = 0;
    for (seed, currency) in (1..=8).flat_map(|seed| currencies.map(|currency| (seed, currency))) {
        let mut dice = Dice(seed);
        let state = Account {
            id: format!("card:{seed}:{currency}"),
            balance_minor: 1_000_000_000,
            ..account()
        };
        let what = format!("{currency} {seed}");
        let whole = dice.up_to(10_000) + 20;
        number += 1;
        let payment = reference(number);
        let money = Money::new(whole, currency.parse().unwrap());
        let paid = input(number, &state, money, Capture::Manual);
        authorize(&database, paid, times(NOON)).await.unwrap();
        let held = stored(&database, &state).await.held_minor;
        assert!(held > 0, "{what}");
        let mut part = async |kind, amount| {
            number += 1;
            let money = Money::new(amount, currency.parse().unwrap());
            let mut change = change(number, kind, money);
            change.request.payment = payment;
            let modified = run(&database, change).await;
            assert_eq!(
                modified.answer,
                ProviderDecision::Approved,
                "{what} {kind:?} {amount}"
            );
            stored(&database, &state).await
        };
        let taken = if seed % 2 == 0 { whole } else { whole - 7 };
        let (mut left, mut gone) = (taken, 0);
        while left > 0 {
            let amount = dice.up_to(whole / 4 + 1).min(left);
            left -= amount;
            let now = part(ModificationKind::Capture, amount).await;
            let (before, spent) = (gone, 1_000_000_000 - now.balance_minor);
            gone = spent;
            assert!(spent >= before, "{what}");
            assert_eq!(
                spent + now.held_minor,
                held,
                "{what}: nothing is lost or made"
            );
        }
        if taken == whole {
            assert_eq!(gone, held, "{what}");
        }
        let mut left = taken;
        while left > 0 {
            let amount = dice.up_to(whole / 4 + 1).min(left);
            left -= amount;
            let now = part(ModificationKind::Refund, amount).await;
            let spent = 1_000_000_000 - now.balance_minor;
            assert!((0..=gone).contains(&spent), "{what}");
            assert_eq!(now.held_minor, 0, "{what}");
            gone = spent;
        }
        assert_eq!(gone, 0, "{what}: everything came back");
    }
}

#[tokio::test]
async fn parts_that_are_taken_at_once_are_together_no_more_than_the_whole() {
    let folder = TestFolder::new("parts-at-once");
    let database = database(&folder).await;
    let input = input(1, &account(), euros(6_000), Capture::Manual);
    authorize(&database, input, times(NOON)).await.unwrap();
    for (first, kind) in [
        (0, ModificationKind::Capture),
        (100, ModificationKind::Refund),
    ] {
        let parts = (1..=40).map(|number| {
            let database = database.clone();
            // Each comes twice.
            let part = change(first + number / 2, kind, euros(700));
            tokio::spawn(async move { run(&database, part).await })
        });
        let (mut done, mut repeated) = (0, 0);
        for part in parts.collect::<Vec<_>>() {
            let part = part.await.unwrap();
            repeated += usize::from(part.is_repeated);
            done += usize::from(part.answer == ProviderDecision::Approved && !part.is_repeated);
        }
        assert_eq!((done, repeated), (8, 19), "{kind:?}");
        let entry = entry(&database).await;
        let expected = if kind == ModificationKind::Capture {
            (5_600, 0)
        } else {
            (5_600, 5_600)
        };
        assert_eq!((entry.booked_minor, entry.refunded_minor), expected);
    }
    let now = stored(&database, &account()).await;
    assert_eq!((now.balance_minor, now.held_minor), (10_000, 0));
}

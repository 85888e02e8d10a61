use super::super::period::Period;
use super::{Item, LineKind, ProrationError, change, part};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sealpay_protocol::money::{Money, MoneyError};

fn money(amount_minor: i64) -> Money {
    Money::new(amount_minor, "EUR".parse().unwrap())
}

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn period(seconds: i64) -> Period {
    Period::new(second(0), second(seconds)).unwrap()
}

fn item(price_id: &str, unit_minor: i64, quantity: u32) -> Item<'_> {
    let unit_price = money(unit_minor);
    Item {
        price_id,
        unit_price,
        quantity,
    }
}

#[test]
fn parts_are_rounded_half_to_even() {
    let rows = [
        // Price, length, from, to, part; lengths in seconds.
        (1000, 30, 0, 30, 1000),
        (1000, 30, 0, 10, 333),
        (1000, 30, 10, 20, 334),
        (1000, 30, 20, 30, 333),
        (1000, 30, 10, 30, 667),
        (1000, 30, 15, 15, 0),
        (1, 2, 0, 1, 0),
        (1, 2, 1, 2, 1),
        (3, 2, 0, 1, 2),
        (3, 2, 1, 2, 1),
        (5, 2, 0, 1, 2),
        (-1, 2, 0, 1, 0),
        (-3, 2, 0, 1, -2),
        (-1000, 30, 0, 10, -333),
        (0, 30, 0, 10, 0),
        (2990, 2_678_400, 1_339_200, 2_678_400, 1495),
        (i64::MAX, 94_608_000, 0, 94_608_000, i64::MAX),
        (i64::MAX, 2, 1, 2, 4_611_686_018_427_387_903),
        (i64::MIN, 2, 0, 1, -4_611_686_018_427_387_904),
        (i64::MIN, 94_608_000, 0, 94_608_000, i64::MIN),
    ];
    for (price, length, from, to, expected) in rows {
        let found = part(money(price), &period(length), second(from), second(to));
        assert_eq!(found, Ok(money(expected)), "{price} {length} {from} {to}");
    }
}

#[test]
fn fractions_of_a_second_are_dropped() {
    let half = SignedDuration::from_millis(500);
    let found = part(money(1000), &period(10), second(4) + half, second(10));
    assert_eq!(found, Ok(money(600)));
    // A subscription may start between two seconds; its last instant is still the whole price.
    let short = Period::new(second(0), second(0) + half).unwrap();
    assert_eq!(
        part(money(7), &short, short.start(), short.end()),
        Ok(money(7))
    );
}

#[test]
fn parts_outside_of_the_period_are_rejected() {
    let rows = [
        (-1, 5, ProrationError::OutsidePeriod),
        (5, 11, ProrationError::OutsidePeriod),
        (6, 5, ProrationError::Backwards),
    ];
    for (from, to, error) in rows {
        let found = part(money(1000), &period(10), second(from), second(to));
        assert_eq!(found, Err(error), "{from} {to}");
    }
    let same = [item("pri_a", 1, 1)];
    let found = change(&period(10), second(11), &same, &same);
    assert_eq!(found, Err(ProrationError::OutsidePeriod));
}

#[test]
fn a_change_credits_the_plan_and_charges_the_rest() {
    let basic = item("pri_basic", 1000, 1);
    let seats = item("pri_seat", 500, 3);
    let premium = item("pri_premium", 3000, 1);
    let more_seats = item("pri_seat", 500, 5);
    type Expected = &'static [(LineKind, &'static str, i64)];
    let rows: [(i64, Vec<_>, Vec<_>, Expected); 6] = [
        // A third of the period is left: upgrade, downgrade, add, quantity, nothing, to nothing.
        (
            20,
            vec![basic],
            vec![premium],
            &[
                (LineKind::Credit, "pri_basic", -333),
                (LineKind::Charge, "pri_premium", 1000),
            ],
        ),
        (
            20,
            vec![premium],
            vec![basic],
            &[
                (LineKind::Credit, "pri_premium", -1000),
                (LineKind::Charge, "pri_basic", 333),
            ],
        ),
        (
            20,
            vec![basic],
            vec![basic, seats],
            &[(LineKind::Charge, "pri_seat", 500)],
        ),
        (
            20,
            vec![basic, seats],
            vec![more_seats, basic],
            &[
                (LineKind::Credit, "pri_seat", -500),
                (LineKind::Charge, "pri_seat", 833),
            ],
        ),
        (20, vec![basic, seats], vec![seats, basic], &[]),
        (
            0,
            vec![basic, basic],
            vec![basic],
            &[(LineKind::Credit, "pri_basic", -1000)],
        ),
    ];
    for (at, before, after, expected) in rows {
        let found = change(&period(30), second(at), &before, &after).unwrap();
        let lines: Vec<_> = found
            .lines
            .iter()
            .map(|line| (line.kind, line.item.price_id, line.amount.amount_minor()))
            .collect();
        assert_eq!(lines, expected, "{before:?} {after:?}");
        let total: i64 = expected.iter().map(|(_, _, amount)| amount).sum();
        assert_eq!(found.total, money(total));
    }
}

/// Two upgrades in one period cost what the plans are worth. A credit from the last charge would
/// refund the price of a whole period for what was charged for a part of it.
#[test]
fn a_second_upgrade_is_credited_from_the_plan() {
    let plans = [
        item("pri_a", 1000, 1),
        item("pri_b", 4000, 1),
        item("pri_c", 9000, 1),
    ];
    let upgrade = |at, from: usize, to: usize| {
        let found = change(
            &period(100),
            second(at),
            &plans[from..=from],
            &plans[to..=to],
        );
        found.unwrap().total.amount_minor()
    };
    assert_eq!((upgrade(50, 0, 1), upgrade(75, 1, 2)), (1500, 1250));
    // 50 seconds of a, 25 of b, 25 of c.
    assert_eq!(1000 + 1500 + 1250, 500 + 1000 + 2250);
}

#[test]
fn mixed_currencies_overflow_and_no_items_are_rejected() {
    let euro = item("pri_a", 1000, 1);
    let mut dollar = euro;
    dollar.unit_price = Money::new(1000, "USD".parse().unwrap());
    let large = item("pri_a", i64::MAX, 2);
    let largest = item("pri_a", i64::MAX, 1);
    let mixed = ProrationError::Money(MoneyError::CurrencyMismatch);
    let overflow = ProrationError::Money(MoneyError::Overflow);
    let rows = [
        (vec![], vec![], ProrationError::NoItems),
        (vec![euro], vec![dollar], mixed),
        (vec![euro, dollar], vec![euro, dollar], mixed),
        (vec![], vec![large], overflow),
        (vec![], vec![largest, largest], overflow),
    ];
    for (before, after, error) in rows {
        let found = change(&period(30), second(0), &before, &after);
        assert_eq!(found, Err(error), "{before:?} {after:?}");
    }
}

fn plans() -> impl Strategy<Value = Vec<(i64, u32)>> {
    prop::collection::vec((0_i64..1_000_000_000_000, 0_u32..10_000), 1..4)
}

fn items(plans: &[(i64, u32)]) -> Vec<Item<'static>> {
    let ids = ["pri_a", "pri_b", "pri_c"];
    let items = ids.into_iter().zip(plans);
    items
        .map(|(id, (price, quantity))| item(id, *price, *quantity))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn parts_of_a_period_add_up_to_its_price(
        price in any::<i64>(), length in 1_i64..100_000_000, cuts in prop::collection::vec(any::<u64>(), 0..12),
    ) {
        let whole = period(length);
        let length = u64::try_from(length).unwrap();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| i64::try_from(cut % (length + 1)).unwrap()).collect();
        cuts.extend([0, i64::try_from(length).unwrap()]);
        cuts.sort_unstable();
        let mut sum = 0_i128;
        for pair in cuts.windows(2) {
            let amount = part(money(price), &whole, second(pair[0]), second(pair[1])).unwrap();
            let amount = i128::from(amount.amount_minor());
            // Each is within one minor unit of its exact share, and has the sign of the price.
            let share = i128::from(price) * i128::from(pair[1] - pair[0]);
            let length = i128::from(length);
            prop_assert!((amount * length - share).abs() <= length);
            prop_assert!(amount == 0 || (amount < 0) == (price < 0));
            sum += amount;
        }
        prop_assert_eq!(sum, i128::from(price));
    }

    #[test]
    fn a_change_and_its_reverse_at_the_same_instant_cost_nothing(
        before in plans(), after in plans(), length in 1_i64..100_000_000, at in any::<u64>(),
    ) {
        let whole = period(length);
        let at = second(i64::try_from(at % (u64::try_from(length).unwrap() + 1)).unwrap());
        let (before, after) = (items(&before), items(&after));
        let there = change(&whole, at, &before, &after).unwrap();
        let back = change(&whole, at, &after, &before).unwrap();
        prop_assert_eq!(there.total.checked_add(back.total), Ok(money(0)));
        prop_assert_eq!(there.lines.len(), back.lines.len());
        // By way of a third plan it costs the same.
        let third = items(&[(990, 1)]);
        let first = change(&whole, at, &before, &third).unwrap();
        let second = change(&whole, at, &third, &after).unwrap();
        prop_assert_eq!(first.total.checked_add(second.total), Ok(there.total));
    }

    #[test]
    fn what_is_accrued_and_what_is_left_are_the_price(
        plans in plans(), length in 1_i64..100_000_000, at in any::<u64>(),
    ) {
        let whole = period(length);
        let at = second(i64::try_from(at % (u64::try_from(length).unwrap() + 1)).unwrap());
        for item in items(&plans) {
            let value = item.value().unwrap();
            let used = part(value, &whole, whole.start(), at).unwrap();
            let left = part(value, &whole, at, whole.end()).unwrap();
            prop_assert_eq!(used.checked_add(left), Ok(value));
            prop_assert!(used.amount_minor() >= 0 && left.amount_minor() >= 0);
        }
    }
}

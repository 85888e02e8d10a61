//! Every state of an account, amounts around every limit, both kinds of capture: what is answered
//! and what becomes of the account.

mod holds;
mod parts;

use super::{AuthorizationInput, RecordedResult, Times, ask, authorize};
use crate::account::tests::account;
use crate::account::{Account, AccountStatus, day_of};
use crate::world::tests::{NOON_MS, TestFolder, database};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use sealpay_storage::Database;

const HARBOR: &str = "harbor";
const NOON: i64 = NOON_MS.cast_signed();
const HOLD_MS: i64 = 1_000_000;
const TODAY: i64 = day_of(NOON);

fn times(now_ms: i64) -> Times {
    Times {
        now_ms,
        day: day_of(now_ms),
        hold_until_ms: now_ms + HOLD_MS,
    }
}

fn reference(number: u64) -> PaymentId {
    PaymentId::new(number, [7; 10])
}

fn euros(amount_minor: i64) -> Money {
    Money::new(amount_minor, "EUR".parse().unwrap())
}

fn input(number: u64, account: &Account, money: Money, capture: Capture) -> AuthorizationInput {
    AuthorizationInput {
        provider: HARBOR.into(),
        reference: reference(number),
        account: account.clone(),
        money,
        capture,
        script: None,
    }
}

async fn stored(database: &Database, account: &Account) -> Account {
    let stored = super::account(database, &account.id).await.unwrap();
    stored.unwrap()
}

fn approved() -> RecordedResult {
    RecordedResult::Answered(ProviderDecision::Approved)
}

fn declined(reason: &str) -> RecordedResult {
    RecordedResult::Answered(ProviderDecision::Declined(reason.into()))
}

/// A state, an amount in cents, and the reason of a decline if it is one.
type Row = (&'static str, Account, i64, Option<&'static str>);

fn states() -> Vec<Row> {
    let mut rows = Vec::new();
    let reasons = [
        (AccountStatus::Active, None),
        (AccountStatus::Blocked, Some("restricted_card")),
        (AccountStatus::Lost, Some("lost_card")),
        (AccountStatus::Stolen, Some("stolen_card")),
        (AccountStatus::Closed, Some("closed_account")),
        (AccountStatus::Expired, Some("expired_card")),
        (AccountStatus::NotActivated, Some("blocked_first_use")),
    ];
    assert_eq!(reasons.len(), AccountStatus::ALL.len());
    for (status, reason) in reasons {
        let account = Account {
            status,
            ..account()
        };
        for amount in [1, 9_999, 10_000] {
            rows.push((status.name(), account.clone(), amount, reason));
        }
        // A status goes before the balance.
        rows.push((
            status.name(),
            account,
            10_001,
            reason.or(Some("insufficient_funds")),
        ));
    }
    for (wrong_codes, reason) in [(0, None), (4, None), (5, Some("pin_tries_exceeded"))] {
        let account = Account {
            wrong_codes,
            locked: wrong_codes >= 5,
            ..account()
        };
        rows.push(("wrong codes", account, 100, reason));
    }
    rows
}

fn limits() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut around = |name, account: Account, limit: i64, reason| {
        for amount in [1, limit - 1, limit] {
            rows.push((name, account.clone(), amount, None));
        }
        rows.push((name, account.clone(), limit + 1, Some(reason)));
        rows.push((name, account, 900_000_000, Some(reason)));
    };
    let rich = Account {
        balance_minor: 1_000_000_000_000,
        ..account()
    };
    let funds = "insufficient_funds";
    around("balance", account(), 10_000, funds);
    let held = Account {
        held_minor: 4_000,
        ..account()
    };
    around("balance less what is held", held, 6_000, funds);
    let credit = Account {
        balance_minor: -20_000,
        credit_limit_minor: Some(50_000),
        ..account()
    };
    around("credit limit", credit.clone(), 30_000, funds);
    let held = Account {
        held_minor: 29_000,
        ..credit
    };
    around("credit limit less what is held", held, 1_000, funds);
    let amount = "amount_limit_exceeded";
    let per_transaction = Account {
        per_transaction_limit_minor: Some(5_000),
        ..rich.clone()
    };
    around("limit of one payment", per_transaction, 5_000, amount);
    let no_funds = Account {
        credit_limit_minor: None,
        per_transaction_limit_minor: Some(5_000),
        balance_minor: -1,
        ..account()
    };
    around(
        "no credit limit, and one of a payment",
        no_funds,
        5_000,
        amount,
    );
    let daily = Account {
        daily_sum_limit_minor: Some(20_000),
        ..rich.clone()
    };
    around("sum of an empty day", daily.clone(), 20_000, amount);
    let spent = |day| Account {
        day,
        day_count: 2,
        day_sum_minor: 15_000,
        ..daily.clone()
    };
    around("sum of a day", spent(TODAY), 5_000, amount);
    around("sum of another day", spent(TODAY - 1), 20_000, amount);
    let zero = Account {
        balance_minor: 0,
        ..account()
    };
    rows.push(("nothing on it", zero, 1, Some(funds)));
    rows
}

fn counts() -> Vec<Row> {
    let counted = |day, day_count, limit| Account {
        day,
        day_count,
        daily_count_limit: Some(limit),
        ..account()
    };
    let exceeded = Some("count_limit_exceeded");
    vec![
        ("first of the day", counted(TODAY, 0, 3), 1, None),
        ("last of the day", counted(TODAY, 2, 3), 1, None),
        ("one too many", counted(TODAY, 3, 3), 1, exceeded),
        ("many too many", counted(TODAY, 9, 3), 1, exceeded),
        ("the day after", counted(TODAY - 1, 9, 3), 1, None),
        ("none allowed", counted(TODAY - 1, 0, 0), 1, exceeded),
    ]
}

/// What the account has to be after an answer.
fn after(before: &Account, amount: i64, capture: Capture) -> Account {
    let same_day = before.day == TODAY;
    let manual = capture == Capture::Manual;
    Account {
        held_minor: before.held_minor + if manual { amount } else { 0 },
        balance_minor: before.balance_minor - if manual { 0 } else { amount },
        day: TODAY,
        day_count: if same_day { before.day_count + 1 } else { 1 },
        day_sum_minor: amount + if same_day { before.day_sum_minor } else { 0 },
        ..before.clone()
    }
}

#[tokio::test]
async fn every_state_and_every_limit_gives_its_answer_and_its_effect() {
    let folder = TestFolder::new("table");
    let database = database(&folder).await;
    let rows = [states(), limits(), counts()].concat();
    let mut number = 0;
    for (name, state, amount, reason) in rows {
        for capture in [Capture::Automatic, Capture::Manual] {
            // A new account is made while it is asked; an old one is asked in one journey.
            for is_new in [true, false] {
                number += 1;
                let row = format!("{name}: {amount}, {capture:?}, new: {is_new}");
                let before = Account {
                    id: format!("card:{number}"),
                    ..state.clone()
                };
                if !is_new {
                    let made = super::make_account(&database, before.clone()).await;
                    assert_eq!(made.unwrap(), before, "{row}");
                }
                // Whoever asks does not know how an old account stands by now.
                let known = Account {
                    balance_minor: 10_000_000,
                    ..account()
                };
                let known = Account {
                    id: before.id.clone(),
                    ..if is_new { before.clone() } else { known }
                };
                let input = input(number, &known, euros(amount), capture);
                let answer = authorize(&database, input, times(NOON)).await.unwrap();
                let now = stored(&database, &before).await;
                if let Some(reason) = reason {
                    assert_eq!(answer, declined(reason), "{row}");
                    assert_eq!(now, before, "{row}");
                } else {
                    assert_eq!(answer, approved(), "{row}");
                    assert_eq!(now, after(&before, amount, capture), "{row}");
                }
                let asked = ask(&database, HARBOR, reference(number), NOON).await;
                assert_eq!(asked.unwrap(), answer, "{row}");
            }
        }
    }
    assert!(number > 200, "{number}");
}

#[tokio::test]
async fn the_first_answer_stands_and_is_counted_once() {
    let folder = TestFolder::new("first-answer");
    let database = database(&folder).await;
    let poor = account();
    for (number, amount) in [(1, 6_000), (2, 6_000)] {
        for again in 0..3 {
            let capture = Capture::Automatic;
            let input = input(number, &poor, euros(amount - again), capture);
            let answer = authorize(&database, input, times(NOON)).await.unwrap();
            let expected = if number == 1 {
                approved()
            } else {
                declined("insufficient_funds")
            };
            assert_eq!(answer, expected, "{number} {again}");
        }
    }
    let now = stored(&database, &poor).await;
    let counted = (now.balance_minor, now.day_count, now.day_sum_minor);
    assert_eq!(counted, (4_000, 1, 6_000));
}

#[tokio::test]
async fn a_reference_that_was_given_up_cannot_arrive_later() {
    let folder = TestFolder::new("given-up");
    let database = database(&folder).await;
    let never = RecordedResult::NeverReceived;
    let asked = ask(&database, HARBOR, reference(1), NOON).await.unwrap();
    assert_eq!(asked, never);
    super::make_account(&database, account()).await.unwrap();
    let unlimited = Account {
        credit_limit_minor: None,
        ..account()
    };
    for known in [&account(), &unlimited] {
        let input = input(1, known, euros(5), Capture::Automatic);
        let late = authorize(&database, input, times(NOON)).await.unwrap();
        assert_eq!(late, never);
    }
    // The account was asked and the answer taken back: an empty day has begun.
    let untouched = Account {
        day: TODAY,
        ..account()
    };
    assert_eq!(stored(&database, &account()).await, untouched);
    // Another acquirer has a book of references of its own.
    let asked = AuthorizationInput {
        provider: "meridian".into(),
        ..input(1, &account(), euros(5), Capture::Automatic)
    };
    let answer = authorize(&database, asked, times(NOON)).await.unwrap();
    assert_eq!(answer, approved());
    // Letting go of what is unknown keeps it from arriving as well.
    assert_eq!(
        holds::let_go(&database, 2).await,
        ProviderDecision::Approved
    );
    let input = input(2, &account(), euros(5), Capture::Automatic);
    let late = authorize(&database, input, times(NOON)).await.unwrap();
    assert_eq!(late, never);
}

#[tokio::test]
async fn an_account_that_nothing_limits_is_not_touched_until_it_is_limited() {
    let folder = TestFolder::new("unlimited");
    let database = database(&folder).await;
    let unlimited = Account {
        credit_limit_minor: None,
        ..account()
    };
    let pay = async |number, capture| {
        let input = input(number, &unlimited, euros(700), capture);
        authorize(&database, input, times(NOON)).await.unwrap()
    };
    assert_eq!(pay(1, Capture::Automatic).await, approved());
    assert_eq!(
        super::account(&database, &unlimited.id).await.unwrap(),
        None
    );
    assert_eq!(pay(2, Capture::Manual).await, approved());
    let limited = Account {
        status: AccountStatus::Blocked,
        ..unlimited.clone()
    };
    super::make_account(&database, limited).await.unwrap();
    assert_eq!(
        pay(3, Capture::Automatic).await,
        declined("restricted_card")
    );
    assert_eq!(pay(1, Capture::Automatic).await, approved());
    // What was held before it was limited is let go without a trace on the account.
    assert_eq!(
        holds::let_go(&database, 2).await,
        ProviderDecision::Approved
    );
    let now = stored(&database, &unlimited).await;
    assert_eq!(
        (now.held_minor, now.balance_minor, now.day_count),
        (0, 10_000, 0)
    );
}

#[tokio::test]
async fn an_answer_from_a_script_leaves_the_account_untouched() {
    let folder = TestFolder::new("script");
    let database = database(&folder).await;
    super::make_account(&database, account()).await.unwrap();
    for (number, answer) in [
        (1, ProviderDecision::Approved),
        (2, ProviderDecision::Declined("lost_card".into())),
    ] {
        for capture in [Capture::Automatic, Capture::Manual] {
            let scripted = AuthorizationInput {
                script: Some(answer.clone()),
                ..input(number, &account(), euros(99_999_999), capture)
            };
            let booked = authorize(&database, scripted, times(NOON)).await.unwrap();
            assert_eq!(booked, RecordedResult::Answered(answer.clone()));
        }
    }
    assert_eq!(stored(&database, &account()).await, account());
}

#[tokio::test]
async fn other_currencies_are_exchanged_or_refused() {
    let folder = TestFolder::new("exchange");
    let database = database(&folder).await;
    let rows = [
        ("USD", 11_627, approved(), 10_000),
        ("USD", 11_629, declined("insufficient_funds"), 0),
        ("JPY", 18_181, approved(), 10_000),
        ("JPY", 18_183, declined("insufficient_funds"), 0),
        ("BTN", 1, declined("invalid_amount"), 0),
    ];
    for (number, (currency, amount, expected, taken)) in (1..).zip(rows) {
        let state = Account {
            id: format!("card:{number}"),
            ..account()
        };
        let money = Money::new(amount, currency.parse().unwrap());
        let input = input(number, &state, money, Capture::Automatic);
        let answer = authorize(&database, input, times(NOON)).await.unwrap();
        assert_eq!(answer, expected, "{amount} {currency}");
        let now = stored(&database, &state).await;
        assert_eq!(now.balance_minor, 10_000 - taken, "{amount} {currency}");
    }
}

#[tokio::test]
async fn two_hundred_payments_at_once_on_a_balance_for_a_hundred_approve_a_hundred() {
    let folder = TestFolder::new("crowd");
    let database = database(&folder).await;
    let rich = Account {
        balance_minor: 100 * 2_490,
        ..account()
    };
    let payments = (1..=200).map(|number| {
        let database = database.clone();
        let input = input(number, &rich, euros(2_490), Capture::Automatic);
        tokio::spawn(async move { authorize(&database, input, times(NOON)).await.unwrap() })
    });
    let payments: Vec<_> = payments.collect();
    let mut answers = Vec::new();
    for payment in payments {
        answers.push(payment.await.unwrap());
    }
    let yes = answers.iter().filter(|answer| **answer == approved());
    assert_eq!(yes.count(), 100);
    let no = declined("insufficient_funds");
    assert_eq!(answers.iter().filter(|answer| **answer == no).count(), 100);
    let now = stored(&database, &rich).await;
    assert_eq!((now.balance_minor, now.held_minor), (0, 0));
}

//! Every state of an account, amounts around every limit, both kinds of capture: the decision and
//! the account afterwards.

mod operations;
mod parts;

use super::{AuthorizationInput, Journal};
use crate::account::tests::account;
use crate::account::{Account, AccountStatus, day_of};
use crate::simulation::tests::{APPROVED, NOON, declined, euros, journal, money};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::{Approval, ProviderDecision};
use std::sync::Arc;

const HARBOR: &str = "harbor";
const TODAY: i64 = day_of(NOON);

fn reference(number: u64) -> PaymentId {
    PaymentId::new(number, [7; 10])
}

fn input(number: u64, account: &Account, money: Money, capture: Capture) -> AuthorizationInput {
    AuthorizationInput {
        provider: HARBOR.into(),
        reference: reference(number),
        account: account.clone(),
        money,
        capture,
        decision: None,
        codes: Approval::NONE,
        now_ms: NOON,
    }
}

impl Journal {
    /// The decision about an authorization; a tombstone's is `duplicate_transaction`.
    async fn decide(&self, input: AuthorizationInput) -> ProviderDecision {
        let decision = self.authorize(input).await.unwrap();
        decision.unwrap_or_else(tombstoned)
    }

    async fn stored(&self, account: &Account) -> Account {
        self.account(&account.id).await.unwrap().unwrap()
    }
}

fn tombstoned() -> ProviderDecision {
    declined("duplicate_transaction")
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
        // A status precedes the balance.
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

/// The account after an approval.
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
async fn every_state_and_limit_has_its_decision_and_effect() {
    let (journal, _folder) = journal("table").await;
    let rows = [states(), limits(), counts()].concat();
    let mut number = 0;
    for (name, state, amount, reason) in rows {
        for capture in [Capture::Automatic, Capture::Manual] {
            // A new account is inserted by the request; a stored one needs a single round trip.
            for is_new in [true, false] {
                number += 1;
                let row = format!("{name}: {amount}, {capture:?}, new: {is_new}");
                let before = Account {
                    id: format!("card:{number}"),
                    ..state.clone()
                };
                if !is_new {
                    let inserted = journal.get_or_insert_account(before.clone()).await;
                    assert_eq!(inserted.unwrap(), before, "{row}");
                }
                // The caller does not know the balance of a stored account.
                let known = Account {
                    balance_minor: 10_000_000,
                    ..account()
                };
                let known = Account {
                    id: before.id.clone(),
                    ..if is_new { before.clone() } else { known }
                };
                let input = input(number, &known, euros(amount), capture);
                let decision = journal.decide(input).await;
                let now = journal.stored(&before).await;
                if let Some(reason) = reason {
                    assert_eq!(decision, declined(reason), "{row}");
                    assert_eq!(now, before, "{row}");
                } else {
                    assert_eq!(decision, APPROVED, "{row}");
                    assert_eq!(now, after(&before, amount, capture), "{row}");
                }
                let inquired = journal.inquire(HARBOR, reference(number), NOON).await;
                assert_eq!(inquired.unwrap(), Some(decision), "{row}");
            }
        }
    }
    assert!(number > 200, "{number}");
}

#[tokio::test]
async fn the_first_decision_stands_and_is_counted_once() {
    let (journal, _folder) = journal("first-decision").await;
    let poor = account();
    for (number, amount) in [(1, 6_000), (2, 6_000)] {
        for repeat in 0..3 {
            let capture = Capture::Automatic;
            let input = input(number, &poor, euros(amount - repeat), capture);
            let decision = journal.decide(input).await;
            let expected = if number == 1 {
                APPROVED
            } else {
                declined("insufficient_funds")
            };
            assert_eq!(decision, expected, "{number} {repeat}");
        }
    }
    let now = journal.stored(&poor).await;
    let counted = (now.balance_minor, now.day_count, now.day_sum_minor);
    assert_eq!(counted, (4_000, 1, 6_000));
}

#[tokio::test]
async fn a_tombstoned_reference_is_declined_when_it_arrives() {
    let (journal, _folder) = journal("given-up").await;
    let inquired = journal.inquire(HARBOR, reference(1), NOON).await;
    assert_eq!(inquired, Ok(None));
    journal.get_or_insert_account(account()).await.unwrap();
    let unlimited = Account {
        credit_limit_minor: None,
        ..account()
    };
    for known in [&account(), &unlimited] {
        let input = input(1, known, euros(5), Capture::Automatic);
        let late = journal.decide(input).await;
        assert_eq!(late, tombstoned());
    }
    // The amount was reserved and released again: an empty day has begun.
    let unchanged = Account {
        day: TODAY,
        ..account()
    };
    assert_eq!(journal.stored(&account()).await, unchanged);
    // References of another acquirer are other references.
    let elsewhere = AuthorizationInput {
        provider: "meridian".into(),
        ..input(1, &account(), euros(5), Capture::Automatic)
    };
    let decision = journal.decide(elsewhere).await;
    assert_eq!(decision, APPROVED);
    // A void of an unknown reference tombstones it as well.
    assert_eq!(journal.void(2).await, APPROVED);
    let input = input(2, &account(), euros(5), Capture::Automatic);
    let late = journal.decide(input).await;
    assert_eq!(late, tombstoned());
}

#[tokio::test]
async fn an_unlimited_account_is_unchanged_until_it_is_limited() {
    let (journal, _folder) = journal("unlimited").await;
    let unlimited = Account {
        credit_limit_minor: None,
        ..account()
    };
    let pay = async |number, capture| {
        let input = input(number, &unlimited, euros(700), capture);
        journal.decide(input).await
    };
    assert_eq!(pay(1, Capture::Automatic).await, APPROVED);
    assert_eq!(journal.account(&unlimited.id).await, Ok(None));
    assert_eq!(pay(2, Capture::Manual).await, APPROVED);
    let limited = Account {
        status: AccountStatus::Blocked,
        ..unlimited.clone()
    };
    journal.get_or_insert_account(limited).await.unwrap();
    assert_eq!(
        pay(3, Capture::Automatic).await,
        declined("restricted_card")
    );
    assert_eq!(pay(1, Capture::Automatic).await, APPROVED);
    // An authorization from before that was not counted, so its void changes nothing.
    assert_eq!(journal.void(2).await, APPROVED);
    let now = journal.stored(&unlimited).await;
    assert_eq!(
        (now.held_minor, now.balance_minor, now.day_count),
        (0, 10_000, 0)
    );
}

#[tokio::test]
async fn a_given_decision_leaves_the_account_unchanged() {
    let (journal, _folder) = journal("given").await;
    journal.get_or_insert_account(account()).await.unwrap();
    for (number, decision) in [(1, APPROVED), (2, declined("lost_card"))] {
        for capture in [Capture::Automatic, Capture::Manual] {
            let given = AuthorizationInput {
                decision: Some(decision.clone()),
                ..input(number, &account(), euros(99_999_999), capture)
            };
            assert_eq!(journal.decide(given).await, decision);
        }
    }
    assert_eq!(journal.stored(&account()).await, account());
}

#[tokio::test]
async fn other_currencies_are_exchanged_or_refused() {
    let (journal, _folder) = journal("exchange").await;
    let rows = [
        ("USD", 11_627, APPROVED, 10_000),
        ("USD", 11_629, declined("insufficient_funds"), 0),
        ("JPY", 18_181, APPROVED, 10_000),
        ("JPY", 18_183, declined("insufficient_funds"), 0),
        ("BTN", 1, declined("invalid_amount"), 0),
    ];
    for (number, (currency, amount, expected, spent)) in (1..).zip(rows) {
        let state = Account {
            id: format!("card:{number}"),
            ..account()
        };
        let money = money(amount, currency);
        let input = input(number, &state, money, Capture::Automatic);
        let decision = journal.decide(input).await;
        assert_eq!(decision, expected, "{amount} {currency}");
        let now = journal.stored(&state).await;
        assert_eq!(now.balance_minor, 10_000 - spent, "{amount} {currency}");
    }
}

#[tokio::test]
async fn two_hundred_payments_at_once_on_a_balance_for_a_hundred_approve_a_hundred() {
    let (journal, _folder) = journal("concurrent").await;
    let rich = Account {
        balance_minor: 100 * 2_490,
        ..account()
    };
    let payments = (1..=200).map(|number| {
        let journal = Arc::clone(&journal);
        let input = input(number, &rich, euros(2_490), Capture::Automatic);
        tokio::spawn(async move { journal.decide(input).await })
    });
    let payments: Vec<_> = payments.collect();
    let mut decisions = Vec::new();
    for payment in payments {
        decisions.push(payment.await.unwrap());
    }
    let approvals = decisions.iter().filter(|decision| **decision == APPROVED);
    assert_eq!(approvals.count(), 100);
    let funds = declined("insufficient_funds");
    let declines = decisions.iter().filter(|decision| **decision == funds);
    assert_eq!(declines.count(), 100);
    let now = journal.stored(&rich).await;
    assert_eq!((now.balance_minor, now.held_minor), (0, 0));
}

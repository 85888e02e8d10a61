//! Confirmations, refusals and withdrawals: each once, in any order, at once.

use super::{NAME, SimulatedWallet, WalletDecision, WalletState};
use crate::outcome::Directive;
use crate::simulation::tests::{APPROVED, NOON, TestBank, declined, euros, modification, payment};
use sealpay_protocol::order::Capture;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderDecision, WalletProvider};
use sealpay_storage::values;
use std::sync::Arc;

const EVERYDAY: &str = "wallet:everyday";
const NEARLY_EMPTY: &str = "wallet:nearly_empty";
const LIFETIME_MS: u64 = 600_000;

fn answered(decision: ProviderDecision) -> Inquiry {
    Inquiry::Answered(decision)
}

impl TestBank {
    /// Starts a request and gives the token of its page.
    async fn start_with(&self, number: u8, amount: i64, simulate: Option<&str>) -> String {
        let capture = Capture::Automatic;
        self.start_as(number, amount, capture, simulate).await
    }

    async fn start_as(
        &self,
        number: u8,
        amount: i64,
        capture: Capture,
        simulate: Option<&str>,
    ) -> String {
        let request = WalletRequest {
            reference: payment(number),
            money: euros(amount),
            capture,
            payee: "Paper Lantern",
            expires_at_ms: NOON + LIFETIME_MS.cast_signed(),
        };
        let directive = simulate.and_then(Directive::from_name);
        let wallet = SimulatedWallet::new(Arc::clone(&self.simulation), directive);
        let address = wallet.start(request).await.unwrap();
        let page = self.bank.wallet().page(payment(number)).await.unwrap();
        assert_eq!(page.as_ref(), Some(&address));
        address.strip_prefix("/test/wallet/").unwrap().to_owned()
    }

    async fn start(&self, number: u8) -> String {
        self.start_with(number, 2490, None).await
    }

    async fn confirm(&self, token: &str, account: &str) -> WalletDecision {
        self.bank.wallet().confirm(token, account).await.unwrap()
    }

    async fn refuse(&self, token: &str) -> WalletDecision {
        self.bank.wallet().refuse(token).await.unwrap()
    }

    async fn inquire(&self, number: u8) -> Inquiry {
        self.bank.wallet().inquire(payment(number)).await.unwrap()
    }

    async fn withdraw(&self, number: u8) -> Inquiry {
        self.bank.wallet().withdraw(payment(number)).await.unwrap()
    }

    async fn state(&self, token: &str) -> WalletState {
        self.bank.wallet().open(token).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn the_token_of_a_page_is_not_stored() {
    let test = TestBank::new("wallet-page").await;
    let token = test.start(1).await;
    assert_eq!(test.start(1).await, token);
    assert_ne!(test.start(2).await, token);
    assert_eq!(token.len(), 32);
    let page = test.bank.wallet().open(&token).await.unwrap().unwrap();
    assert_eq!(page.payee, "Paper Lantern");
    assert_eq!(page.money.to_string(), "24.90 EUR");
    assert_eq!(page.state, WalletState::Open);
    let labels: Vec<_> = page.accounts.iter().map(|(_, label)| *label).collect();
    assert_eq!(labels, ["Everyday account", "Nearly empty account"]);
    for wrong in ["", "nonsense", &token[1..], &token.to_uppercase()] {
        assert_eq!(
            test.bank.wallet().open(wrong).await.unwrap(),
            None,
            "{wrong}"
        );
        let decision = test.confirm(wrong, EVERYDAY).await;
        assert_eq!(decision, WalletDecision::UnknownPage, "{wrong}");
        assert_eq!(test.refuse(wrong).await, WalletDecision::UnknownPage);
    }
    let stored = test
        .simulation
        .journal
        .list("SELECT token_hash FROM bank_wallet_requests", []);
    for (hash,) in stored.await.unwrap() {
        let hash: String = hash;
        assert_ne!(hash, token);
    }
    assert_eq!(test.bank.wallet().page(payment(99)).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_decision_stands() {
    let test = TestBank::new("wallet-first").await;
    let rows = [
        (
            "confirm",
            WalletDecision::Decided(APPROVED),
            answered(APPROVED),
            WalletState::Decided(APPROVED),
        ),
        (
            "refuse",
            WalletDecision::Decided(declined("wallet_refused")),
            answered(declined("wallet_refused")),
            WalletState::Decided(declined("wallet_refused")),
        ),
        (
            "withdraw",
            WalletDecision::Closed,
            answered(declined("payment_abandoned")),
            WalletState::Closed,
        ),
    ];
    for (number, (first, decision, inquiry, state)) in (1_u8..).zip(rows) {
        let token = test.start(number).await;
        assert_eq!(test.inquire(number).await, Inquiry::Waiting);
        match first {
            "confirm" => assert_eq!(test.confirm(&token, EVERYDAY).await, decision),
            "refuse" => assert_eq!(test.refuse(&token).await, decision),
            _ => assert_eq!(test.withdraw(number).await, inquiry),
        }
        for _ in 0..2 {
            assert_eq!(
                test.confirm(&token, NEARLY_EMPTY).await,
                decision,
                "{first}"
            );
            assert_eq!(test.refuse(&token).await, decision, "{first}");
            assert_eq!(test.withdraw(number).await, inquiry, "{first}");
            assert_eq!(test.inquire(number).await, inquiry, "{first}");
            assert_eq!(test.state(&token).await, state, "{first}");
        }
    }
}

#[tokio::test]
async fn the_order_decides_before_the_account() {
    let test = TestBank::new("wallet-account").await;
    let rows = [
        (1, 2490, None, NEARLY_EMPTY, declined("insufficient_funds")),
        (2, 100, None, NEARLY_EMPTY, APPROVED),
        (3, 1, None, NEARLY_EMPTY, declined("insufficient_funds")),
        (4, 99_999_900, None, EVERYDAY, APPROVED),
        (5, 2490, Some("lost_card"), EVERYDAY, declined("lost_card")),
    ];
    for (number, amount, simulate, account, expected) in rows {
        let token = test.start_with(number, amount, simulate).await;
        let unknown = test.confirm(&token, "persona:ada_approved").await;
        assert_eq!(unknown, WalletDecision::UnknownAccount);
        let decision = test.confirm(&token, account).await;
        let decided = WalletDecision::Decided(expected.clone());
        assert_eq!(decision, decided, "{number}");
        assert_eq!(test.inquire(number).await, answered(expected), "{number}");
    }
}

#[tokio::test]
async fn an_expired_request_cannot_be_confirmed() {
    let test = TestBank::new("wallet-late").await;
    let token = test.start(1).await;
    let in_time = test.start(2).await;
    test.advance(LIFETIME_MS - 1);
    let decision = test.confirm(&in_time, EVERYDAY).await;
    assert_eq!(decision, WalletDecision::Decided(APPROVED));
    test.advance(1);
    assert_eq!(test.state(&token).await, WalletState::Closed);
    assert_eq!(test.confirm(&token, EVERYDAY).await, WalletDecision::Closed);
    assert_eq!(test.refuse(&token).await, WalletDecision::Closed);
    let abandoned = answered(declined("payment_abandoned"));
    assert_eq!(test.inquire(1).await, abandoned);
    assert_eq!(test.withdraw(1).await, abandoned);
    assert_eq!(test.inquire(2).await, answered(APPROVED));
}

#[tokio::test]
async fn a_tombstoned_reference_is_refused() {
    let test = TestBank::new("wallet-never").await;
    assert_eq!(test.inquire(1).await, Inquiry::NeverReceived);
    assert_eq!(test.withdraw(2).await, Inquiry::NeverReceived);
    for number in [1, 2] {
        let request = WalletRequest {
            reference: payment(number),
            money: euros(1),
            capture: Capture::Automatic,
            payee: "",
            expires_at_ms: i64::MAX,
        };
        let address = test.bank.wallet().start(request).await.unwrap();
        let token = address.strip_prefix("/test/wallet/").unwrap();
        assert_eq!(test.bank.wallet().open(token).await.unwrap(), None);
        let decision = test.confirm(token, EVERYDAY).await;
        assert_eq!(decision, WalletDecision::UnknownPage);
        assert_eq!(test.inquire(number).await, Inquiry::NeverReceived);
        assert_eq!(
            test.bank.wallet().page(payment(number)).await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn an_inquiry_waits_for_a_lost_response() {
    let test = TestBank::new("wallet-lost").await;
    let rows = [
        (1, "response_lost", answered(APPROVED)),
        (2, "never_received", Inquiry::NeverReceived),
    ];
    for (number, simulate, found) in rows {
        let token = test.start_with(number, 2490, Some(simulate)).await;
        let confirmed = test.bank.wallet().confirm(&token, EVERYDAY).await;
        assert!(confirmed.is_err(), "{simulate}");
        assert_eq!(test.state(&token).await, WalletState::Confirmed);
        // The request may still arrive: asking the journal now would tombstone it.
        assert_eq!(test.inquire(number).await, Inquiry::Waiting, "{simulate}");
        test.advance(15_000);
        assert_eq!(test.inquire(number).await, found, "{simulate}");
        assert_eq!(test.withdraw(number).await, found, "{simulate}");
    }
}

/// A request is withdrawn while its confirmation is on its way: the journal decides.
#[tokio::test]
async fn a_request_withdrawn_before_its_confirmation_arrives_is_not_paid() {
    let test = TestBank::new("wallet-overtaken").await;
    let token = test.start(1).await;
    let sql = "UPDATE bank_wallet_requests SET state = 'confirmed',
        account = 'wallet:everyday', decided_at_ms = $1";
    let now_ms = NOON;
    let confirmed = test.simulation.journal.change(sql, values![now_ms]);
    confirmed.await.unwrap();
    assert_eq!(test.inquire(1).await, Inquiry::Waiting);
    assert_eq!(test.withdraw(1).await, Inquiry::NeverReceived);
    assert_eq!(test.inquire(1).await, Inquiry::NeverReceived);
    let decision = test.confirm(&token, EVERYDAY).await;
    let too_late = declined("duplicate_transaction");
    assert_eq!(decision, WalletDecision::Decided(too_late));
    let booked = test.simulation.inquire(NAME, payment(1)).await.unwrap();
    assert_eq!(booked, Inquiry::NeverReceived);
    assert_eq!(test.inquire(1).await, Inquiry::NeverReceived);
    assert_eq!(test.withdraw(1).await, Inquiry::NeverReceived);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_decisions_at_once_counts() {
    let test = TestBank::new("wallet-races").await;
    for number in 1..=20 {
        let token = test.start(number).await;
        let mut tasks = Vec::new();
        for turn in 0..4 {
            let (wallet, page) = (test.bank.wallet(), token.clone());
            let account = if turn % 2 == 0 {
                EVERYDAY
            } else {
                NEARLY_EMPTY
            };
            tasks.push(tokio::spawn(async move {
                Some(wallet.confirm(&page, account).await.unwrap())
            }));
            let (wallet, page) = (test.bank.wallet(), token.clone());
            tasks.push(tokio::spawn(async move {
                Some(wallet.refuse(&page).await.unwrap())
            }));
            let wallet = test.bank.wallet();
            tasks.push(tokio::spawn(async move {
                wallet.withdraw(payment(number)).await.unwrap();
                None
            }));
        }
        let mut decisions = Vec::new();
        for task in tasks {
            decisions.extend(task.await.unwrap());
        }
        let inquiry = test.inquire(number).await;
        // Every response has the decision that stands.
        for decision in &decisions {
            match decision {
                WalletDecision::Decided(decision)
                    if *decision != declined("duplicate_transaction") =>
                {
                    assert_eq!(inquiry, answered(decision.clone()), "{number}");
                }
                WalletDecision::Decided(_) | WalletDecision::Closed => (),
                other => panic!("{other:?}"),
            }
        }
        let booked = test.simulation.journal.list(
            "SELECT state FROM bank_authorizations WHERE reference = $1",
            values![payment(number)],
        );
        let booked: Vec<(String,)> = booked.await.unwrap();
        assert!(booked.len() <= 1, "{number}");
        for (state,) in booked {
            let is_paid = state == "booked";
            assert_eq!(is_paid, inquiry == answered(APPROVED), "{number}");
        }
    }
}

#[tokio::test]
async fn confirmed_payments_are_captured_voided_and_refunded_as_for_cards() {
    use ModificationKind::{Capture as CapturePart, Refund, Void};
    let test = TestBank::new("wallet-modified").await;
    let token = test.start_as(1, 100, Capture::Manual, None).await;
    let paid = WalletDecision::Decided(APPROVED);
    assert_eq!(test.confirm(&token, NEARLY_EMPTY).await, paid);
    let rows = [
        (Refund, 1, declined("invalid_transaction"), (100, 100)),
        (CapturePart, 101, declined("invalid_amount"), (100, 100)),
        (CapturePart, 40, APPROVED, (60, 60)),
        (Void, 60, APPROVED, (60, 0)),
        (CapturePart, 60, declined("invalid_transaction"), (60, 0)),
        (Refund, 15, APPROVED, (75, 0)),
        (Refund, 26, declined("invalid_amount"), (75, 0)),
        (Refund, 25, APPROVED, (100, 0)),
    ];
    for (number, (kind, amount, expected, sums)) in (1..).zip(rows) {
        let request = modification(number, payment(1), kind, euros(amount));
        for _ in 0..2 {
            let decision = test.bank.wallet().modify(request).await.unwrap();
            assert_eq!(decision, expected, "{number}");
        }
        let account = test
            .simulation
            .account(NEARLY_EMPTY)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (account.balance_minor, account.held_minor),
            sums,
            "{number}"
        );
    }
}

//! Confirming, refusing and taking back: each once, in any order, at once.

use super::{NAME, SimulatedWallet, WalletDecision, WalletState};
use crate::outcome::Directive;
use crate::world::World;
use crate::world::tests::{NOON_MS, TestFolder, world};
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{
    Inquiry, ModificationRequest, PaymentOperations, ProviderDecision, WalletProvider,
};
use sealpay_storage::values;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const EVERYDAY: &str = "wallet:everyday";
const NEARLY_EMPTY: &str = "wallet:nearly_empty";
const LIFE_MS: u64 = 600_000;

struct Stage {
    wallet: SimulatedWallet,
    world: Arc<World>,
    now: Arc<AtomicU64>,
    _folder: TestFolder,
}

async fn stage(name: &str) -> Stage {
    let folder = TestFolder::new(&format!("wallet-{name}"));
    let (world, now) = world(&folder).await;
    Stage {
        wallet: SimulatedWallet::new(Arc::clone(&world), None),
        world,
        now,
        _folder: folder,
    }
}

fn payment(number: u8) -> PaymentId {
    PaymentId::new(NOON_MS, [number; 10])
}

fn declined(key: &str) -> ProviderDecision {
    ProviderDecision::Declined(key.into())
}

fn answered(answer: ProviderDecision) -> Inquiry {
    Inquiry::Answered(answer)
}

impl Stage {
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
            money: Money::new(amount, "EUR".parse().unwrap()),
            capture,
            payee: "Paper Lantern",
            expires_at_ms: i64::try_from(NOON_MS + LIFE_MS).unwrap(),
        };
        let directive = simulate.and_then(Directive::of);
        let wallet = SimulatedWallet::new(Arc::clone(&self.world), directive);
        let address = wallet.start(request).await.unwrap();
        let page = self.wallet.page(payment(number)).await.unwrap();
        assert_eq!(page.as_ref(), Some(&address));
        address.strip_prefix("/test/wallet/").unwrap().to_owned()
    }

    async fn start(&self, number: u8) -> String {
        self.start_with(number, 2490, None).await
    }

    async fn confirm(&self, token: &str, account: &str) -> WalletDecision {
        self.wallet.confirm(token, account).await.unwrap()
    }

    async fn refuse(&self, token: &str) -> WalletDecision {
        self.wallet.refuse(token).await.unwrap()
    }

    async fn inquire(&self, number: u8) -> Inquiry {
        self.wallet.inquire(payment(number)).await.unwrap()
    }

    async fn withdraw(&self, number: u8) -> Inquiry {
        self.wallet.withdraw(payment(number)).await.unwrap()
    }

    async fn state(&self, token: &str) -> WalletState {
        self.wallet.open(token).await.unwrap().unwrap().state
    }

    fn pass(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_page_has_an_address_that_nobody_guesses_and_the_bank_does_not_keep() {
    let stage = stage("page").await;
    let token = stage.start(1).await;
    assert_eq!(stage.start(1).await, token);
    assert_ne!(stage.start(2).await, token);
    assert_eq!(token.len(), 32);
    let page = stage.wallet.open(&token).await.unwrap().unwrap();
    assert_eq!(page.payee, "Paper Lantern");
    assert_eq!(page.money.to_string(), "24.90 EUR");
    assert_eq!(page.state, WalletState::Open);
    let labels: Vec<_> = page.accounts.iter().map(|(_, label)| *label).collect();
    assert_eq!(labels, ["Everyday account", "Nearly empty account"]);
    for wrong in ["", "nonsense", &token[1..], &token.to_uppercase()] {
        assert_eq!(stage.wallet.open(wrong).await.unwrap(), None, "{wrong}");
        let decision = stage.confirm(wrong, EVERYDAY).await;
        assert_eq!(decision, WalletDecision::UnknownPage, "{wrong}");
        assert_eq!(stage.refuse(wrong).await, WalletDecision::UnknownPage);
    }
    let kept = stage
        .world
        .database
        .rows("SELECT token_hash FROM bank_wallet_requests", []);
    for mut row in kept.await.unwrap() {
        assert_ne!(row.text().unwrap(), token);
    }
    assert_eq!(stage.wallet.page(payment(99)).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_decided_first_stands() {
    type Expected = (WalletDecision, Inquiry, WalletState);
    let stage = stage("first").await;
    let rows: [(&str, Expected); 3] = [
        (
            "confirm",
            (
                WalletDecision::Decided(ProviderDecision::Approved),
                answered(ProviderDecision::Approved),
                WalletState::Decided(ProviderDecision::Approved),
            ),
        ),
        (
            "refuse",
            (
                WalletDecision::Decided(declined("wallet_refused")),
                answered(declined("wallet_refused")),
                WalletState::Decided(declined("wallet_refused")),
            ),
        ),
        (
            "withdraw",
            (
                WalletDecision::Closed,
                answered(declined("payment_abandoned")),
                WalletState::Closed,
            ),
        ),
    ];
    for (number, (first, (decision, inquiry, state))) in (1_u8..).zip(rows) {
        let token = stage.start(number).await;
        assert_eq!(stage.inquire(number).await, Inquiry::Waiting);
        match first {
            "confirm" => assert_eq!(stage.confirm(&token, EVERYDAY).await, decision),
            "refuse" => assert_eq!(stage.refuse(&token).await, decision),
            _ => assert_eq!(stage.withdraw(number).await, inquiry),
        }
        for _ in 0..2 {
            assert_eq!(
                stage.confirm(&token, NEARLY_EMPTY).await,
                decision,
                "{first}"
            );
            assert_eq!(stage.refuse(&token).await, decision, "{first}");
            assert_eq!(stage.withdraw(number).await, inquiry, "{first}");
            assert_eq!(stage.inquire(number).await, inquiry, "{first}");
            assert_eq!(stage.state(&token).await, state, "{first}");
        }
    }
}

#[tokio::test]
async fn the_account_decides_and_an_order_decides_over_it() {
    let stage = stage("account").await;
    let rows = [
        (1, 2490, None, NEARLY_EMPTY, declined("insufficient_funds")),
        (2, 100, None, NEARLY_EMPTY, ProviderDecision::Approved),
        (3, 1, None, NEARLY_EMPTY, declined("insufficient_funds")),
        (4, 99_999_900, None, EVERYDAY, ProviderDecision::Approved),
        (5, 2490, Some("lost_card"), EVERYDAY, declined("lost_card")),
    ];
    for (number, amount, simulate, account, answer) in rows {
        let token = stage.start_with(number, amount, simulate).await;
        let unknown = stage.confirm(&token, "persona:ada_approved").await;
        assert_eq!(unknown, WalletDecision::UnknownAccount);
        let decision = stage.confirm(&token, account).await;
        assert_eq!(
            decision,
            WalletDecision::Decided(answer.clone()),
            "{number}"
        );
        assert_eq!(stage.inquire(number).await, answered(answer), "{number}");
    }
}

#[tokio::test]
async fn what_is_too_late_cannot_be_confirmed() {
    let stage = stage("late").await;
    let token = stage.start(1).await;
    let in_time = stage.start(2).await;
    stage.pass(LIFE_MS - 1);
    let decision = stage.confirm(&in_time, EVERYDAY).await;
    assert_eq!(
        decision,
        WalletDecision::Decided(ProviderDecision::Approved)
    );
    stage.pass(1);
    assert_eq!(stage.state(&token).await, WalletState::Closed);
    assert_eq!(
        stage.confirm(&token, EVERYDAY).await,
        WalletDecision::Closed
    );
    assert_eq!(stage.refuse(&token).await, WalletDecision::Closed);
    let abandoned = answered(declined("payment_abandoned"));
    assert_eq!(stage.inquire(1).await, abandoned);
    assert_eq!(stage.withdraw(1).await, abandoned);
    assert_eq!(stage.inquire(2).await, answered(ProviderDecision::Approved));
}

#[tokio::test]
async fn a_reference_that_was_asked_for_before_it_arrived_is_refused() {
    let stage = stage("never").await;
    assert_eq!(stage.inquire(1).await, Inquiry::NeverReceived);
    assert_eq!(stage.withdraw(2).await, Inquiry::NeverReceived);
    for number in [1, 2] {
        let request = WalletRequest {
            reference: payment(number),
            money: Money::new(1, "EUR".parse().unwrap()),
            capture: Capture::Automatic,
            payee: "",
            expires_at_ms: i64::MAX,
        };
        let address = stage.wallet.start(request).await.unwrap();
        let token = address.strip_prefix("/test/wallet/").unwrap();
        assert_eq!(stage.wallet.open(token).await.unwrap(), None);
        let decision = stage.confirm(token, EVERYDAY).await;
        assert_eq!(decision, WalletDecision::UnknownPage);
        assert_eq!(stage.inquire(number).await, Inquiry::NeverReceived);
        assert_eq!(stage.wallet.page(payment(number)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_after_a_while() {
    let stage = stage("lost").await;
    let rows = [
        (1, "response_lost", answered(ProviderDecision::Approved)),
        (2, "never_received", Inquiry::NeverReceived),
    ];
    for (number, simulate, found) in rows {
        let token = stage.start_with(number, 2490, Some(simulate)).await;
        let confirmed = stage.wallet.confirm(&token, EVERYDAY).await;
        assert!(confirmed.is_err(), "{simulate}");
        assert_eq!(stage.state(&token).await, WalletState::Confirmed);
        // It may still be on its way: asking the book now would strike it out.
        assert_eq!(stage.inquire(number).await, Inquiry::Waiting, "{simulate}");
        stage.pass(15_000);
        assert_eq!(stage.inquire(number).await, found, "{simulate}");
        assert_eq!(stage.withdraw(number).await, found, "{simulate}");
    }
}

/// A confirmation that is on its way when the shop takes the request back: the book decides.
#[tokio::test]
async fn what_was_taken_back_before_the_bank_heard_of_it_is_not_paid() {
    let stage = stage("overtaken").await;
    let token = stage.start(1).await;
    let sql = "UPDATE bank_wallet_requests SET state = 'confirmed',
        account = 'wallet:everyday', decided_at_ms = $1";
    let now_ms = i64::try_from(NOON_MS).unwrap();
    let confirmed = stage.world.database.execute(sql, values![now_ms]);
    confirmed.await.unwrap();
    assert_eq!(stage.inquire(1).await, Inquiry::Waiting);
    assert_eq!(stage.withdraw(1).await, Inquiry::NeverReceived);
    assert_eq!(stage.inquire(1).await, Inquiry::NeverReceived);
    let decision = stage.confirm(&token, EVERYDAY).await;
    let too_late = declined("duplicate_transaction");
    assert_eq!(decision, WalletDecision::Decided(too_late));
    let booked = stage.world.inquire(NAME, payment(1)).await.unwrap();
    assert_eq!(booked, Inquiry::NeverReceived);
    assert_eq!(stage.inquire(1).await, Inquiry::NeverReceived);
    assert_eq!(stage.withdraw(1).await, Inquiry::NeverReceived);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_who_decide_at_once_one_does() {
    let stage = stage("races").await;
    for number in 1..=20 {
        let token = stage.start(number).await;
        let mut tasks = Vec::new();
        for turn in 0..4 {
            let (wallet, page) = (stage.wallet.clone(), token.clone());
            let account = if turn % 2 == 0 {
                EVERYDAY
            } else {
                NEARLY_EMPTY
            };
            tasks.push(tokio::spawn(async move {
                Some(wallet.confirm(&page, account).await.unwrap())
            }));
            let (wallet, page) = (stage.wallet.clone(), token.clone());
            tasks.push(tokio::spawn(async move {
                Some(wallet.refuse(&page).await.unwrap())
            }));
            let wallet = stage.wallet.clone();
            tasks.push(tokio::spawn(async move {
                wallet.withdraw(payment(number)).await.unwrap();
                None
            }));
        }
        let mut said = Vec::new();
        for task in tasks {
            said.extend(task.await.unwrap());
        }
        let stands = stage.inquire(number).await;
        // Whoever was told a decision was told the one that stands.
        for decision in &said {
            match decision {
                WalletDecision::Decided(answer) if *answer != declined("duplicate_transaction") => {
                    assert_eq!(stands, answered(answer.clone()), "{number}");
                }
                WalletDecision::Decided(_) | WalletDecision::Closed => (),
                other => panic!("{other:?}"),
            }
        }
        let booked = stage.world.database.rows(
            "SELECT state FROM bank_authorizations WHERE reference = $1",
            values![payment(number)],
        );
        let booked = booked.await.unwrap();
        assert!(booked.len() <= 1, "{number}");
        for mut row in booked {
            let is_paid = row.text().unwrap() == "booked";
            assert_eq!(
                is_paid,
                stands == answered(ProviderDecision::Approved),
                "{number}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_confirmed_is_taken_let_go_and_given_back_as_for_cards() {
    use ModificationKind::{Capture as Take, Refund, Void};
    let stage = stage("modified").await;
    let token = stage.start_as(1, 100, Capture::Manual, None).await;
    let paid = WalletDecision::Decided(ProviderDecision::Approved);
    assert_eq!(stage.confirm(&token, NEARLY_EMPTY).await, paid);
    let rows = [
        (Refund, 1, declined("invalid_transaction"), (100, 100)),
        (Take, 101, declined("invalid_amount"), (100, 100)),
        (Take, 40, ProviderDecision::Approved, (60, 60)),
        (Void, 60, ProviderDecision::Approved, (60, 0)),
        (Take, 60, declined("invalid_transaction"), (60, 0)),
        (Refund, 15, ProviderDecision::Approved, (75, 0)),
        (Refund, 26, declined("invalid_amount"), (75, 0)),
        (Refund, 25, ProviderDecision::Approved, (100, 0)),
    ];
    for (number, (kind, amount, expected, sums)) in (1..).zip(rows) {
        let request = ModificationRequest {
            modification: ModificationId::new(number, [1; 10]),
            payment: payment(1),
            kind,
            money: Money::new(amount, "EUR".parse().unwrap()),
            is_final: false,
        };
        for _ in 0..2 {
            let answer = stage.wallet.modify(request).await.unwrap();
            assert_eq!(answer, expected, "{number}");
        }
        let account = stage.world.account(NEARLY_EMPTY).await.unwrap().unwrap();
        assert_eq!(
            (account.balance_minor, account.held_minor),
            sums,
            "{number}"
        );
    }
}

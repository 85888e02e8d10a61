//! The merchant's back office and both banks: each step changes the existing payments once.

use crate::histories::system::{TestSystem, incoming};
use harness::chance::Chance;
use harness::client::{Browser, Prepared, card};
use sealpay_protocol::api::{Method, SessionView};
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::order::{Capture, OrderClaims, Simulate};
use sealpay_simulator::payout::ReturnReason;
use std::sync::Arc;
use verifier_server::disputes;
use verifier_server::disputes::model::{DisputeReason, DisputeState};
use verifier_server::disputes::service::DisputeAction;
use verifier_server::error::ErrorCode;
use verifier_server::idempotency::model::{ChangedNothing, IdempotentRequest};
use verifier_server::modifications::model::{Modification, ModificationKind, ModificationState};
use verifier_server::modifications::request::{ModificationInput, modify};
use verifier_server::payments::authorize::authorize;
use verifier_server::payments::model::Payment;
use verifier_server::payments::store::list::PaymentFilter;
use verifier_server::sessions::open::open_session;

const CURRENCIES: [&str; 4] = ["EUR", "EUR", "USD", "GBP"];

/// Cards that are approved, of several brands and countries.
const CARDS: [&str; 3] = ["4242424242424242", "5555555555554444", "4000007001000006"];

/// A request that was made, and the end that was answered, if any was.
struct Made {
    request: IdempotentRequest,
    payment: PaymentId,
    operation: ModificationInput,
    end: Option<Modification>,
}

/// What the back_office remembers.
#[derive(Default)]
pub(crate) struct BackOffice {
    made: Vec<Made>,
    number: u64,
}

async fn payments(system: &TestSystem) -> Vec<Payment> {
    let filter = PaymentFilter {
        limit: 100,
        ..PaymentFilter::default()
    };
    let store = system.gateway.store();
    store
        .payments
        .list(system.merchant.id, &filter)
        .await
        .unwrap()
}

/// One of the payments that nothing is being done to: the others would only be waited for.
async fn one(system: &TestSystem, chance: &mut Chance) -> Option<Payment> {
    let mut free = payments(system).await;
    free.retain(|payment| payment.modification.is_none());
    (!free.is_empty()).then(|| chance.pick(&free).clone())
}

fn amount(chance: &mut Chance, left: i64) -> Option<i64> {
    let most = u64::try_from(left.max(1)).unwrap() + left.max(1).unsigned_abs() / 4 + 2;
    (!chance.once_in(3)).then(|| i64::try_from(chance.between(1, most)).unwrap())
}

/// A shopper comes with an order over an amount by chance.
async fn arrive(
    system: &mut TestSystem,
    chance: &mut Chance,
    simulate: Option<&str>,
) -> (Browser, String, SessionView) {
    let browser = Browser::with_clock(
        &system.gateway.settings().public_origin,
        system.clock.clone(),
    );
    let now = system.clock.now_ms() / 1000;
    let order = system.merchant.sign(&OrderClaims {
        iat: now,
        exp: now + 1800,
        amount: i64::try_from(chance.between(100, 20_000)).unwrap(),
        currency: (*chance.pick(&CURRENCIES)).into(),
        capture: match chance.once_in(2) && simulate.is_none() {
            true => Capture::Manual,
            false => Capture::Automatic,
        },
        methods: simulate.map(|_| vec![Method::BankTransfer]),
        simulate: simulate.map(|outcome| Simulate {
            outcome: outcome.into(),
        }),
        ..system
            .merchant
            .claims(&system.gateway.settings().public_origin)
    });
    let request = browser.open_session(&order);
    let opened = open_session(&system.gateway, incoming(&request, 1)).await;
    let session = opened.unwrap_or_else(|refusal| panic!("not opened: {refusal:?}"));
    (browser, order, session)
}

async fn pay(system: &mut TestSystem, chance: &mut Chance, request: Prepared) {
    let gateway = Arc::clone(&system.gateway);
    let paying = async move { authorize(&gateway, incoming(&request, 1)).await };
    drop(system.perhaps_dying(chance, paying).await);
}

fn attempt(browser: &Browser, chance: &mut Chance) -> AttemptId {
    let mut random = [0; 10];
    chance.fill(&mut random);
    AttemptId::new(browser.now() * 1000, random)
}

/// A shopper pays with a card that is approved.
pub(crate) async fn sell(system: &mut TestSystem, chance: &mut Chance) {
    let (browser, order, session) = arrive(system, chance, None).await;
    let attempt = attempt(&browser, chance);
    let place = usize::try_from(chance.between(0, 3)).unwrap();
    let body = browser.pay_body(&order, &session, attempt, &card(CARDS[place]));
    let request = browser.send_attempt(&session, attempt, body);
    pay(system, chance, request).await;
}

/// A shopper sends money: what is due, less, or more, and more often more.
pub(crate) async fn sell_by_transfer(system: &mut TestSystem, chance: &mut Chance) {
    let scripts = [
        "transfer_over",
        "transfer_over",
        "transfer_paid",
        "transfer_short",
    ];
    let script = *chance.pick(&scripts);
    let (browser, _, session) = arrive(system, chance, Some(script)).await;
    let attempt = attempt(&browser, chance);
    let request = browser.pay_by(&session, attempt, Method::BankTransfer);
    pay(system, chance, request).await;
}

impl BackOffice {
    fn request(&mut self, system: &TestSystem, digest: u64) -> IdempotentRequest {
        self.number += 1;
        IdempotentRequest {
            merchant: system.merchant.id,
            credential: "key_1".into(),
            key: format!("key-{}", self.number),
            digest: format!("digest-{digest}"),
            changed_nothing: ChangedNothing::default(),
        }
    }

    fn operation(chance: &mut Chance, payment: &Payment) -> ModificationInput {
        let kinds = [
            ModificationKind::Capture,
            ModificationKind::Capture,
            ModificationKind::Refund,
            ModificationKind::Refund,
            ModificationKind::Refund,
            ModificationKind::Void,
        ];
        let kind = *chance.pick(&kinds);
        let left = match kind {
            ModificationKind::Refund => payment.refundable_minor(),
            _ => payment.capturable_minor(),
        };
        ModificationInput {
            kind,
            amount_minor: match kind {
                ModificationKind::Void => None,
                _ => amount(chance, left),
            },
            is_final: kind == ModificationKind::Capture && chance.once_in(4),
            reference: None,
        }
    }

    /// A capture, a void or a refund; now and then two at the same moment.
    pub(crate) async fn modify(&mut self, system: &mut TestSystem, chance: &mut Chance) {
        let Some(payment) = one(system, chance).await else {
            return;
        };
        let mut operations_wanted = vec![Self::operation(chance, &payment)];
        if chance.once_in(4) {
            operations_wanted.push(Self::operation(chance, &payment));
        }
        let mut asking = Vec::new();
        for operation in operations_wanted {
            let number = self.number;
            let request = self.request(system, number);
            self.made.push(Made {
                request: request.clone(),
                payment: payment.id,
                operation: operation.clone(),
                end: None,
            });
            let gateway = Arc::clone(&system.gateway);
            let id = payment.id.to_string();
            asking.push(async move { modify(&gateway, &request, &id, &operation).await });
        }
        let first = self.made.len() - asking.len();
        let answers = system
            .perhaps_dying(chance, futures_util::future::join_all(asking))
            .await;
        for (place, answer) in answers.into_iter().flatten().enumerate() {
            self.note(first + place, answer.ok());
        }
    }

    fn note(&mut self, place: usize, answer: Option<Modification>) {
        let is_end = |modification: &Modification| modification.state != ModificationState::Pending;
        self.made[place].end = answer.filter(is_end);
    }

    /// A request that was made before comes again; what was told as its end stays so.
    pub(crate) async fn repeat(
        &mut self,
        system: &mut TestSystem,
        chance: &mut Chance,
    ) -> Vec<String> {
        if self.made.is_empty() {
            return Vec::new();
        }
        let place = usize::try_from(chance.between(0, u64::try_from(self.made.len()).unwrap()));
        let place = place.unwrap();
        let made = &self.made[place];
        let held = payments(system).await;
        let is_held =
            |payment: &Payment| payment.id == made.payment && payment.modification.is_some();
        if made.end.is_none() && held.iter().any(is_held) {
            return Vec::new();
        }
        let (mut request, payment) = (made.request.clone(), made.payment.to_string());
        let (operation, before) = (made.operation.clone(), made.end.clone());
        let is_another = before.is_some() && chance.once_in(4);
        if is_another {
            request.digest.push('x');
        }
        let gateway = Arc::clone(&system.gateway);
        let asking = async move { modify(&gateway, &request, &payment, &operation).await };
        let Some(answer) = system.perhaps_dying(chance, asking).await else {
            return Vec::new();
        };
        match (answer, before) {
            (Err(refusal), _) if is_another => {
                let found = (refusal.code != ErrorCode::IdempotencyKeyReused)
                    .then(|| format!("another request with a used key was told {refusal:?}"));
                found.into_iter().collect()
            }
            (Ok(_), _) if is_another => vec!["another request with a used key was taken".into()],
            (Ok(again), Some(before)) if again == before => Vec::new(),
            (answer, Some(before)) => vec![format!("first {before:?}, and later {answer:?}")],
            (answer, None) => {
                self.note(place, answer.ok());
                Vec::new()
            }
        }
    }

    /// The shopper's bank takes money back, the merchant answers, or it is decided.
    pub(crate) async fn dispute(&mut self, system: &mut TestSystem, chance: &mut Chance) {
        let store = system.gateway.store();
        let mut open = store
            .disputes
            .list(system.merchant.id, None, None, 50)
            .await
            .unwrap();
        open.retain(|dispute| !matches!(dispute.state, DisputeState::Won | DisputeState::Lost));
        if open.is_empty() || chance.once_in(2) {
            let Some(payment) = one(system, chance).await else {
                return;
            };
            let amount = amount(chance, payment.refundable_minor());
            let reason = *chance.pick(&DisputeReason::ALL);
            drop(disputes::service::open(&system.gateway, payment.id, amount, reason).await);
            return;
        }
        let named = chance.pick(&open).clone();
        let payment = store.payments.get(named.payment).await.unwrap().unwrap();
        if payment.modification.is_some() {
            return;
        }
        let actions = [
            DisputeAction::Evidence("It was delivered.".into()),
            DisputeAction::Accepted,
            DisputeAction::Won,
            DisputeAction::Won,
            DisputeAction::Lost,
        ];
        let action = chance.pick(&actions);
        drop(disputes::service::happen(&system.gateway, named.id, action, None).await);
    }

    /// The merchant's bank sends a payout back.
    pub(crate) async fn return_payout(&mut self, system: &TestSystem, chance: &mut Chance) {
        let sent = system.bank.sent_payouts(20).await.unwrap();
        if sent.is_empty() {
            return;
        }
        let id = chance.pick(&sent).id;
        // It may have come back before.
        drop(
            system
                .bank
                .return_payout(id, ReturnReason::AccountClosed)
                .await,
        );
    }
}

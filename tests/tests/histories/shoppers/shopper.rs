//! A shopper with one checkout in one browser, who acts now and then.

use crate::histories::system::{TestSystem, incoming};
use harness::chance::Chance;
use harness::client::{Browser, card};
use sealpay_protocol::api::{
    ActionView, AuthenticationRequest, AuthenticationStep, Method, PaymentView, SessionView,
    ShopperState,
};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::order::{AuthenticationRequirement, Capture, OrderClaims, Simulate};
use std::sync::Arc;
use verifier_server::payments::authenticate::authenticate;
use verifier_server::payments::authorize::authorize;
use verifier_server::sessions::open::open_session;
use verifier_server::simulation::wallet_page::{WalletAction, decide};

/// Persona cards of every kind, and cards that nobody knows.
const CARDS: [&str; 16] = [
    "4242424242424242",
    "4242424242424242",
    "5555555555554444",
    "4000007001000006",
    "4000007001000006",
    "5200007002000000",
    "4000007003000004",
    "4000007004000003",
    "4000007006000001",
    "4000007007000000",
    "4000007011000004",
    "4000000000009995",
    "4111111111111111",
    "5454545454545454",
    "371449635398431",
    "6011000990139424",
];

/// What an order may ask for; nothing, mostly. A bank that is slow would make histories slow.
const OUTCOMES: [&str; 18] = [
    "",
    "",
    "",
    "",
    "",
    "challenge_code",
    "challenge_code",
    "frictionless",
    "not_authenticated",
    "response_lost",
    "response_lost_declined",
    "response_timeout",
    "insufficient_funds",
    "transfer_short",
    "transfer_over",
    "transfer_late",
    "transfer_wrong_reference",
    "transfer_never",
];

const CURRENCIES: [&str; 6] = ["EUR", "EUR", "EUR", "USD", "GBP", "JPY"];

const METHODS: [Method; 6] = [
    Method::Card,
    Method::Card,
    Method::Card,
    Method::Card,
    Method::Wallet,
    Method::BankTransfer,
];

pub(crate) struct Shopper {
    browser: Browser,
    order: String,
    session: SessionView,
    address: u8,
    number: &'static str,
    attempt: Option<(AttemptId, Vec<u8>)>,
    view: Option<PaymentView>,
}

impl Shopper {
    /// Comes with an order; nobody, when the verifier died over it.
    pub(crate) async fn arrive(system: &mut TestSystem, chance: &mut Chance) -> Option<Self> {
        let browser = Browser::with_clock(
            &system.gateway.settings().public_origin,
            system.clock.clone(),
        );
        let order = system.merchant.sign(&claims(system, chance));
        let address = u8::try_from(chance.between(1, 4)).unwrap();
        let request = browser.open_session(&order);
        let gateway = Arc::clone(&system.gateway);
        let opening = async move { open_session(&gateway, incoming(&request, address)).await };
        let session = system.perhaps_dying(chance, opening).await?;
        Some(Self {
            session: session.unwrap_or_else(|refusal| panic!("not opened: {refusal:?}")),
            browser,
            order,
            address,
            number: *chance.pick(CARDS.as_slice()),
            attempt: None,
            view: None,
        })
    }

    /// Pays, or sends the same attempt again.
    pub(crate) async fn pay(&mut self, system: &mut TestSystem, chance: &mut Chance) {
        let again = self.attempt.is_some() && !(self.is_free() && chance.once_in(2));
        if !again {
            let attempt = AttemptId::new(self.browser.now() * 1000, {
                let mut bytes = [0; 10];
                chance.fill(&mut bytes);
                bytes
            });
            let body = match chance.pick(&METHODS) {
                Method::Card => {
                    let card = card(self.number);
                    self.browser
                        .pay_body(&self.order, &self.session, attempt, &card)
                }
                method => self.browser.pay_by(&self.session, attempt, *method).body,
            };
            self.attempt = Some((attempt, body));
        }
        let Some((attempt, body)) = self.attempt.clone() else {
            return;
        };
        let request = self.browser.send_attempt(&self.session, attempt, body);
        let (gateway, address) = (Arc::clone(&system.gateway), self.address);
        let paying = async move { authorize(&gateway, incoming(&request, address)).await };
        if let Some(Ok(view)) = system.perhaps_dying(chance, paying).await {
            // An answer may be lost on its way to the shopper, too.
            if !chance.once_in(8) {
                self.view = Some(view);
            }
        }
    }

    /// Whether another attempt may be made, as far as the shopper knows.
    fn is_free(&self) -> bool {
        let state = self.view.as_ref().map(|view| view.state);
        state == Some(ShopperState::Declined)
    }

    /// Does something about what is asked of the shopper.
    pub(crate) async fn act(&mut self, system: &mut TestSystem, chance: &mut Chance) {
        let Some(view) = self.view.clone() else {
            return self.pay(system, chance).await;
        };
        match view.action {
            Some(ActionView::Code(_)) => self.answer_code(system, chance, &view).await,
            Some(ActionView::Wallet(wallet)) if !chance.once_in(4) => {
                use_wallet(system, chance, &wallet.url).await;
            }
            Some(ActionView::Transfer(transfer)) if chance.once_in(3) => {
                let due = transfer.amount_due.max(1);
                let amounts = [due, due, (due / 2).max(1), due + 7];
                let amount = *chance.pick(&amounts);
                let reference = match chance.once_in(4) {
                    true => "RF00NOBODY".to_owned(),
                    false => transfer.reference,
                };
                send_money(system, &reference, amount, &view.currency).await;
            }
            Some(_) if chance.once_in(5) => {
                let step = AuthenticationStep::Cancel;
                self.step(system, chance, &view, step, None).await;
            }
            _ => self.pay(system, chance).await,
        }
    }

    async fn answer_code(
        &mut self,
        system: &mut TestSystem,
        chance: &mut Chance,
        view: &PaymentView,
    ) {
        match chance.between(0, 10) {
            0 => {
                self.step(system, chance, view, AuthenticationStep::Resend, None)
                    .await;
            }
            1 => {
                self.step(system, chance, view, AuthenticationStep::Cancel, None)
                    .await;
            }
            2..=4 => {
                let code = Some("000000".into());
                self.step(system, chance, view, AuthenticationStep::Code, code)
                    .await;
            }
            _ => {
                // The newest code may well be somebody else's.
                let messages = system.bank.messages(1).await.unwrap();
                let code = messages.into_iter().find_map(|sent| sent.message.code);
                let code = code.or_else(|| Some("123456".into()));
                self.step(system, chance, view, AuthenticationStep::Code, code)
                    .await;
            }
        }
    }

    async fn step(
        &mut self,
        system: &mut TestSystem,
        chance: &mut Chance,
        view: &PaymentView,
        step: AuthenticationStep,
        code: Option<String>,
    ) {
        let body = AuthenticationRequest {
            payment: view.payment,
            step,
            code,
            credential: None,
        };
        let request = self.browser.step(&self.session, &body);
        let (gateway, address) = (Arc::clone(&system.gateway), self.address);
        let stepping = async move { authenticate(&gateway, incoming(&request, address)).await };
        if let Some(Ok(view)) = system.perhaps_dying(chance, stepping).await {
            self.view = Some(view);
        }
    }
}

async fn use_wallet(system: &mut TestSystem, chance: &mut Chance, url: &str) {
    let token = url.rsplit('/').next().unwrap_or_default().to_owned();
    let decisions = [
        WalletAction::Confirm("wallet:everyday".into()),
        WalletAction::Confirm("wallet:nearly_empty".into()),
        WalletAction::Refuse,
    ];
    let decision = chance.pick(&decisions).clone();
    let gateway = Arc::clone(&system.gateway);
    let deciding = async move { decide(&gateway, &token, decision).await };
    drop(system.perhaps_dying(chance, deciding).await);
}

async fn send_money(system: &TestSystem, reference: &str, amount: i64, currency: &str) {
    let money = sealpay_protocol::money::Money::new(amount, currency.parse().unwrap());
    let transfers = system.bank.transfers();
    let sent = transfers.send(reference, money, system.now_ms()).await;
    sent.unwrap();
}

fn claims(system: &TestSystem, chance: &mut Chance) -> OrderClaims {
    let now = system.clock.now_ms() / 1000;
    let amount = match chance.between(0, 12) {
        0 => 990_051,
        1 => i64::try_from(chance.between(25_000, 60_000)).unwrap(),
        _ => i64::try_from(chance.between(100, 6_000)).unwrap(),
    };
    let outcome = chance.pick(&OUTCOMES);
    let countries = [None, None, Some("DE"), Some("US")];
    OrderClaims {
        iat: now,
        exp: now + 1800,
        amount,
        currency: (*chance.pick(&CURRENCIES)).into(),
        capture: if chance.once_in(3) {
            Capture::Manual
        } else {
            Capture::Automatic
        },
        // Direct debits take days and euros.
        methods: Some(vec![Method::Card, Method::Wallet, Method::BankTransfer]),
        billing_country: chance.pick(&countries).map(str::to_owned),
        authentication: chance
            .once_in(10)
            .then_some(AuthenticationRequirement::Required),
        simulate: (!outcome.is_empty()).then(|| Simulate {
            outcome: (*outcome).into(),
        }),
        ..system
            .merchant
            .claims(&system.gateway.settings().public_origin)
    }
}

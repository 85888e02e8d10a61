//! Runs the side effects of the state machine.

use super::Checkout;
use crate::browser::passkey::{self, Ceremony};
use crate::browser::wallet::WalletWindow;
use crate::browser::{clipboard, clock, document, random, responses};
use crate::form::Correction;
use crate::methods;
use crate::payment::request::{Destination, Freshness, SignedRequest};
use crate::payment::{
    Attempt, Effect, HostMessage, Notice, PaymentEvent, Phase, ShopperAction, wallet_address,
};
use crate::view::connection::AcceptedOrder;
use crate::view::msg::{Focus, Msg};
use sealpay_protocol::api::ActionView;
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::{AttemptId, SessionId};
use std::pin::Pin;
use std::rc::Rc;
use yew::Context;
use yew::html::Scope;

/// How long before its end a shopper is warned that the session ends (WCAG 2.2.1).
pub(super) const WARNING_SECONDS: u64 = 120;
const WARNING_MS: u32 = 120_000;

impl Checkout {
    pub(super) fn run_all(&mut self, context: &Context<Self>, effects: Vec<Effect>) {
        for effect in effects {
            let next = self.run(context, effect);
            self.run_all(context, next);
        }
    }

    /// Runs an effect. An effect with an immediate result returns the next effects.
    fn run(&mut self, context: &Context<Self>, effect: Effect) -> Vec<Effect> {
        let link = context.link().clone();
        match effect {
            Effect::OpenSession { generation } => self.open_session(context, generation),
            Effect::Seal {
                generation,
                attempt,
                card,
                consent,
            } => {
                let body = self.seal(attempt, &card, consent);
                return self.state.step(PaymentEvent::Sealed { generation, body });
            }
            Effect::Send {
                generation,
                attempt,
            } => self.pay(&link, generation, attempt),
            Effect::Authenticate {
                generation,
                id,
                body,
            } => self.authenticate(&link, generation, id, body),
            Effect::UsePasskey {
                generation,
                options,
            } => request_passkey(&link, generation, Ceremony::Get, options),
            Effect::SavePasskey {
                generation,
                options,
            } => request_passkey(&link, generation, Ceremony::Create, options),
            Effect::OpenWallet => self.open_wallet(),
            Effect::CancelPayment => {
                return self.state.step(PaymentEvent::Action {
                    id: random::attempt_id(),
                    now: clock::now(),
                    action: ShopperAction::Cancel,
                });
            }
            Effect::Wait {
                generation,
                milliseconds,
                timer,
            } => clock::after(milliseconds, move || {
                link.send_message(Msg::Payment(PaymentEvent::TimerFired { generation, timer }));
            }),
            Effect::WatchExpiry { milliseconds } => self.watch_expiry(&link, milliseconds),
            Effect::ClearSecurityCode => self.require_correction(),
            Effect::ClearCode => {
                self.clear_code();
                self.focus = Some(Focus::Code);
            }
            Effect::FocusCode => self.focus = Some(Focus::Code),
            Effect::ClearForm => self.clear(),
            Effect::ClearFormUnlessRenewable => {
                if !self.connection.exit_options.can_renew {
                    self.clear();
                }
            }
            Effect::NotifyHost(message) => self.notify_host(&message),
        }
        Vec::new()
    }

    /// Clears the security code, marks what is to be corrected, and focuses it. Where no correction
    /// would help, the notice gets the focus, so that it is read and no keyboard covers it.
    fn require_correction(&mut self) {
        let has_fields = methods::for_method(self.choice.method()).has_fields();
        let correction = match self.notice() {
            _ if self.saved_card().is_some() => Correction::None,
            Some(Notice::Declined(decline)) => Correction::from_decline(decline),
            _ => Correction::SecurityCode,
        };
        let marked = self
            .form
            .require_correction(correction)
            .filter(|_| has_fields);
        self.show_all();
        self.notify_change();
        if document::has_focus() {
            self.focus = Some(match (correction, marked) {
                (Correction::Field(_) | Correction::AnotherCard, Some(field)) => {
                    Focus::Field(field)
                }
                _ => Focus::Notice,
            });
        }
    }

    fn open_session(&self, context: &Context<Self>, generation: u32) {
        let Ok(accepted) = &self.connection.order else {
            return;
        };
        let body = accepted.credentials.open_body();
        let Some(request) = self.sign(Destination::Sessions, random::attempt_id(), body) else {
            return;
        };
        let transport = self.connection.transport.clone();
        listen(context.link(), async move {
            let response = transport.send(request, responses::session).await;
            Msg::Payment(PaymentEvent::Opened {
                generation,
                now: clock::now(),
                response,
            })
        });
    }

    fn pay(&self, link: &Scope<Self>, generation: u32, attempt: Attempt) {
        let event = |generation, now, response| PaymentEvent::Paid {
            generation,
            now,
            response,
        };
        let (id, body) = (attempt.id, attempt.body);
        self.send(link, Destination::Payments, id, body, (generation, event));
    }

    fn authenticate(&self, link: &Scope<Self>, generation: u32, id: AttemptId, body: Rc<[u8]>) {
        let event = |generation, now, response| PaymentEvent::Authenticated {
            generation,
            now,
            response,
        };
        let to = Destination::Authentications;
        self.send(link, to, id, body, (generation, event));
    }

    fn watch_expiry(&self, link: &Scope<Self>, milliseconds: u32) {
        let warning = link.clone();
        clock::after(milliseconds.saturating_sub(WARNING_MS), move || {
            warning.send_message(Msg::SessionEndsSoon);
        });
        let (link, connection) = (link.clone(), self.connection.clone());
        clock::after(milliseconds, move || {
            link.send_message(Msg::SessionExpired(connection));
        });
    }

    /// Sends a request whose response is a payment.
    fn send(
        &self,
        link: &Scope<Self>,
        to: fn(SessionId) -> Destination,
        id: AttemptId,
        body: Rc<[u8]>,
        (generation, event): (u32, fn(u32, u64, PaymentResponse) -> PaymentEvent),
    ) {
        let Some(session) = self.state.session().map(|session| session.session) else {
            return;
        };
        let Some(request) = self.sign(to(session), id, body) else {
            return;
        };
        let transport = self.connection.transport.clone();
        listen(link, async move {
            let response = transport.send(request, responses::payment).await;
            Msg::Payment(event(generation, clock::now(), response))
        });
    }

    fn seal(&self, attempt: AttemptId, card: &Card, consent: Option<String>) -> Option<Rc<[u8]>> {
        let AcceptedOrder { credentials, .. } = self.connection.order.as_ref().ok()?;
        let session = self.state.session()?;
        credentials.pay_body(session, attempt, card, consent, &mut random::source())
    }

    pub(super) fn sign(
        &self,
        to: Destination,
        id: AttemptId,
        body: Rc<[u8]>,
    ) -> Option<SignedRequest> {
        let AcceptedOrder { credentials, .. } = self.connection.order.as_ref().ok()?;
        let freshness = Freshness {
            created: self.verifier_now(),
            nonce: random::bytes(),
        };
        Some(credentials.sign(&document::authority(), to, id, body, freshness))
    }

    pub(super) fn notify_host(&self, message: &HostMessage) {
        let port = &self.connection.port;
        if let HostMessage::Error { code } = message {
            let sentence = self.connection.catalog().panel(code).sentence;
            port.send_error(code, sentence, self.state.problem(code));
        } else {
            port.send(message);
        }
    }

    /// The address of the wallet's page, while it is required.
    pub(super) fn wallet_address(&self) -> Option<&str> {
        let Phase::ActionRequired(required) = self.state.phase() else {
            return None;
        };
        let ActionView::Wallet(wallet) = &required.action else {
            return None;
        };
        let origin = &self.state.session()?.verifier_origin;
        wallet_address(&wallet.url, origin.as_str())
    }

    /// Opens the wallet's page, or brings it to the front.
    pub(super) fn open_wallet(&mut self) {
        match &self.wallet {
            Some(window) if !window.is_closed() => window.show(),
            _ => {
                let Some(address) = self.wallet_address() else {
                    return;
                };
                self.wallet = WalletWindow::open(address);
                self.is_wallet_unknown = self.wallet.is_none();
            }
        }
    }

    /// Copies a value of a bank transfer and announces the result.
    pub(super) fn copy(&self, context: &Context<Self>, name: &'static str, value: String) {
        let catalog = self.connection.catalog();
        listen(context.link(), async move {
            let is_copied = clipboard::write(&value).await;
            Msg::CopyFinished(if is_copied {
                (catalog.copied)(name)
            } else {
                catalog.not_copied.into()
            })
        });
    }
}

type PaymentResponse = crate::payment::ApiResponse<Box<sealpay_protocol::api::PaymentView>>;

fn request_passkey(link: &Scope<Checkout>, generation: u32, ceremony: Ceremony, options: String) {
    listen(link, async move {
        let credential = passkey::perform(ceremony, options).await;
        Msg::Payment(PaymentEvent::Passkey {
            generation,
            id: random::attempt_id(),
            credential,
        })
    });
}

/// Sends the message that a future results in. Boxed, so that its code exists once.
pub(super) fn listen(link: &Scope<Checkout>, future: impl Future<Output = Msg> + 'static) {
    let future: Pin<Box<dyn Future<Output = Msg>>> = Box::pin(future);
    link.send_future(future);
}

//! Runs what the machine wants done.

use super::Admitted;
use super::checkout::{Checkout, Focus, Heard};
use crate::browser::passkey::{self, Ceremony};
use crate::browser::wallet::WalletWindow;
use crate::browser::{answer, clock, document, random};
use crate::form::{Field, Wanted};
use crate::pay::request::{Destination, Freshness, SignedRequest};
use crate::pay::{Deed, Effect, Event, Message, Notice, Phase, wallet_address};
use sealpay_protocol::api::{ActionView, Method};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::{AttemptId, SessionId};
use std::pin::Pin;
use std::rc::Rc;
use yew::Context;
use yew::html::Scope;

/// How long before its end a shopper is warned that the session ends (WCAG 2.2.1).
pub(super) const WARNING_SECONDS: u64 = 120;
const WARNING_MS: u32 = 120_000;

/// A name for what is about to be sent.
pub(super) fn fresh_id() -> AttemptId {
    AttemptId::new(clock::now_ms(), random::bytes())
}

impl Checkout {
    pub(super) fn run_all(&mut self, context: &Context<Self>, effects: Vec<Effect>) {
        for effect in effects {
            let next = self.run(context, effect);
            self.run_all(context, next);
        }
    }

    /// Runs an effect; what can be answered at once gives the next effects.
    fn run(&mut self, context: &Context<Self>, effect: Effect) -> Vec<Effect> {
        let link = context.link().clone();
        match effect {
            Effect::OpenSession { turn } => self.open_session(context, turn),
            Effect::Seal {
                turn,
                attempt,
                card,
            } => {
                let body = self.seal(attempt, &card);
                return self.state.step(Event::Sealed { turn, body });
            }
            Effect::Send { turn, attempt } => {
                let event = |turn, now, answer| Event::Paid { turn, now, answer };
                let (id, body) = (attempt.id, attempt.body);
                self.send(&link, Destination::Payments, id, body, (turn, event));
            }
            Effect::Authenticate { turn, id, body } => {
                let event = |turn, now, answer| Event::Authenticated { turn, now, answer };
                self.send(&link, Destination::Authentications, id, body, (turn, event));
            }
            Effect::UsePasskey { turn, options } => {
                ask_for_passkey(&link, turn, Ceremony::Use, options);
            }
            Effect::KeepPasskey { turn, options } => {
                ask_for_passkey(&link, turn, Ceremony::Keep, options);
            }
            Effect::OpenWallet => self.open_wallet(),
            Effect::Abandon => {
                return self.state.step(Event::Did {
                    id: fresh_id(),
                    now: clock::now(),
                    deed: Deed::Cancel,
                });
            }
            Effect::Wait {
                turn,
                milliseconds,
                wake,
            } => clock::after(milliseconds, move || {
                link.send_message(Heard::Happened(Event::Woke { turn, wake }));
            }),
            Effect::WatchExpiry { milliseconds } => {
                let connection = self.connection.clone();
                let ends_soon = link.clone();
                clock::after(milliseconds.saturating_sub(WARNING_MS), move || {
                    ends_soon.send_message(Heard::EndsSoon);
                });
                clock::after(milliseconds, move || {
                    link.send_message(Heard::TimeUp(connection));
                });
            }
            Effect::AskSecurityCodeAgain => self.ask_security_code_again(),
            Effect::AskCodeAgain => {
                self.empty_code();
                self.focus = Some(Focus::Code);
            }
            Effect::FocusCode => self.focus = Some(Focus::Code),
            Effect::ForgetCard => self.forget(),
            Effect::KeepForRenewal => {
                if !self.connection.way_out.can_renew {
                    self.forget();
                }
            }
            Effect::Tell(message) => self.tell(&message),
        }
        Vec::new()
    }

    /// Wipes what must not stay, marks what is wrong, and puts the shopper there; where nothing in
    /// the fields helps, on the notice, so that the reason is read and no keyboard covers it.
    fn ask_security_code_again(&mut self) {
        let is_card = self.choice.method() == Method::Card;
        let wanted = match self.notice() {
            Some(Notice::Declined(decline)) => Wanted::by(decline),
            _ => Wanted::SecurityCode,
        };
        let marked = self.form.after_attempt(wanted).filter(|_| is_card);
        for field in Field::ALL {
            self.show(field, None);
        }
        self.tell_change();
        if document::has_focus() {
            self.focus = Some(match (wanted, marked) {
                (Wanted::Correction(_) | Wanted::AnotherCard, Some(field)) => Focus::Field(field),
                _ => Focus::Notice,
            });
        }
    }

    fn open_session(&self, context: &Context<Self>, turn: u32) {
        let Ok(admitted) = &self.connection.admission else {
            return;
        };
        let body = admitted.credentials.open_body();
        let Some(request) = self.sign(Destination::Sessions, fresh_id(), body) else {
            return;
        };
        let transport = self.connection.transport.clone();
        listen(context.link(), async move {
            let answer = transport.send(request, answer::session).await;
            Heard::Happened(Event::Opened {
                turn,
                now: clock::now(),
                answer,
            })
        });
    }

    /// Sends something that is answered with a payment.
    fn send(
        &self,
        link: &Scope<Self>,
        to: fn(SessionId) -> Destination,
        id: AttemptId,
        body: Rc<[u8]>,
        (turn, event): (u32, fn(u32, u64, PaymentAnswer) -> Event),
    ) {
        let Some(session) = self.state.session().map(|session| session.session) else {
            return;
        };
        let Some(request) = self.sign(to(session), id, body) else {
            return;
        };
        let transport = self.connection.transport.clone();
        listen(link, async move {
            let answer = transport.send(request, answer::payment).await;
            Heard::Happened(event(turn, clock::now(), answer))
        });
    }

    fn seal(&self, attempt: AttemptId, card: &Card) -> Option<Rc<[u8]>> {
        let Admitted { credentials, .. } = self.connection.admission.as_ref().ok()?;
        credentials.pay_body(self.state.session()?, attempt, card, &mut random::source())
    }

    fn sign(&self, to: Destination, id: AttemptId, body: Rc<[u8]>) -> Option<SignedRequest> {
        let Admitted { credentials, .. } = self.connection.admission.as_ref().ok()?;
        let created = self.state.verifier_time(clock::now());
        let freshness = Freshness {
            created,
            nonce: random::bytes(),
        };
        Some(credentials.sign(&document::authority(), to, id, body, freshness))
    }

    pub(super) fn tell(&self, message: &Message) {
        let port = &self.connection.port;
        if let Message::Error { code } = message {
            let sentence = self.connection.texts.panel(code).1;
            port.tell_error(code, sentence, self.state.refusal(code));
        } else {
            port.tell(message);
        }
    }

    // ---- The wallet's window ----

    /// The address of the wallet's page, while that is what the shopper has to open.
    pub(super) fn wallet_address(&self) -> Option<&str> {
        let Phase::Acting(acting) = self.state.phase() else {
            return None;
        };
        let ActionView::Wallet(wallet) = &acting.action else {
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
                self.is_wallet_hidden = self.wallet.is_none();
            }
        }
    }

    pub(super) fn wallet_is_open(&self) -> bool {
        self.wallet
            .as_ref()
            .is_some_and(|window| !window.is_closed())
    }
}

type PaymentAnswer = crate::pay::Answer<Box<sealpay_protocol::api::PaymentView>>;

fn ask_for_passkey(link: &Scope<Checkout>, turn: u32, ceremony: Ceremony, options: String) {
    listen(link, async move {
        let credential = passkey::perform(ceremony, options).await;
        Heard::Happened(Event::Passkey {
            turn,
            id: fresh_id(),
            credential,
        })
    });
}

/// Hears what a future brings. Boxed, so that the machinery behind it is there once.
fn listen(link: &Scope<Checkout>, future: impl Future<Output = Heard> + 'static) {
    let future: Pin<Box<dyn Future<Output = Heard>>> = Box::pin(future);
    link.send_future(future);
}

//! The whole form: hands events to `form` and `pay`, runs the effects, draws the state.

use super::effects::fresh_id;
use super::element::element;
use super::summary::Summary;
use super::{Connection, fields, panel};
use crate::browser::field::{self, Input, Typed};
use crate::browser::page::Request;
use crate::browser::wallet::WalletWindow;
use crate::browser::{clock, document};
use crate::form::{Choice, Field, Form, Wanted};
use crate::pay::{Deed, Event, Means, Notice, Phase, State, Submission};
use sealpay_protocol::api::{ActionView, Method};
use sealpay_protocol::card::{Brand, YearMonth};
use std::rc::Rc;
use yew::{Component, Context, Html, NodeRef};

/// How long a payment may be under way before the shopper is told that it still is.
const PATIENCE_MS: u32 = 5_000;

/// What the component is made of.
#[derive(Clone, yew::Properties)]
pub struct Properties {
    /// Everything from outside.
    pub connection: Rc<Connection>,
}

impl PartialEq for Properties {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.connection, &other.connection)
    }
}

/// What reaches the component.
pub enum Heard {
    /// Something was typed.
    Edited(Field, Typed),
    /// A field was left.
    Blurred(Field),
    /// A method was chosen.
    Chose(Method),
    /// The shopper asked to pay.
    Submitted,
    /// Something was typed as a one-time code.
    TypedCode,
    /// Something was done about a challenge or an offer.
    Did(Deed),
    /// The wallet's page was asked for.
    AskedForWallet,
    /// The shopper came back to this document, or the network did.
    CameBack,
    /// The shopper leaves this document, which may be shown again as it is.
    Left,
    /// Something has been under way for long: what, by its number.
    TakesLong(u32),
    /// The session of this order has ended by the clock.
    TimeUp(Rc<Connection>),
    /// A way out of a checkout that is over was chosen.
    AskedFor(&'static str),
    /// A second went by that is counted on the screen.
    Ticked,
    /// The session is about to end.
    EndsSoon,
    /// A fact of a transfer was to be copied: its name, and what to copy.
    Copied(&'static str, String),
    /// What became of that: the sentence.
    CopyAnswered(String),
    /// Something happened to the payment.
    Happened(Event),
    /// The page asked for something.
    Asked(Request),
}

/// Where to put the shopper after the next drawing.
#[derive(Clone, Copy)]
pub(super) enum Focus {
    Field(Field),
    Heading,
    Notice,
    Offer,
    Code,
    Pay,
}

/// The component.
pub struct Checkout {
    pub(super) connection: Rc<Connection>,
    pub(super) form: Form,
    pub(super) choice: Choice,
    pub(super) state: State,
    pub(super) wallet: Option<WalletWindow>,
    pub(super) summary: Option<Summary>,
    pub(super) inputs: [NodeRef; 4],
    pub(super) heading: NodeRef,
    pub(super) code: NodeRef,
    pub(super) pay: NodeRef,
    pub(super) notice_place: NodeRef,
    pub(super) offer: NodeRef,
    pub(super) focus: Option<Focus>,
    sheet: NodeRef,
    pub(super) announcement: String,
    /// The browser did not say that the wallet's window opened.
    pub(super) is_wallet_hidden: bool,
    /// How often something was under way, and whether this time it takes long.
    busy_count: u32,
    is_watched: bool,
    pub(super) takes_long: bool,
    is_counting: bool,
    pub(super) ends_soon: bool,
    pub(super) told: (bool, Option<Brand>),
}

impl Component for Checkout {
    type Message = Heard;
    type Properties = Properties;

    fn create(context: &Context<Self>) -> Self {
        let connection = context.props().connection.clone();
        let heard = context.link().clone();
        connection
            .port
            .listen(move |request| heard.send_message(Heard::Asked(request)));
        let heard = context.link().clone();
        document::watch_return(move || heard.send_message(Heard::CameBack));
        let heard = context.link().clone();
        document::watch_network(move || heard.send_message(Heard::CameBack));
        let heard = context.link().clone();
        document::watch_leave(move || heard.send_message(Heard::Left));
        let start = match &connection.admission {
            Ok(_) => Event::Start,
            Err(code) => Event::NotAdmitted(code),
        };
        context.link().send_message(Heard::Happened(start));
        let claims = connection
            .admission
            .as_ref()
            .ok()
            .map(|admitted| &admitted.claims);
        let mut choice = Choice::default();
        choice.offer(claims.map_or(&[], |claims| &claims.methods));
        Self {
            summary: claims.and_then(|claims| Summary::of(&connection.locale, &claims.order)),
            form: Form::new(YearMonth::from_unix_seconds(clock::now())),
            choice,
            state: State::default(),
            wallet: None,
            inputs: Default::default(),
            heading: NodeRef::default(),
            code: NodeRef::default(),
            pay: NodeRef::default(),
            notice_place: NodeRef::default(),
            offer: NodeRef::default(),
            focus: None,
            sheet: NodeRef::default(),
            announcement: String::new(),
            is_wallet_hidden: false,
            busy_count: 0,
            is_watched: false,
            takes_long: false,
            is_counting: false,
            ends_soon: false,
            told: (false, None),
            connection,
        }
    }

    fn update(&mut self, context: &Context<Self>, heard: Heard) -> bool {
        match heard {
            Heard::Edited(field, typed) => self.edited(field, &typed),
            Heard::Blurred(field) => self.left(field),
            Heard::Chose(method) => self.chose(method),
            Heard::Submitted => self.submitted(context),
            Heard::TypedCode => {
                self.tidy_code();
                self.announcement = String::new();
                self.happened(context, Event::CodeTyped);
            }
            Heard::CameBack => {
                if matches!(
                    self.state.phase(),
                    Phase::Acting(_) | Phase::Interrupted { .. } | Phase::Unreachable
                ) {
                    self.happened(context, Event::CameBack);
                }
            }
            Heard::Did(deed) => {
                let (id, now) = (fresh_id(), clock::now());
                self.happened(context, Event::Did { id, now, deed });
            }
            Heard::Left => {
                self.form.after_attempt(Wanted::Nothing);
                self.show(Field::SecurityCode, None);
            }
            Heard::TakesLong(number) => {
                if number == self.busy_count && self.state.is_processing() {
                    self.takes_long = true;
                    self.announcement = self.connection.texts.takes_long.into();
                }
            }
            Heard::TimeUp(connection) => {
                // The page may have brought another order since.
                if Rc::ptr_eq(&connection, &self.connection) {
                    self.happened(context, Event::SessionTimeUp);
                }
            }
            Heard::AskedFor(way_out) => self.connection.port.ask(way_out),
            Heard::AskedForWallet => self.open_wallet(),
            Heard::Ticked => {
                self.is_counting = false;
                if self.code_has_just_expired() {
                    self.announcement = self.connection.texts.error("code_expired").into();
                }
            }
            Heard::EndsSoon => self.warn(),
            Heard::Copied(name, value) => self.copy(context, name, value),
            Heard::CopyAnswered(sentence) => self.say(sentence),
            Heard::Happened(event) => self.happened(context, event),
            Heard::Asked(Request::Focus) => self.focus = Some(self.first_place()),
            Heard::Asked(Request::Update(order)) => self.renewed(context, order),
            Heard::Asked(Request::Submit) => self.submitted(context),
            Heard::Asked(Request::Unmount) => {
                self.forget();
                self.connection.port.close();
            }
        }
        self.count_seconds(context);
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let link = context.link();
        let texts = self.connection.texts;
        let summary = match &self.summary {
            Some(summary) => summary.view(texts, self.connection.look, self.state.is_over()),
            None => element("h1.unseen").says(texts.order),
        };
        let status = element("p.unseen")
            .with("role=status")
            .says(&self.announcement);
        let payment = element("div.payment")
            .child(fields::view(self, link))
            .child(panel::view(self, link))
            .holds(status);
        element("div.sheet wide")
            .at(&self.sheet)
            .holds(summary)
            .holds(payment)
            .done()
    }

    fn rendered(&mut self, _context: &Context<Self>, first_render: bool) {
        // Of what holds the sheet, which may have room around it.
        if first_render
            && let Some(sheet) = self.sheet.cast::<field::Element>()
            && let Some(around) = sheet.parent_element()
        {
            let port = self.connection.port.clone();
            document::watch_height(&around, move |height| port.tell_height(height));
        }
        let element = match self.focus.take() {
            Some(Focus::Field(field)) => self.input(field).map(field::Element::from),
            Some(Focus::Heading) => self.heading.cast(),
            Some(Focus::Notice) => self.notice_place.cast(),
            Some(Focus::Offer) => self.offer.cast(),
            Some(Focus::Code) => self.code.cast(),
            Some(Focus::Pay) => self.pay.cast(),
            None => None,
        };
        if let Some(element) = element {
            field::focus(&element);
            let (top, bottom) = field::extent(&element);
            self.connection.port.reveal(top, bottom);
        }
    }
}

impl Checkout {
    pub(super) fn input(&self, field: Field) -> Option<Input> {
        self.inputs[fields::place_of(field)].cast()
    }

    /// What the state shows instead of the form, if it does.
    pub(super) fn panel_code(&self) -> Option<&str> {
        panel::code_of(self.state.phase())
    }

    /// Where a shopper begins.
    fn first_place(&self) -> Focus {
        match self.state.phase() {
            Phase::Acting(acting) if matches!(acting.action, ActionView::Code(_)) => Focus::Code,
            _ if self.panel_code().is_some() => Focus::Heading,
            _ if self.choice.method() == Method::Card => Focus::Field(Field::Number),
            _ => Focus::Pay,
        }
    }

    /// Whom the shopper pays.
    pub(super) fn payee(&self) -> &str {
        let summary = self.summary.as_ref();
        summary.map_or("", |summary| {
            summary.merchant.as_deref().unwrap_or_default()
        })
    }

    /// What the shopper pays.
    pub(super) fn total(&self) -> &str {
        self.summary.as_ref().map_or("", |summary| &summary.total)
    }

    // ---- The payment ----

    fn submitted(&mut self, context: &Context<Self>) {
        if !self.state.accepts_submission() {
            return;
        }
        self.read_fields();
        let means = match self.choice.method() {
            Method::Card => self.form.submit().map(Means::Card),
            Method::Wallet => Ok(Means::Wallet),
            Method::BankTransfer => Ok(Means::BankTransfer),
        };
        match means {
            Ok(means) => {
                let attempt = fresh_id();
                self.happened(context, Event::Submitted(Submission { attempt, means }));
            }
            Err(rejection) => {
                // Also where the focus stays, so that Enter is never answered by silence.
                self.focus = Some(Focus::Field(rejection.first));
                let texts = self.connection.texts;
                self.say(match self.form.entry(rejection.first).error() {
                    Some(code) if rejection.count == 1 => texts.error(code).into(),
                    _ => (texts.several_wrong)(rejection.count),
                });
            }
        }
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    fn happened(&mut self, context: &Context<Self>, event: Event) {
        let (was_busy, had_offer) = (self.is_busy(), self.has_offer());
        let before = self.panel_code().map(str::to_owned);
        let effects = self.state.step(event);
        self.run_all(context, effects);
        if let Some(session) = self.state.session() {
            self.summary = Summary::of_session(&self.connection.locale, session);
            let now = self.state.verifier_time(clock::now());
            self.form.set_today(YearMonth::from_unix_seconds(now));
            self.choice.offer(&session.methods);
        }
        if !self.waits_for_wallet() {
            self.is_wallet_hidden = false;
            if let Some(window) = self.wallet.take() {
                window.close();
            }
        }
        self.watch_patience(context);
        self.announce(was_busy, had_offer, before);
    }

    fn waits_for_wallet(&self) -> bool {
        matches!(self.state.phase(), Phase::Acting(acting)
            if matches!(acting.action, ActionView::Wallet(_)))
    }

    /// After some seconds the shopper is told that it goes on.
    fn watch_patience(&mut self, context: &Context<Self>) {
        let is_processing = self.state.is_processing();
        if is_processing == self.is_watched {
            return;
        }
        self.is_watched = is_processing;
        self.takes_long = false;
        if is_processing {
            self.busy_count = self.busy_count.wrapping_add(1);
            let (link, number) = (context.link().clone(), self.busy_count);
            clock::after(PATIENCE_MS, move || {
                link.send_message(Heard::TakesLong(number));
            });
        }
    }

    /// Goes on with another order of the page: what was typed stays.
    fn renewed(&mut self, context: &Context<Self>, order: Rc<str>) {
        if !self.state.accepts_order() {
            let (_, sentence) = self.connection.texts.panel("checking");
            self.connection
                .port
                .tell_error("update_refused", sentence, None);
            return;
        }
        self.connection = Rc::new(self.connection.with_order(order));
        let event = match &self.connection.admission {
            Ok(admitted) => {
                let claims = &admitted.claims;
                self.summary = Summary::of(&self.connection.locale, &claims.order);
                self.choice.offer(&claims.methods);
                Event::Renewed
            }
            Err(code) => Event::NotAdmitted(code),
        };
        self.happened(context, event);
    }

    /// Draws again in a second, as long as seconds are counted on the screen.
    fn count_seconds(&mut self, context: &Context<Self>) {
        let Phase::Acting(acting) = self.state.phase() else {
            return;
        };
        let ActionView::Code(code) = &acting.action else {
            return;
        };
        let waits = code.resends_left > 0 && self.seconds_until(code.resend_at) > 0;
        if (waits || self.seconds_until(code.expires_at) > 0) && !self.is_counting {
            self.is_counting = true;
            let link = context.link().clone();
            clock::after(1000, move || link.send_message(Heard::Ticked));
        }
    }

    /// The notice above the button that pays.
    pub(super) fn notice(&self) -> Option<&Notice> {
        match self.state.phase() {
            Phase::Form { notice } | Phase::Opening { notice, .. } => notice.as_ref(),
            _ => None,
        }
    }
}

//! The whole form: hands events to `form` and `pay`, runs the effects, draws the state.

use super::effects::fresh_id;
use super::element::element;
use super::summary::Summary;
use super::{Connection, challenge, fields, panel, receipt};
use crate::browser::field::{self, Input, Typed};
use crate::browser::page::Request;
use crate::browser::wallet::WalletWindow;
use crate::browser::{clock, document};
use crate::form::{Choice, Field, Form};
use crate::pay::{Deed, Event, Means, Message, Notice, Phase, State, Submission};
use sealpay_protocol::api::{ActionView, Method};
use sealpay_protocol::card::{Brand, YearMonth};
use std::rc::Rc;
use yew::{Component, Context, Html, NodeRef};

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
    Left(Field),
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
    /// The shopper came back to this document.
    CameBack,
    /// A second went by that is counted on the screen.
    Ticked,
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
    pub(super) focus: Option<Focus>,
    sheet: NodeRef,
    announcement: String,
    is_counting: bool,
    told: (bool, Option<Brand>),
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
            focus: None,
            sheet: NodeRef::default(),
            announcement: String::new(),
            is_counting: false,
            told: (false, None),
            connection,
        }
    }

    fn update(&mut self, context: &Context<Self>, heard: Heard) -> bool {
        match heard {
            Heard::Edited(field, typed) => self.edited(field, &typed),
            Heard::Left(field) => self.left(field),
            Heard::Chose(method) => self.chose(method),
            Heard::Submitted => self.submitted(context),
            Heard::TypedCode => {
                self.announcement = String::new();
                self.happened(context, Event::CodeTyped);
            }
            Heard::CameBack => {
                if matches!(self.state.phase(), Phase::Acting(_)) {
                    self.happened(context, Event::CameBack);
                }
            }
            Heard::Did(deed) => {
                let (id, now) = (fresh_id(), clock::now());
                self.happened(context, Event::Did { id, now, deed });
            }
            Heard::AskedForWallet => self.open_wallet(),
            Heard::Ticked => self.is_counting = false,
            Heard::Happened(event) => self.happened(context, event),
            Heard::Asked(Request::Focus) => self.focus = Some(self.first_place()),
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
            Some(summary) => summary.view(texts, self.state.is_over()),
            None => element("h1.unseen").says(texts.order),
        };
        let status = element("p.unseen")
            .with("role=status")
            .tells(&self.announcement);
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
        if first_render && let Some(sheet) = self.sheet.cast::<field::Element>() {
            let port = self.connection.port.clone();
            document::watch_height(&sheet, move |height| port.tell_height(height));
        }
        let element = match self.focus.take() {
            Some(Focus::Field(field)) => self.input(field).map(field::Element::from),
            Some(Focus::Heading) => self.heading.cast(),
            Some(Focus::Code) => self.code.cast(),
            Some(Focus::Pay) => self.pay.cast(),
            None => None,
        };
        if let Some(element) = element {
            field::focus(&element);
        }
    }
}

impl Checkout {
    fn input(&self, field: Field) -> Option<Input> {
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

    // ---- The fields ----

    fn chose(&mut self, method: Method) {
        if !self.state.is_processing() {
            self.choice.choose(method);
            self.tell_change();
        }
    }

    fn edited(&mut self, field: Field, typed: &Typed) {
        let caret = self.form.edited(field, &typed.edit());
        self.show(field, Some(caret));
        self.announcement = String::new();
        self.tell_change();
    }

    fn left(&mut self, field: Field) {
        if let Some(code) = self.form.left(field) {
            self.announcement = self.connection.texts.error(code).into();
        }
        self.show(field, None);
    }

    pub(super) fn show(&self, field: Field, caret: Option<usize>) {
        if let Some(input) = self.input(field) {
            field::show(&input, self.form.entry(field).text(), caret);
        }
    }

    pub(super) fn tell_change(&mut self) {
        let now = match self.choice.method() {
            Method::Card => (self.form.is_complete(), self.form.brand()),
            // There is nothing to fill in.
            _ => (true, None),
        };
        if now != self.told {
            self.told = now;
            self.tell(&Message::Change {
                complete: now.0,
                brand: now.1,
            });
        }
    }

    pub(super) fn forget(&mut self) {
        self.form.forget();
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    pub(super) fn empty_code(&self) {
        if let Some(input) = self.code.cast::<Input>() {
            field::show(&input, "", None);
        }
    }

    // ---- The payment ----

    fn submitted(&mut self, context: &Context<Self>) {
        if !self.state.accepts_submission() {
            return;
        }
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
                self.focus = Some(Focus::Field(rejection.first));
                if rejection.count > 1 {
                    let (before, after) = self.connection.texts.several_wrong;
                    let count = rejection.count.to_string();
                    self.announcement = [before, &count, after].concat();
                }
            }
        }
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    fn happened(&mut self, context: &Context<Self>, event: Event) {
        let was_busy = self.is_busy();
        let before = self.panel_code().map(str::to_owned);
        let effects = self.state.step(event);
        self.run_all(context, effects);
        if let Some(session) = self.state.session() {
            self.summary = Summary::of_session(&self.connection.locale, session);
            let now = self.state.verifier_time(clock::now());
            self.form.set_today(YearMonth::from_unix_seconds(now));
            self.choice.offer(&session.methods);
        }
        if self.panel_code() != Some("wallet")
            && let Some(window) = self.wallet.take()
        {
            window.close();
        }
        self.announce(was_busy, before);
    }

    fn is_busy(&self) -> bool {
        self.state.is_processing() || self.state.is_authenticating() || self.state.is_in_ceremony()
    }

    /// Draws again in a second, as long as seconds are counted on the screen.
    fn count_seconds(&mut self, context: &Context<Self>) {
        let Phase::Acting(acting) = self.state.phase() else {
            return;
        };
        let ActionView::Code(code) = &acting.action else {
            return;
        };
        if code.resends_left > 0 && self.seconds_until(code.resend_at) > 0 && !self.is_counting {
            self.is_counting = true;
            let link = context.link().clone();
            clock::after(1000, move || link.send_message(Heard::Ticked));
        }
    }

    /// Says once what has changed: by moving to the new heading when the shopper is here, or else
    /// by the live region.
    fn announce(&mut self, was_busy: bool, before: Option<String>) {
        let texts = self.connection.texts;
        let panel = self.panel_code();
        if panel.is_some() && panel != before.as_deref() {
            if document::has_focus() {
                let is_code = panel == Some("code");
                self.focus = Some(if is_code { Focus::Code } else { Focus::Heading });
                self.announcement = String::new();
            } else {
                self.announcement = panel::words_of(self);
            }
        } else if self.is_busy() {
            if !was_busy {
                self.announcement = texts.processing.into();
            }
        } else if let Some(words) = self.words() {
            self.announcement = words;
        }
    }

    /// What there is to say besides a heading.
    fn words(&self) -> Option<String> {
        let texts = self.connection.texts;
        match self.state.phase() {
            Phase::Form {
                notice: Some(notice),
            } => {
                let (heading, sentence) = fields::words_of(texts, notice);
                Some([heading, ". ", sentence].concat())
            }
            Phase::Acting(acting) => challenge::words_of(self, acting),
            Phase::Paid { offer, .. } => {
                receipt::code_of(*offer).map(|code| texts.error(code).to_owned())
            }
            _ => None,
        }
    }

    /// The notice above the fields.
    pub(super) fn notice(&self) -> Option<&Notice> {
        match self.state.phase() {
            Phase::Form { notice } | Phase::Opening { notice, .. } => notice.as_ref(),
            _ => None,
        }
    }
}

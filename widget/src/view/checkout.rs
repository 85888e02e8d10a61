//! The whole form: hands events to `form` and `payment`, runs the effects, draws the state.

use super::effects::fresh_id;
use super::element::element;
use super::summary::Summary;
use super::{Connection, fields, panel};
use crate::browser::field::{self, Input, Typed};
use crate::browser::host::HostRequest;
use crate::browser::wallet::WalletWindow;
use crate::browser::{clock, document};
use crate::form::{Correction, Field, Form, MethodChoice};
use crate::payment::{Notice, PaymentData, PaymentEvent, Phase, ShopperAction, State, Submission};
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
pub enum Msg {
    /// Something was typed.
    Edited(Field, Typed),
    /// A field was left.
    Blurred(Field),
    /// A method was chosen.
    MethodChosen(Method),
    /// The shopper asked to pay.
    Submitted,
    /// Something was typed as a one-time code.
    CodeEdited,
    /// Something was done about a challenge or an offer.
    Action(ShopperAction),
    /// The wallet's page was asked for.
    WalletRequested,
    /// The shopper came back to this document, or the network did.
    Resumed,
    /// The shopper leaves this document, which may be shown again as it is.
    PageHidden,
    /// Something has been under way for long: what, by its number.
    StillProcessing(u32),
    /// The session of this order has ended by the clock.
    SessionExpired(Rc<Connection>),
    /// A way out of a checkout that is over was chosen.
    ExitRequested(&'static str),
    /// A second went by that is counted on the screen.
    Tick,
    /// The session is about to end.
    SessionEndsSoon,
    /// A fact of a transfer was to be copied: its name, and what to copy.
    CopyRequested(&'static str, String),
    /// What became of that: the sentence.
    CopyFinished(String),
    /// Something happened to the payment.
    Payment(PaymentEvent),
    /// The page asked for something.
    Host(HostRequest),
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
    pub(super) choice: MethodChoice,
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
    pub(super) last_change: (bool, Option<Brand>),
}

impl Component for Checkout {
    type Message = Msg;
    type Properties = Properties;

    fn create(context: &Context<Self>) -> Self {
        let connection = context.props().connection.clone();
        let link = context.link().clone();
        connection
            .port
            .listen(move |request| link.send_message(Msg::Host(request)));
        let link = context.link().clone();
        document::watch_return(move || link.send_message(Msg::Resumed));
        let link = context.link().clone();
        document::watch_network(move || link.send_message(Msg::Resumed));
        let link = context.link().clone();
        document::watch_leave(move || link.send_message(Msg::PageHidden));
        let start = match &connection.order {
            Ok(_) => PaymentEvent::Start,
            Err(code) => PaymentEvent::OrderRejected(code),
        };
        context.link().send_message(Msg::Payment(start));
        let claims = connection
            .order
            .as_ref()
            .ok()
            .map(|accepted| &accepted.claims);
        let mut choice = MethodChoice::default();
        choice.set_offered(claims.map_or(&[], |claims| &claims.methods));
        Self {
            summary: claims
                .and_then(|claims| Summary::from_order(&connection.locale, &claims.order)),
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
            last_change: (false, None),
            connection,
        }
    }

    fn update(&mut self, context: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Edited(field, typed) => self.edited(field, &typed),
            Msg::Blurred(field) => self.blurred(field),
            Msg::MethodChosen(method) => self.chose(method),
            Msg::Submitted => self.submitted(context),
            Msg::CodeEdited => {
                self.normalize_code();
                self.announcement = String::new();
                self.handle_payment_event(context, PaymentEvent::CodeEdited);
            }
            Msg::Resumed => {
                if matches!(
                    self.state.phase(),
                    Phase::ActionRequired(_) | Phase::Interrupted { .. } | Phase::Unreachable
                ) {
                    self.handle_payment_event(context, PaymentEvent::Resumed);
                }
            }
            Msg::Action(action) => {
                let (id, now) = (fresh_id(), clock::now());
                self.handle_payment_event(context, PaymentEvent::Action { id, now, action });
            }
            Msg::PageHidden => {
                self.form.require_correction(Correction::None);
                self.show(Field::SecurityCode, None);
            }
            Msg::StillProcessing(number) => {
                if number == self.busy_count && self.state.is_processing() {
                    self.takes_long = true;
                    self.announcement = self.connection.catalog.still_processing.into();
                }
            }
            Msg::SessionExpired(connection) => {
                // The page may have brought another order since.
                if Rc::ptr_eq(&connection, &self.connection) {
                    self.handle_payment_event(context, PaymentEvent::SessionExpired);
                }
            }
            Msg::ExitRequested(request) => self.connection.port.request(request),
            Msg::WalletRequested => self.open_wallet(),
            Msg::Tick => {
                self.is_counting = false;
                if self.code_has_just_expired() {
                    self.announcement = self.connection.catalog.error("code_expired").into();
                }
            }
            Msg::SessionEndsSoon => self.warn(),
            Msg::CopyRequested(name, value) => self.copy(context, name, value),
            Msg::CopyFinished(sentence) => self.say(sentence),
            Msg::Payment(event) => self.handle_payment_event(context, event),
            Msg::Host(HostRequest::Focus) => self.focus = Some(self.first_place()),
            Msg::Host(HostRequest::Update(order)) => self.renewed(context, order),
            Msg::Host(HostRequest::Submit) => self.submitted(context),
            Msg::Host(HostRequest::Unmount) => {
                self.clear();
                self.connection.port.close();
            }
        }
        self.count_seconds(context);
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let link = context.link();
        let catalog = self.connection.catalog;
        let summary = match &self.summary {
            Some(summary) => summary.view(catalog, self.connection.look, self.state.is_over()),
            None => element("h1.unseen").says(catalog.order),
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
            document::watch_height(&around, move |height| port.send_height(height));
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
            Phase::ActionRequired(required) if matches!(required.action, ActionView::Code(_)) => {
                Focus::Code
            }
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
        let data = match self.choice.method() {
            Method::Card => self.form.submit().map(PaymentData::Card),
            Method::Wallet => Ok(PaymentData::Wallet),
            Method::BankTransfer => Ok(PaymentData::BankTransfer),
        };
        match data {
            Ok(data) => {
                let attempt = fresh_id();
                self.handle_payment_event(
                    context,
                    PaymentEvent::Submitted(Submission { attempt, data }),
                );
            }
            Err(rejection) => {
                // Also where the focus stays, so that Enter is never answered by silence.
                self.focus = Some(Focus::Field(rejection.first));
                let catalog = self.connection.catalog;
                self.say(match self.form.entry(rejection.first).error() {
                    Some(code) if rejection.count == 1 => catalog.error(code).into(),
                    _ => (catalog.fields_to_check)(rejection.count),
                });
            }
        }
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    fn handle_payment_event(&mut self, context: &Context<Self>, event: PaymentEvent) {
        let (was_busy, had_offer) = (self.is_busy(), self.has_offer());
        let before = self.panel_code().map(str::to_owned);
        let effects = self.state.step(event);
        self.run_all(context, effects);
        if let Some(session) = self.state.session() {
            self.summary = Summary::from_session(&self.connection.locale, session);
            let now = self.state.verifier_time(clock::now());
            self.form.set_today(YearMonth::from_unix_seconds(now));
            self.choice.set_offered(&session.methods);
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
        matches!(self.state.phase(), Phase::ActionRequired(required)
            if matches!(required.action, ActionView::Wallet(_)))
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
                link.send_message(Msg::StillProcessing(number));
            });
        }
    }

    /// Goes on with another order of the page: what was typed stays.
    fn renewed(&mut self, context: &Context<Self>, order: Rc<str>) {
        if !self.state.accepts_order() {
            let sentence = self.connection.catalog.panel("checking").sentence;
            self.connection
                .port
                .send_error("update_refused", sentence, None);
            return;
        }
        self.connection = Rc::new(self.connection.with_order(order));
        let event = match &self.connection.order {
            Ok(accepted) => {
                let claims = &accepted.claims;
                self.summary = Summary::from_order(&self.connection.locale, &claims.order);
                self.choice.set_offered(&claims.methods);
                PaymentEvent::OrderReplaced
            }
            Err(code) => PaymentEvent::OrderRejected(code),
        };
        self.handle_payment_event(context, event);
    }

    /// Draws again in a second, as long as seconds are counted on the screen.
    fn count_seconds(&mut self, context: &Context<Self>) {
        let Phase::ActionRequired(required) = self.state.phase() else {
            return;
        };
        let ActionView::Code(code) = &required.action else {
            return;
        };
        let waits = code.resends_left > 0 && self.seconds_until(code.resend_at) > 0;
        if (waits || self.seconds_until(code.expires_at) > 0) && !self.is_counting {
            self.is_counting = true;
            let link = context.link().clone();
            clock::after(1000, move || link.send_message(Msg::Tick));
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

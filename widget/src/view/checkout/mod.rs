//! The component: passes events to `form` and `payment`, runs the effects, renders the state.

mod announce;
mod effects;
mod events;
mod input;
mod models;
mod saved;

use super::connection::Connection;
use super::element::element;
use super::msg::{Focus, Msg};
use super::summary::Summary;
use crate::browser::field;
use crate::browser::host::HostRequest;
use crate::browser::wallet::WalletWindow;
use crate::browser::{clock, document, random};
use crate::form::{Correction, Field, Form, MethodChoice, SavedCards};
use crate::methods;
use crate::payment::{PaymentEvent, Phase, State};
use sealpay_protocol::api::ActionView;
use sealpay_protocol::card::{Brand, YearMonth};
use std::rc::Rc;
use yew::{Callback, Component, Context, Html, NodeRef};

/// The properties of the component.
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

/// The component.
pub struct Checkout {
    connection: Rc<Connection>,
    form: Form,
    choice: MethodChoice,
    saved: SavedCards,
    state: State,
    summary: Option<Summary>,
    wallet: Option<WalletWindow>,
    /// The browser did not report whether the wallet's window opened.
    is_wallet_unknown: bool,
    inputs: [NodeRef; 6],
    heading_ref: NodeRef,
    code: NodeRef,
    pay: NodeRef,
    notice_ref: NodeRef,
    offer: NodeRef,
    sheet: NodeRef,
    focus: Option<Focus>,
    announcement: String,
    /// The number of the payment under way, so that a late timer is ignored.
    payment_count: u32,
    is_timed: bool,
    is_slow: bool,
    is_ticking: bool,
    session_ends_soon: bool,
    /// The last `change` message: complete, and the brand.
    last_change: (bool, Option<Brand>),
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
            saved: SavedCards::default(),
            state: State::default(),
            wallet: None,
            inputs: Default::default(),
            heading_ref: NodeRef::default(),
            code: NodeRef::default(),
            pay: NodeRef::default(),
            notice_ref: NodeRef::default(),
            offer: NodeRef::default(),
            focus: None,
            sheet: NodeRef::default(),
            announcement: String::new(),
            is_wallet_unknown: false,
            payment_count: 0,
            is_timed: false,
            is_slow: false,
            is_ticking: false,
            session_ends_soon: false,
            last_change: (false, None),
            connection,
        }
    }

    fn update(&mut self, context: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Edited(field, typed) => self.edited(field, &typed),
            Msg::Blurred(field) => self.blurred(field),
            Msg::MethodChosen(method) => self.choose_method(method),
            Msg::CardChosen(card) => self.choose_card(card),
            Msg::AnotherCardRequested => {
                self.choose_card(None);
                self.focus = Some(Focus::Field(Field::Number));
            }
            Msg::SavingToggled => self.saved.toggle_saving(),
            Msg::Removal(step) => self.removal_step(context, step),
            Msg::RemovalFinished(attempt, response) => self.removal_finished(attempt, response),
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
                let (id, now) = (random::attempt_id(), clock::now());
                self.handle_payment_event(context, PaymentEvent::Action { id, now, action });
            }
            Msg::PageHidden => {
                self.form.require_correction(Correction::None);
                self.show(Field::SecurityCode, None);
            }
            Msg::StillProcessing(number) => {
                if number == self.payment_count && self.state.is_processing() {
                    self.is_slow = true;
                    self.announcement = self.connection.catalog().still_processing.into();
                }
            }
            Msg::SessionExpired(connection) => {
                // The host page may have supplied another order since.
                if Rc::ptr_eq(&connection, &self.connection) {
                    self.handle_payment_event(context, PaymentEvent::SessionExpired);
                }
            }
            Msg::ExitRequested(request) => self.connection.port.request(request),
            Msg::WalletRequested => self.open_wallet(),
            Msg::Tick => {
                self.is_ticking = false;
                if self.code_has_just_expired() {
                    self.announcement = self.connection.catalog().error("code_expired").into();
                }
            }
            Msg::SessionEndsSoon => self.warn_of_session_end(),
            Msg::CopyRequested(name, value) => self.copy(context, name, value),
            Msg::CopyFinished(sentence) => self.announce(sentence),
            Msg::Payment(event) => self.handle_payment_event(context, event),
            Msg::Host(HostRequest::Focus) => self.focus = Some(self.first_focus()),
            Msg::Host(HostRequest::Update(order)) => self.replace_order(context, order),
            Msg::Host(HostRequest::Submit) => self.submitted(context),
            Msg::Host(HostRequest::Unmount) => {
                self.clear();
                self.connection.port.close();
            }
        }
        self.tick_later(context);
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let on = context.link().callback(|msg| msg);
        let catalog = self.connection.catalog();
        let summary = match &self.summary {
            Some(summary) => summary.view(catalog, self.connection.look, self.state.is_over()),
            None => element("h1.unseen").text(catalog.order),
        };
        let session_warning = self.session_warning();
        let agreement = self.agreement();
        let form = self.form_model(session_warning.as_deref(), agreement.as_deref());
        let status = element("p.unseen")
            .attrs("role=status")
            .text(&self.announcement);
        let payment = element("div.payment")
            .node(form.map_or_else(Html::default, |form| form.view(&on)))
            .node(self.panel(&on))
            .child(status);
        element("div.sheet wide")
            .node_ref(&self.sheet)
            .child(summary)
            .child(payment)
            .finish()
    }

    fn rendered(&mut self, _context: &Context<Self>, first_render: bool) {
        // The height of the parent, which may have room around the sheet.
        if first_render
            && let Some(sheet) = self.sheet.cast::<field::Element>()
            && let Some(around) = sheet.parent_element()
        {
            let port = self.connection.port.clone();
            document::watch_height(&around, move |height| port.send_height(height));
        }
        let element = match self.focus.take() {
            Some(Focus::Field(field)) => self.input(field).map(field::Element::from),
            Some(Focus::Heading) => self.heading_ref.cast(),
            Some(Focus::Notice) => self.notice_ref.cast(),
            Some(Focus::Offer) => self.offer.cast(),
            Some(Focus::Code) => self.code.cast(),
            Some(Focus::Pay) => self.pay.cast(),
            Some(Focus::Element(selector)) => {
                let sheet = self.sheet.cast::<field::Element>();
                sheet.and_then(|sheet| sheet.query_selector(selector).ok().flatten())
            }
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
    /// The panel shown in place of the form, if any.
    fn panel(&self, on: &Callback<Msg>) -> Html {
        match self.state.phase() {
            Phase::Paid { payment, offer } => self.receipt_model(payment, *offer).view(on),
            Phase::ActionRequired(required) => {
                methods::action_panel(&self.action_model(required), on)
            }
            _ => self.status_model().view(on),
        }
    }

    /// Where the shopper starts or continues.
    fn first_focus(&self) -> Focus {
        match self.state.phase() {
            Phase::ActionRequired(required) if matches!(required.action, ActionView::Code(_)) => {
                Focus::Code
            }
            _ if self.panel_code().is_some() => Focus::Heading,
            _ if self.saved_card().is_some() => Focus::Element(saved::SELECTED_CARD),
            _ => methods::for_method(self.choice.method()).first_focus(),
        }
    }
}

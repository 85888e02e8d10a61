//! The whole form: hands events to `form` and `pay`, runs the effects, draws the state.

use super::summary::Summary;
use super::{Admitted, Connection, fields, panel};
use crate::browser::field::{self, Input, Typed};
use crate::browser::page::Request;
use crate::browser::{answer, clock, document, random};
use crate::form::{Field, Form};
use crate::pay::request::{Destination, Freshness, SignedRequest};
use crate::pay::{Effect, Event, Message, Notice, Phase, State, Submission};
use sealpay_protocol::card::{Brand, YearMonth};
use sealpay_protocol::ids::AttemptId;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use yew::html::Scope;
use yew::{AttrValue, Component, Context, Html, NodeRef, html};

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
    /// The shopper asked to pay.
    Submitted,
    /// Something happened to the payment.
    Happened(Event),
    /// The page asked for something.
    Asked(Request),
}

/// Where to put the shopper after the next drawing.
#[derive(Clone, Copy)]
enum Focus {
    Field(Field),
    Heading,
}

/// The component.
pub struct Checkout {
    pub(super) connection: Rc<Connection>,
    pub(super) form: Form,
    pub(super) state: State,
    pub(super) summary: Option<Summary>,
    pub(super) inputs: [NodeRef; 4],
    pub(super) heading: NodeRef,
    sheet: NodeRef,
    announcement: AttrValue,
    focus: Option<Focus>,
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
        Self {
            summary: claims.and_then(|claims| Summary::of(&connection.locale, &claims.order)),
            form: Form::new(YearMonth::from_unix_seconds(clock::now())),
            state: State::default(),
            inputs: Default::default(),
            heading: NodeRef::default(),
            sheet: NodeRef::default(),
            announcement: AttrValue::default(),
            focus: None,
            told: (false, None),
            connection,
        }
    }

    fn update(&mut self, context: &Context<Self>, heard: Heard) -> bool {
        match heard {
            Heard::Edited(field, typed) => self.edited(field, &typed),
            Heard::Left(field) => self.left(field),
            Heard::Submitted => self.submitted(context),
            Heard::Happened(event) => self.happened(context, event),
            Heard::Asked(Request::Focus) => self.focus = Some(Focus::Field(Field::Number)),
            Heard::Asked(Request::Unmount) => {
                self.forget();
                self.connection.port.close();
            }
        }
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let link = context.link();
        html! {
            <div class="sheet wide" ref={self.sheet.clone()}>
                if let Some(summary) = &self.summary {
                    { summary.view(self.connection.texts, self.state.is_over()) }
                } else {
                    <h1 class="unseen">{ self.connection.texts.order }</h1>
                }
                <div class="payment">
                    { fields::view(self, link) }
                    { panel::view(self, link) }
                    <p class="unseen" role="status">{ &self.announcement }</p>
                </div>
            </div>
        }
    }

    fn rendered(&mut self, _context: &Context<Self>, first_render: bool) {
        if first_render && let Some(sheet) = self.sheet.cast::<field::Element>() {
            let port = self.connection.port.clone();
            document::watch_height(&sheet, move |height| port.tell_height(height));
        }
        let element = match self.focus.take() {
            Some(Focus::Field(field)) => self.input(field).map(field::Element::from),
            Some(Focus::Heading) => self.heading.cast(),
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

    // ---- The fields ----

    fn edited(&mut self, field: Field, typed: &Typed) {
        let caret = self.form.edited(field, &typed.edit());
        self.show(field, Some(caret));
        self.announcement = AttrValue::default();
        self.tell_change();
    }

    fn left(&mut self, field: Field) {
        if let Some(code) = self.form.left(field) {
            self.announcement = self.connection.texts.error(code).into();
        }
        self.show(field, None);
    }

    fn show(&self, field: Field, caret: Option<usize>) {
        if let Some(input) = self.input(field) {
            field::show(&input, self.form.entry(field).text(), caret);
        }
    }

    fn tell_change(&mut self) {
        let now = (self.form.is_complete(), self.form.brand());
        if now != self.told {
            self.told = now;
            self.tell(&Message::Change {
                complete: now.0,
                brand: now.1,
            });
        }
    }

    fn forget(&mut self) {
        self.form.forget();
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    // ---- The payment ----

    fn submitted(&mut self, context: &Context<Self>) {
        if !self.state.accepts_submission() {
            return;
        }
        match self.form.submit() {
            Ok(card) => {
                let attempt = AttemptId::new(clock::now_ms(), random::bytes());
                self.happened(context, Event::Submitted(Submission { attempt, card }));
            }
            Err(rejection) => {
                self.focus = Some(Focus::Field(rejection.first));
                if rejection.count > 1 {
                    let (before, after) = self.connection.texts.several_wrong;
                    let count = rejection.count.to_string();
                    self.announcement = [before, &count, after].concat().into();
                }
            }
        }
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    fn happened(&mut self, context: &Context<Self>, event: Event) {
        let was_processing = self.state.is_processing();
        let before = self.panel_code().map(str::to_owned);
        let mut effects = VecDeque::from(self.state.step(event));
        while let Some(effect) = effects.pop_front() {
            effects.extend(self.run(context, effect));
        }
        if let Some(session) = self.state.session() {
            self.summary = Summary::of_session(&self.connection.locale, session);
            let now = self.state.verifier_time(clock::now());
            self.form.set_today(YearMonth::from_unix_seconds(now));
        }
        self.announce(was_processing, before);
    }

    /// Says once what has changed: by moving to the new heading when the shopper is here, or else
    /// by the live region.
    fn announce(&mut self, was_processing: bool, before: Option<String>) {
        let texts = self.connection.texts;
        let panel = self.panel_code().map(str::to_owned);
        if panel.is_some() && panel != before {
            if document::has_focus() {
                self.focus = Some(Focus::Heading);
                self.announcement = AttrValue::default();
            } else {
                self.announcement = panel::heading_of(self).into();
            }
        } else if self.state.is_processing() && !was_processing {
            self.announcement = texts.processing.into();
        } else if let Phase::Form {
            notice: Some(notice),
        } = self.state.phase()
        {
            let (heading, sentence) = fields::words_of(texts, notice);
            self.announcement = [heading, ". ", sentence].concat().into();
        }
    }

    /// Runs an effect; what can be answered at once gives the next effects.
    fn run(&mut self, context: &Context<Self>, effect: Effect) -> Vec<Effect> {
        let link = context.link().clone();
        match effect {
            Effect::OpenSession { turn } => self.open_session(context, turn),
            Effect::Seal { turn, submission } => {
                let body = self.seal(&submission);
                return self.state.step(Event::Sealed { turn, body });
            }
            Effect::Send { turn, attempt } => {
                let Some(session) = self.state.session().map(|session| session.session) else {
                    return Vec::new();
                };
                let to = Destination::Payments(session);
                let Some(request) = self.sign(to, attempt.id, attempt.body) else {
                    return Vec::new();
                };
                let transport = self.connection.transport.clone();
                listen(&link, async move {
                    let answer = transport.send(request, answer::payment).await;
                    Heard::Happened(Event::Paid {
                        turn,
                        now: clock::now(),
                        answer,
                    })
                });
            }
            Effect::Wait {
                turn,
                milliseconds,
                wake,
            } => clock::after(milliseconds, move || {
                link.send_message(Heard::Happened(Event::Woke { turn, wake }));
            }),
            Effect::WatchExpiry { milliseconds } => clock::after(milliseconds, move || {
                link.send_message(Heard::Happened(Event::SessionTimeUp));
            }),
            Effect::AskSecurityCodeAgain => {
                self.form.clear_security_code();
                self.show(Field::SecurityCode, None);
                self.tell_change();
                if document::has_focus() {
                    self.focus = Some(Focus::Field(Field::SecurityCode));
                }
            }
            Effect::ForgetCard => self.forget(),
            Effect::Tell(message) => self.tell(&message),
        }
        Vec::new()
    }

    fn open_session(&self, context: &Context<Self>, turn: u32) {
        let Ok(admitted) = &self.connection.admission else {
            return;
        };
        let body = admitted.credentials.open_body();
        let fresh = AttemptId::new(clock::now_ms(), random::bytes());
        let Some(request) = self.sign(Destination::Sessions, fresh, body) else {
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

    fn seal(&self, submission: &Submission) -> Option<Rc<[u8]>> {
        let Admitted { credentials, .. } = self.connection.admission.as_ref().ok()?;
        credentials.pay_body(self.state.session()?, submission, &mut random::source())
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

    fn tell(&self, message: &Message) {
        let sentence = match message {
            Message::Error { code } => self.connection.texts.panel(code).1,
            _ => "",
        };
        self.connection.port.tell(message, sentence);
    }

    /// The notice above the fields.
    pub(super) fn notice(&self) -> Option<&Notice> {
        match self.state.phase() {
            Phase::Form { notice } | Phase::Opening { notice, .. } => notice.as_ref(),
            _ => None,
        }
    }
}

/// Hears what a future brings. Boxed, so that the machinery behind it is there once.
fn listen(link: &Scope<Checkout>, future: impl Future<Output = Heard> + 'static) {
    let future: Pin<Box<dyn Future<Output = Heard>>> = Box::pin(future);
    link.send_future(future);
}

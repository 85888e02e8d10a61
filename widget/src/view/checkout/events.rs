//! Events of the shopper, the payment and the host page, handed to the state machine.

use super::Checkout;
use crate::browser::{clock, random};
use crate::form::SavedCards;
use crate::methods;
use crate::payment::{PaymentData, PaymentEvent, Phase, Submission};
use crate::view::msg::{Focus, Msg};
use crate::view::summary::Summary;
use sealpay_protocol::api::{ActionView, Method};
use sealpay_protocol::card::YearMonth;
use std::rc::Rc;
use yew::Context;

/// How long a payment may take before the shopper sees that it is still processing.
const SLOW_MS: u32 = 5_000;

impl Checkout {
    pub(super) fn submitted(&mut self, context: &Context<Self>) {
        if !self.state.accepts_submission() {
            return;
        }
        let collected = if let Some(card) = self.saved_card().map(|card| card.id) {
            if self.saved.is_removing(card) {
                return;
            }
            Ok(PaymentData::SavedCard(card))
        } else {
            self.read_fields();
            methods::for_method(self.choice.method()).collect(&mut self.form)
        };
        match collected {
            Ok(data) => {
                let event = PaymentEvent::Submitted(Submission {
                    attempt: random::attempt_id(),
                    data,
                    consent: self.consent(),
                });
                self.handle_payment_event(context, event);
            }
            Err(invalid) => {
                // Announced even if the focus does not move: Enter must have an audible result.
                self.focus = Some(Focus::Field(invalid.first));
                let catalog = self.connection.catalog();
                self.announce(match self.form.entry(invalid.first).error() {
                    Some(code) if invalid.count == 1 => catalog.error(code).into(),
                    _ => (catalog.fields_to_check)(invalid.count),
                });
            }
        }
        self.show_all();
    }

    pub(super) fn handle_payment_event(&mut self, context: &Context<Self>, event: PaymentEvent) {
        let before = self.shown();
        let effects = self.state.step(event);
        self.run_all(context, effects);
        if let Some(session) = self.state.session() {
            self.summary = Summary::from_session(&self.connection.locale, session);
            self.choice.set_offered(&session.methods);
            let today = YearMonth::from_unix_seconds(self.verifier_now());
            self.form.set_today(today);
            // The list of saved cards may have changed, and with it what is to pay.
            if self.choice.method() == Method::Card && self.state.accepts_submission() {
                self.notify_change();
            }
        }
        if self.wallet_address().is_none() {
            self.is_wallet_unknown = false;
            if let Some(window) = self.wallet.take() {
                window.close();
            }
        }
        self.time_payment(context);
        self.announce_change(&before);
    }

    /// After some seconds, shows that the payment is still processing.
    pub(super) fn time_payment(&mut self, context: &Context<Self>) {
        let is_processing = self.state.is_processing();
        if is_processing == self.is_timed {
            return;
        }
        self.is_timed = is_processing;
        self.is_slow = false;
        if is_processing {
            self.payment_count = self.payment_count.wrapping_add(1);
            let (link, number) = (context.link().clone(), self.payment_count);
            clock::after(SLOW_MS, move || {
                link.send_message(Msg::StillProcessing(number));
            });
        }
    }

    /// Continues with another order of the host page; the fields keep their contents.
    pub(super) fn replace_order(&mut self, context: &Context<Self>, order: Rc<str>) {
        if !self.state.accepts_order() {
            let sentence = self.connection.catalog().panel("checking").sentence;
            let port = &self.connection.port;
            port.send_error("update_refused", sentence, None);
            return;
        }
        self.connection = Rc::new(self.connection.with_order(order));
        let event = match &self.connection.order {
            Ok(accepted) => {
                let claims = &accepted.claims;
                self.summary = Summary::from_order(&self.connection.locale, &claims.order);
                self.choice.set_offered(&claims.methods);
                self.saved = SavedCards::default();
                PaymentEvent::OrderReplaced
            }
            Err(code) => PaymentEvent::OrderRejected(code),
        };
        self.handle_payment_event(context, event);
    }

    /// Renders again in a second, as long as seconds are counted on the screen.
    pub(super) fn tick_later(&mut self, context: &Context<Self>) {
        let Phase::ActionRequired(required) = self.state.phase() else {
            return;
        };
        let ActionView::Code(code) = &required.action else {
            return;
        };
        let now = self.verifier_now();
        let counts_resend = code.resends_left > 0 && code.resend_at > now;
        if (counts_resend || code.expires_at > now) && !self.is_ticking {
            self.is_ticking = true;
            let link = context.link().clone();
            clock::after(1000, move || link.send_message(Msg::Tick));
        }
    }
}

//! Saved cards: chosen, saved and removed, and what paying agrees to.

use super::Checkout;
use super::effects::listen;
use crate::browser::{clock, document, intl, random, responses};
use crate::form::{Field, RemovalStep};
use crate::payment::ApiResponse;
use crate::payment::request::{Destination, removal_body};
use crate::view::msg::{Focus, Msg};
use sealpay_protocol::api::{AgreementKind, InstrumentView, InstrumentsView, Method};
use sealpay_protocol::ids::{AttemptId, InstrumentId};
use yew::Context;

/// The radio button of the card to pay with.
pub(super) const SELECTED_CARD: &str = "[name=instrument]:checked";

impl Checkout {
    /// The saved cards; none while another method is chosen.
    pub(super) fn instruments(&self) -> &[InstrumentView] {
        let session = self.state.session();
        let session = session.filter(|_| self.choice.method() == Method::Card);
        session.map_or(&[], |session| &session.instruments)
    }

    /// The saved card to pay with.
    pub(super) fn saved_card(&self) -> Option<&InstrumentView> {
        self.saved.selected(self.instruments(), self.form.today())
    }

    fn agreement_kind(&self) -> Option<AgreementKind> {
        let session = self.state.session()?;
        session.agreement.as_ref().map(|terms| terms.kind)
    }

    /// Whether the shopper may save the card entered.
    pub(super) fn offers_saving(&self) -> bool {
        self.agreement_kind() == Some(AgreementKind::CardOnFile)
    }

    /// What paying agrees to, if the merchant charges later.
    pub(super) fn agreement(&self) -> Option<String> {
        let session = self.state.session()?;
        if self.choice.method() == Method::SepaDebit {
            let creditor = session.merchant.creditor.as_deref()?;
            let texts = self.connection.catalog();
            let is_b2b = self.agreement_kind() == Some(AgreementKind::SddB2b);
            return Some((texts.mandate_text)(self.payee(), creditor, is_b2b));
        }
        let terms = session.agreement.as_ref()?;
        if !terms.kind.is_merchant_initiated() {
            return None;
        }
        let currency = &session.order.currency;
        let format = |amount| intl::amount(&self.connection.locale, amount, currency);
        let maximum = terms.maximum_amount.map(format);
        let texts = self.connection.catalog();
        Some((texts.agreement)(
            terms.kind,
            self.payee(),
            maximum.as_deref(),
        ))
    }

    /// The sentence by which the shopper agrees, as it is shown.
    pub(super) fn consent(&self) -> Option<String> {
        let is_entered = self.choice.method() == Method::Card && self.saved_card().is_none();
        if is_entered && self.offers_saving() && self.saved.saves_card() {
            let texts = self.connection.catalog();
            return Some([texts.save_card, ". ", texts.save_card_note].concat());
        }
        self.agreement()
    }

    pub(super) fn choose_card(&mut self, card: Option<InstrumentId>) {
        if !self.state.is_processing() {
            self.saved.choose(card);
            self.notify_change();
        }
    }

    pub(super) fn removal_step(&mut self, context: &Context<Self>, step: RemovalStep) {
        let Some((instrument, attempt)) = self.saved.step(step, random::attempt_id()) else {
            self.focus = match step {
                RemovalStep::Ask(_) => Some(Focus::Element("#keep")),
                RemovalStep::Keep => Some(Focus::Element("#kept")),
                RemovalStep::Confirm => None,
            };
            return;
        };
        let Some(session) = self.state.session() else {
            return;
        };
        let to = Destination::Instruments(session.session);
        let Some(request) = self.sign(to, attempt, removal_body(instrument)) else {
            return;
        };
        let transport = self.connection.transport.clone();
        listen(context.link(), async move {
            let response = transport.send(request, responses::instruments).await;
            Msg::RemovalFinished(attempt, response)
        });
    }

    pub(super) fn removal_finished(
        &mut self,
        attempt: AttemptId,
        response: ApiResponse<Box<InstrumentsView>>,
    ) {
        let Some(card) = self.saved.card_of_request(attempt) else {
            return;
        };
        let now = clock::now();
        let is_removed = self.state.instruments_received(now, card, response);
        self.saved.finish(is_removed);
        let texts = self.connection.catalog();
        if is_removed != Some(true) {
            self.announce(texts.not_removed.into());
            return;
        }
        self.announce(texts.removed.into());
        self.notify_change();
        if document::has_focus() {
            self.focus = Some(if self.instruments().is_empty() {
                Focus::Field(Field::Number)
            } else {
                Focus::Element(SELECTED_CARD)
            });
        }
    }
}

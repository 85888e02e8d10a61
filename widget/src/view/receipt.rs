//! The receipt, and its offer to save a passkey.

use super::button::plain_button;
use super::element::{Element, element};
use super::icons;
use super::msg::Msg;
use super::panel::{self, Panel};
use crate::browser::intl;
use crate::i18n::Catalog;
use crate::methods;
use crate::payment::{PasskeyOffer, ShopperAction};
use sealpay_protocol::api::{PaymentView, ShopperState};
use yew::{Callback, Html, NodeRef};

/// The receipt of an approved payment.
pub(super) struct ReceiptModel<'a> {
    pub(super) catalog: &'static Catalog,
    pub(super) locale: &'a str,
    pub(super) payment: &'a PaymentView,
    pub(super) offer: PasskeyOffer,
    pub(super) heading: &'static str,
    pub(super) payee: &'a str,
    /// Of the session, for a verifier that leaves it out of the payment.
    pub(super) order_ref: &'a str,
    /// The shopper's answer to the offer is under way.
    pub(super) is_busy: bool,
    pub(super) heading_ref: &'a NodeRef,
    pub(super) offer_ref: &'a NodeRef,
}

/// The code of the feedback on an offer.
pub(super) const fn offer_code(offer: PasskeyOffer) -> Option<&'static str> {
    match offer {
        PasskeyOffer::Saved => Some("passkey_saved"),
        PasskeyOffer::Failed => Some("passkey_not_saved"),
        PasskeyOffer::None | PasskeyOffer::Available => None,
    }
}

impl ReceiptModel<'_> {
    fn is_authorized(&self) -> bool {
        matches!(
            self.payment.state,
            ShopperState::Authorized | ShopperState::Pending
        )
    }

    fn money(&self, amount_minor: i64) -> String {
        intl::amount(self.locale, amount_minor, &self.payment.currency)
    }

    /// The amount captured or on hold, with the text before and after it.
    fn outcome(&self) -> (&'static str, String, &'static str) {
        let payment = self.payment;
        if self.is_authorized() {
            let texts = methods::for_method(payment.method).texts(self.catalog);
            ("", self.money(payment.amount), texts.on_hold)
        } else {
            let captured = payment.amount_captured.unwrap_or(payment.amount);
            (self.catalog.you_paid, self.money(captured), "")
        }
    }

    /// What the live region announces.
    pub(super) fn announcement(&self) -> String {
        let (before, amount, after) = self.outcome();
        [self.heading, ". ", before, &amount, after].concat()
    }

    pub(super) fn view(&self, on: &Callback<Msg>) -> Html {
        let catalog = self.catalog;
        let payment = self.payment;
        let (before, amount, after) = self.outcome();
        let outcome = element("p.outcome")
            .attrs("id=outcome")
            .child(element("span").text(before))
            .child(element("strong.figure").child(element("bdi").verbatim(&amount)))
            .child(element("span").text(after));
        let (payee, icon) = if self.is_authorized() {
            (catalog.payee, icons::clock())
        } else {
            (catalog.paid_to, icons::check())
        };
        // An older verifier may not send all members.
        let order_ref = match &*payment.order_ref {
            "" => self.order_ref,
            order_ref => order_ref,
        };
        let method = methods::for_method(payment.method).receipt_line(catalog, payment);
        let mut lines = panel::lines()
            .line(payee, self.payee)
            .line_with(catalog.order_number, order_number(order_ref))
            .line_with(catalog.payment_method, method);
        if let Some(debit) = &payment.debit {
            lines = lines
                .line(catalog.mandate, &debit.mandate)
                .line(catalog.creditor, &debit.creditor);
            if let Some(date) = &debit.collection_date {
                lines = lines.line(catalog.collected_on, date);
            }
        }
        if payment.created_at > 0 {
            lines = lines.line_with(catalog.date, panel::moment(self.locale, payment.created_at));
        }
        if let Some(refunded) = payment.amount_refunded {
            lines = lines.line(catalog.refunded, &self.money(refunded));
        }
        let panel = Panel {
            kind: Some("success"),
            icon,
            heading: self.heading,
            heading_ref: self.heading_ref,
            is_receipt: true,
        };
        panel
            .view()
            .child(outcome)
            .child(lines)
            .child_opt(self.offer(on))
            .finish()
    }

    fn offer(&self, on: &Callback<Msg>) -> Option<Element> {
        let catalog = self.catalog;
        let sentence = match offer_code(self.offer) {
            Some(code) => catalog.error(code),
            None if self.offer == PasskeyOffer::Available => catalog.passkey_offer,
            None => return None,
        };
        let sentence = element("p")
            .attrs("tabindex=-1")
            .node_ref(self.offer_ref)
            .text(sentence);
        let mut offer = element("div.offer").child(sentence);
        if self.offer != PasskeyOffer::Saved {
            let save = plain_button("secondary", catalog.save_passkey)
                .attr_opt("aria-disabled", self.is_busy.then_some("true"))
                .on_click(on, || Msg::Action(ShopperAction::SavePasskey));
            let decline = plain_button("quiet", catalog.not_now)
                .on_click(on, || Msg::Action(ShopperAction::DeclinePasskey));
            offer = offer.child(save).child(decline);
        }
        Some(offer)
    }
}

/// A short order reference is never broken, so that it can be read out and searched for.
fn order_number(order_ref: &str) -> Element {
    let is_short = order_ref.chars().count() <= 24;
    let number = element("bdi").attr_opt("class", is_short.then_some("whole"));
    element("dd").child(number.verbatim(order_ref))
}

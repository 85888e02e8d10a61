//! What was paid, and the offer of a passkey for next time.

use super::checkout::{Checkout, Msg};
use super::element::{Element, element};
use super::{icons, methods, panel};
use crate::browser::intl;
use crate::payment::{PasskeyOffer, ShopperAction};
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::card::Brand;
use yew::Html;
use yew::html::Scope;

/// What was taken or held, and what is said before and after it.
fn outcome(checkout: &Checkout, payment: &PaymentView) -> [String; 3] {
    let catalog = checkout.connection.catalog;
    let (before, amount_minor, after) = if payment.state == ShopperState::Authorized {
        (
            "",
            payment.amount,
            methods::texts(catalog, payment.method).on_hold,
        )
    } else {
        let taken = payment.amount_captured.unwrap_or(payment.amount);
        (catalog.you_paid, taken, "")
    };
    [
        before.into(),
        money(checkout, payment, amount_minor),
        after.into(),
    ]
}

fn money(checkout: &Checkout, payment: &PaymentView, amount_minor: i64) -> String {
    intl::amount(&checkout.connection.locale, amount_minor, &payment.currency)
}

/// The same for whoever is not looking.
pub(super) fn words_of(checkout: &Checkout, payment: &PaymentView) -> String {
    [
        panel::heading_of(checkout),
        ". ",
        &outcome(checkout, payment).concat(),
    ]
    .concat()
}

pub(super) fn view(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    payment: &PaymentView,
    offer: PasskeyOffer,
) -> Element {
    let catalog = checkout.connection.catalog;
    let [before, figure, after] = outcome(checkout, payment);
    let payee = if payment.state == ShopperState::Authorized {
        catalog.payee
    } else {
        catalog.paid_to
    };
    let outcome = element("p.outcome")
        .with("id=outcome")
        .holds(element("span").says(&before))
        .holds(element("strong.figure").holds(element("bdi").quotes(&figure)))
        .holds(element("span").says(&after));
    // An older verifier may not send all members.
    let order_ref = match &*payment.order_ref {
        "" => checkout
            .state
            .session()
            .map_or("", |session| &session.order.order_ref),
        order_ref => order_ref,
    };
    let mut lines = panel::receipt()
        .line(payee, checkout.payee())
        .line_of(catalog.order_number, order_number(order_ref))
        .line_of(catalog.payment_method, payment_method(checkout, payment));
    if payment.created_at > 0 {
        lines = lines.line_of(catalog.date, panel::moment(checkout, payment.created_at));
    }
    if let Some(refunded) = payment.amount_refunded {
        lines = lines.line(catalog.refunded, &money(checkout, payment, refunded));
    }
    let icon = if payment.state == ShopperState::Authorized {
        icons::clock()
    } else {
        icons::check()
    };
    panel::panel(checkout, Some("success"), icon)
        .holds(outcome)
        .holds(lines)
        .child(offered(checkout, link, offer))
}

/// A short one is never broken, so that it can be read out and searched for.
fn order_number(order_ref: &str) -> Element {
    let is_short = order_ref.chars().count() <= 24;
    let number = element("bdi").maybe("class", is_short.then_some("whole"));
    element("dd").holds(number.quotes(order_ref))
}

/// A card such as `Visa •••• 4242` with its mark, or the method. The dots are only seen.
fn payment_method(checkout: &Checkout, payment: &PaymentView) -> Element {
    let value = element("dd.means");
    let Some(card) = &payment.card else {
        return value.says(methods::texts(checkout.connection.catalog, payment.method).name);
    };
    let brand = Brand::from_slug(&card.brand);
    let mark = element("span").with("aria-hidden=true");
    let dots = element("span").with("aria-hidden=true");
    value
        .holds(mark.child(icons::brand(brand)))
        .holds(element("span").quotes(brand.map_or("", Brand::name)))
        .holds(dots.says(" •••• "))
        .holds(element("span").quotes(&card.last4))
}

/// What came of the offer, by code.
pub(super) const fn code_of(offer: PasskeyOffer) -> Option<&'static str> {
    match offer {
        PasskeyOffer::Saved => Some("passkey_kept"),
        PasskeyOffer::Failed => Some("passkey_not_kept"),
        PasskeyOffer::None | PasskeyOffer::Available => None,
    }
}

fn offered(checkout: &Checkout, link: &Scope<Checkout>, offer: PasskeyOffer) -> Html {
    let catalog = checkout.connection.catalog;
    let sentence = match code_of(offer) {
        Some(code) => catalog.error(code),
        None if offer == PasskeyOffer::Available => catalog.passkey_offer,
        None => return Html::default(),
    };
    let sentence = element("p")
        .with("tabindex=-1")
        .at(&checkout.offer)
        .says(sentence);
    let mut view = element("div.offer").holds(sentence);
    if offer != PasskeyOffer::Saved {
        let is_busy = checkout.state.is_authenticating() || checkout.state.is_in_passkey_dialog();
        let keep = element("button")
            .with("type=button;data-look=secondary")
            .maybe("aria-disabled", is_busy.then_some("true"))
            .pressed(link, || Msg::Action(ShopperAction::SavePasskey))
            .says(catalog.save_passkey);
        let refuse = element("button")
            .with("type=button;data-look=quiet")
            .pressed(link, || Msg::Action(ShopperAction::DeclinePasskey))
            .says(catalog.not_now);
        view = view.holds(keep).holds(refuse);
    }
    view.done()
}

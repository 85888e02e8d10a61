//! What was paid, and the offer of a passkey for next time.

use super::checkout::{Checkout, Heard};
use super::element::{Element, element};
use super::{marks, methods, panel};
use crate::browser::international;
use crate::pay::{Deed, Offer};
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::card::Brand;
use yew::Html;
use yew::html::Scope;

pub(super) fn view(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    payment: &PaymentView,
    offer: Offer,
) -> Element {
    let texts = checkout.connection.texts;
    let date = international::moment(&checkout.connection.locale, payment.created_at);
    let figure = element("p.figure");
    let mut view = panel::panel(checkout, Some("success"), marks::check())
        .holds(figure.tells(checkout.total()));
    if payment.state == ShopperState::Authorized {
        view = view.holds(element("p").says(texts.authorized_explained));
    }
    view.holds(
        panel::receipt()
            .line(texts.paid_to, checkout.payee())
            .line(texts.order_number, &payment.order_ref)
            .line(texts.paid_with, &means(checkout, payment))
            .line(texts.date, &date),
    )
    .child(offered(checkout, link, offer))
}

/// A card such as `Visa •••• 4242`, or the method.
fn means(checkout: &Checkout, payment: &PaymentView) -> String {
    let Some(card) = &payment.card else {
        return methods::words_of(checkout.connection.texts, payment.method)
            .0
            .to_owned();
    };
    let brand = Brand::from_slug(&card.brand).map_or("", Brand::name);
    [brand, " •••• ", &card.last4]
        .concat()
        .trim_start()
        .to_owned()
}

/// What came of the offer, by code.
pub(super) const fn code_of(offer: Offer) -> Option<&'static str> {
    match offer {
        Offer::Kept => Some("passkey_kept"),
        Offer::Failed => Some("passkey_not_kept"),
        Offer::None | Offer::Made => None,
    }
}

fn offered(checkout: &Checkout, link: &Scope<Checkout>, offer: Offer) -> Html {
    let texts = checkout.connection.texts;
    let sentence = match code_of(offer) {
        Some(code) => texts.error(code),
        None if offer == Offer::Made => texts.offer,
        None => return Html::default(),
    };
    let mut view = element("div.offer").holds(element("p").says(sentence));
    if offer != Offer::Kept {
        let is_busy = checkout.state.is_authenticating() || checkout.state.is_in_ceremony();
        let keep = element("button")
            .with("type=button;data-look=secondary")
            .when(is_busy, "disabled")
            .pressed(link, || Heard::Did(Deed::KeepPasskey))
            .says(texts.keep_passkey);
        let refuse = element("button")
            .with("type=button;data-look=quiet")
            .pressed(link, || Heard::Did(Deed::KeepNothing))
            .says(texts.no_thanks);
        view = view.holds(keep).holds(refuse);
    }
    view.done()
}

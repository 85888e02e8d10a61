//! The ways to pay, as radio buttons, and what is said about those without fields.

use super::checkout::{Checkout, Msg};
use super::element::{Kind, element};
use super::icons;
use crate::i18n::{Catalog, MethodTexts};
use sealpay_protocol::api::Method;
use yew::Html;
use yew::html::Scope;

/// The texts of a method.
pub(super) const fn texts(catalog: &Catalog, method: Method) -> &MethodTexts {
    match method {
        Method::Card => &catalog.card,
        Method::Wallet => &catalog.wallet,
        Method::BankTransfer => &catalog.bank_transfer,
    }
}

/// The choice, where there is one.
pub(super) fn view(checkout: &Checkout, link: &Scope<Checkout>) -> Html {
    let offered = checkout.choice.offered();
    if offered.len() < 2 {
        return Html::default();
    }
    let legend = element("legend").says(checkout.connection.catalog.choose_method);
    let mut view = element("fieldset.methods")
        .when(checkout.state.is_processing(), "disabled")
        .holds(legend);
    for method in offered.iter().copied() {
        let radio = element("input")
            .with("type=radio;name=method")
            .say("value", method.name())
            .checked(checkout.choice.method() == method)
            .on(Kind::Change, link, move |_| Some(Msg::MethodChosen(method)));
        let label = element("label")
            .holds(radio)
            .holds(element("span").says(texts(checkout.connection.catalog, method).name))
            .child(icons::method(method));
        view = view.holds(label);
    }
    view.done()
}

/// What is said in place of fields.
pub(super) fn without_fields(checkout: &Checkout) -> Html {
    let method = checkout.choice.method();
    if method == Method::Card {
        return Html::default();
    }
    let texts = texts(checkout.connection.catalog, method);
    let mut view = element("div");
    if checkout.choice.offered().len() < 2 {
        view = view.holds(element("h2").says(texts.heading));
    }
    let explained = element("p.explained");
    view.holds(explained.says(texts.description)).done()
}

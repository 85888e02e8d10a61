//! What stands in place of the form: the outcome, or what is being done to learn it.

use super::checkout::{Checkout, Heard};
use super::marks;
use crate::browser::international;
use crate::pay::{Ending, Event, Phase};
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::card::Brand;
use yew::html::Scope;
use yew::{AttrValue, Html, MouseEvent, html};

/// The code of the panel, if the phase has one; the texts are filed under it.
pub(super) fn code_of(phase: &Phase) -> Option<&str> {
    match phase {
        Phase::Waiting
        | Phase::Opening { .. }
        | Phase::Form { .. }
        | Phase::Sealing { .. }
        | Phase::Paying { .. } => None,
        Phase::Unreachable => Some("unreachable"),
        Phase::Checking { .. } => Some("checking"),
        Phase::Interrupted { .. } => Some("interrupted"),
        Phase::Paid { .. } => Some("paid"),
        Phase::Ended(ending) => Some(ending.code()),
    }
}

/// The heading, for the live region.
pub(super) fn heading_of(checkout: &Checkout) -> &'static str {
    let texts = checkout.connection.texts;
    match checkout.state.phase() {
        Phase::Paid { payment } if payment.state == ShopperState::Authorized => texts.authorized,
        Phase::Paid { .. } => texts.paid,
        phase => texts.panel(code_of(phase).unwrap_or_default()).0,
    }
}

pub(super) fn view(checkout: &Checkout, link: &Scope<Checkout>) -> Html {
    let texts = checkout.connection.texts;
    let phase = checkout.state.phase();
    let Some(code) = code_of(phase) else {
        return Html::default();
    };
    if let Phase::Paid { payment } = phase {
        return receipt(checkout, payment);
    }
    let (kind, icon) = match phase {
        Phase::Checking { .. } => (None, html! { <span class="spinner"></span> }),
        Phase::Ended(Ending::Fatal(_)) => (Some("danger"), marks::cross()),
        Phase::Ended(Ending::Expired) => (None, marks::clock()),
        _ => (Some("warning"), marks::attention()),
    };
    let (heading, sentence) = texts.panel(code);
    let can_retry = matches!(phase, Phase::Unreachable | Phase::Interrupted { .. });
    let onclick = link.callback(|_: MouseEvent| Heard::Happened(Event::Retried));
    html! {
        <div class="panel">
            <div class="seal" data-kind={kind}>{ icon }</div>
            <h2 tabindex="-1" ref={checkout.heading.clone()}>{ heading }</h2>
            <p>{ sentence }</p>
            if can_retry {
                <button type="button" {onclick}>{ texts.try_again }</button>
            }
        </div>
    }
}

fn receipt(checkout: &Checkout, payment: &PaymentView) -> Html {
    let texts = checkout.connection.texts;
    let is_authorized = payment.state == ShopperState::Authorized;
    let merchant = checkout
        .summary
        .as_ref()
        .and_then(|summary| summary.merchant.clone());
    let amount = checkout
        .summary
        .as_ref()
        .map(|summary| summary.total.clone());
    let date = international::moment(&checkout.connection.locale, payment.created_at);
    let line = |name: &'static str, value: AttrValue| {
        html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> }
    };
    html! {
        <div class="panel">
            <div class="seal" data-kind="success">{ marks::check() }</div>
            <h2 tabindex="-1" ref={checkout.heading.clone()}>{ heading_of(checkout) }</h2>
            <p class="figure">{ amount.unwrap_or_default() }</p>
            if is_authorized {
                <p>{ texts.authorized_explained }</p>
            }
            <dl class="receipt">
                { line(texts.paid_to, merchant.unwrap_or_default()) }
                { line(texts.order_number, payment.order_ref.clone().into()) }
                { line(texts.paid_with, masked(payment)) }
                { line(texts.date, date.into()) }
            </dl>
        </div>
    }
}

/// A card such as `Visa •••• 4242`.
fn masked(payment: &PaymentView) -> AttrValue {
    let brand = Brand::from_slug(&payment.card.brand).map_or("", Brand::name);
    [brand, " •••• ", &payment.card.last4]
        .concat()
        .trim_start()
        .to_owned()
        .into()
}

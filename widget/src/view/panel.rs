//! What stands in place of the form: waiting, interrupted, over; and what other panels share.

use super::checkout::{Checkout, Msg};
use super::element::{Element, element};
use super::{challenge, icons, receipt, transfer};
use crate::browser::intl::{self, Moment};
use crate::payment::{EndReason, PaymentEvent, Phase};
use sealpay_protocol::api::{ActionView, ShopperState};
use yew::Html;
use yew::html::Scope;

/// The code of the panel, if the phase has one; the texts are filed under it.
pub(super) fn code_of(phase: &Phase) -> Option<&str> {
    match phase {
        Phase::Waiting
        | Phase::Opening { .. }
        | Phase::Form { .. }
        | Phase::Sealing { .. }
        | Phase::Paying { .. }
        | Phase::Cancelling { .. } => None,
        Phase::Unreachable => Some("unreachable"),
        Phase::Polling { .. } => Some("checking"),
        Phase::OpenElsewhere => Some("open_elsewhere"),
        Phase::Interrupted { .. } => Some("interrupted"),
        Phase::ActionRequired(required) => Some(match required.action {
            ActionView::Code(_) => "code",
            ActionView::Passkey(_) => "passkey",
            ActionView::Wallet(_) => "wallet",
            ActionView::Transfer(_) => "transfer",
            ActionView::Continue => "checking",
        }),
        Phase::Paid { .. } => Some("paid"),
        Phase::Ended(reason) => Some(reason.code()),
    }
}

/// What the live region says: the heading, and what a receipt is about.
pub(super) fn words_of(checkout: &Checkout) -> String {
    match checkout.state.phase() {
        Phase::Paid { payment, .. } => receipt::words_of(checkout, payment),
        _ => heading_of(checkout).into(),
    }
}

/// The heading.
pub(super) fn heading_of(checkout: &Checkout) -> &'static str {
    let catalog = checkout.connection.catalog;
    match checkout.state.phase() {
        Phase::Paid { payment, .. } if payment.state == ShopperState::Authorized => {
            catalog.payment_approved
        }
        Phase::Paid { .. } => catalog.payment_complete,
        phase => catalog.panel(code_of(phase).unwrap_or_default()).heading,
    }
}

/// The heading, where the shopper is put.
pub(super) fn heading(checkout: &Checkout) -> Element {
    let outcome = is_receipt(checkout).then_some("outcome");
    element("h2")
        .with("id=heading;tabindex=-1")
        .maybe("aria-describedby", outcome)
        .at(&checkout.heading)
        .says(heading_of(checkout))
}

fn is_receipt(checkout: &Checkout) -> bool {
    matches!(checkout.state.phase(), Phase::Paid { .. })
}

/// Begins a panel: an icon on a disc, and the heading. A receipt is no group, because whoever is put
/// on its heading would hear that twice.
pub(super) fn panel(checkout: &Checkout, kind: Option<&'static str>, icon: Html) -> Element {
    let seal = element("div.seal");
    let mut panel = element("div.panel");
    if !is_receipt(checkout) {
        panel = panel.with("role=group;aria-labelledby=heading");
    }
    panel
        .holds(seal.maybe("data-kind", kind).child(icon))
        .holds(heading(checkout))
}

/// Begins a list of lines such as a receipt.
pub(super) fn receipt() -> Element {
    element("dl.receipt")
}

/// A moment as the value of a line.
pub(super) fn moment(checkout: &Checkout, unix_seconds: u64) -> Element {
    let Moment { words, machine } = intl::moment(&checkout.connection.locale, unix_seconds);
    let time = element("time").tell("datetime", machine);
    element("dd").holds(element("bdi").holds(time.quotes(&words)))
}

impl Element {
    /// A line of a receipt.
    pub(super) fn line(self, name: &'static str, value: &str) -> Self {
        self.line_of(name, element("dd").holds(element("bdi").quotes(value)))
    }

    /// A line of a receipt whose value is made of parts.
    pub(super) fn line_of(self, name: &'static str, value: Self) -> Self {
        self.holds(element("div").holds(element("dt").says(name)).holds(value))
    }
}

pub(super) fn view(checkout: &Checkout, link: &Scope<Checkout>) -> Html {
    let phase = checkout.state.phase();
    let (kind, icon) = match phase {
        Phase::Paid { payment, offer } => {
            return receipt::view(checkout, link, payment, *offer).done();
        }
        Phase::ActionRequired(required) => {
            let panel = match &required.action {
                ActionView::Transfer(due) => transfer::view(checkout, link, required, due),
                _ => challenge::view(checkout, link, required),
            };
            return panel.done();
        }
        Phase::Polling { .. } => (None, icons::spinner()),
        Phase::Ended(EndReason::Fatal(code)) if code == "payment_voided" => (None, icons::cross()),
        Phase::Ended(EndReason::Fatal(code)) if code == "possibly_paid" => {
            (Some("warning"), icons::attention())
        }
        Phase::Ended(EndReason::Fatal(_)) => (Some("danger"), icons::cross()),
        Phase::Ended(EndReason::Expired) => (None, icons::clock()),
        _ => (Some("warning"), icons::attention()),
    };
    let Some(code) = code_of(phase) else {
        return Html::default();
    };
    let catalog = checkout.connection.catalog;
    let exit_options = checkout.connection.exit_options;
    let retry = || Msg::Payment(PaymentEvent::Retry);
    let button = |words: &str, meaning: fn() -> Msg| {
        let button = element("button").with("type=button");
        Some(button.pressed(link, meaning).says(words))
    };
    let again = match phase {
        Phase::Unreachable | Phase::Interrupted { .. } => button(catalog.try_again, retry),
        Phase::OpenElsewhere => button(catalog.continue_here, retry),
        Phase::Ended(reason) if reason.is_renewable() && exit_options.can_renew => {
            button(catalog.start_again, || Msg::ExitRequested("renew"))
        }
        Phase::Ended(_) if exit_options.can_return => {
            button(catalog.back_to_shop, || Msg::ExitRequested("return"))
        }
        _ => None,
    };
    panel(checkout, kind, icon)
        .holds(element("p").says(catalog.panel(code).sentence))
        .may_hold(again)
        .done()
}

//! Where to transfer the money: figures that are easy to copy.

use super::checkout::{Checkout, Heard};
use super::element::{Element, element};
use super::{marks, panel};
use crate::browser::international;
use crate::pay::{Acting, Deed};
use sealpay_protocol::api::TransferView;
use yew::html::Scope;

pub(super) fn view(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    acting: &Acting,
    transfer: &TransferView,
) -> Element {
    let texts = checkout.connection.texts;
    let locale = &checkout.connection.locale;
    let money = |amount_minor| -> String {
        international::amount(locale, amount_minor, &acting.payment.currency)
    };
    // Whoever has paid nothing yet may think again; what has come cannot be paid in another way.
    let other_way = (transfer.amount_received == 0).then(|| {
        element("button")
            .with("type=button;data-look=quiet")
            .when(checkout.state.is_authenticating(), "disabled")
            .pressed(link, || Heard::Did(Deed::Cancel))
            .says(texts.pay_another_way)
    });
    let copied = element("dl.receipt copied");
    panel::panel(checkout, None, marks::clock())
        .holds(element("p").says(texts.panel("transfer").1))
        .holds(
            copied
                .line(texts.still_due, &money(transfer.amount_due))
                .line(texts.holder_of_account, &transfer.holder)
                .line_of("IBAN", grouped(&transfer.iban))
                .line("BIC", &transfer.bic)
                .line_of(texts.reference, grouped(&transfer.reference)),
        )
        .holds(
            panel::receipt()
                .line(texts.received, &money(transfer.amount_received))
                .line_of(texts.until, panel::moment(checkout, transfer.expires_at)),
        )
        .may_hold(other_way)
}

/// In fours, as it stands on paper. The gaps are only drawn: what is copied has none.
fn grouped(text: &str) -> Element {
    let mut groups = element("dd");
    let mut characters = text.chars();
    loop {
        let group: String = characters.by_ref().take(4).collect();
        if group.is_empty() {
            return groups;
        }
        groups = groups.holds(element("span").quotes(&group));
    }
}

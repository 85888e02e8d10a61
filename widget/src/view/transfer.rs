//! Where to transfer the money: a row for each fact, with a button that copies it, because it has
//! to be typed into a bank's app, often on the same phone.

use super::checkout::{Checkout, Msg};
use super::element::{Element, Kind, element};
use super::{challenge, icons, panel};
use crate::browser::{clipboard, intl};
use crate::payment::{ActionRequired, ShopperAction};
use sealpay_protocol::api::TransferView;
use sealpay_protocol::money::Money;
use yew::Context;
use yew::html::Scope;

pub(super) fn view(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    required: &ActionRequired,
    transfer: &TransferView,
) -> Element {
    let catalog = checkout.connection.catalog;
    let locale = &checkout.connection.locale;
    let currency = &required.payment.currency;
    let money = |amount_minor| -> String { intl::amount(locale, amount_minor, currency) };
    // As a bank's app takes it: only the number.
    let decimal = currency.parse().map_or_else(
        |_| String::new(),
        |currency| Money::new(transfer.amount_due, currency).decimal(),
    );
    let fact = |name, shown: Element, value: &str| row(checkout, link, name, shown, value);
    let plain = |value: &str| element("bdi").quotes(value);
    let facts = element("dl.receipt copied")
        .holds(fact(
            catalog.amount_due,
            plain(&money(transfer.amount_due)),
            &decimal,
        ))
        .holds(fact(
            catalog.account_holder,
            plain(&transfer.holder),
            &transfer.holder,
        ))
        .holds(fact("IBAN", grouped(&transfer.iban), &transfer.iban))
        .holds(fact("BIC", plain(&transfer.bic), &transfer.bic))
        .holds(fact(
            catalog.reference,
            grouped(&transfer.reference),
            &transfer.reference,
        ));
    let mut more = panel::receipt();
    if transfer.amount_received > 0 {
        more = more.line(catalog.amount_received, &money(transfer.amount_received));
    }
    let more = more.line_of(catalog.pay_by, panel::moment(checkout, transfer.expires_at));
    // What has come would be left behind.
    let other = (transfer.amount_received == 0).then(|| {
        let meaning = || Msg::Action(ShopperAction::Cancel);
        challenge::button(checkout, link, "quiet", catalog.pay_another_way, meaning)
    });
    panel::panel(checkout, None, icons::clock())
        .holds(element("p").says(catalog.panel("transfer").sentence))
        .holds(facts)
        .holds(more)
        .holds(challenge::note(checkout, required))
        .may_hold(other)
}

fn row(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    name: &'static str,
    shown: Element,
    value: &str,
) -> Element {
    let catalog = checkout.connection.catalog;
    let value = value.to_owned();
    let copy = element("button")
        .with("type=button;data-look=secondary")
        .tell("aria-label", (catalog.copy_label)(name))
        .on(Kind::Press, link, move |_| {
            Some(Msg::CopyRequested(name, value.clone()))
        })
        .says(catalog.copy);
    // A list of definitions takes nothing but terms and what they mean.
    element("div")
        .holds(element("dt").says(name))
        .holds(element("dd").holds(shown))
        .holds(element("dd").holds(copy))
}

/// In fours, as it stands on paper. The gaps are only drawn: what is copied has none.
fn grouped(text: &str) -> Element {
    let mut groups = element("bdi");
    let mut characters = text.chars();
    loop {
        let group: String = characters.by_ref().take(4).collect();
        if group.is_empty() {
            return groups;
        }
        groups = groups.holds(element("span").quotes(&group));
    }
}

impl Checkout {
    /// Copies a fact, and says whether it worked.
    pub(super) fn copy(&self, context: &Context<Self>, name: &'static str, value: String) {
        let catalog = self.connection.catalog;
        context.link().send_future(async move {
            let is_copied = clipboard::write(&value).await;
            Msg::CopyFinished(if is_copied {
                (catalog.copied)(name)
            } else {
                catalog.not_copied.into()
            })
        });
    }
}

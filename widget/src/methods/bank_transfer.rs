//! The bank transfer: instructions with a copy button beside each value, because the shopper has to
//! enter them into a bank's app, often on the same phone.

use super::PaymentMethod;
use crate::browser::intl;
use crate::form::{Form, InvalidFields};
use crate::i18n::{Catalog, MethodTexts};
use crate::payment::{PaymentData, ShopperAction};
use crate::view::action::ActionModel;
use crate::view::button::plain_button;
use crate::view::element::{Element, Kind, element};
use crate::view::msg::Msg;
use crate::view::{icons, panel};
use sealpay_protocol::api::{ActionView, TransferView};
use sealpay_protocol::money::Money;
use yew::{Callback, Html};

pub(super) struct BankTransfer;

impl PaymentMethod for BankTransfer {
    fn texts(&self, catalog: &'static Catalog) -> &'static MethodTexts {
        &catalog.bank_transfer
    }

    fn icon(&self) -> Html {
        let path = "M3.5 9.5l8.5-5l8.5 5zM6 13v4M12 13v4M18 13v4M4 20h16";
        icons::outline("22", path)
    }

    fn collect(&self, _form: &mut Form) -> Result<PaymentData, InvalidFields> {
        Ok(PaymentData::BankTransfer)
    }

    fn action(&self, model: &ActionModel<'_>, on: &Callback<Msg>) -> Option<Element> {
        let ActionView::Transfer(transfer) = &model.required.action else {
            return None;
        };
        let catalog = model.catalog;
        let mut lines = panel::lines();
        if transfer.amount_received > 0 {
            let received = money(model, transfer.amount_received);
            lines = lines.line(catalog.amount_received, &received);
        }
        let expiry = panel::moment(model.locale, transfer.expires_at);
        let lines = lines.line_with(catalog.pay_by, expiry);
        // Money that has arrived would be left behind.
        let cancel = (transfer.amount_received == 0).then(|| {
            let cancel = || Msg::Action(ShopperAction::Cancel);
            model.button(on, "quiet", catalog.pay_another_way, cancel)
        });
        let panel = model
            .panel(icons::clock())
            .child(element("p").text(catalog.panel("transfer").sentence))
            .child(instructions(model, transfer, on))
            .child(lines)
            .child(model.feedback_note())
            .child_opt(cancel);
        Some(panel)
    }
}

fn money(model: &ActionModel<'_>, amount_minor: i64) -> String {
    intl::amount(model.locale, amount_minor, &model.required.payment.currency)
}

fn instructions(model: &ActionModel<'_>, transfer: &TransferView, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    // As a bank's app takes it: only the number.
    let currency = model.required.payment.currency.parse();
    let decimal = currency.map_or_else(
        |_| String::new(),
        |currency| Money::new(transfer.amount_due, currency).decimal(),
    );
    let plain = |value: &str| element("bdi").verbatim(value);
    let rows = [
        (
            catalog.amount_due,
            plain(&money(model, transfer.amount_due)),
            &decimal,
        ),
        (
            catalog.account_holder,
            plain(&transfer.holder),
            &transfer.holder,
        ),
        ("IBAN", grouped(&transfer.iban), &transfer.iban),
        ("BIC", plain(&transfer.bic), &transfer.bic),
        (
            catalog.reference,
            grouped(&transfer.reference),
            &transfer.reference,
        ),
    ];
    let mut list = element("dl.receipt copied");
    for (name, shown, value) in rows {
        list = list.child(row(catalog, name, shown, value.clone(), on));
    }
    list
}

fn row(
    catalog: &Catalog,
    name: &'static str,
    shown: Element,
    value: String,
    on: &Callback<Msg>,
) -> Element {
    let copy = plain_button("secondary", catalog.copy)
        .attr_string("aria-label", (catalog.copy_label)(name))
        .on(Kind::Click, on, move |_| {
            Some(Msg::CopyRequested(name, value.clone()))
        });
    // A `dl` may contain only groups of `dt` and `dd`.
    element("div")
        .child(element("dt").text(name))
        .child(element("dd").child(shown))
        .child(element("dd").child(copy))
}

/// In groups of four, as printed. The gaps are only drawn: a copied text has none.
fn grouped(text: &str) -> Element {
    let mut groups = element("bdi");
    let mut characters = text.chars();
    loop {
        let group: String = characters.by_ref().take(4).collect();
        if group.is_empty() {
            return groups;
        }
        groups = groups.child(element("span").verbatim(&group));
    }
}

//! The order: merchant, items and total.

use super::element::{Element, element};
use crate::appearance::Look;
use crate::browser::intl;
use crate::i18n::Catalog;
use sealpay_protocol::api::{OrderView, SessionView};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::OrderItem;

/// The order in the shopper's locale.
pub(super) struct Summary {
    /// Known once the session is open.
    pub(super) merchant: Option<String>,
    is_test_mode: bool,
    description: Option<String>,
    items: Vec<(String, String)>,
    pub(super) total: String,
}

impl Summary {
    /// From the order of the host page, so that the amount is there before the session.
    pub(super) fn from_order(locale: &str, order: &OrderView) -> Option<Self> {
        let currency: Currency = order.currency.parse().ok()?;
        let format =
            |amount_minor| -> String { intl::money(locale, Money::new(amount_minor, currency)) };
        let line = |item: &OrderItem| (item_name(item), format(item.amount));
        let items = order.items.as_deref().unwrap_or_default();
        Some(Self {
            merchant: None,
            is_test_mode: false,
            description: order.description.clone(),
            items: items.iter().map(line).collect(),
            total: format(order.amount),
        })
    }

    /// From the order as the verifier has it.
    pub(super) fn from_session(locale: &str, session: &SessionView) -> Option<Self> {
        let summary = Self::from_order(locale, &session.order)?;
        Some(Self {
            merchant: Some(session.merchant.name.clone()),
            is_test_mode: !session.livemode,
            ..summary
        })
    }

    /// `is_over`: an unknown merchant name stays unknown.
    ///
    /// A host page that shows the order itself can hide it. Test mode is always shown, and so is
    /// the amount if no button of the form names it.
    pub(super) fn view(&self, catalog: &Catalog, look: Look, is_over: bool) -> Element {
        let sign = self.is_test_mode.then(|| {
            let sign = element("span.test-mode");
            sign.text(catalog.test_mode)
        });
        let total = element("p.total")
            .child(element("span").text(catalog.total))
            .child(figure(&self.total));
        let section = element("section.summary").attr("aria-label", catalog.order);
        if look.hides_summary {
            let is_empty = sign.is_none() && !look.hides_button;
            return section
                .attrs("data-look=bare")
                .attr_if("hidden", is_empty)
                .child_opt(sign)
                .child_opt(look.hides_button.then_some(total));
        }
        let name = element("h1");
        let name = match &self.merchant {
            Some(merchant) => name.verbatim(merchant),
            None if is_over => name.text(catalog.order),
            None => {
                let unseen = element("span.unseen");
                name.attrs("class=bone bone-short")
                    .child(unseen.text(catalog.order))
            }
        };
        let head = element("div.head");
        let description = self.description.as_ref().map(|description| {
            let line = element("p.description");
            line.text(description)
        });
        let (first, rest) = self.items.split_at(self.items.len().min(SHOWN_ITEMS));
        section
            .child(head.child(name).child_opt(sign))
            .child_opt(description)
            .child_opt(list(first))
            .child_opt(list(rest).map(|list| {
                let summary = element("summary").text(&(catalog.more_items)(rest.len()));
                element("details.more").child(summary).child(list)
            }))
            .child(total)
    }
}

/// How many items are shown before the shopper opens the rest.
const SHOWN_ITEMS: usize = 5;

fn list(items: &[(String, String)]) -> Option<Element> {
    if items.is_empty() {
        return None;
    }
    let mut list = element("ul.items");
    for (name, amount) in items {
        let name = element("bdi").text(name);
        let name = element("span").child(name);
        list = list.child(element("li").child(name).child(figure(amount)));
    }
    Some(list)
}

fn figure(amount: &str) -> Element {
    let figure = element("bdi.amount");
    figure.verbatim(amount)
}

fn item_name(item: &OrderItem) -> String {
    if item.quantity == 1 {
        return item.name.clone();
    }
    [&item.quantity.to_string(), " × ", &item.name].concat()
}

//! What is being paid, and to whom.

use super::element::{Element, element};
use crate::browser::international;
use crate::texts::Texts;
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
    /// Of an order as the page handed it over, so that nobody waits for the amount.
    pub(super) fn of(locale: &str, order: &OrderView) -> Option<Self> {
        let currency: Currency = order.currency.parse().ok()?;
        let format = |amount_minor| -> String {
            international::money(locale, Money::new(amount_minor, currency))
        };
        let line = |item: &OrderItem| (name_of(item), format(item.amount));
        let items = order.items.as_deref().unwrap_or_default();
        Some(Self {
            merchant: None,
            is_test_mode: false,
            description: order.description.clone(),
            items: items.iter().map(line).collect(),
            total: format(order.amount),
        })
    }

    /// Of the order as the verifier has it.
    pub(super) fn of_session(locale: &str, session: &SessionView) -> Option<Self> {
        let summary = Self::of(locale, &session.order)?;
        Some(Self {
            merchant: Some(session.merchant.name.clone()),
            is_test_mode: !session.livemode,
            ..summary
        })
    }

    /// `is_over`: the merchant's name will not come any more if it is not there.
    pub(super) fn view(&self, texts: &Texts, is_over: bool) -> Element {
        let name = element("h1");
        let name = match &self.merchant {
            Some(merchant) => name.quotes(merchant),
            None if is_over => name.says(texts.order),
            None => {
                let unseen = element("span.unseen");
                name.with("class=bone bone-short")
                    .holds(unseen.says(texts.order))
            }
        };
        let sign = self.is_test_mode.then(|| {
            let sign = element("span.test-mode");
            sign.says(texts.test_mode)
        });
        let head = element("div.head");
        let description = self.description.as_ref().map(|description| {
            let line = element("p.description");
            line.says(description)
        });
        let total = element("p.total")
            .holds(element("span").says(texts.total))
            .holds(figure(&self.total));
        element("section.summary")
            .say("aria-label", texts.order)
            .holds(head.holds(name).may_hold(sign))
            .may_hold(description)
            .may_hold(self.items())
            .holds(total)
    }

    fn items(&self) -> Option<Element> {
        if self.items.is_empty() {
            return None;
        }
        let mut items = element("ul.items");
        for (name, amount) in &self.items {
            let name = element("span").says(name);
            items = items.holds(element("li").holds(name).holds(figure(amount)));
        }
        Some(items)
    }
}

fn figure(amount: &str) -> Element {
    let figure = element("span.amount");
    figure.quotes(amount)
}

fn name_of(item: &OrderItem) -> String {
    if item.quantity == 1 {
        return item.name.clone();
    }
    [&item.quantity.to_string(), " × ", &item.name].concat()
}

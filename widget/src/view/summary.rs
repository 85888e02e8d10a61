//! What is being paid, and to whom.

use crate::browser::international;
use crate::texts::Texts;
use sealpay_protocol::api::{OrderView, SessionView};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::OrderItem;
use yew::{AttrValue, Html, html};

/// The order in the shopper's locale.
pub(super) struct Summary {
    /// Known once the session is open.
    pub(super) merchant: Option<AttrValue>,
    is_test_mode: bool,
    description: Option<AttrValue>,
    items: Vec<(AttrValue, AttrValue)>,
    pub(super) total: AttrValue,
}

impl Summary {
    /// Of an order as the page handed it over, so that nobody waits for the amount.
    pub(super) fn of(locale: &str, order: &OrderView) -> Option<Self> {
        let currency: Currency = order.currency.parse().ok()?;
        let format = |amount_minor| -> AttrValue {
            international::money(locale, Money::new(amount_minor, currency)).into()
        };
        let line = |item: &OrderItem| (name_of(item), format(item.amount));
        let items = order.items.as_deref().unwrap_or_default();
        Some(Self {
            merchant: None,
            is_test_mode: false,
            description: order.description.clone().map(AttrValue::from),
            items: items.iter().map(line).collect(),
            total: format(order.amount),
        })
    }

    /// Of the order as the verifier has it.
    pub(super) fn of_session(locale: &str, session: &SessionView) -> Option<Self> {
        let summary = Self::of(locale, &session.order)?;
        Some(Self {
            merchant: Some(session.merchant.name.clone().into()),
            is_test_mode: session.test_mode,
            ..summary
        })
    }

    /// `is_over`: the merchant's name will not come any more if it is not there.
    pub(super) fn view(&self, texts: &Texts, is_over: bool) -> Html {
        html! {
            <section class="summary" aria-label={texts.order}>
                <div class="head">
                    if let Some(merchant) = &self.merchant {
                        <h1>{ merchant }</h1>
                    } else if is_over {
                        <h1>{ texts.order }</h1>
                    } else {
                        <h1 class="bone bone-short"><span class="unseen">{ texts.order }</span></h1>
                    }
                    if self.is_test_mode {
                        <span class="test-mode">{ texts.test_mode }</span>
                    }
                </div>
                if let Some(description) = &self.description {
                    <p class="description">{ description }</p>
                }
                if !self.items.is_empty() {
                    <ul class="items">
                        { for self.items.iter().map(|(name, amount)| html! {
                            <li><span>{ name }</span><span class="amount">{ amount }</span></li>
                        }) }
                    </ul>
                }
                <p class="total">
                    <span>{ texts.total }</span>
                    <span class="amount">{ &self.total }</span>
                </p>
            </section>
        }
    }
}

fn name_of(item: &OrderItem) -> AttrValue {
    if item.quantity == 1 {
        return item.name.clone().into();
    }
    [&item.quantity.to_string(), " × ", &item.name]
        .concat()
        .into()
}

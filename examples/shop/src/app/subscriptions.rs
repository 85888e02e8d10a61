//! The subscriptions of a visitor. Each time they are read from the merchant API: the shop has no
//! copy of their states that could be outdated.

use super::{AppError, Shop};
use crate::integration::Merchant;
use crate::products::MOST_BOTTLES;
use crate::visitor::Visitor;
use crate::{pages, system};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{BoxError, Form};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::money::Money;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// A subscription of the merchant API, as far as the page shows it.
#[derive(Deserialize)]
pub(crate) struct ListedSubscription {
    pub(crate) id: String,
    pub(crate) agreement: Option<String>,
    pub(crate) state: ListedState,
    pub(crate) plan: ListedPlan,
    pub(crate) queued_plan: Option<ListedPlan>,
    pub(crate) period_end: u64,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) created_at: u64,
    pub(crate) ended_at: Option<u64>,
    pub(crate) end_reason: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListedState {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    Canceled,
}

#[derive(Deserialize)]
pub(crate) struct ListedPlan {
    #[serde(flatten)]
    pub(crate) amount: Money,
    items: Vec<ListedItem>,
}

#[derive(Deserialize)]
struct ListedItem {
    price: String,
    quantity: u32,
}

#[derive(Deserialize)]
pub(crate) struct ListedInvoice {
    subscription: Option<String>,
    amount_due: i64,
    currency: Currency,
    pub(crate) next_attempt_at: Option<u64>,
    failure: Option<String>,
    pub(crate) customer_action: Option<String>,
    pub(crate) hosted_url: Option<String>,
}

#[derive(Deserialize)]
struct ListedAgreement {
    id: String,
    instrument: String,
}

/// A card or a bank account.
#[derive(Deserialize)]
pub(crate) struct ListedInstrument {
    id: String,
    pub(crate) card: Option<ListedNumber>,
    pub(crate) sepa_debit: Option<ListedNumber>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct ListedNumber {
    /// Of a card.
    #[serde(default)]
    pub(crate) brand: String,
    pub(crate) last4: String,
}

/// Everything that belongs to a customer's subscriptions.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) subscriptions: Vec<ListedSubscription>,
    invoices: Vec<ListedInvoice>,
    agreements: Vec<ListedAgreement>,
    instruments: Vec<ListedInstrument>,
}

/// What a visitor can do with a subscription.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Change,
    Pause,
    Resume,
    Cancel,
    /// Takes a cancellation back.
    Keep,
}

sealpay_protocol::names! {
    Action {
        Change = "change",
        Pause = "pause",
        Resume = "resume",
        Cancel = "cancel",
        Keep = "keep",
    }
}

/// The form of an action.
#[derive(Deserialize)]
pub(super) struct ActionForm {
    /// Of a change.
    pieces: Option<u32>,
}

/// `GET /subscriptions`
pub(super) async fn list(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let Some(visitor) = Visitor::from_headers(&headers) else {
        return Ok(pages::subscriptions(&Listing::default()).into_response());
    };
    let listing = Listing::read(&shop.merchant, &visitor).await;
    let page = pages::subscriptions(&listing.map_err(unavailable)?);
    Ok((visitor.cookie(&shop.merchant.shop), page).into_response())
}

/// `POST /subscriptions/{id}/{action}`. Only what is in the visitor's own list can be changed, so
/// that another customer's id is as unknown as one that does not exist.
pub(super) async fn act(
    State(shop): State<Arc<Shop>>,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<ActionForm>,
) -> Result<Redirect, AppError> {
    let visitor = Visitor::from_headers(&headers).ok_or(AppError::NotFound)?;
    let action = Action::from_name(&action).ok_or(AppError::NotFound)?;
    let own = subscriptions(&shop.merchant, &visitor).await;
    let mut own = own.map_err(unavailable)?.into_iter();
    let own = own.find(|own| own.id == id).ok_or(AppError::NotFound)?;
    // A page that is outdated offers what is not possible any more, and is shown again.
    if own.actions().contains(&action) {
        let (path, body) = own.request(action, &form)?;
        let key = base64url(&system::random::<16>()?);
        let done = shop.merchant.post(&path, &key, body).await;
        done.map_err(unavailable)?;
    }
    Ok(Redirect::to(&format!("/subscriptions#{id}")))
}

fn unavailable(error: BoxError) -> AppError {
    AppError::Subscriptions(error.to_string())
}

/// A whole list of the merchant API: no visitor has more rows than a page.
async fn all<T: DeserializeOwned>(merchant: &Merchant, path: &str) -> Result<Vec<T>, BoxError> {
    let page = merchant.get(&format!("{path}&limit=100")).await?;
    Ok(Vec::deserialize(&page["data"])?)
}

/// The filter of lists for a visitor; `None` before the first payment, which makes the customer.
async fn filter(merchant: &Merchant, visitor: &Visitor) -> Result<Option<String>, BoxError> {
    let path = format!("/v1/customers?reference={}", visitor.reference());
    let customers: Vec<Value> = all(merchant, &path).await?;
    let customer = customers
        .first()
        .and_then(|customer| customer["id"].as_str());
    Ok(customer.map(|customer| format!("customer={customer}")))
}

async fn subscriptions(
    merchant: &Merchant,
    visitor: &Visitor,
) -> Result<Vec<ListedSubscription>, BoxError> {
    match filter(merchant, visitor).await? {
        Some(filter) => all(merchant, &format!("/v1/subscriptions?{filter}")).await,
        None => Ok(Vec::new()),
    }
}

impl Listing {
    async fn read(merchant: &Merchant, visitor: &Visitor) -> Result<Self, BoxError> {
        let Some(filter) = filter(merchant, visitor).await? else {
            return Ok(Self::default());
        };
        Ok(Self {
            subscriptions: all(merchant, &format!("/v1/subscriptions?{filter}")).await?,
            invoices: all(merchant, &format!("/v1/invoices?state=open&{filter}")).await?,
            agreements: all(merchant, &format!("/v1/agreements?{filter}")).await?,
            instruments: all(merchant, &format!("/v1/instruments?{filter}")).await?,
        })
    }

    /// The oldest invoice that waits for the customer. One whose direct debit is on its way is open
    /// as well, and must not be paid twice.
    pub(crate) fn invoice(&self, subscription: &ListedSubscription) -> Option<&ListedInvoice> {
        let mut oldest_first = self.invoices.iter().rev();
        oldest_first.find(|invoice| {
            let is_of_it = invoice.subscription.as_deref() == Some(&subscription.id);
            let has_failed = invoice.failure.is_some() || invoice.customer_action.is_some();
            is_of_it && has_failed && invoice.hosted_url.is_some()
        })
    }

    /// What is charged.
    pub(crate) fn instrument(&self, own: &ListedSubscription) -> Option<&ListedInstrument> {
        let mut agreements = self.agreements.iter();
        let agreement =
            agreements.find(|agreement| Some(&agreement.id) == own.agreement.as_ref())?;
        let mut instruments = self.instruments.iter();
        instruments.find(|instrument| instrument.id == agreement.instrument)
    }
}

impl ListedInvoice {
    pub(crate) const fn due(&self) -> Money {
        Money::new(self.amount_due, self.currency)
    }
}

impl ListedPlan {
    /// The shop sells one product a subscription.
    pub(crate) fn pieces(&self) -> u32 {
        self.items.first().map_or(0, |item| item.quantity)
    }
}

impl ListedSubscription {
    /// What the visitor can do now.
    pub(crate) const fn actions(&self) -> &'static [Action] {
        match self.state {
            ListedState::Active | ListedState::Trialing | ListedState::PastDue
                if self.cancel_at_period_end =>
            {
                &[Action::Keep]
            }
            ListedState::Active | ListedState::Trialing => {
                &[Action::Change, Action::Pause, Action::Cancel]
            }
            ListedState::PastDue => &[Action::Change, Action::Cancel],
            ListedState::Paused => &[Action::Resume, Action::Cancel],
            ListedState::Incomplete | ListedState::Unpaid => &[Action::Cancel],
            ListedState::IncompleteExpired | ListedState::Canceled => &[],
        }
    }

    /// The request to the merchant API. A change takes effect with the next charge, because the
    /// bottles of this month are on their way.
    fn request(&self, action: Action, form: &ActionForm) -> Result<(String, Value), AppError> {
        const OUT_OF_BOUNDS: AppError = AppError::Form("Please choose one to six bottles a month.");
        let path = format!("/v1/subscriptions/{}", self.id);
        Ok(match action {
            Action::Change => {
                let pieces = form
                    .pieces
                    .filter(|pieces| (1..=MOST_BOTTLES).contains(pieces));
                let pieces = pieces.ok_or(OUT_OF_BOUNDS)?;
                let price = self.plan.items.first().map(|item| &item.price);
                let items = json!([{ "price": price, "quantity": pieces }]);
                let change = json!({ "items": items, "effective": "period_end" });
                (format!("{path}/change"), change)
            }
            Action::Keep => (path, json!({ "cancel_at_period_end": false })),
            Action::Pause | Action::Resume | Action::Cancel => {
                (format!("{path}/{}", action.name()), json!({}))
            }
        })
    }
}

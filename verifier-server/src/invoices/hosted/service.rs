//! What the page of an invoice shows.

use super::link::Link;
use super::order::{self, OrderId};
use crate::customers::model::Customer;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::invoices::model::{Invoice, InvoiceState};
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::subscriptions::model::Subscription;
use sealpay_protocol::order::digest;

/// What can be done on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PageState {
    /// Pay, by this order.
    Payable(String),
    /// Wait: a payment has no outcome yet.
    InProgress,
    /// Nothing: the bank will collect a direct debit.
    Collecting,
    /// Nothing: it is paid.
    Paid,
    /// Nothing: the merchant has closed it.
    Closed,
    /// Nothing: the link has expired.
    Expired,
}

/// The content of a page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) state: PageState,
    pub(super) merchant: String,
    pub(super) invoice: Invoice,
    /// The time zone of the invoice's periods (IANA).
    pub(super) zone: String,
    /// Whether no money moves.
    pub(super) is_test: bool,
}

/// The page of a link; none for a link that this verifier did not make.
///
/// # Errors
/// The store does not respond.
pub(super) async fn open(gateway: &Gateway, token: &str) -> Result<Option<Page>, ApiError> {
    let Some(link) = Link::read(gateway.encryption.hosted(), token) else {
        return Ok(None);
    };
    let store = &gateway.store;
    let found = store.invoices.get(link.invoice).await?;
    let issued = found.filter(|invoice| invoice.finalized_at_ms.is_some());
    let Some(invoice) = issued else {
        return Ok(None);
    };
    let merchant = store.merchants.get(invoice.merchant).await?;
    let customer = store
        .customers
        .get_owned(invoice.merchant, invoice.customer)
        .await?;
    let subscription = match invoice.subscription {
        Some(id) => store.subscriptions.get(id).await?,
        None => None,
    };
    let zone = zone(customer.as_ref(), subscription.as_ref());
    let payer = (customer.as_ref(), subscription.as_ref());
    Ok(Some(Page {
        state: state(gateway, link, &invoice, payer).await?,
        merchant: merchant.map(|one| one.name).unwrap_or_default(),
        invoice,
        zone,
        is_test: gateway.settings.test_mode,
    }))
}

fn zone(customer: Option<&Customer>, subscription: Option<&Subscription>) -> String {
    let of_customer = || customer.map(|customer| customer.time_zone.clone());
    let of_subscription = subscription.map(|one| one.anchor.zone.clone());
    of_subscription.or_else(of_customer).unwrap_or_default()
}

type Payer<'a> = (Option<&'a Customer>, Option<&'a Subscription>);

async fn state(
    gateway: &Gateway,
    link: Link,
    invoice: &Invoice,
    (customer, subscription): Payer<'_>,
) -> Result<PageState, ApiError> {
    if gateway.clock.now() >= link.expires_at {
        return Ok(PageState::Expired);
    }
    match invoice.state {
        InvoiceState::Paid => return Ok(PageState::Paid),
        InvoiceState::Open => {}
        _ => return Ok(PageState::Closed),
    }
    if !invoice.collection.is_pending {
        let id = OrderId::new(gateway);
        let order = order::mint(gateway, id, invoice, customer, subscription)?;
        return Ok(PageState::Payable(order));
    }
    let payment = match invoice.collection.payment {
        Some(payment) => gateway.store.payments.get(payment).await?,
        None => None,
    };
    let Some(payment) = payment else {
        return Ok(PageState::InProgress);
    };
    if payment.state == PaymentState::Pending {
        return Ok(PageState::Collecting);
    }
    let Some((id, order_digest)) = order_of(gateway, &payment).await? else {
        return Ok(PageState::InProgress);
    };
    // The browser that is paying finds its payment again; another one takes part only in a challenge.
    let order = order::mint(gateway, id, invoice, customer, subscription)?;
    Ok(if digest(&order) == order_digest {
        PageState::Payable(order)
    } else {
        PageState::InProgress
    })
}

/// The order of a payment that is made on the page, and the digest of its text.
async fn order_of(
    gateway: &Gateway,
    payment: &Payment,
) -> Result<Option<(OrderId, [u8; 32])>, ApiError> {
    let Some(session) = payment.session else {
        return Ok(None);
    };
    let session = gateway.store.sessions.get(session).await?;
    let order = session.and_then(|session| {
        let id = OrderId::read(&session.jti)?;
        let is_valid = id.is_valid(gateway.clock.wall());
        is_valid.then_some((id, session.order_digest))
    });
    Ok(order)
}

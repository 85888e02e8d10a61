//! The order of an invoice's page: the same form as a merchant's, signed by the verifier.

use crate::customers::model::Customer;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::invoices::model::{CustomerAction, Invoice};
use crate::subscriptions::model::Subscription;
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::encoding::hex;
use sealpay_protocol::limits::ORDER_LIFETIME_SECONDS;
use sealpay_protocol::order::{AuthenticationRequirement, Capture, OrderClaims};

/// An id of an order, and when it was made. Everything else in an order follows from the invoice, so
/// the same order can be made again while its payment is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderId {
    jti: String,
    issued_at: u64,
}

impl OrderId {
    /// A new one.
    pub(super) fn new(gateway: &Gateway) -> Self {
        // Orders are dated by the clock on the wall, as those of merchants.
        let issued_at = gateway.clock.wall();
        let random = hex(&gateway.rng.bytes::<12>());
        Self {
            jti: format!("page-{issued_at}-{random}"),
            issued_at,
        }
    }

    /// The one of a stored session; none if another server made the order.
    pub(super) fn read(jti: &str) -> Option<Self> {
        let (issued_at, _) = jti.strip_prefix("page-")?.split_once('-')?;
        Some(Self {
            jti: jti.to_owned(),
            issued_at: issued_at.parse().ok()?,
        })
    }

    /// Whether the order can still be opened.
    pub(super) const fn is_valid(&self, wall: u64) -> bool {
        wall < self.issued_at.saturating_add(ORDER_LIFETIME_SECONDS)
    }
}

/// Makes the order for what is due. A customer who pays for a subscription also agrees to its later
/// payments.
///
/// # Errors
/// The claims could not be written.
pub(super) fn mint(
    gateway: &Gateway,
    id: OrderId,
    invoice: &Invoice,
    customer: Option<&Customer>,
    subscription: Option<&Subscription>,
) -> Result<String, ApiError> {
    let customer = customer.and_then(|customer| customer.reference.clone());
    let goes_on = subscription.is_some_and(|one| !one.state.has_ended());
    let agreement = (goes_on && customer.is_some()).then_some(AgreementTerms {
        kind: AgreementKind::Subscription,
        maximum_amount: None,
    });
    let is_to_be_confirmed = invoice.collection.action == Some(CustomerAction::Authenticate);
    let number = invoice.number.clone().unwrap_or_default();
    let origin = &gateway.settings.public_origin;
    let claims = OrderClaims {
        iss: invoice.merchant,
        aud: origin.clone(),
        jti: id.jti,
        iat: id.issued_at,
        exp: id.issued_at.saturating_add(ORDER_LIFETIME_SECONDS),
        amount: invoice.due_minor(),
        currency: invoice.total.currency().to_string(),
        description: Some(format!("Invoice {number}")),
        order_ref: number,
        capture: Capture::Automatic,
        parent_origins: vec![origin.clone()],
        items: None,
        customer,
        agreement,
        methods: None,
        billing_country: None,
        authentication: is_to_be_confirmed.then_some(AuthenticationRequirement::Required),
        simulate: None,
        invoice: Some(invoice.id),
    };
    let signed = gateway.encryption.hosted().sign_order(&claims);
    signed.map_err(|error| ApiError::because(ErrorCode::Internal, error))
}

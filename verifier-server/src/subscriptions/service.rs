//! Finds subscriptions, and changes what does not cost anything.

use super::input;
use super::model::Subscription;
use super::state::SubscriptionState;
pub use super::store::SubscriptionFilter;
use super::view::{self, SubscriptionRecord};
use crate::dunning::policy::PolicyData;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{Rows, Written};
use crate::invoices::change::change_each;
use crate::invoices::collect;
use crate::invoices::finalize::Issue;
use crate::prices::model::Metadata;
use crate::store::Store;
use sealpay_protocol::ids::{MerchantId, SubscriptionId};
use serde::Deserialize;
use utoipa::ToSchema;

/// The merchant's subscriptions, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: SubscriptionFilter,
) -> Result<Page<SubscriptionRecord>, ApiError> {
    let scans = filter.customer.is_some() || filter.state.is_some();
    let rows = move |store: Store, filter| async move {
        store.subscriptions.list(merchant, &filter).await
    };
    let record = |row| SubscriptionRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// A subscription of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's subscription.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<Subscription, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    get_owned(gateway, merchant, id).await
}

/// The same by its id.
pub(super) async fn get_owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: SubscriptionId,
) -> Result<Subscription, ApiError> {
    let found = gateway.store.subscriptions.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// A subscription as a request finds it, or the response of the same request.
pub(super) enum Found {
    /// The request is new.
    New(Subscription),
    /// The request was made before.
    Made(Subscription),
}

/// The subscription that a request changes.
pub(super) async fn find(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Found, ApiError> {
    let subscription = get(gateway, request.merchant, id).await?;
    // Asked after the subscription was read: the same request may have changed it meanwhile.
    match idempotency::made_before(gateway, request).await? {
        Some(made) => get_owned(gateway, request.merchant, made)
            .await
            .map(Found::Made),
        None => Ok(Found::New(subscription)),
    }
}

/// A changed subscription with what is written together with it.
pub(super) struct Changed {
    pub(super) before_sequence: i64,
    pub(super) subscription: Subscription,
    pub(super) rows: Rows,
    pub(super) issue: Option<Issue>,
}

impl Changed {
    /// A change with the event about it.
    pub(super) fn new(
        gateway: &Gateway,
        before_sequence: i64,
        mut subscription: Subscription,
        kind: &'static str,
    ) -> Result<Self, ApiError> {
        subscription.touch(gateway.clock.now_ms_i64());
        let id = gateway.event_origin();
        let mut rows = Rows::default();
        rows.events.push(view::event(id, kind, &subscription)?);
        Ok(Self {
            before_sequence,
            subscription,
            rows,
            issue: None,
        })
    }

    /// Writes it, once for each `Idempotency-Key`.
    ///
    /// # Errors
    /// [`ErrorCode::StateConflict`] if another change was first; nothing was changed.
    pub(super) async fn write(
        self,
        gateway: &Gateway,
        request: &IdempotentRequest,
    ) -> Result<Subscription, ApiError> {
        let change = (self.before_sequence, &self.subscription);
        let charged = self.issue.as_ref().map(|issue| issue.invoice.id);
        let subscriptions = &gateway.store.subscriptions;
        let written = subscriptions.change(change, self.rows, self.issue, Some(request));
        match written.await.map_err(ApiError::of_first_transaction)? {
            Written::Done => {
                gateway.wake_outbox();
                if let Some(invoice) = charged {
                    collect::charge_now(gateway, invoice).await;
                }
                get_owned(gateway, request.merchant, self.subscription.id).await
            }
            Written::Repeated(replay) => {
                get_owned(gateway, request.merchant, replay.resource()?).await
            }
            Written::Moved => Err(ApiError::new(ErrorCode::StateConflict)),
        }
    }
}

/// A change that costs nothing; omitted members stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionUpdate {
    /// `agr_…`: another agreement of the customer. Invoices that wait for another card are charged.
    pub agreement: Option<String>,
    /// Whether it is canceled at the end of the period; false takes a cancellation back.
    pub cancel_at_period_end: Option<bool>,
    /// The dunning policy.
    pub dunning: Option<PolicyData>,
    /// The merchant's own texts, in place of the former.
    pub metadata: Option<Metadata>,
}

/// Changes a subscription, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] if it has ended.
pub async fn update(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    wanted: SubscriptionUpdate,
) -> Result<Subscription, ApiError> {
    let mut after = match find(gateway, request, id).await? {
        Found::Made(made) => return Ok(made),
        Found::New(subscription) => subscription,
    };
    if after.state.has_ended() {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let before_sequence = after.sequence;
    let mut has_new_agreement = false;
    if let Some(id) = &wanted.agreement {
        let owner = (after.merchant, after.customer);
        let agreement = input::agreement(gateway, owner, id, &after.plan).await?;
        has_new_agreement = after.agreement != Some(agreement.id);
        after.agreement = Some(agreement.id);
    }
    if let Some(cancels) = wanted.cancel_at_period_end {
        after.cancels_at_period_end = cancels;
    }
    if let Some(data) = wanted.dunning {
        after.dunning = Some(input::dunning(data)?);
    }
    if let Some(metadata) = wanted.metadata {
        after.metadata = input::metadata(metadata)?;
    }
    let mut changed = Changed::new(gateway, before_sequence, after, "subscription.updated")?;
    if has_new_agreement {
        charge_waiting(gateway, &mut changed).await?;
    }
    changed.write(gateway, request).await
}

/// Schedules the invoices that wait for another card.
async fn charge_waiting(gateway: &Gateway, changed: &mut Changed) -> Result<(), ApiError> {
    let now_ms = changed.subscription.updated_at_ms;
    let unpaid = gateway.store.invoices.unpaid_of(changed.subscription.id);
    let updated = ("invoice.updated", now_ms);
    change_each(
        gateway,
        unpaid.await?,
        updated,
        &mut changed.rows,
        |invoice, _| invoice.charge_with_new_agreement(now_ms),
    )
}

/// Whether a subscription that is behind, or not, can be changed and paused.
pub(super) const fn is_running(state: SubscriptionState) -> bool {
    matches!(
        state,
        SubscriptionState::Trialing | SubscriptionState::Active | SubscriptionState::PastDue
    )
}

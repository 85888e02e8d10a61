//! A change of an invoice together with its subscription, written at once.

use super::finalize::{self, Issue};
use super::hosted::link::Link;
use super::model::{CustomerAction, Invoice, InvoiceDue, InvoiceState};
use super::{store, view};
use crate::dunning::policy::{DunningPolicy, EndAction};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::write::{Prepared, Rows};
use crate::store::DatabaseError;
use crate::subscriptions::model::{EndReason, Subscription};
use crate::subscriptions::state::SubscriptionState;
use crate::subscriptions::{store as subscription_store, view as subscription_view};
use sealpay_protocol::ids::{AgreementId, InvoiceId, SubscriptionId};

/// An invoice that a transaction is to issue.
pub(crate) fn issue(gateway: &Gateway, invoice: Invoice) -> Issue {
    let (ids, livemode) = ([gateway.event_id(), gateway.event_id()], gateway.livemode());
    // It is issued at the time of its latest change.
    let page = Link::new(invoice.id, invoice.updated_at_ms).url(gateway);
    let compose = move |place: usize, kind, invoice: &Invoice| {
        let id = ids.get(place).copied().unwrap_or(ids[1]);
        let hosted_url = invoice.awaits_payment().then(|| page.clone());
        let event = view::event_with_page((id, livemode), kind, invoice, hosted_url);
        event.map_err(|error| DatabaseError::Corrupt(format!("{error:?}")))
    };
    Issue::new(invoice, Box::new(compose))
}

/// Changes the invoices that `change` does not leave as they are, in the transaction of something
/// else.
pub(crate) fn change_each(
    gateway: &Gateway,
    invoices: Vec<Invoice>,
    (kind, at_ms): (&'static str, i64),
    rows: &mut Rows,
    change: impl Fn(&mut Invoice, &mut Rows) -> bool,
) -> Result<(), ApiError> {
    for mut invoice in invoices {
        let before = invoice.sequence;
        if change(&mut invoice, rows) {
            invoice.touch(at_ms);
            rows.events.push(view::event(gateway, kind, &invoice)?);
            rows.guarded.push(store::update(before, &invoice)?);
        }
    }
    Ok(())
}

/// Voids an invoice that is not paid. The customer gets the credit back that it has used.
pub(crate) fn void(invoice: &mut Invoice, rows: &mut Rows, at_ms: i64) {
    if invoice.applied_minor > 0 {
        let currency = invoice.total.currency();
        let credit = finalize::credit(invoice.customer, currency, invoice.applied_minor);
        rows.others.push(credit);
        invoice.applied_minor = 0;
    }
    invoice.close(InvoiceState::Void, at_ms);
}

/// An invoice and its subscription while they change. Each event shows them as they are when it is
/// published.
pub(crate) struct Change<'g> {
    gateway: &'g Gateway,
    pub(crate) now_ms: i64,
    pub(crate) invoice: Invoice,
    pub(crate) subscription: Option<Subscription>,
    before: (i64, Option<i64>),
    leased: (InvoiceId, i64),
    rows: Rows,
}

impl<'g> Change<'g> {
    /// Reads an invoice and its subscription.
    pub(crate) async fn load(gateway: &'g Gateway, id: InvoiceId) -> Result<Self, ApiError> {
        let invoice = gateway.store.invoices.get(id).await?;
        let missing = || ApiError::because(ErrorCode::Internal, "an invoice is gone");
        Self::begin(gateway, invoice.ok_or_else(missing)?).await
    }

    /// The same for an invoice that was read before.
    pub(crate) async fn begin(gateway: &'g Gateway, invoice: Invoice) -> Result<Self, ApiError> {
        let subscription = match invoice.subscription {
            Some(id) => gateway.store.subscriptions.get(id).await?,
            None => None,
        };
        Ok(Self {
            gateway,
            now_ms: gateway.clock.now_ms_i64(),
            before: (
                invoice.sequence,
                subscription
                    .as_ref()
                    .map(|subscription| subscription.sequence),
            ),
            leased: (invoice.id, invoice.lease_until_ms),
            invoice,
            subscription,
            rows: Rows::default(),
        })
    }

    /// The sequence that the invoice had when it was read.
    pub(crate) const fn invoice_before(&self) -> i64 {
        self.before.0
    }

    /// The invoice, and the end of the lease under which it was read.
    pub(crate) const fn leased(&self) -> (InvoiceId, i64) {
        self.leased
    }

    /// Publishes an event about the invoice.
    pub(crate) fn publish(&mut self, kind: &'static str) -> Result<(), ApiError> {
        self.invoice.touch(self.now_ms);
        let event = view::event(self.gateway, kind, &self.invoice)?;
        self.rows.events.push(event);
        Ok(())
    }

    /// Publishes an event about the subscription.
    fn publish_subscription(&mut self, kind: &'static str) -> Result<(), ApiError> {
        if let Some(subscription) = &mut self.subscription {
            subscription.touch(self.now_ms);
            let id = self.gateway.event_origin();
            let event = subscription_view::event(id, kind, subscription)?;
            self.rows.events.push(event);
        }
        Ok(())
    }

    /// Voids the invoice.
    pub(crate) fn void(&mut self) {
        void(&mut self.invoice, &mut self.rows, self.now_ms);
    }

    /// Adds a row to what is written.
    pub(crate) fn add_row(&mut self, row: Prepared) {
        self.rows.others.push(row);
    }

    /// The dunning policy of the subscription.
    pub(crate) fn policy(&self) -> &DunningPolicy {
        let own = self.subscription.as_ref();
        own.and_then(|subscription| subscription.dunning.as_ref())
            .unwrap_or(DunningPolicy::built_in())
    }

    /// When the customer's time to act, and every later try, ends, milliseconds since 1970.
    pub(crate) fn horizon_ms(&self) -> i64 {
        let first_ms = self.invoice.collection.first_try_at_ms;
        let days = i64::from(self.policy().horizon_days());
        let horizon_ms = days.saturating_mul(24 * 60 * 60 * 1000);
        first_ms.unwrap_or(self.now_ms).saturating_add(horizon_ms)
    }

    /// Whether the subscription still wants its invoices charged by themselves.
    pub(crate) fn is_collecting(&self) -> bool {
        let state = self
            .subscription
            .as_ref()
            .map(|subscription| subscription.state);
        matches!(
            state,
            Some(
                SubscriptionState::Active
                    | SubscriptionState::Trialing
                    | SubscriptionState::PastDue
                    | SubscriptionState::Paused
            )
        )
    }

    /// Marks the subscription as behind with its payments.
    pub(crate) fn fall_behind(&mut self) -> Result<(), ApiError> {
        let Some(subscription) = &mut self.subscription else {
            return Ok(());
        };
        if subscription.state != SubscriptionState::Active {
            return Ok(());
        }
        subscription.state = SubscriptionState::PastDue;
        self.publish_subscription("subscription.past_due")
    }

    /// Waits for the customer until the horizon.
    pub(crate) fn wait_for(&mut self, action: CustomerAction) -> Result<(), ApiError> {
        self.invoice.collection.action = Some(action);
        let ends_at_ms = self.horizon_ms();
        let next = self
            .is_collecting()
            .then_some((InvoiceDue::GiveUp, ends_at_ms));
        self.invoice.schedule(next);
        self.publish("invoice.action_required")?;
        self.fall_behind()
    }

    /// Begins an incomplete subscription.
    pub(crate) fn activate(&mut self) -> Result<(), ApiError> {
        let Some(subscription) = &mut self.subscription else {
            return Ok(());
        };
        if subscription.state != SubscriptionState::Incomplete {
            return Ok(());
        }
        subscription.activate();
        self.publish_subscription("subscription.activated")
    }

    /// Marks the invoice as paid if nothing is due any more, and the subscription with it.
    pub(crate) async fn settle(&mut self) -> Result<(), ApiError> {
        if self.invoice.due_minor() > 0 {
            return self.publish("invoice.updated");
        }
        self.invoice.close(InvoiceState::Paid, self.now_ms);
        self.invoice.collection.failure = None;
        self.publish("invoice.paid")?;
        let Some(subscription) = &mut self.subscription else {
            return Ok(());
        };
        match subscription.state {
            SubscriptionState::Incomplete => self.activate(),
            SubscriptionState::PastDue | SubscriptionState::Unpaid => {
                let id = subscription.id;
                let open = self.gateway.store.invoices.unpaid_of(id).await?;
                let is_behind = open.iter().any(|other| {
                    other.id != self.invoice.id
                        && other.state == InvoiceState::Open
                        && other.collection.failure.is_some()
                });
                if is_behind {
                    return Ok(());
                }
                if let Some(subscription) = &mut self.subscription {
                    subscription.state = SubscriptionState::Active;
                }
                self.publish_subscription("subscription.recovered")
            }
            _ => Ok(()),
        }
    }

    /// The same for a payment of the customer's that has made an agreement: the subscription is charged
    /// by that from now on, and so are its invoices that wait for another card.
    pub(crate) async fn settle_by(&mut self, agreement: AgreementId) -> Result<(), ApiError> {
        let Some(subscription) = &mut self.subscription else {
            return self.settle().await;
        };
        let before = subscription.sequence;
        if !subscription.state.has_ended() {
            subscription.agreement = Some(agreement);
            let (id, own) = (subscription.id, self.invoice.id);
            let unpaid = self.gateway.store.invoices.unpaid_of(id).await?;
            let now_ms = self.now_ms;
            let updated = ("invoice.updated", now_ms);
            change_each(
                self.gateway,
                unpaid,
                updated,
                &mut self.rows,
                |invoice, _| invoice.id != own && invoice.charge_with_new_agreement(now_ms),
            )?;
        }
        self.settle().await?;
        match &self.subscription {
            Some(after) if after.sequence == before && after.agreement == Some(agreement) => {
                self.publish_subscription("subscription.updated")
            }
            _ => Ok(()),
        }
    }

    /// Carries out the end action of the policy.
    pub(crate) async fn give_up(&mut self) -> Result<(), ApiError> {
        let end = self.policy().end();
        self.invoice.schedule(None);
        self.publish("invoice.retries_exhausted")?;
        match end {
            EndAction::Keep => Ok(()),
            EndAction::Unpaid => {
                if let Some(subscription) = &mut self.subscription
                    && subscription.state.may_become(SubscriptionState::Unpaid)
                {
                    subscription.state = SubscriptionState::Unpaid;
                    return self.publish_subscription("subscription.unpaid");
                }
                Ok(())
            }
            EndAction::Cancel => {
                self.invoice.close(InvoiceState::Uncollectible, self.now_ms);
                self.publish("invoice.uncollectible")?;
                let subscription = self.subscription.as_mut();
                let Some(subscription) = subscription.filter(|one| !one.state.has_ended()) else {
                    return Ok(());
                };
                let reason = EndReason::PaymentFailed;
                subscription.end(SubscriptionState::Canceled, reason, self.now_ms);
                let id = subscription.id;
                self.write_off_others(id).await?;
                self.publish_subscription("subscription.canceled")
            }
        }
    }

    /// No open invoice of a subscription that was canceled for non-payment is charged any more, and a
    /// draft only if the merchant finalizes it. A payment that is under way still counts.
    async fn write_off_others(&mut self, id: SubscriptionId) -> Result<(), ApiError> {
        let (own, at_ms) = (self.invoice.id, self.now_ms);
        let unpaid = self.gateway.store.invoices.unpaid_of(id).await?;
        let written_off = ("invoice.uncollectible", at_ms);
        change_each(
            self.gateway,
            unpaid,
            written_off,
            &mut self.rows,
            |invoice, _| {
                let is_open = invoice.id != own && invoice.state == InvoiceState::Open;
                if is_open {
                    invoice.close(InvoiceState::Uncollectible, at_ms);
                }
                is_open
            },
        )
    }

    /// The rows without that of the invoice, which decides the race where it is the first.
    pub(crate) fn into_parts(mut self) -> Result<(Invoice, Rows), ApiError> {
        if let (Some(subscription), Some(before)) = (&self.subscription, self.before.1)
            && subscription.sequence != before
        {
            let row = subscription_store::update(before, subscription)?;
            self.rows.guarded.push(row);
        }
        Ok((self.invoice, self.rows))
    }

    /// All rows, for the transaction of something else.
    pub(crate) fn into_rows(self) -> Result<Rows, ApiError> {
        let before = self.before.0;
        let (invoice, mut rows) = self.into_parts()?;
        if invoice.sequence != before {
            rows.guarded.insert(0, store::update(before, &invoice)?);
        }
        Ok(rows)
    }
}

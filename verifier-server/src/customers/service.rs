//! Creates, finds and changes customers.

use super::input;
pub use super::input::{ChangedCustomer, NewCustomer};
use super::model::Customer;
pub use super::store::CustomerFilter;
use super::view::{self, CustomerRecord};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::store::Store;
use sealpay_protocol::ids::{CustomerId, InstrumentId, MerchantId};

/// How often a change is tried again if another one was first.
const TRIES: u32 = 8;

/// The merchant's customers, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: CustomerFilter,
) -> Result<Page<CustomerRecord>, ApiError> {
    let scans = filter.reference.is_some();
    let rows =
        move |store: Store, filter| async move { store.customers.list(merchant, &filter).await };
    let record = |row| CustomerRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// A customer of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's customer.
pub async fn get(gateway: &Gateway, merchant: MerchantId, id: &str) -> Result<Customer, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    get_owned(gateway, merchant, id).await
}

/// The same by its id.
pub(crate) async fn get_owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: CustomerId,
) -> Result<Customer, ApiError> {
    let found = gateway.store.customers.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

fn new(gateway: &Gateway, merchant: MerchantId, reference: String) -> Customer {
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = gateway.clock.now_ms_i64();
    Customer {
        id: CustomerId::new(now_ms, gateway.rng.bytes()),
        merchant,
        reference: Some(reference),
        email: None,
        name: None,
        locale: None,
        time_zone: input::UTC.to_owned(),
        default_instrument: None,
        simulate: None,
        sequence: 1,
        erased_at_ms: None,
        created_at_ms,
        updated_at_ms: created_at_ms,
    }
}

/// Creates a customer, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was created. [`ErrorCode::CustomerExists`] if the merchant has a customer with
/// this reference.
pub async fn create(
    gateway: &Gateway,
    request: &IdempotentRequest,
    wanted: NewCustomer,
) -> Result<Customer, ApiError> {
    input::reference(&wanted.reference)?;
    let mut customer = new(gateway, request.merchant, wanted.reference.clone());
    input::apply(gateway, wanted.details(), &mut customer)?;
    let event = view::event(gateway, "customer.created", &customer)?;
    let added = gateway
        .store
        .customers
        .add(&customer, &event, Some(request));
    match added.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => {
            gateway.wake_outbox();
            Ok(customer)
        }
        Written::Repeated(replay) => get_owned(gateway, request.merchant, replay.resource()?).await,
        Written::Moved => Err(ApiError::for_param(ErrorCode::CustomerExists, "reference")),
    }
}

/// The customer of an approved payment: the one that the order named when the shopper agreed, or a
/// new one if there was none. None if it was erased meanwhile.
pub(crate) async fn of_order(
    gateway: &Gateway,
    merchant: MerchantId,
    (known, reference): (Option<CustomerId>, &str),
) -> Result<Option<CustomerId>, ApiError> {
    let customers = &gateway.store.customers;
    if let Some(id) = known {
        let customer = customers.get_owned(merchant, id).await?;
        let customer = customer.filter(|customer| customer.erased_at_ms.is_none());
        return Ok(customer.map(|customer| customer.id));
    }
    if let Some(customer) = customers.get_by_reference(merchant, reference).await? {
        return Ok(Some(customer.id));
    }
    let customer = new(gateway, merchant, reference.to_owned());
    let event = view::event(gateway, "customer.created", &customer)?;
    if customers.add(&customer, &event, None).await? == Written::Done {
        gateway.wake_outbox();
        return Ok(Some(customer.id));
    }
    // Another payment was first.
    let customer = customers.get_by_reference(merchant, reference).await?;
    Ok(customer.map(|customer| customer.id))
}

/// Changes a customer, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::NotFound`] also for another merchant's customer,
/// [`ErrorCode::StateConflict`] for an erased one.
pub async fn change(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    changed: ChangedCustomer,
) -> Result<Customer, ApiError> {
    carry_out(gateway, request, id, &CustomerChange::Details(changed)).await
}

/// A change of a customer.
pub(super) enum CustomerChange {
    /// The given members change.
    Details(ChangedCustomer),
    /// The personal data goes.
    Erase,
}

impl CustomerChange {
    const fn event(&self) -> &'static str {
        match self {
            Self::Details(_) => "customer.updated",
            Self::Erase => "customer.erased",
        }
    }

    async fn apply(&self, gateway: &Gateway, customer: &mut Customer) -> Result<(), ApiError> {
        match self {
            Self::Details(changed) => {
                input::apply(gateway, changed.clone(), customer)?;
                if let Some(wanted) = &changed.default_instrument {
                    customer.default_instrument =
                        default_instrument(gateway, customer, wanted).await?;
                }
            }
            Self::Erase => {
                // The reference may be a name or an address, though it should not.
                customer.reference = None;
                customer.email = None;
                customer.name = None;
                customer.locale = None;
                customer.default_instrument = None;
                customer.erased_at_ms = Some(gateway.clock.now_ms_i64());
            }
        }
        Ok(())
    }
}

/// Carries out a change, again if another one was first.
pub(super) async fn carry_out(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    change: &CustomerChange,
) -> Result<Customer, ApiError> {
    for _ in 0..TRIES {
        let before = get(gateway, request.merchant, id).await?;
        if let Some(made) = idempotency::made_before(gateway, request).await? {
            return get_owned(gateway, request.merchant, made).await;
        }
        if before.erased_at_ms.is_some() {
            return Err(ApiError::new(ErrorCode::StateConflict));
        }
        let mut after = before.clone();
        change.apply(gateway, &mut after).await?;
        after.sequence = before.sequence.saturating_add(1);
        after.updated_at_ms = gateway.clock.now_ms_i64();
        let event = view::event(gateway, change.event(), &after)?;
        let written = gateway
            .store
            .customers
            .change(&before, &after, &event, Some(request));
        match written.await.map_err(ApiError::of_first_transaction)? {
            Written::Done => {
                gateway.wake_outbox();
                return Ok(after);
            }
            Written::Repeated(replay) => {
                return get_owned(gateway, request.merchant, replay.resource()?).await;
            }
            Written::Moved => {}
        }
    }
    Err(ApiError::new(ErrorCode::Overloaded))
}

/// The default instrument that a change names: one of the customer's, which can be charged.
async fn default_instrument(
    gateway: &Gateway,
    customer: &Customer,
    wanted: &str,
) -> Result<Option<InstrumentId>, ApiError> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let refused = || {
        let detail = "default_instrument must be an active instrument of this customer.";
        ApiError::invalid("default_instrument", detail)
    };
    let id: InstrumentId = wanted.parse().map_err(|_| refused())?;
    let instruments = &gateway.store.instruments;
    let found = instruments.get_owned(customer.merchant, id).await?;
    let is_usable = found.is_some_and(|instrument| {
        instrument.customer == customer.id && instrument.state.is_chargeable()
    });
    if is_usable {
        Ok(Some(id))
    } else {
        Err(refused())
    }
}

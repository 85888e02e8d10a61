//! `/sim/transfers`: incoming bank transfers, and transfers sent manually.

use super::payments::NewestQuery;
use super::{SimRequest, bank, row_limit};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::payments::methods::bank_transfer;
use axum::Json;
use axum::extract::State;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::limits::AMOUNT_MINOR;
use sealpay_protocol::money::Money;
use sealpay_simulator::transfer::Transfer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Number of listed transfers.
pub const SHOWN: u32 = 100;

/// Transfers, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transfers {
    /// The transfers.
    pub data: Vec<TransferView>,
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BankTransferView)]
pub struct TransferView {
    /// The id.
    pub id: String,
    /// The reference text of the sender.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// When it arrives or arrived, seconds since 1970.
    pub arrives_at: i64,
    /// `scheduled`, `arrived`, `matched` or `returned`.
    pub state: &'static str,
}

/// A transfer to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 2490, "currency": "EUR", "reference": "RF18539007547034"}))]
pub struct SimulatedTransferRequest {
    /// The reference text of the sender: 1 to 140 characters.
    #[schema(
        min_length = 1,
        max_length = 140,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]+$"
    )]
    pub reference: String,
    /// Minor units.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    pub amount: i64,
    /// ISO 4217.
    #[schema(schema_with = currencies)]
    pub currency: String,
}

fn currencies() -> utoipa::openapi::Object {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    let all: Vec<_> = Currency::all().collect();
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.enum_values(Some(all.iter().map(Currency::code)))
        .build()
}

fn view(transfer: Transfer) -> TransferView {
    TransferView {
        id: transfer.id,
        reference: transfer.reference,
        amount: transfer.money.amount_minor(),
        currency: transfer.money.currency().code().to_owned(),
        arrives_at: transfer.arrives_at_ms.div_euclid(1000),
        state: transfer.state.name(),
    }
}

/// Lists scheduled and arrived transfers, newest first. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/transfers",
    tag = "simulation",
    params(NewestQuery),
    responses(
        (status = 200, description = "The transfers", body = Transfers),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<NewestQuery>,
) -> Result<Json<Transfers>, Problem> {
    let query = query.read()?;
    let most = row_limit(query.limit.as_deref())?;
    Ok(Json(newest(&state.gateway, most).await?))
}

pub(super) async fn newest(gateway: &Gateway, limit: u32) -> Result<Transfers, ApiError> {
    let listed = bank(gateway)?.transfers().list(limit).await;
    let listed = listed.map_err(ApiError::from)?;
    Ok(Transfers {
        data: listed.into_iter().map(view).collect(),
    })
}

/// Sends a transfer. It arrives immediately, and is matched with its payment before the response.
#[utoipa::path(
    post,
    path = "/sim/transfers",
    tag = "simulation",
    request_body = SimulatedTransferRequest,
    responses(
        (status = 200, description = "The payment", body = TransferView),
    )
)]
pub(crate) async fn send(
    State(state): State<AppState>,
    request: SimRequest<SimulatedTransferRequest>,
) -> Result<Json<TransferView>, Problem> {
    let sent = send_money(&state.gateway, request.read()?).await?;
    Ok(Json(sent))
}

async fn send_money(
    gateway: &Gateway,
    request: SimulatedTransferRequest,
) -> Result<TransferView, ApiError> {
    let SimulatedTransferRequest {
        reference,
        amount: amount_minor,
        currency,
    } = request;
    if !(1..=AMOUNT_MINOR).contains(&amount_minor) {
        let detail = format!("amount must be from 1 to {AMOUNT_MINOR} minor units.");
        return Err(ApiError::invalid("amount", detail));
    }
    let currency = currency.parse::<Currency>();
    let currency = currency.map_err(|_| {
        ApiError::invalid("currency", "currency must be an ISO 4217 code in capitals.")
    })?;
    let money = Money::new(amount_minor, currency);
    let bank = bank(gateway)?;
    let now_ms = gateway.clock.now_ms_i64();
    let sent = bank.transfers().send(&reference, money, now_ms).await;
    let id = sent.map_err(ApiError::from)?;
    let id = id.ok_or_else(|| {
        let detail = "reference must be 1 to 140 characters without control characters.";
        ApiError::invalid("reference", detail)
    })?;
    tracing::info!(transfer = id, "a tester sent a transfer");
    bank_transfer::incoming::collect(gateway).await?;
    let listed = bank.transfers().list(SHOWN).await.map_err(ApiError::from)?;
    let found = listed.into_iter().find(|transfer| transfer.id == id);
    found
        .map(view)
        .ok_or_else(|| ApiError::because(ErrorCode::Internal, "a transfer was sent and is gone"))
}

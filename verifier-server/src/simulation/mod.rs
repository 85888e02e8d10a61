//! The tester's API to the simulation, in test mode only.
//!
//! The routes are here and not in the simulator because they use the gateway's extractors and
//! errors, and change the gateway's own state, such as its clock and disputes.

pub mod accounts;
pub mod clock;
pub mod direct_debits;
pub mod disputes;
mod due;
pub mod faults;
pub mod follow_clock;
mod page;
pub mod payments;
pub mod payouts;
pub mod personas;
pub mod phone;
pub(crate) mod routes;
pub mod state;
mod text;
pub mod transfers;
mod upcoming;
mod wallet;
pub mod wallet_page;
pub mod webhooks;
pub mod worlds;

pub use sealpay_simulator::account::{AccountStatus, Enrolment};
pub use sealpay_simulator::control::{AccountRequest, AccountView, FaultRequest};
pub use sealpay_simulator::fault::Fault;

use crate::error::{ApiError, ErrorCode};
use crate::gateway::{Companion, Gateway};
use crate::http::json::json;
use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use axum::extract::{FromRequest, Request};
use sealpay_simulator::SimulatedBank;
use sealpay_simulator::control::ControlError;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::pin::Pin;

impl Companion for SimulatedBank {
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Self::close(self))
    }
}

/// The simulated bank of a gateway.
///
/// # Errors
/// [`ErrorCode::NotFound`] if there is none.
pub fn bank(gateway: &Gateway) -> Result<&SimulatedBank, ApiError> {
    let bank = gateway.companion();
    bank.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// Parses a name in a path; an invalid one is not found.
fn name(text: &str) -> Result<&str, ApiError> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
    Some(text)
        .filter(|_| fits)
        .ok_or(ApiError::new(ErrorCode::NotFound))
}

fn refused(error: ControlError) -> ApiError {
    match error {
        ControlError::NotFound => ApiError::new(ErrorCode::NotFound),
        ControlError::Invalid { field, reason } => ApiError::invalid(field, reason),
        ControlError::Provider(error) => error.into(),
    }
}

/// Default rows of a list.
const DEFAULT_ROWS: u32 = 20;
/// Maximum number of rows of a list.
const MOST_ROWS: u32 = 100;

/// Parses `limit`: 1 to 100.
fn row_limit(limit: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = limit else {
        return Ok(DEFAULT_ROWS);
    };
    // Digits only: the parser would also accept a plus sign.
    let digits = Some(text).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|limit| (1..=MOST_ROWS).contains(limit))
        .ok_or_else(|| {
            let detail = format!("limit must be a whole number from 1 to {MOST_ROWS}.");
            ApiError::invalid("limit", detail)
        })
}

/// A tester's JSON request.
pub(crate) struct SimRequest<T> {
    request: WholeRequest,
    body: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> SimRequest<T> {
    /// Parses the body.
    ///
    /// # Errors
    /// [`ErrorCode::MalformedJson`] or [`ErrorCode::MalformedRequest`], with the invalid member.
    fn read(&self) -> Result<T, ApiError> {
        json(self.request.incoming().body)
    }
}

impl<T, S: Sync> FromRequest<S> for SimRequest<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Self {
            request: WholeRequest::from_request(request, state).await?,
            body: PhantomData,
        })
    }
}

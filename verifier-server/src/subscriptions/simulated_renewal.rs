//! What a tester wants the simulated bank to do with a renewal.

use crate::error::ApiError;
use sealpay_protocol::limits::{SIMULATED_INVOICES, SIMULATED_PAYMENTS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An outcome that the simulated bank gives to the payments of one renewal; test mode only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedRenewal {
    /// The outcome, as in the `simulate` claim of orders.
    pub outcome: String,
    /// Which invoice of a subscription, counted from 1.
    #[schema(minimum = 1, maximum = 1000)]
    pub invoice: u16,
    /// How many of its payments have this outcome; all if omitted.
    #[schema(minimum = 1, maximum = 20)]
    pub payments: Option<u16>,
}

impl SimulatedRenewal {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidParameter`](crate::error::ErrorCode::InvalidParameter).
    pub(crate) fn check_numbers(&self) -> Result<(), ApiError> {
        let is_in_range = (1..=SIMULATED_INVOICES).contains(&self.invoice)
            && self
                .payments
                .is_none_or(|payments| (1..=SIMULATED_PAYMENTS).contains(&payments));
        if is_in_range {
            return Ok(());
        }
        let detail = format!(
            "simulate.invoice must be 1 to {SIMULATED_INVOICES}, and simulate.payments 1 to \
             {SIMULATED_PAYMENTS}."
        );
        Err(ApiError::invalid("simulate", detail))
    }
}

//! Faults of the bank and the acquirers, on purpose.

use super::members::Members;
use super::{Fault, FaultRequest, bank, name, refused};
use crate::error::ApiError;
use crate::gateway::Gateway;
use sealpay_simulator::acquirer;
use serde::Serialize;
use utoipa::ToSchema;

/// Faults that are in force, and those that were.
#[derive(Debug, Serialize, ToSchema)]
pub struct Faults {
    /// In the order in which they were ordered.
    pub data: Vec<Fault>,
    /// Those of the last hour that have struck as often as was ordered, newest first; ten at most.
    pub spent: Vec<Fault>,
}

/// The faults in force.
pub async fn list(gateway: &Gateway) -> Result<Faults, ApiError> {
    let bank = bank(gateway)?;
    Ok(Faults {
        data: bank.faults().await?,
        spent: bank.spent_faults().await?,
    })
}

/// Orders a fault.
///
/// # Errors
/// An error that names the member at fault, or that the bank does not answer.
pub async fn add(gateway: &Gateway, body: &[u8]) -> Result<Fault, ApiError> {
    let bank = bank(gateway)?;
    let mut members = Members::read(
        body,
        &[
            "target",
            "kind",
            "min_ms",
            "max_ms",
            "next",
            "share_per_mille",
            "seed",
        ],
    )?;
    let order = FaultRequest {
        kind: members.need("kind")?,
        target: members.take("target")?.unwrap_or_else(|| "any".to_owned()),
        min_ms: members.take("min_ms")?,
        max_ms: members.take("max_ms")?,
        next: members.take("next")?,
        share_per_mille: members.take("share_per_mille")?,
        seed: members.take("seed")?,
    };
    let fault = bank.add_fault(order).await.map_err(refused)?;
    tracing::info!(fault = fault.id, kind = ?fault.kind, "a tester ordered a fault");
    Ok(fault)
}

/// Takes a fault away.
///
/// # Errors
/// An error when there is none of that name, or the bank does not answer.
pub async fn remove(gateway: &Gateway, id: &str) -> Result<(), ApiError> {
    bank(gateway)?
        .remove_fault(name(id)?)
        .await
        .map_err(refused)
}

/// Takes every fault away.
pub async fn remove_all(gateway: &Gateway) -> Result<(), ApiError> {
    Ok(bank(gateway)?.remove_faults().await?)
}

/// The acquirers whose fault it may be: the name, and the name for people.
pub fn targets() -> impl Iterator<Item = (&'static str, &'static str)> {
    let names = acquirer::all().iter();
    names.map(|facts| (facts.name.as_str(), facts.title.as_str()))
}

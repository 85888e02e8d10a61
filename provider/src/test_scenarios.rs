//! Test cards and outcomes that an order can ask for: an extension that only a simulation has.
//!
//! No request that a provider receives says which outcome is wanted: a payment with `simulate` is
//! taken by [directed](TestScenarios::directed) providers, and a real one never hears of it.

use crate::Capabilities;
use sealpay_protocol::card::CardNumber;

/// What a simulation can be asked to do. Without one no order may set `simulate`.
pub trait TestScenarios: Send + Sync {
    /// Whether an order may ask for this outcome.
    fn knows_outcome(&self, outcome: &str) -> bool;

    /// Whether a card is a persona's: its outcome is promised and depends on nothing else.
    fn is_persona(&self, number: &CardNumber) -> bool;

    /// Whether the tester wants to see how the issuer is asked, whatever the amount: a persona
    /// whose name says so, or such an outcome. Looks nothing up.
    fn stages_authentication(&self, number: &CardNumber, outcome: Option<&str>) -> bool;

    /// The same providers for a payment whose order asks for this outcome. Whatever they leave out
    /// is done as without it.
    fn directed(&self, outcome: &str) -> Capabilities;
}

//! Subscriptions: periods that are charged by an agreement, until somebody cancels.
//!
//! A period is computed from the [`anchor`] and its number alone, so a subscription that is billed
//! late, or in one run for many periods, has the same periods as one that is billed on time.
//! [`step`] is what happens when something is due; [`renew`] carries it out.

pub mod anchor;
pub mod cancel;
pub mod change;
pub mod create;
pub mod input;
pub mod interval;
pub mod model;
pub mod pause;
pub mod period;
pub mod proration;
pub mod renew;
pub(crate) mod routes;
pub mod service;
pub mod simulated_renewal;
mod skipped_days;
pub mod state;
pub mod step;
pub mod store;
pub mod view;

//! Subscriptions: the periods of a recurring charge, and the prices of their parts.
//!
//! These files have no I/O. A period is computed from the [`anchor`] and its number alone, so a
//! subscription that is billed late, or in one run for many periods, has the same periods as one
//! that is billed on time.

pub mod anchor;
pub mod interval;
pub mod period;
pub mod proration;
mod skipped_days;

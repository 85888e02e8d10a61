//! What differs from one payment method to the next.

pub mod bank_transfer;
pub mod card;

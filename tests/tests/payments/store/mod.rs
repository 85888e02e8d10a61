//! Payments in the database: claim, outcome, list and reversal.

mod activity;
mod claim;
mod list;
mod outcome;
mod reversals;

//! Temporary.
mod webhooks;

//! Notifications from providers. A notification is only a hint: the gateway queries the provider
//! about its subject, and that response counts.

pub(crate) mod routes;
mod service;

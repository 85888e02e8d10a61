//! Request extensions that handlers and their layers share.

use crate::auth::principal::Principal;
use sealpay_protocol::ids::RequestId;
use std::sync::{Arc, OnceLock};

#[derive(Debug, Clone, Copy)]
pub(crate) struct NotedRequest(pub(crate) RequestId);

/// Set by a handler to tell its layers who sent the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct NotedPrincipal(Arc<OnceLock<Principal>>);

impl NotedPrincipal {
    pub(super) fn note(&self, principal: &Principal) {
        // A request has one sender, so the first value is kept.
        self.0.get_or_init(|| principal.clone());
    }

    /// The sender, if authenticated.
    pub(crate) fn get(&self) -> Option<&Principal> {
        self.0.get()
    }
}

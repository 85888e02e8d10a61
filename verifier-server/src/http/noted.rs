//! What stands beside a request, for those around its handler.

use crate::auth::principal::Principal;
use sealpay_protocol::ids::RequestId;
use std::sync::{Arc, OnceLock};

/// The request's id, for handlers and what stands around them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotedRequest(pub(crate) RequestId);

/// Where a handler notes who a request was from, for whoever stands around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct NotedPrincipal(Arc<OnceLock<Principal>>);

impl NotedPrincipal {
    pub(super) fn note(&self, principal: &Principal) {
        // A request has one sender, so the first is as good as any other.
        self.0.get_or_init(|| principal.clone());
    }

    /// Who it was, where that was found out.
    pub(crate) fn get(&self) -> Option<&Principal> {
        self.0.get()
    }
}

//! What an API key may be used for.

/// A scope. Reading and changing are apart, and so are the things that cost money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Looking payments, their modifications and disputes up.
    PaymentsRead,
    /// Captures and voids.
    PaymentsWrite,
    /// Refunds.
    RefundsWrite,
    /// Answering disputes.
    DisputesWrite,
    /// Looking balances, settlements and payouts up.
    BalanceRead,
    /// Looking events, webhook endpoints and deliveries up.
    EventsRead,
    /// Changing webhook endpoints, their secrets, and delivering again.
    WebhooksWrite,
    /// Looking up who did what.
    AuditRead,
}

sealpay_protocol::names! {
    Scope {
        PaymentsRead = "payments:read",
        PaymentsWrite = "payments:write",
        RefundsWrite = "refunds:write",
        DisputesWrite = "disputes:write",
        BalanceRead = "balance:read",
        EventsRead = "events:read",
        WebhooksWrite = "webhooks:write",
        AuditRead = "audit:read",
    }
}

impl Scope {
    /// Whether scopes as they are kept, names with commas between or `*`, hold this one.
    #[must_use]
    pub fn is_in(self, scopes: &str) -> bool {
        scopes == "*" || scopes.split(',').any(|scope| scope == self.name())
    }
}

/// What a handler's request needs, as a type: a handler that names none does not compile.
pub(crate) trait RequiredScope: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! required_scopes {
    ($($name:ident),* $(,)?) => {
        /// Each scope as the type of a request that needs it.
        pub(crate) mod required {$(
            #[derive(Debug)]
            pub(crate) struct $name;

            impl super::RequiredScope for $name {
                const SCOPE: super::Scope = super::Scope::$name;
            }
        )*}
    };
}

required_scopes! {
    PaymentsRead,
    PaymentsWrite,
    RefundsWrite,
    DisputesWrite,
    BalanceRead,
    EventsRead,
    WebhooksWrite,
    AuditRead,
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_scope_is_in_a_list_that_names_it_whole_or_names_all() {
        for scope in Scope::ALL {
            assert!(scope.is_in("*"));
            assert!(scope.is_in(scope.name()));
            assert!(scope.is_in(&["other", scope.name()].join(",")));
            assert!(!scope.is_in(""));
            assert!(!scope.is_in(&scope.name()[..5]));
        }
        assert!(!Scope::PaymentsWrite.is_in("payments:read,refunds:write"));
    }
}

//! Scopes of API keys.

/// A scope. Reading and writing are separate, and so are operations that cost money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read payments, their modifications and disputes.
    PaymentsRead,
    /// Captures and voids.
    PaymentsWrite,
    /// Refunds.
    RefundsWrite,
    /// Respond to disputes.
    DisputesWrite,
    /// Read customers and their saved instruments.
    CustomersRead,
    /// Create, change and erase customers, and detach their instruments.
    CustomersWrite,
    /// Read agreements.
    AgreementsRead,
    /// Revoke agreements.
    AgreementsWrite,
    /// Charge saved instruments by agreement.
    AgreementsCharge,
    /// Read balances, settlements and payouts.
    BalanceRead,
    /// Read events, webhook endpoints and deliveries.
    EventsRead,
    /// Change webhook endpoints and their secrets, and redeliver events.
    WebhooksWrite,
    /// Read the audit trail.
    AuditRead,
}

sealpay_protocol::names! {
    Scope {
        PaymentsRead = "payments:read",
        PaymentsWrite = "payments:write",
        RefundsWrite = "refunds:write",
        DisputesWrite = "disputes:write",
        CustomersRead = "customers:read",
        CustomersWrite = "customers:write",
        AgreementsRead = "agreements:read",
        AgreementsWrite = "agreements:write",
        AgreementsCharge = "agreements:charge",
        BalanceRead = "balance:read",
        EventsRead = "events:read",
        WebhooksWrite = "webhooks:write",
        AuditRead = "audit:read",
    }
}

impl Scope {
    /// Whether stored scopes (comma-separated names, or `*`) contain this one.
    #[must_use]
    pub fn is_in(self, scopes: &str) -> bool {
        scopes == "*" || scopes.split(',').any(|scope| scope == self.name())
    }
}

/// The required scope of a handler, as a type: a handler without one does not compile.
pub(crate) trait RequiredScope: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! required_scopes {
    ($($name:ident),* $(,)?) => {
        /// Each scope as the type of a request that requires it.
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
    CustomersRead,
    CustomersWrite,
    AgreementsRead,
    AgreementsWrite,
    AgreementsCharge,
    BalanceRead,
    EventsRead,
    WebhooksWrite,
    AuditRead,
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn scopes_match_whole_names_or_the_wildcard() {
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

//! Scopes of API keys.

/// The required scope of a handler, as a type: a handler without one does not compile.
pub(crate) trait RequiredScope: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A scope. Reading and writing are separate, and so are operations that cost money.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Scope {
            $($(#[$doc])* $name,)*
        }

        sealpay_protocol::names! {
            Scope {
                $($name = $text,)*
            }
        }

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

scopes! {
    /// Read payments, their modifications and disputes.
    PaymentsRead = "payments:read",
    /// Captures and voids.
    PaymentsWrite = "payments:write",
    /// Refunds.
    RefundsWrite = "refunds:write",
    /// Respond to disputes.
    DisputesWrite = "disputes:write",
    /// Read customers and their saved instruments.
    CustomersRead = "customers:read",
    /// Create, change and erase customers, and detach their instruments.
    CustomersWrite = "customers:write",
    /// Read agreements.
    AgreementsRead = "agreements:read",
    /// Revoke agreements.
    AgreementsWrite = "agreements:write",
    /// Charge saved instruments by agreement.
    AgreementsCharge = "agreements:charge",
    /// Read prices, subscriptions and invoices.
    SubscriptionsRead = "subscriptions:read",
    /// Create and change prices, subscriptions and invoices, and charge invoices.
    SubscriptionsWrite = "subscriptions:write",
    /// Read balances, settlements and payouts.
    BalanceRead = "balance:read",
    /// Read events, webhook endpoints and deliveries.
    EventsRead = "events:read",
    /// Change webhook endpoints and their secrets, and redeliver events.
    WebhooksWrite = "webhooks:write",
    /// Read the audit trail.
    AuditRead = "audit:read",
}

impl Scope {
    /// Whether stored scopes (comma-separated names, or `*`) contain this one.
    #[must_use]
    pub fn is_in(self, scopes: &str) -> bool {
        scopes == "*" || scopes.split(',').any(|scope| scope == self.name())
    }
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

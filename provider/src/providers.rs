//! The providers of a server: each declares its capabilities, and together they form one set.

mod absent;
mod slot;

use crate::{
    AcquirerTerms, Authenticator, BinLookup, CredentialVault, DirectDebitProvider,
    NotificationReader, PaymentProvider, PayoutProvider, ProviderError, TestScenarios,
    TransferProvider, WalletProvider,
};
use absent::absent;
use slot::{Holders, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes [`Capabilities`] and [`Providers`] from one row for each capability: its member, what it
/// is among all providers, and what two providers cannot both provide.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $member:ident: $slot:ty = $what:literal;)*) => {
        /// The capabilities of one provider. Another provider may supply the missing ones.
        #[derive(Clone, Default)]
        pub struct Capabilities {
            /// Whether real money moves.
            pub livemode: bool,
            $($(#[$doc])* pub $member: <$slot as Slot>::Offered,)*
        }

        /// All configured providers, by capability.
        #[derive(Clone)]
        pub struct Providers {
            /// Whether real money moves.
            pub livemode: bool,
            $($(#[$doc])* pub $member: $slot,)*
        }

        impl Providers {
            fn without_any(livemode: bool) -> Self {
                Self {
                    livemode,
                    $($member: Slot::empty(),)*
                }
            }

            fn add(
                &mut self,
                name: &str,
                provider: Capabilities,
                holders: &mut Holders,
            ) -> Result<(), String> {
                $(self.$member.add(provider.$member, $what, name, holders)?;)*
                Ok(())
            }

            fn redirect(&mut self, directed: Capabilities) {
                $(self.$member.redirect(directed.$member);)*
            }
        }
    };
}

capabilities! {
    /// Authorize cards.
    acquirers: Vec<Arc<dyn PaymentProvider>> = "the acquirer";
    /// Authenticates shoppers.
    authenticator: Arc<dyn Authenticator> = "authentication";
    /// Looks up issuers.
    issuers: Arc<dyn BinLookup> = "the issuers of cards";
    /// Offers a wallet.
    wallet: Option<Arc<dyn WalletProvider>> = "wallets";
    /// Offers accounts for bank transfers.
    transfers: Option<Arc<dyn TransferProvider>> = "bank transfers";
    /// Collects direct debits.
    direct_debits: Option<Arc<dyn DirectDebitProvider>> = "direct debits";
    /// Sends payouts to merchants.
    payouts: Arc<dyn PayoutProvider> = "payouts";
    /// Parses the notifications of a provider.
    notifications: BTreeMap<String, Arc<dyn NotificationReader>> = "notifications";
    /// The outcomes that an order can request; simulations only.
    test_scenarios: Option<Arc<dyn TestScenarios>> = "outcomes for tests";
}

impl Providers {
    /// Combines the capabilities of providers, which are named by the operator.
    ///
    /// # Errors
    /// A sentence if live and simulated providers are mixed, if two have the same capability, or if
    /// there is no provider.
    pub fn compose(
        providers: impl IntoIterator<Item = (String, Capabilities)>,
    ) -> Result<Self, String> {
        let mut set: Option<Self> = None;
        let mut holders = Holders::default();
        for (name, provider) in providers {
            let set = set.get_or_insert_with(|| Self::without_any(provider.livemode));
            if set.livemode != provider.livemode {
                return Err(format!(
                    "providers.{name} and the providers before it do not go together: one moves \
                     real money, the other simulates it"
                ));
            }
            set.add(&name, provider, &mut holders)?;
        }
        set.ok_or_else(|| "no provider is configured: add one as [providers.<name>]".into())
    }

    /// The acquirer with this name; none if it is no longer configured.
    #[must_use]
    pub fn acquirer(&self, name: &str) -> Option<&dyn PaymentProvider> {
        let found = self
            .acquirers
            .iter()
            .find(|acquirer| acquirer.name() == name);
        found.map(|acquirer| &**acquirer)
    }

    /// The cards that an acquirer has stored; none if it stores none, or is no longer configured.
    #[must_use]
    pub fn credentials(&self, acquirer: &str) -> Option<&dyn CredentialVault> {
        self.acquirer(acquirer)?.credentials()
    }

    /// The acquirers that store cards, by name.
    pub fn vaults(&self) -> impl Iterator<Item = (&str, &dyn CredentialVault)> {
        let acquirers = self.acquirers.iter();
        acquirers.filter_map(|acquirer| Some((acquirer.name(), acquirer.credentials()?)))
    }

    /// The terms of each acquirer.
    pub fn terms(&self) -> impl Iterator<Item = &AcquirerTerms> {
        self.acquirers.iter().map(|acquirer| acquirer.terms())
    }

    /// The wallet.
    ///
    /// # Errors
    /// [`ProviderError::NotSent`] if none is configured.
    pub fn wallet(&self) -> Result<&dyn WalletProvider, ProviderError> {
        self.wallet.as_deref().ok_or_else(|| absent("wallets"))
    }

    /// The bank for transfers.
    ///
    /// # Errors
    /// [`ProviderError::NotSent`] if none is configured.
    pub fn transfers(&self) -> Result<&dyn TransferProvider, ProviderError> {
        let transfers = self.transfers.as_deref();
        transfers.ok_or_else(|| absent("bank transfers"))
    }

    /// The bank for direct debits.
    ///
    /// # Errors
    /// [`ProviderError::NotSent`] if none is configured.
    pub fn direct_debits(&self) -> Result<&dyn DirectDebitProvider, ProviderError> {
        let direct_debits = self.direct_debits.as_deref();
        direct_debits.ok_or_else(|| absent("direct debits"))
    }

    /// The providers for a payment whose order requests an outcome; none without a simulation.
    #[must_use]
    pub fn directed(&self, outcome: &str) -> Option<Self> {
        let directed = self.test_scenarios.as_ref()?.directed(outcome);
        let mut set = self.clone();
        set.redirect(directed);
        Some(set)
    }
}

#[cfg(test)]
mod tests {
    use super::absent::Absent;
    use super::{Capabilities, Providers};
    use std::sync::Arc;

    fn refused(providers: Vec<(&str, Capabilities)>) -> String {
        let named = providers
            .into_iter()
            .map(|(name, provider)| (name.to_owned(), provider));
        Providers::compose(named).err().unwrap_or_default()
    }

    #[test]
    fn incompatible_providers_are_reported_by_name() {
        let issuers = || Capabilities {
            issuers: Some(Arc::new(Absent)),
            ..Capabilities::default()
        };
        let live = Capabilities {
            livemode: true,
            ..Capabilities::default()
        };
        assert_eq!(
            refused(vec![("one", issuers()), ("two", issuers())]),
            "providers.one and providers.two both provide the issuers of cards: remove one of them"
        );
        assert!(refused(vec![("one", issuers()), ("two", live)]).contains("providers.two"));
        assert!(refused(vec![]).contains("no provider is configured"));
        assert_eq!(refused(vec![("one", issuers())]), "");
    }

    #[test]
    fn missing_capabilities_return_not_sent() {
        let set = Providers::compose([("one".to_owned(), Capabilities::default())]);
        let set = set.unwrap_or_else(|sentence| panic!("{sentence}"));
        assert!(set.wallet().is_err() && set.transfers().is_err());
        assert!(set.direct_debits().is_err());
        assert!(set.acquirer("harbor").is_none() && set.directed("approved").is_none());
    }
}

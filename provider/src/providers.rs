//! The providers of a server: each declares its capabilities, and together they form one set.

use crate::authentication::{
    Authentication, AuthenticationRequest, AuthenticationStatus, Progress, Step, Stepped,
};
use crate::payout::{PayoutRequest, ReturnedPayout};
use crate::{
    AcquirerTerms, Authenticator, BinLookup, NotificationReader, PaymentProvider, PayoutProvider,
    ProviderDecision, ProviderError, ProviderFuture, TestScenarios, TransferProvider,
    WalletProvider,
};
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::ids::{AttemptId, PaymentId, PayoutId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The capabilities of one provider. Another provider may supply the missing ones.
#[derive(Clone, Default)]
pub struct Capabilities {
    /// Whether real money moves.
    pub livemode: bool,
    /// Authorize cards.
    pub acquirers: Vec<Arc<dyn PaymentProvider>>,
    /// Authenticates shoppers.
    pub authenticator: Option<Arc<dyn Authenticator>>,
    /// Looks up issuers.
    pub issuers: Option<Arc<dyn BinLookup>>,
    /// Offers a wallet.
    pub wallet: Option<Arc<dyn WalletProvider>>,
    /// Offers accounts for bank transfers.
    pub transfers: Option<Arc<dyn TransferProvider>>,
    /// Sends payouts to merchants.
    pub payouts: Option<Arc<dyn PayoutProvider>>,
    /// Parses the provider's notifications.
    pub notifications: Option<Arc<dyn NotificationReader>>,
    /// The outcomes that an order can request; simulations only.
    pub test_scenarios: Option<Arc<dyn TestScenarios>>,
}

/// All configured providers, by capability.
#[derive(Clone)]
pub struct Providers {
    /// Whether real money moves.
    pub livemode: bool,
    /// For cards.
    pub acquirers: Vec<Arc<dyn PaymentProvider>>,
    /// Authenticates shoppers.
    pub authenticator: Arc<dyn Authenticator>,
    /// Looks up issuers.
    pub issuers: Arc<dyn BinLookup>,
    /// For wallets; none if they are not offered.
    pub wallet: Option<Arc<dyn WalletProvider>>,
    /// For bank transfers; none if they are not offered.
    pub transfers: Option<Arc<dyn TransferProvider>>,
    /// Sends payouts to merchants.
    pub payouts: Arc<dyn PayoutProvider>,
    /// Parses notifications, by the provider's name.
    pub notifications: BTreeMap<String, Arc<dyn NotificationReader>>,
    /// The outcomes that an order can request.
    pub test_scenarios: Option<Arc<dyn TestScenarios>>,
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
            for acquirer in provider.acquirers {
                holders.take(&format!("the acquirer {}", acquirer.name()), &name)?;
                set.acquirers.push(acquirer);
            }
            if let Some(authenticator) = provider.authenticator {
                holders.take("authentication", &name)?;
                set.authenticator = authenticator;
            }
            if let Some(issuers) = provider.issuers {
                holders.take("the issuers of cards", &name)?;
                set.issuers = issuers;
            }
            if let Some(wallet) = provider.wallet {
                holders.take("wallets", &name)?;
                set.wallet = Some(wallet);
            }
            if let Some(transfers) = provider.transfers {
                holders.take("bank transfers", &name)?;
                set.transfers = Some(transfers);
            }
            if let Some(payouts) = provider.payouts {
                holders.take("payouts", &name)?;
                set.payouts = payouts;
            }
            if let Some(reader) = provider.notifications {
                set.notifications.insert(name.clone(), reader);
            }
            if let Some(scenarios) = provider.test_scenarios {
                holders.take("outcomes for tests", &name)?;
                set.test_scenarios = Some(scenarios);
            }
        }
        set.ok_or_else(|| "no provider is configured: add one as [providers.<name>]".into())
    }

    fn without_any(livemode: bool) -> Self {
        Self {
            livemode,
            acquirers: Vec::new(),
            authenticator: Arc::new(Absent),
            issuers: Arc::new(Absent),
            wallet: None,
            transfers: None,
            payouts: Arc::new(Absent),
            notifications: BTreeMap::new(),
            test_scenarios: None,
        }
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

    /// The providers for a payment whose order requests an outcome; none without a simulation.
    #[must_use]
    pub fn directed(&self, outcome: &str) -> Option<Self> {
        let directed = self.test_scenarios.as_ref()?.directed(outcome);
        let mut set = self.clone();
        if !directed.acquirers.is_empty() {
            set.acquirers = directed.acquirers;
        }
        set.authenticator = directed.authenticator.unwrap_or(set.authenticator);
        set.wallet = directed.wallet.or(set.wallet);
        set.transfers = directed.transfers.or(set.transfers);
        Some(set)
    }
}

/// The provider of each capability.
#[derive(Default)]
struct Holders(Vec<(String, String)>);

impl Holders {
    fn take(&mut self, what: &str, name: &str) -> Result<(), String> {
        if let Some((_, holder)) = self.0.iter().find(|(taken, _)| taken == what) {
            return Err(format!(
                "providers.{holder} and providers.{name} both provide {what}: remove one of them"
            ));
        }
        self.0.push((what.to_owned(), name.to_owned()));
        Ok(())
    }
}

fn absent(what: &str) -> ProviderError {
    ProviderError::NotSent(format!("no provider for {what} is configured"))
}

/// Stands in for a capability that is not configured.
struct Absent;

impl Authenticator for Absent {
    /// The issuer cannot be reached: `U` of EMV 3-D Secure.
    fn authenticate<'a>(
        &'a self,
        request: AuthenticationRequest<'a>,
    ) -> ProviderFuture<'a, Progress> {
        let status = AuthenticationStatus::Unavailable;
        let authentication = Authentication {
            status,
            eci: status.eci(request.card.number.brand()).to_owned(),
            value: None,
            challenge: None,
            reasons: request.reasons,
        };
        Box::pin(async { Ok(Progress::Done(authentication)) })
    }

    fn progress(&self, _reference: PaymentId) -> ProviderFuture<'_, Option<Progress>> {
        Box::pin(async { Ok(None) })
    }

    fn step(
        &self,
        _reference: PaymentId,
        _id: AttemptId,
        _step: Step,
    ) -> ProviderFuture<'_, Stepped> {
        Box::pin(async { Ok(Stepped::Closed) })
    }
}

impl BinLookup for Absent {
    fn country_of(&self, _number: &CardNumber) -> Option<&str> {
        None
    }
}

impl PayoutProvider for Absent {
    fn pay(&self, _request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(async { Err(absent("payouts")) })
    }

    fn returned(&self, _by_ms: i64, _limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn acknowledge_return(&self, _payout: PayoutId) -> ProviderFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Absent, Capabilities, Providers};
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
        assert!(set.acquirer("harbor").is_none() && set.directed("approved").is_none());
    }
}

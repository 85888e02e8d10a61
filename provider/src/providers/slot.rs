//! How the capabilities of several providers become one set.

use super::absent::{Absent, StandIn};
use crate::PaymentProvider;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The place of a capability among all providers.
pub trait Slot: Sized {
    /// What one provider offers.
    type Offered: Clone + Default;

    /// Before any provider is added.
    fn empty() -> Self;

    /// Adds what a provider offers.
    fn add(
        &mut self,
        offered: Self::Offered,
        what: &str,
        provider: &str,
        holders: &mut Holders,
    ) -> Result<(), String>;

    /// Replaces what is offered for one payment.
    fn redirect(&mut self, offered: Self::Offered);
}

/// Several of each provider, under their own names.
impl Slot for Vec<Arc<dyn PaymentProvider>> {
    type Offered = Self;

    fn empty() -> Self {
        Self::new()
    }

    fn add(
        &mut self,
        offered: Self,
        what: &str,
        provider: &str,
        holders: &mut Holders,
    ) -> Result<(), String> {
        for acquirer in offered {
            holders.take(&format!("{what} {}", acquirer.name()), provider)?;
            self.push(acquirer);
        }
        Ok(())
    }

    fn redirect(&mut self, offered: Self) {
        if !offered.is_empty() {
            *self = offered;
        }
    }
}

/// One or none.
impl<T: ?Sized> Slot for Option<Arc<T>> {
    type Offered = Self;

    fn empty() -> Self {
        None
    }

    fn add(
        &mut self,
        offered: Self,
        what: &str,
        provider: &str,
        holders: &mut Holders,
    ) -> Result<(), String> {
        if offered.is_some() {
            holders.take(what, provider)?;
            *self = offered;
        }
        Ok(())
    }

    fn redirect(&mut self, offered: Self) {
        if offered.is_some() {
            *self = offered;
        }
    }
}

/// One, or what stands in for it.
impl<T: ?Sized> Slot for Arc<T>
where
    Absent: StandIn<T>,
{
    type Offered = Option<Self>;

    fn empty() -> Self {
        Absent::stand_in()
    }

    fn add(
        &mut self,
        offered: Option<Self>,
        what: &str,
        provider: &str,
        holders: &mut Holders,
    ) -> Result<(), String> {
        if let Some(offered) = offered {
            holders.take(what, provider)?;
            *self = offered;
        }
        Ok(())
    }

    fn redirect(&mut self, offered: Option<Self>) {
        if let Some(offered) = offered {
            *self = offered;
        }
    }
}

/// One of each provider, by the provider's name.
impl<T: ?Sized> Slot for BTreeMap<String, Arc<T>> {
    type Offered = Option<Arc<T>>;

    fn empty() -> Self {
        Self::new()
    }

    fn add(
        &mut self,
        offered: Self::Offered,
        _what: &str,
        provider: &str,
        _holders: &mut Holders,
    ) -> Result<(), String> {
        self.extend(offered.map(|offered| (provider.to_owned(), offered)));
        Ok(())
    }

    /// A payment does not change who sends notifications.
    fn redirect(&mut self, _offered: Self::Offered) {}
}

/// The provider of each capability.
#[derive(Default)]
pub struct Holders(Vec<(String, String)>);

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

//! Stored credentials: cards that an acquirer stores for later payments.
//!
//! The number of a stored card remains with the acquirer. The gateway has an opaque reference, which
//! is of use at that acquirer alone.

mod vault;

pub use vault::{CardOnFile, CredentialStatus, CredentialUpdate, CredentialVault};

pub use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::card::{Brand, Card};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// Maximum length of a reference, characters.
pub const CREDENTIAL_REFERENCE_CHARACTERS: usize = 128;

/// An acquirer's opaque name of a stored credential: 1 to 128 visible ASCII characters. Shoppers
/// never see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CredentialReference(String);

/// A text that is no [`CredentialReference`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCredentialReference;

impl CredentialReference {
    /// A reference with this text.
    ///
    /// # Errors
    /// The text is empty, longer than 128 characters, or has other characters than visible ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidCredentialReference> {
        let text = text.into();
        let fits = (1..=CREDENTIAL_REFERENCE_CHARACTERS).contains(&text.len());
        if fits && text.bytes().all(|c| c.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(InvalidCredentialReference)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CredentialReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for InvalidCredentialReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a credential reference must be 1 to {CREDENTIAL_REFERENCE_CHARACTERS} visible ASCII \
             characters"
        )
    }
}

impl std::error::Error for InvalidCredentialReference {}

impl FromStr for CredentialReference {
    type Err = InvalidCredentialReference;

    fn from_str(text: &str) -> Result<Self, InvalidCredentialReference> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for CredentialReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What a payment is charged to.
#[derive(Debug, Clone, Copy)]
pub enum CardSource<'a> {
    /// A card that the shopper typed, for this call only.
    Card(&'a Card),
    /// A card that the same acquirer has stored.
    Credential(&'a CredentialReference),
}

impl<'a> CardSource<'a> {
    /// The typed card.
    #[must_use]
    pub const fn card(self) -> Option<&'a Card> {
        match self {
            Self::Card(card) => Some(card),
            Self::Credential(_) => None,
        }
    }

    /// The brand, if it is known without the acquirer: that of a typed card.
    #[must_use]
    pub fn brand(self) -> Option<Brand> {
        self.card()?.number.brand()
    }
}

/// Who initiates a payment with a stored credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    /// The shopper, who is present.
    Customer,
    /// The merchant, under an agreement with the shopper.
    Merchant,
}

sealpay_protocol::names! {
    Initiator {
        Customer = "customer",
        Merchant = "merchant",
    }
}

/// How a payment uses a stored credential.
#[derive(Debug, Clone, Copy)]
pub struct CredentialUse<'a> {
    /// The agreement.
    pub kind: AgreementKind,
    /// Who initiates the payment.
    pub initiator: Initiator,
    /// Whether to store the card if the payment is approved.
    pub store: bool,
    /// The network transaction id of a payment of the same series that the shopper initiated with
    /// this credential. Required if the merchant initiates the payment.
    pub network_transaction_id: Option<&'a str>,
}

impl CredentialUse<'_> {
    /// Mastercard's initiator code: `C1..` of the cardholder, `M1..` of the merchant. Mandates for
    /// direct debits have none.
    #[must_use]
    pub const fn initiator_code(&self) -> Option<&'static str> {
        Some(match (self.initiator, self.kind) {
            (_, AgreementKind::SddCore | AgreementKind::SddB2b) => return None,
            (Initiator::Customer, AgreementKind::CardOnFile) => "C101",
            (Initiator::Customer, AgreementKind::Unscheduled) => "C102",
            (Initiator::Customer, AgreementKind::Subscription) => "C103",
            (Initiator::Customer, AgreementKind::Instalment) => "C104",
            (Initiator::Merchant, AgreementKind::CardOnFile) => "M101",
            (Initiator::Merchant, AgreementKind::Unscheduled) => "M102",
            (Initiator::Merchant, AgreementKind::Subscription) => "M103",
            (Initiator::Merchant, AgreementKind::Instalment) => "M104",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CredentialReference, CredentialUse, Initiator};
    use sealpay_protocol::agreement::AgreementKind;
    use std::collections::HashSet;

    #[test]
    fn references_are_visible_ascii_of_bounded_length() {
        for (text, is_valid) in [
            ("crd_abc", true),
            ("!", true),
            ("~", true),
            (&"a".repeat(128), true),
            ("", false),
            (&"a".repeat(129), false),
            ("a b", false),
            ("a\n", false),
            ("\u{7f}", false),
            ("é", false),
        ] {
            let reference = CredentialReference::new(text);
            assert_eq!(reference.is_ok(), is_valid, "{text:?}");
            let json = serde_json::to_string(text).unwrap();
            let read: Result<CredentialReference, _> = serde_json::from_str(&json);
            assert_eq!(read.ok(), reference.ok(), "{text:?}");
        }
    }

    #[test]
    fn each_use_has_an_initiator_code_of_its_own() {
        let mut codes = HashSet::new();
        for kind in AgreementKind::ALL {
            let code = |initiator| {
                let use_of_it = CredentialUse {
                    kind,
                    initiator,
                    store: false,
                    network_transaction_id: None,
                };
                use_of_it.initiator_code()
            };
            let both = code(Initiator::Customer).zip(code(Initiator::Merchant));
            assert_eq!(both.is_none(), kind.is_mandate());
            let Some((customer, merchant)) = both else {
                continue;
            };
            assert_eq!(customer.replace('C', "M"), merchant);
            assert!(codes.insert(customer) && codes.insert(merchant));
        }
    }
}

//! What an acquirer knows about the cards that it has stored.

use super::CredentialReference;
use crate::ProviderFuture;
use sealpay_protocol::card::YearMonth;

/// The part of a stored card that the gateway may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardOnFile {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The last month in which the card is valid.
    pub expiry: YearMonth,
    /// Identifies the card at this acquirer without revealing its number: the same card has the
    /// same value, and a card that replaces it has another.
    pub account: String,
}

/// What became of a stored card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialStatus {
    /// The card can be charged.
    Current(CardOnFile),
    /// The issuer has replaced the card. The same reference charges the new one.
    Replaced(CardOnFile),
    /// The account is closed.
    Closed,
    /// The issuer has changed the card and wants the cardholder to be asked.
    ContactCardholder,
    /// The acquirer has no such credential, or it was revoked.
    Unknown,
}

/// News of the scheme's account updater.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialUpdate {
    /// The acquirer's unique id of the news.
    pub id: String,
    /// The credential.
    pub credential: CredentialReference,
    /// What became of the card.
    pub status: CredentialStatus,
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
}

/// The stored credentials of one acquirer.
///
/// - A card is stored by an approved authorization with [`CredentialUse::store`] that the shopper
///   initiates. The approval names the credential; a decline stores nothing, and a repeated request
///   stores nothing more. Storing the same card again may return the same reference or a new one.
/// - A credential is charged by an authorization with [`CardSource::Credential`] and a
///   [`CredentialUse`]. It behaves like a payment by card in every other respect, and the same rules
///   apply to its captures, voids and refunds.
/// - An authorization that the merchant initiates is declined if it charges a typed card, or if it
///   does not name the network transaction id of its series.
/// - Everything here is about the credentials of this acquirer. A reference of another one is
///   unknown, and an authorization that names it is declined or
///   [`NotSent`](crate::ProviderError::NotSent), never approved.
///
/// [`CardSource::Credential`]: super::CardSource::Credential
/// [`CredentialUse`]: super::CredentialUse
/// [`CredentialUse::store`]: super::CredentialUse::store
pub trait CredentialVault: Send + Sync {
    /// Asks the scheme's account updater about a card, now.
    fn status<'a>(
        &'a self,
        credential: &'a CredentialReference,
    ) -> ProviderFuture<'a, CredentialStatus>;

    /// News of the account updater up to `by_ms`, milliseconds since 1970, oldest first, at most
    /// `limit`. Each is reported once in a response, under the same id, and in every response until
    /// it is acknowledged. It may arrive before the caller has recorded the credential.
    fn updates(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<CredentialUpdate>>;

    /// Acknowledges news; it is not reported again. Repeating the acknowledgement, or naming unknown
    /// news, changes nothing and is no error.
    fn acknowledge<'a>(&'a self, id: &'a str) -> ProviderFuture<'a, ()>;

    /// Revokes a credential: from the response on every charge of it is declined. An authorization
    /// that is under way is decided before the revocation or declined after it. Decisions stand, and
    /// captured money can still be refunded. Revoking again, or naming an unknown credential,
    /// changes nothing and is no error.
    fn revoke<'a>(&'a self, credential: &'a CredentialReference) -> ProviderFuture<'a, ()>;
}

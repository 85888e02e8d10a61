//! The link to the page of an invoice: a token with the invoice, an expiry and an authentication code.
//! Nothing of it is stored.

use crate::gateway::Gateway;
use crate::invoices::model::Invoice;
use crate::keys::hosted::{HostedKeys, LINK_CODE_BYTES};
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::ids::InvoiceId;
use sealpay_protocol::limits::INVOICE_PAGE_SECONDS;
use sealpay_system::unix_seconds;

const ID_BYTES: usize = 16;
const EXPIRY_BYTES: usize = 8;
const SIGNED_BYTES: usize = ID_BYTES + EXPIRY_BYTES;
const TOKEN_BYTES: usize = SIGNED_BYTES + LINK_CODE_BYTES;
/// The length of a token; a multiple of four characters, so that one text stands for one token.
pub const TOKEN_CHARACTERS: usize = TOKEN_BYTES / 3 * 4;

/// What a link says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The invoice.
    pub invoice: InvoiceId,
    /// When the link expires, seconds since 1970 in simulated time.
    pub expires_at: u64,
}

impl Link {
    /// The link to an invoice that was issued at a time, milliseconds since 1970.
    #[must_use]
    pub fn new(invoice: InvoiceId, finalized_at_ms: i64) -> Self {
        Self {
            invoice,
            expires_at: unix_seconds(finalized_at_ms).saturating_add(INVOICE_PAGE_SECONDS),
        }
    }

    /// Reads a token that these keys have made; none for every other text.
    #[must_use]
    pub fn read(keys: &HostedKeys, token: &str) -> Option<Self> {
        if token.len() != TOKEN_CHARACTERS {
            return None;
        }
        let bytes: [u8; TOKEN_BYTES] = array_from_base64url(token)?;
        let (signed, code) = bytes.split_first_chunk::<SIGNED_BYTES>()?;
        if !keys.is_link_code(signed, code.try_into().ok()?) {
            return None;
        }
        let (id, expiry) = signed.split_first_chunk::<ID_BYTES>()?;
        Some(Self {
            invoice: InvoiceId::from_bytes(*id),
            expires_at: u64::from_be_bytes(expiry.try_into().ok()?),
        })
    }

    /// The token. The same link has the same token as long as the keys live.
    #[must_use]
    pub fn token(self, keys: &HostedKeys) -> String {
        let id = self.invoice.to_bytes();
        let signed = [id.as_slice(), &self.expires_at.to_be_bytes()].concat();
        let code = keys.link_code(&signed);
        base64url(&[signed.as_slice(), &code].concat())
    }

    /// The whole address.
    pub(crate) fn url(self, gateway: &Gateway) -> String {
        let token = self.token(gateway.encryption.hosted());
        format!("{}/pay/{token}", gateway.settings.public_origin)
    }
}

/// The address of an invoice's page, while it can be paid there.
pub(crate) fn url(gateway: &Gateway, invoice: &Invoice) -> Option<String> {
    let finalized_at_ms = invoice
        .finalized_at_ms
        .filter(|_| invoice.awaits_payment())?;
    let reopened_at_ms = invoice.collection.reopened_at_ms;
    let since_ms = reopened_at_ms.map_or(finalized_at_ms, |at_ms| at_ms.max(finalized_at_ms));
    Some(Link::new(invoice.id, since_ms).url(gateway))
}

#[cfg(test)]
mod tests {
    use super::{Link, TOKEN_CHARACTERS};
    use crate::keys::hosted::HostedKeys;
    use sealpay_protocol::ids::InvoiceId;
    use sealpay_protocol::secret::Secret;

    fn keys(seed: u8) -> HostedKeys {
        HostedKeys::new(Secret::new([seed; 32]), &Secret::new([seed; 32]))
    }

    fn link(number: u8) -> Link {
        Link::new(InvoiceId::new(1, [number; 10]), 1_700_000_000_000)
    }

    #[test]
    fn links_read_back_and_stay_the_same() {
        let token = link(1).token(&keys(1));
        assert_eq!(token.len(), TOKEN_CHARACTERS);
        assert_eq!(token, link(1).token(&keys(1)));
        assert_eq!(Link::read(&keys(1), &token), Some(link(1)));
        assert_eq!(link(1).expires_at, 1_700_000_000 + 7_776_000);
    }

    #[test]
    fn other_keys_and_other_lengths_are_not_read() {
        let token = link(1).token(&keys(1));
        assert_eq!(Link::read(&keys(2), &token), None);
        for length in 0..TOKEN_CHARACTERS {
            assert_eq!(Link::read(&keys(1), &token[..length]), None, "{length}");
        }
        let long = "A".repeat(1 << 20);
        for text in [
            token.clone() + "A",
            token.clone() + "=",
            long,
            String::new(),
        ] {
            assert_eq!(Link::read(&keys(1), &text), None, "{}", text.len());
        }
    }

    /// Every other letter in every place, so every bit of the three parts.
    #[test]
    fn altered_tokens_are_not_read() {
        let token = link(1).token(&keys(1)).into_bytes();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.";
        for place in 0..token.len() {
            for letter in alphabet.iter().filter(|letter| **letter != token[place]) {
                let mut altered = token.clone();
                altered[place] = *letter;
                let altered = String::from_utf8(altered).unwrap();
                assert_eq!(Link::read(&keys(1), &altered), None, "{place} {altered}");
            }
        }
    }

    #[test]
    fn parts_of_two_links_do_not_make_a_third() {
        let [one, two] = [link(1), link(2)].map(|link| link.token(&keys(1)));
        for place in 1..TOKEN_CHARACTERS {
            let mixed = [&one[..place], &two[place..]].concat();
            let read = Link::read(&keys(1), &mixed);
            assert!(read.is_none() || mixed == one || mixed == two, "{place}");
        }
    }
}

//! The form of the codes of a decision.

use crate::Approval;
use sealpay_protocol::card::luhn;

/// Maximum length of a network transaction id, characters.
const NETWORK_TRANSACTION_ID_CHARACTERS: usize = 36;

/// The first code of an approval that is not well formed.
pub(super) fn malformed(approval: &Approval) -> Option<&'static str> {
    let is_wrong = |code: &Option<String>, is_valid: fn(&str) -> bool| {
        code.as_deref().is_some_and(|code| !is_valid(code))
    };
    if is_wrong(&approval.authorization_code, is_authorization_code) {
        Some("the authorization code is not six letters and digits")
    } else if is_wrong(&approval.acquirer_reference, is_acquirer_reference) {
        Some("the acquirer reference is not 23 digits with a check digit")
    } else if is_wrong(&approval.network_transaction_id, is_network_id) {
        Some("the network transaction id is not 1 to 36 letters and digits")
    } else {
        None
    }
}

fn is_authorization_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|c| c.is_ascii_alphanumeric())
}

fn is_acquirer_reference(code: &str) -> bool {
    code.len() == 23 && luhn::passes(code)
}

fn is_network_id(code: &str) -> bool {
    (1..=NETWORK_TRANSACTION_ID_CHARACTERS).contains(&code.len())
        && code.bytes().all(|c| c.is_ascii_alphanumeric())
}

/// Whether it is a merchant advice code: two digits.
pub(super) fn is_advice(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{is_acquirer_reference, is_advice, is_authorization_code, is_network_id};

    #[test]
    fn codes_have_their_form() {
        let rows: [(fn(&str) -> bool, &[&str], &[&str]); 4] = [
            (
                is_authorization_code,
                &["123456", "A1b2C3"],
                &["", "12345", "1234567", "12 456"],
            ),
            (
                is_acquirer_reference,
                &["74537604221222132710574"],
                &[
                    "74537604221222132710575",
                    "7453760422122213271057",
                    "7453760422122213271057a",
                ],
            ),
            (
                is_network_id,
                &["123456789012345", "MCC1A2B3C0601"],
                &["", "a b", "é"],
            ),
            (is_advice, &["03", "24"], &["", "3", "003", "a3"]),
        ];
        for (is_valid, right, wrong) in rows {
            assert!(right.iter().all(|code| is_valid(code)), "{right:?}");
            assert!(!wrong.iter().any(|code| is_valid(code)), "{wrong:?}");
        }
    }
}

//! The codes that the bank's systems give to an approved payment. They follow from the acquirer and
//! the payment's id, so that a repeated request has the same codes.

use crate::simulation::Simulation;
use sealpay_protocol::card::luhn;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use sealpay_provider::Approval;

const LETTERS_AND_DIGITS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'L', 'M', 'N', 'P', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y',
];

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// So many letters and digits, one for each byte.
fn letters_and_digits(bytes: &[u8]) -> String {
    let letters = bytes.iter();
    letters
        .filter_map(|byte| LETTERS_AND_DIGITS.get(usize::from(byte % 32)))
        .collect()
}

/// So many decimal digits, one for each byte.
fn digits(bytes: &[u8]) -> String {
    let digits = bytes.iter();
    digits.map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// Days before a year since the year 1, in the Gregorian calendar.
const fn days_before(year: u64) -> u64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

/// The year's last digit, and the day of the year from 1, of a moment since 1970 (UTC).
fn year_and_day(unix_ms: u64) -> (u64, u64) {
    let days = unix_ms / DAY_MS + days_before(1970);
    // The estimate is at most one year too late.
    let mut year = days / 365 + 1;
    while days_before(year) > days {
        year -= 1;
    }
    (year % 10, days - days_before(year) + 1)
}

impl Simulation {
    fn codes_of(&self, acquirer: &str, reference: PaymentId) -> [u8; 32] {
        let transaction = format!("{acquirer}/{reference}");
        self.keyed("transaction codes", transaction.as_bytes())
    }

    /// The codes of an approved card payment.
    pub(crate) fn approval_codes(
        &self,
        acquirer: &str,
        reference: PaymentId,
        brand: &str,
        capture: Capture,
    ) -> Approval {
        let keyed = self.codes_of(acquirer, reference);
        let [code @ .., _, _, _, _, _, _, _, _, _, _, _] = &keyed;
        let (authorization, network) = code.split_at(6);
        let network_transaction_id = match brand {
            // Mastercard's trace id: the product, a reference number, and the date.
            "mastercard" | "maestro" => {
                let (_, day) = year_and_day(reference.unix_ms());
                format!("MCC{}{day:04}", letters_and_digits(&network[..6]))
            }
            _ => format!("3{}", digits(&network[..14])),
        };
        Approval {
            authorization_code: Some(letters_and_digits(authorization)),
            acquirer_reference: (capture == Capture::Automatic)
                .then(|| self.acquirer_reference(acquirer, reference)),
            network_transaction_id: Some(network_transaction_id),
            ..Approval::NONE
        }
    }

    /// The acquirer reference number of a payment: the format, the acquirer, the date as the last
    /// digit of the year and the day, a number, and a check digit.
    pub(crate) fn acquirer_reference(&self, acquirer: &str, reference: PaymentId) -> String {
        let bank = digits(&self.keyed("acquirer", acquirer.as_bytes())[..6]);
        let number = digits(&self.codes_of(acquirer, reference)[21..]);
        let (year, day) = year_and_day(reference.unix_ms());
        let payload = format!("7{bank}{year}{day:03}{number}");
        let check = luhn::check_digit(&payload).unwrap_or('0');
        format!("{payload}{check}")
    }
}

#[cfg(test)]
mod tests {
    use super::year_and_day;
    use crate::simulation::tests::{NOON_MS, TestBank, payment};
    use sealpay_protocol::card::luhn;
    use sealpay_protocol::order::Capture;
    use std::collections::HashSet;

    #[test]
    fn a_moment_has_a_year_and_a_day() {
        for (unix_seconds, expected) in [
            (0, (0, 1)),
            (86_399, (0, 1)),
            // 2024-02-29, 2024-12-31 and 2025-01-01.
            (1_709_164_800, (4, 60)),
            (1_735_603_200, (4, 366)),
            (1_735_689_600, (5, 1)),
            (NOON_MS / 1000, (6, 152)),
        ] {
            assert_eq!(year_and_day(unix_seconds * 1000), expected);
        }
    }

    #[tokio::test]
    async fn codes_follow_from_the_acquirer_and_the_payment() {
        let TestBank { simulation, .. } = &TestBank::new("codes").await;
        let codes =
            |number, capture| simulation.approval_codes("harbor", payment(number), "visa", capture);
        let one = codes(1, Capture::Automatic);
        assert_eq!(codes(1, Capture::Automatic), one);
        let mut seen = HashSet::new();
        for number in 0..200 {
            let codes = codes(number, Capture::Automatic);
            let authorization = codes.authorization_code.unwrap();
            assert!(authorization.len() == 6, "{authorization}");
            let reference = codes.acquirer_reference.unwrap();
            assert!(reference.len() == 23 && luhn::passes(&reference));
            assert_eq!(&reference[7..11], "6152");
            let network = codes.network_transaction_id.unwrap();
            assert!(network.len() == 15 && network.bytes().all(|c| c.is_ascii_digit()));
            assert!(seen.insert((authorization, reference, network)));
        }
        assert_eq!(codes(1, Capture::Manual).acquirer_reference, None);
        let elsewhere = simulation.acquirer_reference("meridian", payment(1));
        assert_ne!(Some(elsewhere), one.acquirer_reference);
        let of_mastercard =
            simulation.approval_codes("harbor", payment(1), "mastercard", Capture::Manual);
        let trace = of_mastercard.network_transaction_id.unwrap();
        assert!(trace.starts_with("MCC") && trace.ends_with("0152") && trace.len() == 13);
    }
}

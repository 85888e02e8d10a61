//! The table of IBANs with `schwifty`, which has the SWIFT registry.

use super::accepted;
use super::peers::PYTHON;
use sealpay_protocol::iban;
use serde_json::json;

/// Countries that joined SEPA in 2024 and 2025 (EPC409-09), after the registry of the library.
const JOINED_LATER: [&str; 5] = ["AL", "MD", "ME", "MK", "RS"];

#[test]
fn python_has_the_same_table_of_ibans() {
    let countries: Vec<_> = iban::lengths().collect();
    assert!(countries.len() > 80, "{} countries", countries.len());
    let questions: Vec<_> = countries
        .iter()
        .map(|(country, _)| json!({"ask": "iban", "country": country}))
        .collect();
    let Some(answers) = PYTHON.ask("python_has_the_same_table_of_ibans", &questions) else {
        return;
    };
    for ((country, length), answer) in countries.iter().zip(&answers) {
        let answer = accepted(answer);
        assert_eq!(answer["length"], *length, "{country}");
        let is_in_sepa = iban::is_in_sepa(country) && !JOINED_LATER.contains(country);
        assert_eq!(answer["in_sepa"], is_in_sepa, "{country}");
    }
}

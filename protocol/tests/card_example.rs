//! Calls the filter `examples/card.rs` as a function.

#[path = "../examples/card.rs"]
#[expect(
    dead_code,
    reason = "only the filter's answer is tested, not its loop over lines"
)]
mod card;

use serde_json::{Value, json};

fn answer_to(line: &[u8]) -> Value {
    card::answer(line).unwrap_or_else(|refusal| refusal.to_json())
}

fn answer(line: &str) -> Value {
    answer_to(line.as_bytes())
}

#[test]
fn the_filter_validates_only_the_given_fields() {
    let rows = [
        (
            r#"{"number":"4242424242424242","expiry":"12/30","security_code":"123",
                "now":1763800000}"#,
            json!({"brands": ["visa"], "valid": true, "potentially_valid": true,
                "formatted": "4242 4242 4242 4242", "masked": "•••• 4242", "errors": []}),
        ),
        (
            r#"{"number":"3","security_code":"1234"}"#,
            json!({"brands": ["american-express", "diners-club", "jcb"], "valid": false,
                "potentially_valid": true, "formatted": "3", "masked": "",
                "errors": ["number_incomplete"]}),
        ),
        (
            r#"{"number":"3782 8224 6310 006","expiry":"10/25","security_code":"12345",
                "holder":"4","now":1763800000}"#,
            json!({"brands": ["american-express"], "valid": false, "potentially_valid": false,
                "formatted": "3782 822463 10006", "masked": "",
                "errors": ["number_failed_luhn", "expiry_in_the_past", "security_code_too_long",
                    "holder_is_a_number"]}),
        ),
        (
            "{}",
            json!({"brands": [], "valid": false, "potentially_valid": true, "formatted": "",
                "masked": "", "errors": []}),
        ),
    ];
    for (line, expected) in rows {
        assert_eq!(answer(line), expected, "{line}");
    }
}

#[test]
fn the_filter_rejects_unreadable_lines_without_repeating_them() {
    let rows = [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("[]", "malformed_request"),
        (
            r#"["4242424242424242",null,null,null,null]"#,
            "malformed_request",
        ),
        (r#"{"number":4242424242424242}"#, "malformed_request"),
        (r#"{"4242424242424242":1}"#, "malformed_request"),
        (r#"{"expiry":"12/30","now":-1}"#, "malformed_request"),
        (r#"{"expiry":"12/30","now":1.5}"#, "malformed_request"),
        (r#"{"expiry":"12/30"}"#, "now_missing"),
    ];
    for (line, code) in rows {
        let refusal = answer(line);
        assert_eq!(refusal["error"]["code"], code, "{line}");
        assert!(!refusal.to_string().contains("4242"), "{refusal}");
    }
    assert_eq!(answer_to(b"\xff\xfe")["error"]["code"], "malformed_json");
    let deep = "[".repeat(100_000);
    assert_eq!(answer(&deep)["error"]["code"], "malformed_json");
}

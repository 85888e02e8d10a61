//! Invalid request bodies with their error code and the member that is named.

use verifier_server::error::ErrorCode;
use verifier_server::error::ErrorCode::{InvalidParameter, MalformedJson, MalformedRequest};

/// A body, and what is said of it.
pub(crate) type Row = (&'static str, ErrorCode, Option<&'static str>);

/// What no path takes.
pub(crate) const OF_ANY: [Row; 9] = [
    ("", MalformedJson, None),
    ("{", MalformedJson, None),
    ("{}}", MalformedJson, None),
    ("{'a':1}", MalformedJson, None),
    ("\u{feff}{}", MalformedJson, None),
    ("[]", MalformedRequest, None),
    ("7", MalformedRequest, None),
    ("null", MalformedRequest, None),
    (r#"{"nobody knows":1}"#, MalformedRequest, None),
];

#[rustfmt::skip]
pub(crate) const CLOCK: [Row; 19] = [
    ("{}", MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":1,"to":9999999999}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":1,"advance_seconds":1}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":1,"Advance_seconds":1}"#, MalformedRequest, Some("Advance_seconds")),
    (r#"{"advance_seconds":0}"#, InvalidParameter, Some("advance_seconds")),
    (r#"{"advance_seconds":-1}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":1.5}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":1e3}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":"60"}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":null}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":true}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":[60]}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"advance_seconds":63072001}"#, InvalidParameter, Some("advance_seconds")),
    (r#"{"advance_seconds":18446744073709551615}"#, InvalidParameter, Some("advance_seconds")),
    (r#"{"advance_seconds":18446744073709551616}"#, MalformedRequest, Some("advance_seconds")),
    (r#"{"to":0}"#, InvalidParameter, Some("to")),
    (r#"{"to":1000000000}"#, InvalidParameter, Some("to")),
    (r#"{"to":9999999999}"#, InvalidParameter, Some("to")),
    (r#"{"to":"2030-01-01"}"#, MalformedRequest, Some("to")),
];

#[rustfmt::skip]
pub(crate) const FAULTS: [Row; 22] = [
    ("{}", MalformedRequest, Some("kind")),
    (r#"{"next":1}"#, MalformedRequest, Some("kind")),
    (r#"{"kind":"flood","next":1}"#, MalformedRequest, Some("kind")),
    (r#"{"kind":{"request_lost":null},"next":1}"#, MalformedRequest, Some("kind")),
    (r#"{"kind":1,"next":1}"#, MalformedRequest, Some("kind")),
    (r#"{"kind":"request_lost"}"#, InvalidParameter, Some("next")),
    (r#"{"kind":"request_lost","next":0}"#, InvalidParameter, Some("next")),
    (r#"{"kind":"request_lost","next":-1}"#, MalformedRequest, Some("next")),
    (r#"{"kind":"request_lost","next":4294967296}"#, MalformedRequest, Some("next")),
    (r#"{"kind":"request_lost","next":1,"share_per_mille":1}"#, InvalidParameter, Some("next")),
    (r#"{"kind":"request_lost","share_per_mille":0}"#, InvalidParameter, Some("share_per_mille")),
    (r#"{"kind":"request_lost","share_per_mille":1001}"#, InvalidParameter, Some("share_per_mille")),
    (r#"{"kind":"request_lost","next":1,"seed":1}"#, InvalidParameter, Some("seed")),
    (r#"{"kind":"request_lost","share_per_mille":1,"seed":"x"}"#, MalformedRequest, Some("seed")),
    (r#"{"kind":"request_lost","next":1,"target":"nobody"}"#, InvalidParameter, Some("target")),
    (r#"{"kind":"request_lost","next":1,"target":""}"#, InvalidParameter, Some("target")),
    (r#"{"kind":"acquirer_down","next":1,"target":"issuer"}"#, InvalidParameter, Some("target")),
    (r#"{"kind":"request_lost","next":1,"min_ms":1}"#, InvalidParameter, Some("min_ms")),
    (r#"{"kind":"latency","next":1}"#, InvalidParameter, Some("min_ms")),
    (r#"{"kind":"latency","next":1,"min_ms":9,"max_ms":8}"#, InvalidParameter, Some("max_ms")),
    (r#"{"kind":"latency","next":1,"min_ms":1,"max_ms":120001}"#, InvalidParameter, Some("max_ms")),
    (r#"{"kind":"request_lost","kind":"request_lost","next":1}"#, MalformedRequest, Some("kind")),
];

#[rustfmt::skip]
pub(crate) const WEBHOOKS: [Row; 9] = [
    (r#"{"duplicate":1001}"#, InvalidParameter, Some("duplicate")),
    (r#"{"duplicate":-1}"#, MalformedRequest, Some("duplicate")),
    (r#"{"duplicate":true}"#, MalformedRequest, Some("duplicate")),
    (r#"{"reorder":1}"#, MalformedRequest, Some("reorder")),
    (r#"{"reorder":"yes"}"#, MalformedRequest, Some("reorder")),
    (r#"{"delay_ms":3600001}"#, InvalidParameter, Some("delay_ms")),
    (r#"{"delay_ms":0.5}"#, MalformedRequest, Some("delay_ms")),
    (r#"{"drop_first":10001}"#, InvalidParameter, Some("drop_first")),
    (r#"{"reorder":true,"reorder":true}"#, MalformedRequest, Some("reorder")),
];

#[rustfmt::skip]
pub(crate) const WORLDS: [Row; 8] = [
    ("{}", MalformedRequest, Some("name")),
    (r#"{"name":null}"#, MalformedRequest, Some("name")),
    (r#"{"name":["a"]}"#, MalformedRequest, Some("name")),
    (r#"{"name":"a","to":"/tmp/a"}"#, MalformedRequest, Some("to")),
    (r#"{"name":""}"#, InvalidParameter, Some("name")),
    (r#"{"name":"../a"}"#, InvalidParameter, Some("name")),
    (r#"{"name":"A"}"#, InvalidParameter, Some("name")),
    (r#"{"name":"a\u0000"}"#, InvalidParameter, Some("name")),
];

#[rustfmt::skip]
pub(crate) const ACCOUNT: [Row; 18] = [
    (r#"{"status":"rich"}"#, MalformedRequest, Some("status")),
    (r#"{"status":{"active":null}}"#, MalformedRequest, Some("status")),
    (r#"{"balance_minor":1.5}"#, MalformedRequest, Some("balance_minor")),
    (r#"{"balance_minor":"100"}"#, MalformedRequest, Some("balance_minor")),
    (r#"{"balance_minor":1000000000000}"#, InvalidParameter, Some("balance_minor")),
    (r#"{"balance_minor":9223372036854775808}"#, MalformedRequest, Some("balance_minor")),
    (r#"{"credit_limit_minor":-1}"#, InvalidParameter, Some("credit_limit_minor")),
    (r#"{"per_transaction_limit_minor":-1}"#, InvalidParameter, Some("per_transaction_limit_minor")),
    (r#"{"daily_count_limit":-1}"#, InvalidParameter, Some("daily_count_limit")),
    (r#"{"daily_count_limit":"many"}"#, MalformedRequest, Some("daily_count_limit")),
    (r#"{"daily_sum_limit_minor":[]}"#, MalformedRequest, Some("daily_sum_limit_minor")),
    (r#"{"enrolment":"maybe"}"#, MalformedRequest, Some("enrolment")),
    (r#"{"phone":""}"#, InvalidParameter, Some("phone")),
    (r#"{"phone":"911"}"#, InvalidParameter, Some("phone")),
    (r#"{"phone":"+49\u0000123456"}"#, InvalidParameter, Some("phone")),
    (r#"{"wrong_codes":6}"#, InvalidParameter, Some("wrong_codes")),
    (r#"{"held_minor":0}"#, MalformedRequest, Some("held_minor")),
    (r#"{"id":"persona:mia_approved"}"#, MalformedRequest, Some("id")),
];

#[rustfmt::skip]
pub(crate) const TRANSFERS: [Row; 17] = [
    ("{}", MalformedRequest, Some("reference")),
    (r#"{"amount":1,"currency":"EUR"}"#, MalformedRequest, Some("reference")),
    (r#"{"reference":"x","currency":"EUR"}"#, MalformedRequest, Some("amount")),
    (r#"{"reference":"x","amount":1}"#, MalformedRequest, Some("currency")),
    (r#"{"reference":"","amount":1,"currency":"EUR"}"#, InvalidParameter, Some("reference")),
    (r#"{"reference":"a\nb","amount":1,"currency":"EUR"}"#, InvalidParameter, Some("reference")),
    (r#"{"reference":"a\u0000","amount":1,"currency":"EUR"}"#, InvalidParameter, Some("reference")),
    (r#"{"reference":7,"amount":1,"currency":"EUR"}"#, MalformedRequest, Some("reference")),
    (r#"{"reference":"x","amount":0,"currency":"EUR"}"#, InvalidParameter, Some("amount")),
    (r#"{"reference":"x","amount":-1,"currency":"EUR"}"#, InvalidParameter, Some("amount")),
    (r#"{"reference":"x","amount":1.0,"currency":"EUR"}"#, MalformedRequest, Some("amount")),
    (r#"{"reference":"x","amount":"1","currency":"EUR"}"#, MalformedRequest, Some("amount")),
    (r#"{"reference":"x","amount":1000000000000,"currency":"EUR"}"#, InvalidParameter, Some("amount")),
    (r#"{"reference":"x","amount":1,"currency":"eur"}"#, InvalidParameter, Some("currency")),
    (r#"{"reference":"x","amount":1,"currency":"XXX"}"#, InvalidParameter, Some("currency")),
    (r#"{"reference":"x","amount":1,"currency":""}"#, InvalidParameter, Some("currency")),
    (r#"{"reference":"x","amount":1,"currency":null}"#, MalformedRequest, Some("currency")),
];

//! Validates a merchant's input for webhook endpoints.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::merchants::register::check_webhook_url;
use crate::webhooks::events::model::KINDS;
use sealpay_protocol::limits::ENDPOINT_DESCRIPTION_CHARACTERS;
use sealpay_protocol::text;
use serde::Deserialize;
use utoipa::ToSchema;

/// A webhook endpoint to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// The URL for webhooks: `https://…`.
    #[schema(max_length = 1024, pattern = "^https?://")]
    pub url: String,
    /// The event types to subscribe to; all if omitted, which is also `["*"]`.
    pub event_types: Option<Vec<String>>,
    /// A description: one line.
    #[schema(max_length = 200)]
    pub description: Option<String>,
}

/// Changes of a webhook endpoint; omitted members stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedEndpoint {
    /// The URL for webhooks: `https://…`.
    #[schema(max_length = 1024, pattern = "^https?://")]
    pub url: Option<String>,
    /// The event types to subscribe to; `["*"]` is all.
    pub event_types: Option<Vec<String>>,
    /// A description: one line.
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// `active` or `disabled`.
    pub state: Option<EndpointState>,
}

/// Whether an endpoint gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum EndpointState {
    /// Enabled, once it is verified.
    Active,
    /// Disabled; pending deliveries are cancelled.
    Disabled,
}

sealpay_protocol::names! {
    EndpointState {
        Active = "active",
        Disabled = "disabled",
    }
}

sealpay_protocol::read_by_name!(EndpointState);

/// A request to rotate the secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// How long the previous secret also signs, seconds; a day if omitted.
    #[schema(minimum = 0, maximum = 604_800)]
    pub overlap_seconds: Option<u64>,
}

pub(crate) fn url(gateway: &Gateway, text: &str) -> Result<String, ApiError> {
    let refused = |why: String| ApiError::invalid("url", format!("url is not accepted: {why}."));
    let url = check_webhook_url(text).map_err(refused)?;
    gateway.check_webhook_address(&url).map_err(refused)?;
    Ok(url.into())
}

/// The stored form: comma-separated names, or `*`.
pub(crate) fn event_types(wanted: &[String]) -> Result<String, ApiError> {
    let is_all = matches!(wanted, [all] if all == "*");
    let are_known = wanted.iter().all(|kind| KINDS.contains(&kind.as_str()));
    let known: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| wanted.iter().any(|wanted| wanted == kind))
        .collect();
    // Rejects an empty list and duplicates.
    if is_all {
        Ok("*".into())
    } else if are_known && !known.is_empty() && known.len() == wanted.len() {
        Ok(known.join(","))
    } else {
        let known = KINDS.join(", ");
        let detail =
            format!(r#"event_types must be ["*"] or name each once, at least one, of {known}."#);
        Err(ApiError::invalid("event_types", detail))
    }
}

pub(crate) fn description(text: String) -> Result<String, ApiError> {
    if text.is_empty() {
        return Ok(text);
    }
    text::check(&text, ENDPOINT_DESCRIPTION_CHARACTERS)
        .map_err(|fault| ApiError::invalid("description", format!("description {fault}.")))?;
    Ok(text::on_one_line(&text))
}

#[cfg(test)]
mod tests {
    use super::{KINDS, description, event_types};
    use sealpay_protocol::limits::ENDPOINT_DESCRIPTION_CHARACTERS;

    #[test]
    fn event_types_are_known_and_unique_or_all() {
        let all = KINDS.join(",");
        let rows: [(&[&str], Option<&str>); 11] = [
            (&["*"], Some("*")),
            (&["payment.captured"], Some("payment.captured")),
            (
                &["payment.refunded", "payment.captured"],
                Some("payment.captured,payment.refunded"),
            ),
            (&KINDS, Some(&all)),
            (&[], None),
            (&["*", "*"], None),
            (&["*", "payment.captured"], None),
            (&["payment.captured", "payment.captured"], None),
            (&["payment.*"], None),
            (&["payment.captured,payment.refunded"], None),
            (&[""], None),
        ];
        for (wanted, expected) in rows {
            let wanted: Vec<String> = wanted.iter().map(|kind| (*kind).to_owned()).collect();
            let known = event_types(&wanted).ok();
            assert_eq!(known.as_deref(), expected, "{wanted:?}");
        }
    }

    #[test]
    fn descriptions_are_short_and_on_one_line() {
        let longest = "ü".repeat(ENDPOINT_DESCRIPTION_CHARACTERS);
        for good in ["", "orders – test shop", &longest] {
            assert_eq!(description(good.into()).as_deref(), Ok(good));
        }
        assert_eq!(description("a\nb".into()).as_deref(), Ok("a b"));
        for bad in [
            &[&longest, "ü"].concat(),
            " ",
            "a\0b",
            "\u{1b}[31m",
            "a\u{202e}b",
        ] {
            assert!(description(bad.into()).is_err(), "{bad:?}");
        }
    }
}

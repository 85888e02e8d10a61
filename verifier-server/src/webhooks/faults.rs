//! Webhook faults that testers can configure.

use serde::{Deserialize, Serialize};

/// How often the settings are read while webhooks are sent, milliseconds; the longest delay before
/// a change takes effect on all servers.
pub const READ_EVERY_MS: u64 = 1_000;

/// Maximum share, thousandths.
pub const MOST_PER_MILLE: u32 = 1_000;

/// Longest delay, milliseconds: longer than any test waits.
pub const MOST_DELAY_MS: u32 = 60 * 60 * 1000;

/// Maximum number of dropped webhooks of one setting.
pub const MOST_DROPS: u32 = 10_000;

/// The configured faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFaults {
    /// The share that is sent twice, thousandths.
    pub duplicate: u32,
    /// Whether every other event of a payment is delayed, so that the next one overtakes it.
    pub reorder: bool,
    /// The delay of each webhook, milliseconds.
    pub delay_ms: u32,
}

impl WebhookFaults {
    /// Parses stored settings. Unreadable settings configure no fault.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The stored form.
    #[must_use]
    pub fn to_text(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::WebhookFaults;

    #[test]
    fn settings_round_trip() {
        let webhook_faults = WebhookFaults {
            duplicate: 1000,
            reorder: true,
            delay_ms: 7,
        };
        assert_eq!(
            WebhookFaults::from_text(&webhook_faults.to_text()),
            webhook_faults
        );
        for text in ["", "x", "{}", r#"{"duplicate":-1}"#] {
            assert_eq!(
                WebhookFaults::from_text(text),
                WebhookFaults::default(),
                "{text}"
            );
        }
    }
}

//! How webhooks misbehave when a tester wants them to.

use serde::{Deserialize, Serialize};

/// How often the settings are read while webhooks are sent, milliseconds. Whoever changes them
/// waits so long, and they are in force everywhere.
pub const READ_EVERY_MS: u64 = 1_000;

/// Most of a thousand.
pub const MOST_PER_MILLE: u32 = 1_000;

/// The longest delay, milliseconds: longer than any test waits.
pub const MOST_DELAY_MS: u32 = 60 * 60 * 1000;

/// Maximum number of webhooks that are dropped on one order.
pub const MOST_DROPS: u32 = 10_000;

/// What is done to webhooks on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFaults {
    /// Which share is sent twice, thousandths.
    pub duplicate: u32,
    /// Whether every other event of a payment is held back, so that the next one overtakes it.
    pub reorder: bool,
    /// How long each is held back, milliseconds.
    pub delay_ms: u32,
}

impl WebhookFaults {
    /// Reads settings as they are kept. What cannot be read sets no fault.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The settings as they are kept.
    #[must_use]
    pub fn to_text(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::WebhookFaults;

    #[test]
    fn settings_are_read_as_they_were_written() {
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

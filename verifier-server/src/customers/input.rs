//! The requests that create and change customers.

use super::model::Customer;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use jiff::tz::TimeZone;
use sealpay_protocol::limits::{
    CUSTOMER_NAME_CHARACTERS, EMAIL_CHARACTERS, LOCALE_CHARACTERS, REFERENCE_CHARACTERS,
};
use sealpay_protocol::text;
use serde::Deserialize;
use utoipa::ToSchema;

/// The time zone of a customer without one.
pub(super) const UTC: &str = "Etc/UTC";

/// A new customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// The merchant's own reference, as in the claim `customer` of orders: 1 to 64 printable ASCII
    /// characters. It should be neither a name nor a mail address.
    #[schema(min_length = 1, max_length = 64, pattern = "^[ -~]+$")]
    pub reference: String,
    /// The mail address.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// The name.
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// The language for texts (BCP 47), such as `de-AT`.
    #[schema(max_length = 35)]
    pub locale: Option<String>,
    /// The IANA time zone in which the customer's days begin; `Etc/UTC` if omitted.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// What the simulated bank does with one renewal of each subscription. It takes precedence over
    /// that of the price for the same invoice; test mode only.
    pub simulate: Option<SimulatedRenewal>,
}

/// A change of a customer; omitted members stay as they are.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedCustomer {
    /// The mail address; an empty text removes it.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// The name; an empty text removes it.
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// The language for texts (BCP 47), such as `de-AT`; an empty text removes it.
    #[schema(max_length = 35)]
    pub locale: Option<String>,
    /// The IANA time zone in which the customer's days begin.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// `ins_…`: the instrument for payments that name none; an empty text removes it.
    pub default_instrument: Option<String>,
    /// What the simulated bank does with one renewal of each subscription. It takes precedence over
    /// that of the price for the same invoice; test mode only.
    pub simulate: Option<SimulatedRenewal>,
}

impl NewCustomer {
    /// The members that it has in common with a change.
    pub(super) fn details(self) -> ChangedCustomer {
        ChangedCustomer {
            email: self.email,
            name: self.name,
            locale: self.locale,
            time_zone: self.time_zone,
            default_instrument: None,
            simulate: self.simulate,
        }
    }
}

/// Checks a reference.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`](crate::error::ErrorCode::InvalidParameter).
pub(super) fn reference(reference: &str) -> Result<(), ApiError> {
    if text::is_reference(reference) {
        return Ok(());
    }
    let detail =
        format!("reference must be 1 to {REFERENCE_CHARACTERS} printable ASCII characters.");
    Err(ApiError::invalid("reference", detail))
}

/// Applies the given members to a customer, except for the default instrument, which has to be
/// looked up.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`](crate::error::ErrorCode::InvalidParameter), which names the
/// first invalid member.
pub(super) fn apply(
    gateway: &Gateway,
    details: ChangedCustomer,
    customer: &mut Customer,
) -> Result<(), ApiError> {
    if let Some(email) = details.email {
        customer.email = optional(email, is_email, || {
            ApiError::invalid(
                "email",
                "email must be one mail address, such as ada@example.com.",
            )
        })?;
    }
    if let Some(name) = details.name {
        if !name.is_empty() {
            text::check(&name, CUSTOMER_NAME_CHARACTERS)
                .map_err(|fault| ApiError::invalid("name", format!("name {fault}.")))?;
        }
        customer.name = Some(text::on_one_line(&name)).filter(|name| !name.is_empty());
    }
    if let Some(locale) = details.locale {
        customer.locale = optional(locale, is_locale, || {
            ApiError::invalid(
                "locale",
                "locale must be a language tag (BCP 47), such as de-AT.",
            )
        })?;
    }
    if let Some(zone) = details.time_zone {
        customer.time_zone = time_zone(zone)?;
    }
    if let Some(simulate) = details.simulate {
        gateway.check_simulated_outcome(&simulate.outcome)?;
        simulate.check_numbers()?;
        customer.simulate = Some(simulate);
    }
    Ok(())
}

fn optional(
    text: String,
    is_valid: impl FnOnce(&str) -> bool,
    error: impl FnOnce() -> ApiError,
) -> Result<Option<String>, ApiError> {
    if text.is_empty() {
        Ok(None)
    } else if is_valid(&text) {
        Ok(Some(text))
    } else {
        Err(error())
    }
}

fn is_email(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control();
    let parts = text.rsplit_once('@');
    text.chars().count() <= EMAIL_CHARACTERS
        && text.chars().all(is_plain)
        && text::check(text, EMAIL_CHARACTERS).is_ok()
        && parts.is_some_and(|(local, host)| {
            !local.is_empty()
                && !local.contains('@')
                && host.contains('.')
                && host.split('.').all(|label| !label.is_empty())
        })
}

fn is_locale(text: &str) -> bool {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    let language = text.split('-').next().unwrap_or_default();
    text.len() <= LOCALE_CHARACTERS
        && (2..=3).contains(&language.len())
        && language.bytes().all(|c| c.is_ascii_alphabetic())
        && text.split('-').all(is_subtag)
}

/// A zone that the server's time zone database knows. Offsets and `TZ` strings have no rules for
/// daylight saving that anybody maintains.
fn time_zone(name: String) -> Result<String, ApiError> {
    let is_name = name.len() <= 64 && name.bytes().all(|c| c.is_ascii_graphic());
    if is_name && (name == UTC || TimeZone::get(&name).is_ok()) {
        return Ok(name);
    }
    let detail = "time_zone must be the name of an IANA time zone, such as Europe/Berlin.";
    Err(ApiError::invalid("time_zone", detail))
}

#[cfg(test)]
mod tests {
    use super::{is_email, is_locale, time_zone};

    #[test]
    fn mail_addresses_have_one_at_sign_and_a_host() {
        for good in ["ada@example.com", "a.b+c@mail.example.org", "ü@exämple.de"] {
            assert!(is_email(good), "{good}");
        }
        let long = ["a".repeat(250), "@example.com".into()].concat();
        for bad in [
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "a@b@example.com",
            "ada@localhost",
            "ada@example..com",
            "ada@example.com\n",
            "a\u{202e}b@example.com",
            &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn locales_are_language_tags() {
        for good in ["de", "de-AT", "zh-Hant-TW", "gsw"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in [
            "d",
            "german",
            "de_AT",
            "de-",
            "-de",
            "12",
            "de-abcdefghi",
            "de AT",
        ] {
            assert!(!is_locale(bad), "{bad}");
        }
    }

    #[test]
    fn time_zones_are_names_of_the_iana_database() {
        for good in [
            "Etc/UTC",
            "Europe/Berlin",
            "Australia/Lord_Howe",
            "America/Argentina/Salta",
        ] {
            assert_eq!(time_zone(good.into()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "Berlin",
            "+02:00",
            "CET-1CEST",
            "Europe/Berlin ",
            "../etc/passwd",
        ] {
            assert!(time_zone(bad.into()).is_err(), "{bad}");
        }
    }
}

//! Web origins (RFC 6454 section 6.2) in canonical form.

use crate::limits;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `https://host` or `http://host`, lowercase, with a port only if it is not the default one.
///
/// Only the canonical form is accepted, and nothing is normalized: an origin is compared byte by
/// byte with the one that a browser reports, so a second spelling could carry a second meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

/// Why a text is not a canonical origin; each variant corresponds to a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginError {
    /// Does not begin with `http://` or `https://`: apps, files and `null` have no origin to
    /// compare.
    Scheme,
    /// The host has letters outside of ASCII.
    International,
    /// The text has capitals.
    Capitals,
    /// The host is followed by a slash or a path.
    Path,
    /// The port is the scheme's default.
    DefaultPort,
    /// Any other fault.
    Form,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => {
                "An origin starts with https:// or http://; an app that shows the page from a scheme of \
                 its own has to load the checkout page from the shop's website."
            }
            Self::International => {
                "An origin has its host in the ASCII form that browsers report, such as \
                 https://xn--mnchen-3ya.example for münchen.example."
            }
            Self::Capitals => "An origin is written in small letters, as browsers report it.",
            Self::Path => "An origin ends behind the host and port: leave out the slash and the path.",
            Self::DefaultPort => {
                "An origin has a port only where it is not the default one: leave out :443 with https \
                 and :80 with http."
            }
            Self::Form => {
                "An origin is http:// or https://, a lowercase host and, unless it is the default, a \
                 port; without a path or a slash at the end."
            }
        })
    }
}

impl core::error::Error for OriginError {}

impl Origin {
    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, the `@authority` of RFC 9421 section 2.2.3.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    /// Whether it names only this machine: `localhost`, a name below it (RFC 6761 section 6.3), or
    /// a loopback address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local_host(host_of(self.authority()))
    }
}

/// An authority without its port.
#[must_use]
pub fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn is_local_host(host: &str) -> bool {
    let literal = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(literal) = literal {
        return literal
            .parse::<core::net::Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback());
    }
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<core::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(feature = "verifier")]
fn is_host(host: &str) -> bool {
    if let Some(literal) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return is_canonical_ipv6(literal);
    }
    // Browsers and resolvers accept the underscore, though RFC 952 does not.
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_');
    host.len() <= 253
        && host.split('.').all(|label| {
            let bytes = label.as_bytes();
            (1..=63).contains(&bytes.len())
                && bytes.iter().copied().all(allowed)
                && bytes.first() != Some(&b'-')
                && bytes.last() != Some(&b'-')
        })
}

/// RFC 5952 section 4 defines one text for an address; the standard library writes that one.
#[cfg(feature = "verifier")]
fn is_canonical_ipv6(literal: &str) -> bool {
    literal
        .parse::<core::net::Ipv6Addr>()
        .is_ok_and(|address| address.to_string() == literal)
}

#[cfg(feature = "verifier")]
fn is_authority(authority: &str, https: bool) -> bool {
    match authority.rsplit_once(':') {
        // The colons of an IPv6 address are within brackets.
        Some((host, port)) if !port.contains(']') => is_host(host) && is_port(port, https),
        _ => is_host(authority),
    }
}

/// In the browser, origins come from the browser and the verifier, which validated them. Validating
/// names, addresses and ports here too would add three kilobytes to the download.
#[cfg(not(feature = "verifier"))]
fn is_authority(authority: &str, _: bool) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_.:[]".contains(&c);
    !authority.is_empty() && authority.bytes().all(allowed)
}

#[cfg(feature = "verifier")]
fn is_port(port: &str, https: bool) -> bool {
    let is_plain = port.starts_with(|first| matches!(first, '1'..='9'));
    let number = port.parse::<u16>().ok().filter(|_| is_plain);
    let default = if https { 443 } else { 80 };
    number.is_some_and(|number| number != default)
}

#[cfg(not(feature = "verifier"))]
const fn fault(_: &str) -> OriginError {
    OriginError::Form
}

/// Returns the most specific fault of a text that is not an origin.
#[cfg(feature = "verifier")]
fn fault(text: &str) -> OriginError {
    let parts = text
        .split_once(':')
        .and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?)));
    let Some((scheme, rest)) = parts else {
        return OriginError::Scheme;
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") => {
            return OriginError::Capitals;
        }
        _ => return OriginError::Scheme,
    };
    if rest.contains(['/', '?', '#']) {
        OriginError::Path
    } else if !rest.is_ascii() {
        OriginError::International
    } else if rest.bytes().any(|c| c.is_ascii_uppercase()) {
        OriginError::Capitals
    } else if rest.ends_with(default_port) {
        OriginError::DefaultPort
    } else {
        OriginError::Form
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.len() > limits::ORIGIN_CHARACTERS {
            return Err(OriginError::Form);
        }
        let https = text.starts_with("https://");
        let rest = text.strip_prefix(if https { "https://" } else { "http://" });
        let rest = rest.ok_or_else(|| fault(text))?;
        if is_authority(rest, https) {
            Ok(Self(text.into()))
        } else {
            Err(fault(text))
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, OriginError};

    #[test]
    fn only_canonical_origins_are_accepted() {
        let rows = [
            ("https://pay.example", true),
            ("http://localhost:4242", true),
            ("http://127.0.0.1:8787", true),
            ("http://[::1]:8787", true),
            ("https://a-b.example:8443", true),
            ("https://my_shop.example", true),
            ("http://_app:8000", true),
            ("https://xn--mnchen-3ya.example", true),
            ("https://münchen.example", false),
            ("capacitor://localhost", false),
            ("https://pay.example/", false),
            ("https://pay.example:443", false),
            ("http://pay.example:80", false),
            ("https://Pay.example", false),
            ("https://pay.example:0443", false),
            ("https://pay.example:70000", false),
            ("https://user@pay.example", false),
            ("https://pay..example", false),
            ("https://-pay.example", false),
            ("https://*.example", false),
            ("https://", false),
            ("https://[::1", false),
            ("https://[0:0::1]", false),
            ("https://pay.example ; report-uri x", false),
            ("ftp://pay.example", false),
            ("null", false),
            ("*", false),
            ("", false),
        ];
        for (text, good) in rows {
            assert_eq!(text.parse::<Origin>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn only_localhost_and_loopback_addresses_are_local() {
        let rows = [
            ("http://localhost:4242", true),
            ("https://localhost", true),
            ("http://shop.localhost:3000", true),
            ("http://127.0.0.1:8787", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8787", true),
            ("https://pay.example", false),
            ("http://localhost.example", false),
            ("http://notlocalhost", false),
            ("http://127.0.0.1.example", false),
            ("http://0.0.0.0", false),
            ("http://192.168.1.2", false),
            ("http://[::]:8787", false),
            ("http://[fe80::1]", false),
        ];
        for (text, local) in rows {
            assert_eq!(text.parse::<Origin>().unwrap().is_local(), local, "{text}");
        }
    }

    #[test]
    fn a_rejection_suggests_the_correct_form() {
        let rows = [
            (
                "https://münchen.example",
                OriginError::International,
                "xn--",
            ),
            ("https://shop.example:443", OriginError::DefaultPort, ":443"),
            ("http://shop.example:80", OriginError::DefaultPort, ":80"),
            ("https://shop.example/", OriginError::Path, "slash"),
            ("https://shop.example/checkout", OriginError::Path, "path"),
            (
                "https://Shop.example",
                OriginError::Capitals,
                "small letters",
            ),
            (
                "HTTPS://shop.example",
                OriginError::Capitals,
                "small letters",
            ),
            ("capacitor://localhost", OriginError::Scheme, "an app"),
            ("ionic://localhost", OriginError::Scheme, "an app"),
            ("file:///index.html", OriginError::Scheme, "an app"),
            ("null", OriginError::Scheme, "https://"),
            ("shop.example", OriginError::Scheme, "https://"),
            ("https://-shop.example", OriginError::Form, "lowercase host"),
        ];
        for (text, error, word) in rows {
            assert_eq!(text.parse::<Origin>(), Err(error), "{text}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn the_authority_is_host_and_port() {
        let origin: Origin = "http://[::1]:8787".parse().unwrap();
        assert_eq!(origin.authority(), "[::1]:8787");
    }
}

//! Strict-Transport-Security (RFC 6797), sent under an https origin.

use serde::Deserialize;

/// A year, the minimum for browsers' preload lists.
const MAX_AGE_SECONDS: u32 = 31_536_000;

/// The `[hsts]` settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hsts {
    /// Covers every subdomain of the server's name.
    pub include_subdomains: bool,
    /// Permits preloading by browsers.
    pub preload: bool,
}

impl Hsts {
    /// Validates the combination of settings.
    ///
    /// # Errors
    /// A sentence that names both.
    pub fn check(&self) -> Result<(), String> {
        if self.preload && !self.include_subdomains {
            return Err(
                "hsts.preload = true needs hsts.include_subdomains = true: browsers build in a \
                 name only with everything below it"
                    .into(),
            );
        }
        Ok(())
    }

    /// The value of the header.
    #[must_use]
    pub fn value(&self) -> String {
        let mut value = format!("max-age={MAX_AGE_SECONDS}");
        if self.include_subdomains {
            value.push_str("; includeSubDomains");
        }
        if self.preload {
            value.push_str("; preload");
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::Hsts;

    #[test]
    fn the_header_follows_the_settings() {
        let rows = [
            (false, false, Some("max-age=31536000")),
            (true, false, Some("max-age=31536000; includeSubDomains")),
            (
                true,
                true,
                Some("max-age=31536000; includeSubDomains; preload"),
            ),
            (false, true, None),
        ];
        for (include_subdomains, preload, expected) in rows {
            let hsts = Hsts {
                include_subdomains,
                preload,
            };
            let value = hsts.check().is_ok().then(|| hsts.value());
            assert_eq!(value.as_deref(), expected, "{hsts:?}");
        }
    }
}

//! Rejects incompatible settings at startup. Each rule is a sentence that names the settings and a
//! correction.

use super::{Config, Network, ProviderConfig};

/// The name is part of URLs and log lines.
const LONGEST_PROVIDER_NAME: usize = 40;

impl Config {
    /// Validates the configuration as a whole.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(100..=60_000).contains(&self.provider_timeout_ms) {
            return Err("provider_timeout_ms must be from 100 to 60000".into());
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err("tls needs both certificate and key, or neither".into());
        }
        self.check_listeners()?;
        self.check_public_origin()?;
        self.check_providers()?;
        self.check_proxies()?;
        self.connections.check()?;
        self.hsts.check()?;
        self.check_database()?;
        self.address_policy()?;
        self.check_webhooks()
    }

    /// Warnings about risky settings, logged at every start.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let origin = &self.public_origin;
        if origin.is_local() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        let is_https = origin.as_str().starts_with("https://");
        if !is_https {
            warnings.push(format!(
                "public_origin = \"{origin}\" is plain HTTP: anyone on the network path can \
                 replace the form; use https"
            ));
        }
        if is_https && self.allow_plain_http {
            warnings.push(format!(
                "allow_plain_http = true and public_origin = \"{origin}\": {} also answers clients \
                 that come past the proxy, in plain text; close the port to all but the proxy",
                self.listen
            ));
        }
        if self.rate_limit.per_second == 0 {
            warnings.push(format!(
                "rate_limit.per_second = 0 and public_origin = \"{origin}\": nobody is slowed, \
                 whatever they guess at"
            ));
        }
        if !self.webhooks.allow.is_empty() {
            warnings.push(format!(
                "webhooks.allow = {:?} and public_origin = \"{origin}\": merchants' webhooks reach \
                 these networks, which is for development",
                self.webhooks.allow
            ));
        }
        warnings
    }

    /// Merchants choose webhook destinations, and under a public origin merchants are strangers.
    fn check_webhooks(&self) -> Result<(), String> {
        let origin = &self.public_origin;
        let is_wide = |text: &&String| {
            let network: Result<Network, _> = text.parse();
            network.is_ok_and(Network::is_wider_than_an_operators)
        };
        match self.webhooks.allow.iter().find(is_wide) {
            Some(text) if !origin.is_local() => Err(format!(
                "webhooks.allow holds \"{text}\", which is everything, and public_origin = \
                 \"{origin}\": a merchant could then read what is in your own network; name the \
                 networks that webhooks may reach, such as \"10.1.2.0/24\""
            )),
            _ => Ok(()),
        }
    }

    const fn has_tls(&self) -> bool {
        self.tls.certificate.is_some()
    }

    fn check_listeners(&self) -> Result<(), String> {
        let is_plain = !self.has_tls() && !self.allow_plain_http;
        if is_plain && !self.listen.ip().is_loopback() {
            return Err(format!(
                "{} is not loopback and there is no [tls]: give certificate and key, or set \
                 allow_plain_http = true behind a proxy that has TLS",
                self.listen
            ));
        }
        let Some(control) = self.control_listen.address() else {
            return Ok(());
        };
        if control == self.listen && control.port() != 0 {
            return Err(format!(
                "listen and control_listen are both {control}: choose another control_listen, \
                 which is for operators and must not be published"
            ));
        }
        if control.ip().is_loopback() {
            return Ok(());
        }
        if self.control_token_file.is_none() {
            return Err(format!(
                "control_listen = \"{control}\" is not loopback and there is no \
                 control_token_file: give the file with its bearer token, or choose a \
                 control_listen such as 127.0.0.1:8788"
            ));
        }
        // Permission for the public listener does not cover this one: its token is more powerful.
        if !self.has_tls() && !self.control_allow_plain_http {
            return Err(format!(
                "control_listen = \"{control}\" is not loopback and there is no [tls], so that \
                 its token would travel in plain text: give certificate and key, or set \
                 control_allow_plain_http = true behind a proxy that has TLS"
            ));
        }
        Ok(())
    }

    fn check_public_origin(&self) -> Result<(), String> {
        let origin = &self.public_origin;
        if origin.is_local() {
            return Ok(());
        }
        if self.test_mode && !self.test_mode_in_public {
            return Err(format!(
                "test_mode = true and public_origin = \"{origin}\" do not go together: anyone \
                 who reaches {origin} can pay with test cards; set test_mode_in_public = true \
                 (--test-mode-in-public) if that is what you want, or use an origin on localhost"
            ));
        }
        if !self.test_mode && !origin.as_str().starts_with("https://") {
            return Err(format!(
                "public_origin = \"{origin}\" is plain HTTP, which is for localhost and for \
                 test_mode = true only: use the https:// origin that shoppers see"
            ));
        }
        Ok(())
    }

    /// A server under a public origin without its own TLS is behind a proxy. Unless the proxy is
    /// configured, all shoppers have one address for limits and fraud rules.
    fn check_proxies(&self) -> Result<(), String> {
        let proxies = self.trusted_proxies()?;
        let (listen, origin) = (self.listen, &self.public_origin);
        let is_direct = !listen.ip().is_loopback() && !origin.as_str().starts_with("https://");
        if self.has_tls() || !proxies.is_empty() || origin.is_local() || is_direct {
            return Ok(());
        }
        Err(format!(
            "listen = \"{listen}\" and public_origin = \"{origin}\" need a proxy in between, and \
             neither [tls] nor trusted_proxies is set: name the proxy, such as trusted_proxies = \
             [\"127.0.0.1\"] (--trusted-proxy 127.0.0.1), or give certificate and key"
        ))
    }

    /// The simulated provider requires test mode, because it moves no money.
    pub(crate) fn check_providers(&self) -> Result<(), String> {
        for (name, provider) in &self.providers {
            let is_named = name.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
            });
            if !is_named || name.is_empty() || name.len() > LONGEST_PROVIDER_NAME {
                return Err(format!(
                    "providers.{name}: a name has 1 to {LONGEST_PROVIDER_NAME} lowercase letters, \
                     digits, _ and -"
                ));
            }
            match provider {
                ProviderConfig::Simulated {} if !self.test_mode => {
                    return Err(format!(
                        "providers.{name}.kind = \"simulated\" and test_mode = false do not go \
                         together: the simulated bank approves invented cards and moves no money, \
                         and this version has no other provider; set test_mode = true (--test-mode) \
                         to run a test"
                    ));
                }
                ProviderConfig::Simulated {} => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

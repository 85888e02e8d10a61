//! What may be chosen about the demo.

use std::path::PathBuf;

use crate::failure::Failure;

/// What may be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) data: PathBuf,
    pub(crate) verifier_port: u16,
    pub(crate) control_port: u16,
    pub(crate) shop_port: u16,
    pub(crate) fresh: bool,
}

impl Options {
    /// Reads the arguments of `demo`.
    ///
    /// # Errors
    /// When there is one that it does not know, or without its value.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            data: PathBuf::from("demo-data"),
            verifier_port: 8787,
            control_port: 8788,
            shop_port: 4242,
            fresh: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                rest.next()
                    .ok_or_else(|| Failure::new(format!("{argument} needs a value.")))
            };
            match argument.as_str() {
                "--data" => options.data = PathBuf::from(value()?),
                "--verifier-port" => options.verifier_port = port(value()?)?,
                "--control-port" => options.control_port = port(value()?)?,
                "--shop-port" => options.shop_port = port(value()?)?,
                "--fresh" => options.fresh = true,
                other => {
                    return Err(Failure::new(format!(
                        "`demo` does not know {other:?}. It takes --data DIR, --verifier-port PORT, \
                         --control-port PORT, --shop-port PORT and --fresh."
                    )));
                }
            }
        }
        if options.verifier_port == options.shop_port {
            return Err(Failure::new(
                "The verifier and the shop need two different ports: they are two different sites.",
            ));
        }
        if [options.verifier_port, options.shop_port].contains(&options.control_port) {
            return Err(Failure::new(
                "The test controls need a port of their own: give another one with --control-port.",
            ));
        }
        Ok(options)
    }

    /// The origin of the document with the card form. A name, because passkeys belong to one (WebAuthn Level 3
    /// section 4, relying party identifier) and browsers take this one for secure.
    pub(crate) fn verifier_origin(&self) -> String {
        format!("http://localhost:{}", self.verifier_port)
    }

    /// The origin of the verifier's listener for operators and testers.
    pub(crate) fn control_origin(&self) -> String {
        format!("http://localhost:{}", self.control_port)
    }

    /// The origin of the merchant's pages. Another host name than the verifier's, so that a browser takes them for different sites.
    pub(crate) fn shop_origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.shop_port)
    }
}

fn port(text: &str) -> Result<u16, Failure> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Failure::new(format!(
            "{text:?} is not a port: it is a number from 1 to 65535."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Options, String> {
        let arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments).map_err(|failure| failure.to_string())
    }

    #[test]
    fn options_have_defaults_and_can_be_chosen() {
        let options = parse("").expect("defaults");
        assert_eq!(options.verifier_origin(), "http://localhost:8787");
        assert_eq!(options.control_origin(), "http://localhost:8788");
        assert_eq!(options.shop_origin(), "http://127.0.0.1:4242");
        let options = parse("--data x --fresh --shop-port 1 --verifier-port 2 --control-port 3")
            .expect("chosen");
        let expected = Options {
            data: PathBuf::from("x"),
            verifier_port: 2,
            control_port: 3,
            shop_port: 1,
            fresh: true,
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn wrong_options_are_sentences() {
        let rows = [
            ("--data", "needs a value"),
            ("--shop-port 0", "is not a port"),
            ("--shop-port 70000", "is not a port"),
            ("--verifier-port 4242", "two different ports"),
            ("--shop-port 8788", "a port of their own"),
            ("--control-port 8787", "a port of their own"),
            ("--colour", "does not know"),
        ];
        for (words, part) in rows {
            let sentence = parse(words).expect_err(words);
            assert!(sentence.contains(part), "{words}: {sentence}");
        }
    }
}

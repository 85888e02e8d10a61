//! How an order may be paid. A shop would decide this by itself; here a tester may change it.

use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;

/// What the shop signs besides what is bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) capture: Capture,
    /// In the order in which they are offered.
    pub(crate) methods: Vec<Method>,
    /// ISO 3166-1 alpha-2.
    pub(crate) billing_country: Option<String>,
    /// Whether the shopper has to be asked who they are, whatever the rules say.
    pub(crate) requires_authentication: bool,
    /// What a tester wants the simulated bank to answer.
    pub(crate) simulate: Option<String>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            capture: Capture::Automatic,
            methods: Method::ALL.to_vec(),
            billing_country: None,
            requires_authentication: false,
            simulate: None,
        }
    }
}

impl Terms {
    /// The methods as they are stored.
    pub(super) fn method_names(&self) -> String {
        let names: Vec<_> = self.methods.iter().map(|method| method.name()).collect();
        names.join(" ")
    }
}

/// The methods that were stored; names that are not known any more are not offered any more.
pub(super) fn methods_of(names: &str) -> Vec<Method> {
    let names = names.split_ascii_whitespace();
    names.filter_map(Method::from_name).collect()
}

#[cfg(test)]
mod tests {
    use super::{Terms, methods_of};
    use sealpay_protocol::method::Method;

    #[test]
    fn methods_read_back_as_they_were_stored() {
        let rows: [(&[Method], &str); 3] = [
            (&Method::ALL, "card wallet bank_transfer"),
            (&[Method::BankTransfer], "bank_transfer"),
            (&[], ""),
        ];
        for (methods, names) in rows {
            let terms = Terms {
                methods: methods.to_vec(),
                ..Terms::default()
            };
            assert_eq!(terms.method_names(), names);
            assert_eq!(methods_of(names), methods);
        }
        assert_eq!(methods_of("card pigeon"), [Method::Card]);
    }
}

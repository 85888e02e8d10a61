//! Payment methods are distinguished in one place of the server.

use super::holds;
use super::sources::{Source, files};

/// Here the methods stand, and an order without any names cards.
const ALLOWED: [&str; 3] = [
    "verifier-server/src/payments/methods/details.rs",
    "verifier-server/src/payments/methods/mod.rs",
    "verifier-server/src/sessions/open.rs",
];

fn named_methods(source: &Source) -> Vec<String> {
    if ALLOWED.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let code = source.code();
    let shown = code.split("#[cfg(test)]").next().unwrap_or_default();
    let variants = [
        "Method::Card",
        "Method::Wallet",
        "Method::BankTransfer",
        "Method::SepaDebit",
    ];
    let variants = variants.iter().filter(|variant| {
        let mut places = shown.match_indices(*variant);
        places.any(|(place, _)| !shown[..place].ends_with(char::is_alphanumeric))
    });
    variants
        .map(|variant| format!("{}: names {variant}", source.path))
        .collect()
}

#[test]
fn payment_methods_are_distinguished_only_in_their_registry() {
    let files = files("verifier-server/src", &[".rs"]);
    let sources = files
        .iter()
        .filter(|source| !source.path.contains("/tests"));
    let path = "verifier-server/src/payments/reconcile.rs";
    #[rustfmt::skip]
    let bad =
        [(path, "fn f(m: Method) -> bool { m == Method::Card }"), (path, "match m { Method::Wallet => 1, _ => 2 }")];
    holds(
        named_methods,
        sources,
        &bad,
        &[(path, "fn f(m: PaymentMethod) { PaymentMethod::Card }")],
    );
}

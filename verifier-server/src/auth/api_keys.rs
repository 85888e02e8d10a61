//! Creation and rotation of API keys by an operator, with scopes and expiry.

pub mod key;
pub mod last_use;
pub mod model;
pub mod store;

use super::scope::Scope;

/// Parses comma-separated scopes.
///
/// # Errors
/// A sentence that lists the scopes.
pub fn read_scopes(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let names = Scope::ALL.map(Scope::name);
    let wanted: Vec<_> = text.split(',').map(str::trim).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        let known = names.join(", ");
        return Err(format!(
            "there is no scope {unknown:?}; the scopes are {known}, and * for all of them"
        ));
    }
    let wanted: Vec<_> = names
        .into_iter()
        .filter(|name| wanted.contains(name))
        .collect();
    Ok(wanted.join(","))
}

#[cfg(test)]
mod tests {
    use super::read_scopes;
    use crate::auth::scope::Scope;

    #[test]
    fn scopes_parse_in_any_order_and_are_stored_sorted() {
        let rows = [
            ("*", "*"),
            ("payments:read", "payments:read"),
            ("refunds:write,payments:read", "payments:read,refunds:write"),
            ("refunds:write, refunds:write", "refunds:write"),
        ];
        for (written, stored) in rows {
            assert_eq!(read_scopes(written).as_deref(), Ok(stored));
        }
        let all = Scope::ALL.map(Scope::name).join(",");
        assert_eq!(read_scopes(&all), Ok(all));
    }

    #[test]
    fn unknown_scopes_are_reported() {
        for written in [
            "",
            "payments",
            "payments:read,",
            "*,payments:read",
            "Payments:Read",
            "payments:read;refunds:write",
        ] {
            let refused = read_scopes(written).unwrap_err();
            assert!(refused.starts_with("there is no scope \""), "{refused}");
            assert!(refused.contains("webhooks:write"), "{refused}");
        }
    }
}

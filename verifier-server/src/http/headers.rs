//! Reads request headers.

use axum::http::HeaderMap;

/// The value of a header that occurs exactly once; a repeated header counts as missing.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        None
    } else {
        value.to_str().ok()
    }
}

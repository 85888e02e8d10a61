//! Query parameters: known ones, each at most once, with errors that name the parameter.

use super::paging::ListParams;
use crate::error::{ApiError, ErrorCode};
use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use sealpay_protocol::json::JsonFault;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use url::form_urlencoded;

/// The query parameters, or their error, which is returned only after authentication.
#[derive(Debug)]
pub(crate) struct Params<T>(Result<T, ApiError>);

impl<T> Params<T> {
    /// Returns the parameters.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidParameter`] for an unknown or repeated parameter.
    pub(crate) fn read(self) -> Result<T, ApiError> {
        self.0
    }
}

impl<T: ListParams> Params<T> {
    /// Returns the filter of a list.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidParameter`] for an unknown, repeated or invalid parameter.
    pub(crate) fn filter(self) -> Result<T::Filter, ApiError> {
        self.0?.filter()
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        Ok(Self(
            read.map(|Query(query)| query)
                .map_err(|_| error::<T>(&parts.uri)),
        ))
    }
}

/// Parses the parameters as an object of texts, to find the invalid one.
fn error<T: DeserializeOwned>(uri: &Uri) -> ApiError {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let members: Vec<String> = pairs
        .map(|(name, value)| [text(&name), text(&value)].join(":"))
        .collect();
    let object = ["{", &members.join(","), "}"].concat();
    let fault = JsonFault::in_object::<T>(object.as_bytes());
    let shown = fault.param().filter(|param| !param.contains('…'));
    let param = shown.unwrap_or_else(|| "query".into());
    ApiError {
        param: Some(param.into()),
        ..ApiError::new(ErrorCode::InvalidParameter).explained(fault.sentence("The query"))
    }
}

#[cfg(test)]
mod tests {
    use super::error;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Paging {
        #[expect(dead_code, reason = "only its name matters")]
        limit: Option<String>,
    }

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let rows = [
            (
                "/?limits=2",
                "limits",
                "limits is not known here; known are limit.",
            ),
            ("/?limit=2&limit=3", "limit", "limit is given twice."),
            (
                "/?4242%204242=1",
                "query",
                "… is not known here; known are limit.",
            ),
        ];
        for (uri, param, sentence) in rows {
            let error = error::<Paging>(&uri.parse().unwrap());
            assert_eq!(error.param.as_deref(), Some(param), "{uri}");
            assert_eq!(error.detail(), sentence, "{uri}");
        }
    }
}

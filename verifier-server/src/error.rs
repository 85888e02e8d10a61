//! Public errors: a stable code, a status, and a sentence.

mod code;

pub use code::ErrorCode;

use sealpay_protocol::json::JsonFault;
use sealpay_protocol::order::{OrderError, OrderRefusal};
use sealpay_protocol::sign::verify::SignatureError;
use sealpay_provider::ProviderError;
use sealpay_storage::DatabaseError;
use std::borrow::Cow;
use std::fmt;

/// An error, with its public part and its log-only part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The stable code.
    pub code: ErrorCode,
    /// The offending member, claim or header; a nested member with its path, such as
    /// `items[3].name`.
    pub param: Option<Cow<'static, str>>,
    /// What is wrong and what is accepted, replacing the code's own sentence.
    pub detail: Option<Cow<'static, str>>,
    /// For the log only.
    pub internal: Option<String>,
    /// Whether nothing was written before the error, whatever its status.
    pub is_without_effect: bool,
}

impl ApiError {
    /// An error without further detail.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        Self {
            code,
            param: None,
            detail: None,
            internal: None,
            is_without_effect: false,
        }
    }

    /// An error that names the invalid parameter.
    #[must_use]
    pub const fn for_param(code: ErrorCode, param: &'static str) -> Self {
        Self {
            code,
            param: Some(Cow::Borrowed(param)),
            detail: None,
            internal: None,
            is_without_effect: false,
        }
    }

    /// An invalid value: the parameter, and a sentence about accepted values.
    pub fn invalid(param: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::for_param(ErrorCode::InvalidParameter, param).explained(detail)
    }

    /// The same error with a more specific sentence.
    #[must_use]
    pub fn explained(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Whether an agreement, or its instrument, does not permit a charge.
    #[must_use]
    pub const fn is_about_the_agreement(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::AgreementInactive
                | ErrorCode::AgreementNotChargeable
                | ErrorCode::AgreementCurrencyMismatch
                | ErrorCode::AgreementMaximumExceeded
                | ErrorCode::InstrumentUnavailable
        )
    }

    /// The same error, for a request that has written nothing.
    #[must_use]
    pub(crate) const fn without_effect(mut self) -> Self {
        self.is_without_effect = true;
        self
    }

    /// The error of a request's first transaction: without effect unless the outcome of its commit
    /// is unknown.
    pub(crate) fn of_first_transaction(error: DatabaseError) -> Self {
        let is_unknown = error == DatabaseError::OutcomeUnknown;
        let error = Self::from(error);
        if is_unknown {
            error
        } else {
            error.without_effect()
        }
    }

    /// The sentence for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.code.detail())
    }

    /// An error whose reason is logged only.
    pub fn because(code: ErrorCode, internal: impl fmt::Display) -> Self {
        Self {
            internal: Some(internal.to_string()),
            ..Self::new(code)
        }
    }
}

impl From<SignatureError> for ApiError {
    fn from(error: SignatureError) -> Self {
        Self::new(match error {
            SignatureError::Missing => ErrorCode::MissingSignature,
            SignatureError::Malformed => ErrorCode::MalformedSignature,
            SignatureError::Expired => ErrorCode::SignatureExpired,
            SignatureError::FromTheFuture => ErrorCode::SignatureFromTheFuture,
            SignatureError::DigestMismatch => ErrorCode::DigestMismatch,
            SignatureError::Invalid => ErrorCode::SignatureInvalid,
        })
    }
}

impl From<OrderError> for ApiError {
    fn from(error: OrderError) -> Self {
        let code = match error {
            OrderError::Malformed(_) => ErrorCode::MalformedOrder,
            OrderError::SignatureInvalid => ErrorCode::OrderSignatureInvalid,
            OrderError::AnotherVerifier => ErrorCode::OrderForAnotherVerifier,
            OrderError::Expired(_) => ErrorCode::OrderExpired,
            OrderError::AmountInvalid => ErrorCode::AmountInvalid,
            OrderError::CurrencyUnknown => ErrorCode::CurrencyUnknown,
        };
        Self {
            param: error.claim().map(Cow::Borrowed),
            ..Self::new(code)
        }
    }
}

impl From<OrderRefusal> for ApiError {
    fn from(error: OrderRefusal) -> Self {
        Self {
            param: error.param().map(|param| Cow::Owned(param.to_owned())),
            detail: error.detail().map(|detail| Cow::Owned(detail.to_owned())),
            ..Self::from(error.error())
        }
    }
}

impl ApiError {
    /// Invalid JSON: the member, and its expected value.
    #[must_use]
    pub fn of_json(fault: &JsonFault, whole: &str) -> Self {
        let code = if fault.is_json() {
            ErrorCode::MalformedRequest
        } else {
            ErrorCode::MalformedJson
        };
        Self {
            // A name that cannot be shown is omitted.
            param: fault
                .param()
                .filter(|param| !param.contains('…'))
                .map(Cow::Owned),
            ..Self::new(code).explained(fault.sentence(whole))
        }
    }
}

/// For the client, a provider that does not respond has done nothing: the request may be repeated,
/// and takes effect once.
impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        let (ProviderError::NotSent(reason) | ProviderError::OutcomeUnknown(reason)) = error;
        Self::because(ErrorCode::Overloaded, reason)
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        let code = match error {
            // Nothing was changed, so the client may retry as with overload.
            DatabaseError::Overloaded | DatabaseError::Unavailable(_) => ErrorCode::Overloaded,
            DatabaseError::TooLong => ErrorCode::QueryTooBroad,
            _ => ErrorCode::Internal,
        };
        Self::because(code, error)
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiError, DatabaseError, ErrorCode};
    use sealpay_protocol::order::OrderError;
    use sealpay_protocol::sign::verify::SignatureError;
    use std::collections::HashSet;

    /// If nothing was changed, the client may repeat the request; bugs and unknown outcomes have
    /// other codes.
    #[test]
    fn database_failures_without_effect_are_not_internal_errors() {
        let why = || "attempt to write a readonly database".to_owned();
        for (error, code) in [
            (DatabaseError::Unavailable(why()), ErrorCode::Overloaded),
            (DatabaseError::Overloaded, ErrorCode::Overloaded),
            (DatabaseError::OutcomeUnknown, ErrorCode::Internal),
            (DatabaseError::Corrupt(why()), ErrorCode::Internal),
        ] {
            let shown = ApiError::from(error.clone());
            assert_eq!(shown.code, code, "{error:?}");
            assert_eq!(shown.internal, Some(error.to_string()));
        }
    }

    #[test]
    fn codes_are_unique_and_texts_are_sentences() {
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.detail().ends_with('.'), "{}", code.name());
            assert!(!code.title().ends_with('.'), "{}", code.name());
            assert!((400..=599).contains(&code.status()), "{}", code.name());
        }
    }

    #[test]
    fn protocol_and_server_use_the_same_codes() {
        let signature = [
            SignatureError::Missing,
            SignatureError::Malformed,
            SignatureError::Expired,
            SignatureError::FromTheFuture,
            SignatureError::DigestMismatch,
            SignatureError::Invalid,
        ];
        for error in signature {
            assert_eq!(ApiError::from(error).code.name(), error.code());
        }
        let order = [
            OrderError::Malformed("jti"),
            OrderError::SignatureInvalid,
            OrderError::AnotherVerifier,
            OrderError::Expired("exp"),
            OrderError::AmountInvalid,
            OrderError::CurrencyUnknown,
        ];
        for error in order {
            assert_eq!(ApiError::from(error).code.name(), error.code());
        }
    }
}

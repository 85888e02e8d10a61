//! The table of error codes, by precedence: if several apply, the first one is returned.

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:literal, $title:literal, $detail:literal;)*) => {
        /// A stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $detail] $variant,)*
        }

        impl ErrorCode {
            /// Every code, by precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The public name of the code.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// A short title.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// A sentence that says what to do.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)* }
            }
        }
    };
}

codes! {
    ShuttingDown = "shutting_down", 503, "Shutting down",
        "The server is shutting down; send the same request again in a moment.";
    WorldRestoring = "world_restoring", 503, "World being restored",
        "A tester is restoring an earlier state of this server; send the same request again in a moment.";
    RateLimited = "rate_limited", 429, "Too many requests",
        "Too many requests from this address; wait a moment and send the same request again.";
    RequestTimeout = "request_timeout", 408, "Request too slow",
        "The body of the request did not arrive in time; send the same request again.";
    NotFound = "not_found", 404, "Not found",
        "There is no such path or resource.";
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed",
        "This path does not support that method; the Allow header lists the methods it supports.";
    ControlTokenInvalid = "control_token_invalid", 401, "Control token invalid",
        "Send the operator's token as Authorization: Bearer ….";
    CrossSiteRefused = "cross_site_refused", 403, "Cross-site request refused",
        "A page on another site can't make this request; open this page at its own address.";
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type",
        "The Content-Type must be application/json; letter case and parameters do not matter.";
    PayloadTooLarge = "payload_too_large", 413, "Payload too large",
        "The request body is too large.";
    ApiKeyInvalid = "api_key_invalid", 401, "API key invalid",
        "Send a valid API key as Authorization: Bearer sk_test_…, or sign the request with the merchant's order key.";
    ApiKeyOfOtherMode = "api_key_of_other_mode", 401, "API key for the other mode",
        "A test verifier accepts keys that begin with sk_test_, and a live verifier accepts keys that begin with sk_live_; use a key for this verifier.";
    CredentialsAmbiguous = "credentials_ambiguous", 401, "Two credentials",
        "Send an API key or a signature, not both.";
    ScopeMissing = "scope_missing", 403, "Scope missing",
        "This key doesn't have the scope that the request needs; use one that does.";
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "Idempotency key invalid",
        "Every request that changes something needs an Idempotency-Key of 1 to 128 printable ASCII characters.";
    InvalidParameter = "invalid_parameter", 400, "Invalid parameter",
        "A parameter's value is not accepted; param names it.";
    UnknownSession = "unknown_session", 404, "Unknown session",
        "There is no such checkout session; open one with an order.";
    MissingSignature = "missing_signature", 401, "Signature missing",
        "The request needs the headers content-digest, signature-input and signature.";
    MalformedRequest = "malformed_request", 400, "Malformed request",
        "The body or a header is not in the format that the API specifies; param names the invalid part if known.";
    MalformedSignature = "malformed_signature", 400, "Signature malformed",
        "The signature headers are not in the format that docs/reference/protocol.md specifies.";
    SignatureFromTheFuture = "signature_from_the_future", 401, "Signature from the future",
        "The signature was created in the future; compare your clock with server_time and sign again.";
    SignatureExpired = "signature_expired", 401, "Signature expired",
        "The signature has expired; compare your clock with server_time and sign again.";
    DigestMismatch = "digest_mismatch", 400, "Digest mismatch",
        "The body does not match content-digest.";
    MalformedJson = "malformed_json", 400, "Malformed JSON",
        "The body is not valid UTF-8 JSON, or it is nested too deeply.";
    SignatureInvalid = "signature_invalid", 401, "Signature invalid",
        "The signature doesn't match this request and key; sign the path, the query and the headers exactly as they are sent, byte for byte.";
    NotificationNotAuthenticated = "notification_not_authenticated", 401, "Notification not authenticated",
        "The notification could not be verified as coming from the provider; check that both sides use the same secret.";
    NonceReplayed = "nonce_replayed", 401, "Signature already used",
        "Each signature can be used once; sign the same request again with a new nonce.";
    MalformedOrder = "malformed_order", 400, "Malformed order",
        "The order is not a compact JWS with the header and claims that docs/reference/protocol.md section 3 specifies; param names the invalid one.";
    UnknownMerchant = "unknown_merchant", 404, "Unknown merchant",
        "There is no such merchant.";
    UnknownOrderKey = "unknown_order_key", 401, "Unknown order key",
        "The merchant has no active key with that kid.";
    OrderSignatureInvalid = "order_signature_invalid", 401, "Order signature invalid",
        "The order's signature doesn't match the merchant's key.";
    OrderForAnotherVerifier = "order_for_another_verifier", 422, "Order for another verifier",
        "The order's aud is not this verifier's origin.";
    OrderExpired = "order_expired", 410, "Order expired",
        "The order has expired or is not valid yet; the page needs a new one.";
    CurrencyUnknown = "currency_unknown", 422, "Currency unknown",
        "The currency must be the uppercase ISO 4217 code of a currency in which payments can be made.";
    AmountInvalid = "amount_invalid", 422, "Amount invalid",
        "The amount must be from 1 to 999999999999 minor units.";
    InvoiceNotAllowed = "invoice_not_allowed", 403, "Invoice not allowed",
        "Only an order of the verifier's own page names an invoice; leave invoice out of the order.";
    SimulateNotAllowed = "simulate_not_allowed", 403, "Simulation not allowed",
        "This verifier is not in test mode and does not simulate outcomes.";
    OriginNotAllowed = "origin_not_allowed", 403, "Origin not allowed",
        "The page's origin is not one of the order's parent_origins, or it is not registered for the merchant.";
    OrderReused = "order_reused", 409, "Order already used",
        "The order's jti was used for another order, or the order was opened too many times; create a new order.";
    AttemptConflict = "attempt_conflict", 409, "Attempt conflict",
        "This attempt id was used with a different body; use a new id for a new attempt.";
    AttemptInProgress = "attempt_in_progress", 409, "Attempt in progress",
        "Another attempt for this session is in progress; wait for its outcome.";
    SessionComplete = "session_complete", 409, "Session complete",
        "This session's order has already been paid.";
    SessionExpired = "session_expired", 410, "Session expired",
        "The session has expired; the page needs a new order.";
    ChallengeClosed = "challenge_closed", 409, "Challenge closed",
        "This payment is not waiting for that step; send its attempt again to get its state.";
    ResendNotAllowed = "resend_not_allowed", 429, "Code not resent",
        "Another code cannot be sent yet, or no more codes can be sent; see the payment's action.";
    MethodNotOffered = "method_not_offered", 422, "Method not offered",
        "This session does not accept that method; its methods member lists the accepted methods.";
    TooManyAttempts = "too_many_attempts", 422, "Too many attempts",
        "This session has no attempts left; the page needs a new order.";
    InvoiceClosed = "invoice_closed", 409, "Invoice closed",
        "The invoice has been paid or closed meanwhile; open its page again.";
    InvoicePaymentInProgress = "invoice_payment_in_progress", 409, "Payment of the invoice in progress",
        "Another payment of this invoice is in progress; wait for its outcome.";
    InvoiceAmountChanged = "invoice_amount_changed", 409, "Amount of the invoice changed",
        "The amount due has changed since the order was made; open the invoice's page again.";
    IdempotencyKeyReused = "idempotency_key_reused", 409, "Idempotency key already used",
        "This Idempotency-Key was used for another request; use a new key for a new request.";
    ModificationInProgress = "modification_in_progress", 409, "Modification in progress",
        "The outcome of another capture, void or refund of this payment is not known yet; send the same request again in a moment.";
    CustomerExists = "customer_exists", 409, "Customer already exists",
        "The merchant has a customer with this reference; list customers with this reference to get it.";
    ConsentRequired = "consent_required", 422, "Consent required",
        "The order's agreement needs the shopper's consent; send the sentence that the shopper agreed to as consent.";
    InstrumentUnavailable = "instrument_unavailable", 409, "Saved card not available",
        "The saved card was removed, closed, or belongs to another customer; pay with another card.";
    AgreementInactive = "agreement_inactive", 409, "Agreement not active",
        "The agreement was revoked, or its instrument was detached; the customer has to agree again.";
    AgreementNotChargeable = "agreement_not_chargeable", 422, "Agreement not chargeable",
        "An agreement of the type card_on_file permits only payments that the customer starts.";
    AgreementCurrencyMismatch = "agreement_currency_mismatch", 422, "Other currency",
        "The agreement is for payments in another currency; the agreement names it.";
    AgreementMaximumExceeded = "agreement_maximum_exceeded", 422, "Above the agreed maximum",
        "The amount is above the maximum that the customer agreed to; the agreement names it.";
    PriceArchived = "price_archived", 422, "Price archived",
        "The price is archived, and no new subscription may use it; create another one.";
    PricesDiffer = "prices_differ", 422, "Prices do not match",
        "All prices of a subscription must have the same currency and interval.";
    FirstPaymentInvalid = "first_payment_invalid", 422, "First payment does not match",
        "The first payment must be captured, made by this agreement, of exactly the amount of the first invoice, and not pay another one.";
    CardBlocked = "card_blocked", 409, "Card blocked",
        "The issuer or the scheme forbids another try of this card; the customer has to pay with another one.";
    StateConflict = "state_conflict", 409, "Not possible in this state",
        "The resource's state doesn't allow this; retrieve the resource to see its current state.";
    LimitReached = "limit_reached", 429, "Limit reached",
        "The merchant has reached its limit for this hour or day; try again later.";
    AmountTooLarge = "amount_too_large", 422, "Amount too large",
        "The amount is more than what is left to capture, refund or dispute.";
    ReportTooLarge = "report_too_large", 422, "Report too large",
        "The settlement has more than 8000 lines, which is too many for one report; list its balance transactions page by page.";
    QueryTooBroad = "query_too_broad", 422, "Query too broad",
        "The query would read too many rows; narrow it, for example by time, or split it into several requests.";
    SealedCardRefused = "sealed_card_refused", 422, "Sealed card refused",
        "The sealed card could not be opened for this payment; seal it again with the current key.";
    WorldExists = "world_exists", 409, "World exists",
        "There is a world of this name; choose another name, or delete that world first.";
    WorldInUse = "world_in_use", 409, "World in use",
        "Another process or request uses the data or its worlds; stop it or wait, and send the request again.";
    WorldLimitReached = "world_limit_reached", 409, "Too many worlds",
        "There are 32 worlds, or they would take more than 4 GiB; delete some.";
    WorldDamaged = "world_damaged", 422, "World damaged",
        "The world's files or rows are not those that were saved, and nothing was restored; delete it.";
    WorldForeign = "world_foreign", 422, "World of other data",
        "The world was saved from other data, under another master key, or by another version, and nothing was restored.";
    AccountInvalid = "account_invalid", 422, "Account invalid",
        "The bank account cannot be debited as it was sent; param names the wrong part.";
    Overloaded = "overloaded", 503, "Overloaded",
        "The server is overloaded or its database does not respond; send the same request again in a moment.";
    Internal = "internal", 500, "Internal error",
        "Something went wrong on our side; send the same request again, and quote request_id if the problem continues.";
}

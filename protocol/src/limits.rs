//! Every limit of the protocol, with its reason.

/// Largest request body, bytes. A sealed card, a passkey and the longest evidence fit.
pub const BODY_BYTES: usize = 32 * 1024;

/// Largest compact order, characters. Two hundred items with names of eighty emoji fit.
pub const ORDER_CHARACTERS: usize = 100 * 1024;

/// Largest body that opens a session, bytes: an order of the largest size, a key and an origin.
pub const SESSION_BODY_BYTES: usize = ORDER_CHARACTERS + 4 * 1024;

/// Longest life of an order, seconds. A basket older than half an hour should be priced again.
pub const ORDER_LIFETIME_SECONDS: u64 = 30 * 60;

/// How far `iat` of an order may lie ahead of the verifier's clock, seconds.
pub const ORDER_ISSUED_AHEAD_SECONDS: u64 = 60;

/// Items of an order. A month of groceries fits; the form shows the first few and opens the rest.
pub const ORDER_ITEMS: usize = 200;

/// Longest item name, characters: one line on a phone, twice over.
pub const ITEM_NAME_CHARACTERS: usize = 80;

/// Largest quantity of one item.
pub const ITEM_QUANTITY: u32 = 9999;

/// Longest description of an order, characters.
pub const DESCRIPTION_CHARACTERS: usize = 140;

/// Longest order reference and customer reference, ASCII characters.
pub const REFERENCE_CHARACTERS: usize = 64;

/// Longest name of a customer, characters.
pub const CUSTOMER_NAME_CHARACTERS: usize = 100;

/// Longest mail address, characters (RFC 5321 section 4.5.3.1.3, without the brackets).
pub const EMAIL_CHARACTERS: usize = 254;

/// Longest language tag, characters (RFC 5646 section 4.4.1).
pub const LOCALE_CHARACTERS: usize = 35;

/// Pages that one order may be embedded in.
pub const PARENT_ORIGINS: usize = 8;

/// Longest origin, characters: a host name has at most 253, plus scheme and port.
pub const ORIGIN_CHARACTERS: usize = 270;

/// Largest amount to be paid, minor units: ISO 8583 data element 4 has twelve digits.
pub const AMOUNT_MINOR: i64 = 999_999_999_999;

/// Largest amount of a direct debit, minor units: SEPA has eleven digits (EPC130-08).
pub const DIRECT_DEBIT_MINOR: i64 = 99_999_999_999;

/// Longest name of a debtor, characters (EPC130-08).
pub const DEBTOR_NAME_CHARACTERS: usize = 70;

/// How long a request signature is valid, seconds: `expires` − `created`.
pub const SIGNATURE_LIFETIME_SECONDS: u64 = 60;

/// How far `created` may lie ahead of the verifier's clock, seconds.
pub const SIGNATURE_AHEAD_SECONDS: u64 = 30;

/// Longest header value that is parsed as a signature, bytes. The one allowed shape has about 420.
pub const SIGNATURE_HEADER_BYTES: usize = 1024;

/// Random bytes in a signature's nonce.
pub const NONCE_BYTES: usize = 16;

/// Attempts to pay in one session. Enough for typing errors and two other cards; beyond it the
/// page is more likely being used to test stolen numbers.
pub const ATTEMPTS_PER_SESSION: u32 = 10;

/// How often one order may be opened with another key, for reloaded pages.
pub const SESSION_REBINDS: u32 = 5;

/// Longest life of a session, seconds: the same as its order's.
pub const SESSION_LIFETIME_SECONDS: u64 = ORDER_LIFETIME_SECONDS;

/// How far a webhook's timestamp may lie from the receiver's clock, seconds (Standard Webhooks).
pub const WEBHOOK_TOLERANCE_SECONDS: u64 = 300;

/// Digits of a one-time code: a million possible codes, with five attempts.
pub const ONE_TIME_CODE_DIGITS: usize = 6;

/// Wrong one-time codes before the card is locked for them (PSD2 RTS article 4).
pub const ONE_TIME_CODE_ATTEMPTS: u32 = 5;

/// How long a one-time code is valid, seconds.
pub const ONE_TIME_CODE_LIFETIME_SECONDS: u64 = 5 * 60;

/// How long a shopper waits before another code may be sent, seconds: messages take a while.
pub const ONE_TIME_CODE_RESEND_AFTER_SECONDS: u64 = 30;

/// How often another code may be sent. Each costs money and may reach a stranger's phone.
pub const ONE_TIME_CODE_RESENDS: u32 = 3;

/// How long a shopper has to authenticate, all codes together, seconds.
pub const CHALLENGE_LIFETIME_SECONDS: u64 = 10 * 60;

/// How long a shopper has to confirm in the wallet, seconds.
pub const WALLET_LIFETIME_SECONDS: u64 = 10 * 60;

/// How long a transfer may take to arrive, seconds: two weekends and a holiday fit.
pub const TRANSFER_LIFETIME_SECONDS: u64 = 7 * 24 * 60 * 60;

/// How long the bank holds funds that are not captured, seconds.
pub const HOLD_LIFETIME_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Longest `Idempotency-Key` of a merchant's request, ASCII characters. Fits every common id
/// format.
pub const IDEMPOTENCY_KEY_CHARACTERS: usize = 128;

/// How long an `Idempotency-Key` of a merchant is stored, seconds. Nobody retries after a month.
pub const IDEMPOTENCY_KEY_LIFETIME_SECONDS: u64 = 30 * 24 * 60 * 60;

/// How long a stored response with a secret can be replayed, seconds. Clients retry a lost response
/// at once, and a secret should not be stored for long.
pub const IDEMPOTENT_ANSWER_LIFETIME_SECONDS: u64 = 24 * 60 * 60;

/// How long a merchant may respond to a dispute, seconds.
pub const DISPUTE_EVIDENCE_SECONDS: u64 = 10 * 24 * 60 * 60;

/// Longest evidence in a dispute, characters.
pub const EVIDENCE_CHARACTERS: usize = 8000;

/// Longest sentence by which a shopper agrees to later payments, characters: three lines.
pub const CONSENT_CHARACTERS: usize = 500;

/// Longest text of a mandate for direct debits, characters: the wording of the schemes with the names
/// of the longest merchant.
pub const MANDATE_CHARACTERS: usize = 1000;

/// Saved instruments of one customer. A form shows them as a list to choose from.
pub const INSTRUMENTS_PER_CUSTOMER: u32 = 16;

/// Longest name of a price, characters: one line of an invoice.
pub const PRICE_NAME_CHARACTERS: usize = 100;

/// Longest trial of a subscription, days: two years.
pub const TRIAL_DAYS: u32 = 730;

/// Items of one subscription. Each is a line of every invoice.
pub const SUBSCRIPTION_ITEMS: usize = 20;

/// Subscriptions of one customer that have not ended.
pub const SUBSCRIPTIONS_PER_CUSTOMER: u32 = 100;

/// Longest planned pause of a subscription, seconds: three years and a day, longer than any interval.
pub const SUBSCRIPTION_PAUSE_SECONDS: u64 = 1096 * 24 * 60 * 60;

/// Latest invoice of a subscription for which a price can request an outcome.
pub const SIMULATED_INVOICES: u16 = 1000;

/// Payments of one invoice for which a price can request an outcome. No policy has more.
pub const SIMULATED_PAYMENTS: u16 = 20;

/// How long the first payment of a subscription may take, seconds: within a day the customer decides
/// again.
pub const FIRST_PAYMENT_SECONDS: u64 = 23 * 60 * 60;

/// How long the page of an invoice can be opened after the invoice was issued, seconds: longer than
/// every dunning policy.
pub const INVOICE_PAGE_SECONDS: u64 = 90 * 24 * 60 * 60;

/// How long before its end a trial is announced, seconds: schemes require a notice before the first
/// charge.
pub const TRIAL_NOTICE_SECONDS: u64 = 3 * 24 * 60 * 60;

/// Keys of metadata.
pub const METADATA_KEYS: usize = 20;

/// Longest key of metadata, ASCII characters.
pub const METADATA_KEY_CHARACTERS: usize = 40;

/// Longest value of metadata, characters.
pub const METADATA_VALUE_CHARACTERS: usize = 200;

/// Largest passkey credential as JSON, bytes: an attestation without certificates has about 1,500.
pub const CREDENTIAL_BYTES: usize = 8 * 1024;

/// Webhook endpoints of one merchant. Each receives every event that it subscribes to.
pub const WEBHOOK_ENDPOINTS: u32 = 16;

/// Longest address of a webhook endpoint, characters.
pub const WEBHOOK_URL_CHARACTERS: usize = 1024;

/// Longest description of a webhook endpoint, characters.
pub const ENDPOINT_DESCRIPTION_CHARACTERS: usize = 200;

/// How long a replaced webhook secret may still sign, seconds. A longer overlap means the secret is
/// not really being replaced.
pub const SECRET_OVERLAP_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Events that one request may redeliver: they are scheduled in one transaction.
pub const REDELIVERIES: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Other implementations rely on these numbers: a change here changes the protocol and its
    /// documents.
    #[test]
    fn limits_have_their_documented_values() {
        let rows = [
            (BODY_BYTES.to_string(), "32768"),
            (ORDER_CHARACTERS.to_string(), "102400"),
            (SESSION_BODY_BYTES.to_string(), "106496"),
            (ORDER_LIFETIME_SECONDS.to_string(), "1800"),
            (ORDER_ISSUED_AHEAD_SECONDS.to_string(), "60"),
            (ORDER_ITEMS.to_string(), "200"),
            (ITEM_NAME_CHARACTERS.to_string(), "80"),
            (ITEM_QUANTITY.to_string(), "9999"),
            (DESCRIPTION_CHARACTERS.to_string(), "140"),
            (REFERENCE_CHARACTERS.to_string(), "64"),
            (CUSTOMER_NAME_CHARACTERS.to_string(), "100"),
            (EMAIL_CHARACTERS.to_string(), "254"),
            (LOCALE_CHARACTERS.to_string(), "35"),
            (PARENT_ORIGINS.to_string(), "8"),
            (ORIGIN_CHARACTERS.to_string(), "270"),
            (AMOUNT_MINOR.to_string(), "999999999999"),
            (SIGNATURE_LIFETIME_SECONDS.to_string(), "60"),
            (SIGNATURE_AHEAD_SECONDS.to_string(), "30"),
            (SIGNATURE_HEADER_BYTES.to_string(), "1024"),
            (NONCE_BYTES.to_string(), "16"),
            (ATTEMPTS_PER_SESSION.to_string(), "10"),
            (SESSION_REBINDS.to_string(), "5"),
            (SESSION_LIFETIME_SECONDS.to_string(), "1800"),
            (WEBHOOK_TOLERANCE_SECONDS.to_string(), "300"),
            (ONE_TIME_CODE_DIGITS.to_string(), "6"),
            (ONE_TIME_CODE_ATTEMPTS.to_string(), "5"),
            (ONE_TIME_CODE_LIFETIME_SECONDS.to_string(), "300"),
            (ONE_TIME_CODE_RESEND_AFTER_SECONDS.to_string(), "30"),
            (ONE_TIME_CODE_RESENDS.to_string(), "3"),
            (CHALLENGE_LIFETIME_SECONDS.to_string(), "600"),
            (WALLET_LIFETIME_SECONDS.to_string(), "600"),
            (TRANSFER_LIFETIME_SECONDS.to_string(), "604800"),
            (HOLD_LIFETIME_SECONDS.to_string(), "604800"),
            (IDEMPOTENCY_KEY_CHARACTERS.to_string(), "128"),
            (IDEMPOTENCY_KEY_LIFETIME_SECONDS.to_string(), "2592000"),
            (IDEMPOTENT_ANSWER_LIFETIME_SECONDS.to_string(), "86400"),
            (DISPUTE_EVIDENCE_SECONDS.to_string(), "864000"),
            (EVIDENCE_CHARACTERS.to_string(), "8000"),
            (CONSENT_CHARACTERS.to_string(), "500"),
            (MANDATE_CHARACTERS.to_string(), "1000"),
            (INSTRUMENTS_PER_CUSTOMER.to_string(), "16"),
            (PRICE_NAME_CHARACTERS.to_string(), "100"),
            (TRIAL_DAYS.to_string(), "730"),
            (SUBSCRIPTION_ITEMS.to_string(), "20"),
            (SUBSCRIPTIONS_PER_CUSTOMER.to_string(), "100"),
            (SUBSCRIPTION_PAUSE_SECONDS.to_string(), "94694400"),
            (SIMULATED_INVOICES.to_string(), "1000"),
            (SIMULATED_PAYMENTS.to_string(), "20"),
            (FIRST_PAYMENT_SECONDS.to_string(), "82800"),
            (INVOICE_PAGE_SECONDS.to_string(), "7776000"),
            (TRIAL_NOTICE_SECONDS.to_string(), "259200"),
            (METADATA_KEYS.to_string(), "20"),
            (METADATA_KEY_CHARACTERS.to_string(), "40"),
            (METADATA_VALUE_CHARACTERS.to_string(), "200"),
            (CREDENTIAL_BYTES.to_string(), "8192"),
            (WEBHOOK_ENDPOINTS.to_string(), "16"),
            (WEBHOOK_URL_CHARACTERS.to_string(), "1024"),
            (ENDPOINT_DESCRIPTION_CHARACTERS.to_string(), "200"),
            (SECRET_OVERLAP_SECONDS.to_string(), "604800"),
            (REDELIVERIES.to_string(), "1000"),
        ];
        for (place, (limit, number)) in rows.into_iter().enumerate() {
            assert_eq!(limit, number, "row {place}");
        }
    }
}

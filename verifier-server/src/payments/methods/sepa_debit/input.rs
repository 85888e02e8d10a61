//! The account and the mandate of a request, checked. The IBAN does not outlive its request.

use super::model::StoredAccount;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use sealpay_protocol::api::DebitAccount;
use sealpay_protocol::card::Holder;
use sealpay_protocol::iban;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::limits::{DEBTOR_NAME_CHARACTERS, MANDATE_CHARACTERS};
use sealpay_protocol::secret::Secret;
use sealpay_protocol::text;

/// An account that the shopper typed.
pub(super) struct TypedAccount {
    /// Without spaces, in capitals.
    pub(super) iban: Secret<String>,
    pub(super) holder: Holder,
}

impl TypedAccount {
    /// The part that may be stored.
    pub(super) fn stored(&self, gateway: &Gateway, merchant: MerchantId) -> StoredAccount {
        let iban = self.iban.expose();
        StoredAccount {
            country: iban.chars().take(2).collect(),
            last4: iban.chars().skip(iban.len().saturating_sub(4)).collect(),
            // Letters come first, so no IBAN has the fingerprint of a card.
            fingerprint: gateway.encryption.card_fingerprint(merchant, iban),
        }
    }
}

/// Checks the account and the text of the mandate.
///
/// # Errors
/// [`ErrorCode::AccountInvalid`] for the account, [`ErrorCode::ConsentRequired`] without a text, and
/// [`ErrorCode::MalformedRequest`] for one that cannot be shown.
pub(super) fn read(
    debit: Option<DebitAccount>,
    consent: Option<String>,
) -> Result<(TypedAccount, String), ApiError> {
    let refused = |param, sentence: String| {
        let error = ApiError::for_param(ErrorCode::AccountInvalid, param);
        error.explained(sentence)
    };
    let DebitAccount { iban, holder } =
        debit.ok_or_else(|| ApiError::for_param(ErrorCode::MalformedRequest, "debit"))?;
    let plain = iban::parse(&iban).map_err(|error| {
        refused(
            "debit.iban",
            format!("{}.", capitalized(&error.to_string())),
        )
    })?;
    if !plain.get(..2).is_some_and(iban::is_in_sepa) {
        let sentence = "The account is in a country that takes no part in SEPA.";
        return Err(refused("debit.iban", sentence.into()));
    }
    let fits = holder.chars().count() <= DEBTOR_NAME_CHARACTERS;
    let holder = Holder::parse(&holder).ok().filter(|_| fits);
    let holder = holder.ok_or_else(|| {
        let most = DEBTOR_NAME_CHARACTERS;
        let sentence = format!("The holder must be a name of at most {most} characters.");
        refused("debit.holder", sentence)
    })?;
    let consent =
        consent.ok_or_else(|| ApiError::for_param(ErrorCode::ConsentRequired, "consent"))?;
    text::check(&consent, MANDATE_CHARACTERS).map_err(|fault| {
        let error = ApiError::for_param(ErrorCode::MalformedRequest, "consent");
        error.explained(format!("consent {fault}."))
    })?;
    let account = TypedAccount {
        iban: Secret::new(plain),
        holder,
    };
    Ok((account, text::on_one_line(&consent)))
}

fn capitalized(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::error::ErrorCode::{AccountInvalid, ConsentRequired, MalformedRequest};
    use sealpay_protocol::api::DebitAccount;

    const IBAN: &str = "DE89370400440532013000";

    #[test]
    fn hostile_accounts_are_refused_without_repeating_them() {
        let long = "a".repeat(71);
        let of_iban = Some((AccountInvalid, "debit.iban"));
        let of_holder = Some((AccountInvalid, "debit.holder"));
        let agreed = Some("I agree.");
        let hidden = Some("\u{202e}I agree.");
        let (most, more) = ("a".repeat(1000), "a".repeat(1001));
        let rows = [
            (IBAN, "Ada Approved", agreed, None),
            ("de89 3704 0044 0532 0130 00", "Ада", agreed, None),
            ("DE8937040044053201300", "Ada", agreed, of_iban),
            ("DE88370400440532013000", "Ada", agreed, of_iban),
            ("XX89370400440532013000", "Ada", agreed, of_iban),
            ("TR330006100519786457841326", "Ada", agreed, of_iban),
            ("", "Ada", agreed, of_iban),
            ("DE89-3704-0044", "Ada", agreed, of_iban),
            ("4242424242424242", "Ada", agreed, of_iban),
            (IBAN, "", agreed, of_holder),
            (IBAN, IBAN, agreed, of_holder),
            (IBAN, &long, agreed, of_holder),
            (IBAN, "Ada", None, Some((ConsentRequired, "consent"))),
            (IBAN, "Ada", hidden, Some((MalformedRequest, "consent"))),
            (IBAN, "Ada", Some(most.as_str()), None),
            (
                IBAN,
                "Ada",
                Some(more.as_str()),
                Some((MalformedRequest, "consent")),
            ),
        ];
        for (place, (iban, holder, consent, expected)) in rows.into_iter().enumerate() {
            let debit = DebitAccount {
                iban: iban.into(),
                holder: holder.into(),
            };
            let shown = format!("{debit:?}");
            assert!(!shown.contains("DE"), "{shown}");
            let refused = read(Some(debit), consent.map(str::to_owned)).err();
            let found = refused
                .as_ref()
                .map(|error| (error.code, error.param.as_deref().unwrap_or_default()));
            assert_eq!(found, expected, "row {place}");
            if let Some(error) = refused {
                let detail = error.detail().to_owned();
                assert!(iban.is_empty() || !detail.contains(iban), "{detail}");
                assert!(error.internal.is_none(), "row {place}");
            }
        }
        let missing = read(None, Some("I agree.".into())).err().unwrap();
        assert_eq!(missing.code, MalformedRequest);
    }
}

//! Every sentence of the form, by language and by code, so that wording and logic stay apart.
//!
//! To add a language, add a file beside `en.rs` and a row in [`LANGUAGES`]: the compiler checks
//! each member, and a test each code. Texts with a number are functions, because plurals differ
//! between languages.

mod en;

use sealpay_protocol::api::{AgreementKind, DeclineCategory};

/// The sentences of one language.
#[derive(Debug)]
pub struct Catalog {
    /// Language tag, for `lang`.
    pub language: &'static str,
    /// Whether it is written from right to left.
    pub is_right_to_left: bool,
    /// Beside the merchant's name.
    pub test_mode: &'static str,
    /// Names the order for screen readers.
    pub order: &'static str,
    /// Before the amount.
    pub total: &'static str,
    /// Above the payment methods.
    pub choose_method: &'static str,
    /// The card.
    pub card: MethodTexts,
    /// The wallet.
    pub wallet: MethodTexts,
    /// The bank transfer.
    pub bank_transfer: MethodTexts,
    /// The SEPA direct debit.
    pub sepa_debit: MethodTexts,
    /// Label.
    pub number: &'static str,
    /// Label.
    pub expiry: &'static str,
    /// Placeholder: letters for the digits of month and year.
    pub expiry_example: &'static str,
    /// Label.
    pub security_code: &'static str,
    /// Help under the field for a code of three digits.
    pub security_code_back: &'static str,
    /// Help under the field for a code of four digits.
    pub security_code_front: &'static str,
    /// Label.
    pub holder: &'static str,
    /// After a label.
    pub optional: &'static str,
    /// Above the saved cards.
    pub saved_cards: &'static str,
    /// The last choice among the saved cards, and a button after a decline of one.
    pub another_card: &'static str,
    /// Opens the rest of a long list of saved cards.
    pub show_all: &'static str,
    /// A saved card for screen readers and in a question: takes the brand and the last four digits.
    pub card_ending: fn(&str, &str) -> String,
    /// Beside a saved card: takes the expiry date.
    pub expires: fn(&str) -> String,
    /// Beside a saved card.
    pub expired: &'static str,
    /// Button that removes a saved card.
    pub remove: &'static str,
    /// The accessible name of that button: takes the card.
    pub remove_label: fn(&str) -> String,
    /// Asks whether to remove a card: takes the card.
    pub remove_question: fn(&str) -> String,
    /// Button that keeps a card.
    pub keep: &'static str,
    /// Announced after a card was removed.
    pub removed: &'static str,
    /// Beneath that question, and announced, if the card was not removed.
    pub not_removed: &'static str,
    /// Label of the box that saves the card entered.
    pub save_card: &'static str,
    /// Under that label: what is stored. Label and explanation are the shopper's consent.
    pub save_card_note: &'static str,
    /// What paying agrees to if the merchant charges later: takes the kind, which is not
    /// `card_on_file`, the merchant and the largest amount, if there is one.
    pub agreement: fn(AgreementKind, &str, Option<&str>) -> String,
    /// The mandate of a direct debit: takes the creditor, its identifier, and whether the scheme is
    /// that between businesses. The wording is after the European Payments Council (EPC016-06 and
    /// EPC222-07, annexes).
    pub mandate_text: fn(&str, &str, bool) -> String,
    /// The button while a payment is under way; also announced.
    pub processing: &'static str,
    /// Beneath the button, and announced, when a payment takes long.
    pub still_processing: &'static str,
    /// Announced when more than one field is invalid.
    pub fields_to_check: fn(usize) -> String,
    /// Under the items of a long order.
    pub more_items: fn(usize) -> String,
    /// When the session is about to end: takes the time of day.
    pub session_ends_at: fn(&str) -> String,
    /// Why a payment was declined, and what the shopper can do.
    pub decline: fn(DeclineCategory) -> Explanation,
    /// The button that retries.
    pub try_again: &'static str,
    /// Captured: the heading.
    pub payment_complete: &'static str,
    /// Authorized and not yet captured: the heading.
    pub payment_approved: &'static str,
    /// Heading of the receipt of a direct debit, which is collected later.
    pub mandate_signed: &'static str,
    /// Captured: before the amount, which is an element of its own.
    pub you_paid: &'static str,
    /// Challenge, and receipt of an authorization: the merchant.
    pub payee: &'static str,
    /// Receipt of a captured payment: the merchant.
    pub paid_to: &'static str,
    /// Challenge: the amount.
    pub amount: &'static str,
    /// Before and after the destination of a one-time code, which is an element of its own.
    pub code_sent_to: (&'static str, &'static str),
    /// Label.
    pub code: &'static str,
    /// Button.
    pub confirm: &'static str,
    /// Button.
    pub resend_code: &'static str,
    /// After that button: takes the seconds to wait.
    pub resend_wait: fn(u64) -> String,
    /// After the error of a code.
    pub attempts_left: fn(u32) -> String,
    /// Takes minutes and seconds, such as `4:05`.
    pub code_expires_in: fn(&str) -> String,
    /// Button.
    pub use_passkey: &'static str,
    /// Button.
    pub use_code: &'static str,
    /// Button.
    pub cancel: &'static str,
    /// Button.
    pub open_wallet: &'static str,
    /// Button that cancels a bank transfer.
    pub pay_another_way: &'static str,
    /// Button that takes the order back from another tab.
    pub continue_here: &'static str,
    /// Button that asks for another order.
    pub start_again: &'static str,
    /// Button that returns to the shop.
    pub back_to_shop: &'static str,
    /// Bank transfer: the button beside a value.
    pub copy: &'static str,
    /// Bank transfer: the accessible name of that button; takes the name of the value.
    pub copy_label: fn(&str) -> String,
    /// Bank transfer: announced after copying; takes the name of the value.
    pub copied: fn(&str) -> String,
    /// Bank transfer: announced when the browser denied copying.
    pub not_copied: &'static str,
    /// Bank transfer: a label.
    pub account_holder: &'static str,
    /// Bank transfer: a label.
    pub reference: &'static str,
    /// Bank transfer: a label.
    pub amount_received: &'static str,
    /// Bank transfer: a label.
    pub amount_due: &'static str,
    /// Bank transfer: a label.
    pub pay_by: &'static str,
    /// Receipt: the offer of a passkey.
    pub passkey_offer: &'static str,
    /// Receipt: accepts the offer.
    pub save_passkey: &'static str,
    /// Receipt: declines the offer.
    pub not_now: &'static str,
    /// Receipt: a label.
    pub order_number: &'static str,
    /// Receipt: a label.
    pub payment_method: &'static str,
    /// Receipt: a label.
    pub date: &'static str,
    /// Receipt: a label.
    pub refunded: &'static str,
    /// Receipt of a direct debit: a label.
    pub mandate: &'static str,
    /// Receipt of a direct debit: a label.
    pub creditor: &'static str,
    /// Receipt of a direct debit: a label.
    pub collected_on: &'static str,
    /// Panels and notices, by code; the first is the fallback.
    panels: &'static [(&'static str, &'static str, &'static str)],
    /// Errors of fields and feedback on challenges, by code; the first is the fallback.
    errors: &'static [(&'static str, &'static str)],
}

/// The sentences of a payment method.
#[derive(Debug)]
pub struct MethodTexts {
    /// Its name.
    pub name: &'static str,
    /// What happens after the shopper submits.
    pub description: &'static str,
    /// Above its fields, or above its description where it is the only method.
    pub heading: &'static str,
    /// The pay button.
    pub button: &'static str,
    /// After the amount of an authorization that is not yet captured.
    pub on_hold: &'static str,
}

/// A heading and a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub heading: &'static str,
    /// What it means for the shopper.
    pub sentence: &'static str,
}

impl Catalog {
    /// The sentences in the language of a locale such as `en-GB`, or else in English.
    #[must_use]
    pub fn for_locale(locale: &str) -> &'static Self {
        let language = locale.split('-').next().unwrap_or_default();
        let known = LANGUAGES
            .iter()
            .find(|catalog| catalog.language.eq_ignore_ascii_case(language));
        known.copied().unwrap_or(&en::CATALOG)
    }

    /// The error of a field, or the feedback on a challenge.
    #[must_use]
    pub fn error(&self, code: &str) -> &'static str {
        let known = self.errors.iter().find(|(known, _)| *known == code);
        known.unwrap_or(&self.errors[0]).1
    }

    /// The explanation of a panel or a notice.
    #[must_use]
    pub fn panel(&self, code: &str) -> Explanation {
        let known = self.panels.iter().find(|(known, ..)| *known == code);
        let (_, heading, sentence) = *known.unwrap_or(&self.panels[0]);
        Explanation { heading, sentence }
    }
}

/// Every language.
pub static LANGUAGES: [&Catalog; 1] = [&en::CATALOG];

#[cfg(test)]
mod tests;

//! Every sentence of the form, in one place and by code, so that wording and logic do not meet.
//!
//! Another language is a file beside `en.rs` and a row in [`LANGUAGES`]; the compiler asks for
//! each field, and a test for each code.

mod en;

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
    /// Above the methods.
    pub methods: &'static str,
    /// The methods in the order of `Method::ALL`: the name, what is said about it, and for those
    /// without fields the heading above.
    pub method: [(&'static str, &'static str, &'static str); 3],
    /// Above the fields.
    pub card: &'static str,
    /// Label.
    pub number: &'static str,
    /// Label.
    pub expiry: &'static str,
    /// Placeholder: letters for the month's and the year's digits.
    pub expiry_example: &'static str,
    /// Label.
    pub security_code: &'static str,
    /// Help under the field when the code has three digits.
    pub security_code_back: &'static str,
    /// Help under the field when the code has four digits.
    pub security_code_front: &'static str,
    /// Label.
    pub holder: &'static str,
    /// After a label.
    pub optional: &'static str,
    /// The button, before the amount.
    pub pay: &'static str,
    /// The button of a wallet.
    pub continue_to_wallet: &'static str,
    /// The button of a bank transfer.
    pub show_transfer: &'static str,
    /// The button while a payment is under way, and what is announced.
    pub processing: &'static str,
    /// Beneath the button, and announced, when a payment takes long.
    pub takes_long: &'static str,
    /// Announced when more than one field is wrong.
    pub fields_to_check: fn(usize) -> String,
    /// Under the items of a long order.
    pub more_items: fn(usize) -> String,
    /// When the session is about to end: before and after the time of day.
    pub ends_at: (&'static str, &'static str),
    /// Above the bank's sentence.
    pub declined: &'static str,
    /// When the bank's sentence is missing.
    pub declined_without_reason: &'static str,
    /// Other headings above the bank's sentence, by the category of the decline.
    decline_headings: &'static [(&'static str, &'static str)],
    /// The button that tries once more.
    pub try_again: &'static str,
    /// Paid: the heading.
    pub paid: &'static str,
    /// Authorized and not yet taken: the heading.
    pub authorized: &'static str,
    /// Paid: before the amount.
    pub you_paid: &'static str,
    /// Authorized and not yet taken: after the amount, on a card and in a wallet.
    pub is_reserved: [&'static str; 2],
    /// Bank's check, and receipt of what is on hold: whom it is about.
    pub payee: &'static str,
    /// Receipt of what was taken: who has it.
    pub paid_to: &'static str,
    /// Bank's check and transfer.
    pub amount: &'static str,
    /// Before and after where the code went.
    pub code_sent_to: (&'static str, &'static str),
    /// Label.
    pub code: &'static str,
    /// Button.
    pub confirm: &'static str,
    /// Button.
    pub send_another: &'static str,
    /// After the button: before and after the seconds.
    pub seconds_to_wait: (&'static str, &'static str),
    /// After what is wrong with a code.
    pub attempts_left: fn(u32) -> String,
    /// Until when a code can be used: before the minutes and seconds.
    pub code_expires_in: &'static str,
    /// Button.
    pub use_passkey: &'static str,
    /// Button.
    pub use_code: &'static str,
    /// Button.
    pub cancel: &'static str,
    /// Button.
    pub open_wallet: &'static str,
    /// Button: out of a transfer of which nothing has come.
    pub pay_another_way: &'static str,
    /// Button: on from another tab.
    pub continue_here: &'static str,
    /// Button: on with another order.
    pub start_again: &'static str,
    /// Button: to the page that the shop named.
    pub back_to_shop: &'static str,
    /// Transfer: the button beside a fact.
    pub copy: &'static str,
    /// Transfer: the name of that button.
    pub copy_fact: fn(&str) -> String,
    /// Transfer: announced after it was pressed.
    pub copied: fn(&str) -> String,
    /// Transfer: announced when the browser did not let it.
    pub not_copied: &'static str,
    /// Transfer: account.
    pub holder_of_account: &'static str,
    /// Transfer: what stands on it.
    pub reference: &'static str,
    /// Transfer: what has come.
    pub received: &'static str,
    /// Transfer: what is to come yet.
    pub still_due: &'static str,
    /// Transfer: by when.
    pub until: &'static str,
    /// Receipt: the offer.
    pub offer: &'static str,
    /// Receipt: the button of the offer.
    pub keep_passkey: &'static str,
    /// Receipt: the button against the offer.
    pub no_thanks: &'static str,
    /// Receipt.
    pub order_number: &'static str,
    /// Receipt.
    pub payment_method: &'static str,
    /// Receipt.
    pub date: &'static str,
    /// Receipt: what went back.
    pub refunded: &'static str,
    /// Headings and sentences of states and notices, by code.
    panels: &'static [(&'static str, &'static str, &'static str)],
    /// What is wrong with a field, by code.
    errors: &'static [(&'static str, &'static str)],
}

impl Catalog {
    /// The sentences in the language of a locale such as `en-GB`, or else in English.
    #[must_use]
    pub fn for_locale(locale: &str) -> &'static Self {
        let language = locale.split('-').next().unwrap_or_default();
        let known = LANGUAGES
            .iter()
            .find(|texts| texts.language.eq_ignore_ascii_case(language));
        known.copied().unwrap_or(&en::CATALOG)
    }

    /// The heading above the bank's sentence.
    #[must_use]
    pub fn decline_heading(&self, category: &str) -> &'static str {
        let mut headings = self.decline_headings.iter();
        let known = headings.find(|(known, _)| *known == category);
        known.map_or(self.declined, |(_, heading)| *heading)
    }

    /// What is wrong with a field, and how to mend it.
    #[must_use]
    pub fn error(&self, code: &str) -> &'static str {
        let known = self.errors.iter().find(|(known, _)| *known == code);
        known.map_or(self.errors[0].1, |(_, sentence)| *sentence)
    }

    /// Heading and sentence of a state or notice.
    #[must_use]
    pub fn panel(&self, code: &str) -> (&'static str, &'static str) {
        let known = self.panels.iter().find(|(known, ..)| *known == code);
        let (_, heading, sentence) = known.unwrap_or(&self.panels[0]);
        (heading, sentence)
    }
}

/// Every language there is.
pub static LANGUAGES: [&Catalog; 1] = [&en::CATALOG];

#[cfg(test)]
mod tests;

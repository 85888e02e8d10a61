//! Every sentence of the form, in one place and by code, so that wording and logic do not meet.
//!
//! Another language is another [`Texts`] in [`LANGUAGES`]; the compiler asks for each field, and a
//! test for each code.

/// The sentences of one language.
#[derive(Debug)]
pub struct Texts {
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
    /// Under the fields.
    pub assurance: &'static str,
    /// The button, before the amount.
    pub pay: &'static str,
    /// The button while a payment is under way, and what is announced.
    pub processing: &'static str,
    /// Announced when more than one field is wrong: before and after the number of fields.
    pub several_wrong: (&'static str, &'static str),
    /// Above the bank's sentence.
    pub declined: &'static str,
    /// When the bank's sentence is missing.
    pub declined_without_reason: &'static str,
    /// The button that tries once more.
    pub try_again: &'static str,
    /// Paid: the heading.
    pub paid: &'static str,
    /// Authorized and not yet taken: the heading.
    pub authorized: &'static str,
    /// Authorized and not yet taken: what it means.
    pub authorized_explained: &'static str,
    /// Receipt.
    pub paid_to: &'static str,
    /// Receipt.
    pub order_number: &'static str,
    /// Receipt.
    pub paid_with: &'static str,
    /// Receipt.
    pub date: &'static str,
    /// Headings and sentences of states and notices, by code.
    panels: &'static [(&'static str, &'static str, &'static str)],
    /// What is wrong with a field, by code.
    errors: &'static [(&'static str, &'static str)],
}

impl Texts {
    /// The sentences in the language of a locale such as `en-GB`, or else in English.
    #[must_use]
    pub fn of(locale: &str) -> &'static Self {
        let language = locale.split('-').next().unwrap_or_default();
        let known = LANGUAGES
            .iter()
            .find(|texts| texts.language.eq_ignore_ascii_case(language));
        known.copied().unwrap_or(&ENGLISH)
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
pub static LANGUAGES: [&Texts; 1] = [&ENGLISH];

static ENGLISH: Texts = Texts {
    language: "en",
    is_right_to_left: false,
    test_mode: "Test mode",
    order: "Your order",
    total: "Total",
    card: "Pay by card",
    number: "Card number",
    expiry: "Expiry date",
    expiry_example: "MM / YY",
    security_code: "Security code",
    security_code_back: "3 digits on the back",
    security_code_front: "4 digits on the front",
    holder: "Name on card",
    optional: "(optional)",
    assurance: "Encrypted on this device before it is sent.",
    pay: "Pay",
    processing: "Processing…",
    several_wrong: ("", " fields need your attention."),
    declined: "Payment declined",
    declined_without_reason: "Your card was not charged. Please try another card.",
    try_again: "Try again",
    paid: "Payment complete",
    authorized: "Payment authorized",
    authorized_explained: "Your bank has reserved the amount. It is charged when your order is \
        confirmed.",
    paid_to: "Paid to",
    order_number: "Order",
    paid_with: "Card",
    date: "Date",
    panels: &ENGLISH_PANELS,
    errors: &ENGLISH_ERRORS,
};

/// The first stands for every code that is not listed.
static ENGLISH_PANELS: [(&str, &str, &str); 14] = [
    (
        "",
        "This checkout cannot continue",
        "Nothing was charged. Go back to the shop and start the checkout again.",
    ),
    (
        "checking",
        "We’re checking your payment",
        "Don’t pay again yet. This can take a moment, and you can leave this page open.",
    ),
    (
        "interrupted",
        "The connection was interrupted",
        "It is safe to try again: the same payment is sent once more, and you cannot be charged \
         twice.",
    ),
    (
        "unreachable",
        "The payment service cannot be reached",
        "Nothing was charged. Check your connection, then try again.",
    ),
    (
        "session_expired",
        "This checkout has expired",
        "Nothing was charged. Go back to the shop to get a fresh one.",
    ),
    (
        "too_many_attempts",
        "No attempts are left",
        "Nothing was charged. Go back to the shop, or choose another way to pay.",
    ),
    (
        "outcome_unknown",
        "We could not confirm your payment",
        "It may have gone through, so don’t pay again. The shop will tell you as soon as the bank \
         has answered.",
    ),
    (
        "origin_not_allowed",
        "This page may not take payments",
        "Nothing was charged. The shop has not allowed this page to show its checkout.",
    ),
    (
        "malformed_order",
        "This order cannot be read",
        "Nothing was charged. Go back to the shop and start the checkout again.",
    ),
    (
        "order_reused",
        "This order was opened elsewhere",
        "Nothing was charged here. Go back to the shop to get a fresh checkout.",
    ),
    (
        "not_embedded",
        "This form belongs in a shop’s page",
        "Open the checkout from the shop you want to pay.",
    ),
    (
        "sealing_key_unusable",
        "Your card could not be encrypted",
        "Nothing was sent and nothing was charged. Reload the page, or try another browser.",
    ),
    (
        "sealed_card_refused",
        "Please confirm your card once more",
        "The encryption key has just changed. Nothing was charged: enter the security code again.",
    ),
    (
        "nothing_was_paid",
        "The payment did not go through",
        "Nothing was charged. You can try again.",
    ),
];

/// The first stands for every code that is not listed.
static ENGLISH_ERRORS: [(&str, &str); 21] = [
    ("", "Check this field."),
    ("number_missing", "Enter the card number."),
    ("number_not_digits", "Use only digits in the card number."),
    ("number_incomplete", "Enter the complete card number."),
    ("number_too_long", "The card number has too many digits."),
    (
        "number_failed_luhn",
        "Check the card number: a digit is wrong.",
    ),
    ("expiry_missing", "Enter the date."),
    ("expiry_not_a_date", "Enter the expiry date as MM / YY."),
    ("expiry_month_invalid", "Check the month: 01 to 12."),
    ("expiry_incomplete", "Enter month and year."),
    ("expiry_in_the_past", "This card has expired."),
    ("expiry_too_far", "Check the year."),
    ("security_code_missing", "Enter the code."),
    ("security_code_not_digits", "Use only digits."),
    ("security_code_not_three", "Enter all 3 digits."),
    ("security_code_not_four", "Enter all 4 digits."),
    ("holder_missing", "Enter the name on the card."),
    ("holder_too_long", "This name is too long."),
    (
        "holder_control_character",
        "This name has characters that cannot be read.",
    ),
    ("holder_is_a_number", "Enter a name here, not a number."),
    ("holder_no_letter", "Enter the name as it is on the card."),
];

#[cfg(test)]
mod tests;

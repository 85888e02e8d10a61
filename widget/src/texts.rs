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
    /// The button of a bank transfer.
    pub show_transfer: &'static str,
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
    /// Paid: before the amount.
    pub you_paid: &'static str,
    /// Authorized and not yet taken: after the amount, on a card and in a wallet.
    pub is_reserved: [&'static str; 2],
    /// Bank's check and receipt: whom it is about.
    pub payee: &'static str,
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
    /// Before the number of tries.
    pub tries_left: &'static str,
    /// Button.
    pub use_passkey: &'static str,
    /// Button.
    pub use_code: &'static str,
    /// Button.
    pub cancel: &'static str,
    /// Button.
    pub open_wallet: &'static str,
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
    methods: "How would you like to pay?",
    method: [
        ("Card", "Encrypted on this device before it is sent.", ""),
        (
            "Wallet",
            "Your wallet opens in a window of its own, where you confirm the payment.",
            "Pay with your wallet",
        ),
        (
            "Bank transfer",
            "You get the account and a reference, and transfer the money yourself.",
            "Pay by bank transfer",
        ),
    ],
    card: "Pay by card",
    number: "Card number",
    expiry: "Expiry date",
    expiry_example: "MM / YY",
    security_code: "Security code",
    security_code_back: "3 digits on the back",
    security_code_front: "4 digits on the front",
    holder: "Name on card",
    optional: "(optional)",
    pay: "Pay",
    show_transfer: "Show transfer details",
    processing: "Processing…",
    several_wrong: ("", " fields need your attention."),
    declined: "Payment declined",
    declined_without_reason: "Your card was not charged. Please try another card.",
    try_again: "Try again",
    paid: "Payment complete",
    authorized: "Payment authorized",
    you_paid: "You paid ",
    is_reserved: [
        " is reserved on your card. The shop takes it when your order ships.",
        " is reserved in your wallet. The shop takes it when your order ships.",
    ],
    payee: "Payment to",
    amount: "Amount",
    code_sent_to: ("Enter the 6-digit code that was sent to your phone ", "."),
    code: "Code",
    confirm: "Confirm",
    send_another: "Send another code",
    seconds_to_wait: ("in ", " s"),
    tries_left: "Tries left:",
    use_passkey: "Use your passkey",
    use_code: "Send me a code instead",
    cancel: "Cancel payment",
    open_wallet: "Open the wallet",
    holder_of_account: "Account holder",
    reference: "Reference",
    received: "Received so far",
    still_due: "Still to transfer",
    until: "Transfer by",
    offer: "Next time you can confirm with a passkey, without waiting for a code.",
    keep_passkey: "Use a passkey next time",
    no_thanks: "No, thanks",
    order_number: "Order",
    payment_method: "Payment method",
    date: "Date",
    refunded: "Refunded",
    panels: &ENGLISH_PANELS,
    errors: &ENGLISH_ERRORS,
};

/// The first stands for every code that is not listed.
static ENGLISH_PANELS: [(&str, &str, &str); 22] = [
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
        "Nothing more is charged here. If you have not paid yet, go back to the shop to get a \
         fresh one.",
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
    (
        "payment_voided",
        "The shop cancelled this payment",
        "Nothing was charged: the amount that was reserved is yours again.",
    ),
    (
        "cancelled",
        "Payment cancelled",
        "Nothing was charged. You can pay again, or in another way.",
    ),
    (
        "abandoned",
        "Your last payment was not finished",
        "Nothing was charged. Please enter your card once more.",
    ),
    (
        "method_not_offered",
        "This way to pay is not available",
        "Nothing was charged. Please choose another one.",
    ),
    (
        "code",
        "Your bank checks that it’s you",
        "The code is only for this payment. Give it to nobody.",
    ),
    (
        "passkey",
        "Your bank checks that it’s you",
        "Confirm with your passkey: fingerprint, face or screen lock.",
    ),
    (
        "wallet",
        "Confirm in your wallet",
        "Your wallet opens in a window of its own. Come back here when you have confirmed.",
    ),
    (
        "transfer",
        "Transfer the money from your bank",
        "Your order is placed when the money is there. You can close this page meanwhile.",
    ),
];

/// The first stands for every code that is not listed.
static ENGLISH_ERRORS: [(&str, &str); 30] = [
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
    ("code_incomplete", "Enter the 6 digits of the code."),
    (
        "code_refused",
        "This code cannot be used. Check it, or ask for another one.",
    ),
    ("code_sent", "Another code is on its way."),
    ("resend_refused", "Another code cannot be sent right now."),
    (
        "passkey_refused",
        "This passkey cannot be used. Try again, or use a code.",
    ),
    (
        "passkey_unused",
        "No passkey was used. Try again, or use a code.",
    ),
    (
        "not_sent",
        "The connection was interrupted. Please try again.",
    ),
    ("passkey_kept", "Your passkey is saved for next time."),
    ("passkey_not_kept", "No passkey was saved."),
];

#[cfg(test)]
mod tests;

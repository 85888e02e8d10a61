//! English, in Oxford spelling: authorized, cancelled, colour.

mod panels;

use super::{Catalog, Explanation, MethodTexts};
use sealpay_protocol::api::{AgreementKind, DeclineCategory};

/// The English catalog.
pub(super) static CATALOG: Catalog = Catalog {
    language: "en",
    is_right_to_left: false,
    test_mode: "Test mode",
    order: "Your order",
    total: "Total",
    choose_method: "How would you like to pay?",
    card: MethodTexts {
        name: "Card",
        description: "Your card details are encrypted on this device before they’re sent.",
        heading: "Pay by card",
        button: "Pay",
        on_hold: " is on hold on your card. You’ll be charged when your order ships.",
    },
    wallet: MethodTexts {
        name: "Wallet",
        description: "We’ll open your wallet in a new window so you can confirm.",
        heading: "Pay with your wallet",
        button: "Continue to wallet",
        on_hold: " is on hold in your wallet. You’ll be charged when your order ships.",
    },
    bank_transfer: MethodTexts {
        name: "Bank transfer",
        description: "We’ll show you where to send the money. Your order is placed when it \
                      arrives.",
        heading: "Pay by bank transfer",
        button: "Pay by bank transfer",
        on_hold: " is on hold. You’ll be charged when your order ships.",
    },
    sepa_debit: MethodTexts {
        name: "SEPA direct debit",
        description: "We’ll debit your bank account in a few days.",
        heading: "Pay by direct debit",
        button: "Sign the mandate and pay",
        on_hold: " will be debited from your account in a few days.",
    },
    number: "Card number",
    expiry: "Expiry date",
    expiry_example: "MM / YY",
    security_code: "Security code",
    security_code_back: "3 digits on the back",
    security_code_front: "4 digits on the front",
    holder: "Name on card",
    optional: "(optional)",
    saved_cards: "Your saved cards",
    another_card: "Use another card",
    show_all: "Show all cards",
    card_ending,
    expires,
    expired: "Expired",
    remove: "Remove",
    remove_label,
    remove_question,
    keep: "Keep",
    removed: "Card removed.",
    not_removed: "We couldn’t remove this card. Try again.",
    save_card: "Save this card for next time",
    save_card_note: "The shop’s payment provider stores your card, but never its security code.",
    agreement,
    mandate_text,
    processing: "Processing…",
    still_processing: "Still working – your bank is taking longer than usual. Don’t close this \
                       page.",
    fields_to_check,
    more_items,
    session_ends_at,
    decline,
    try_again: "Try again",
    payment_complete: "Payment complete",
    payment_approved: "Payment approved",
    mandate_signed: "Mandate signed",
    you_paid: "You paid ",
    payee: "Paying",
    paid_to: "Paid to",
    amount: "Amount",
    code_sent_to: ("Enter the 6-digit code your bank sent to ", "."),
    code: "One-time code",
    confirm: "Confirm",
    resend_code: "Resend code",
    resend_wait,
    attempts_left,
    code_expires_in,
    use_passkey: "Continue with passkey",
    use_code: "Send me a code instead",
    cancel: "Cancel payment",
    open_wallet: "Open wallet",
    pay_another_way: "Pay another way",
    continue_here: "Continue here",
    start_again: "Start again",
    back_to_shop: "Back to the shop",
    copy: "Copy",
    copy_label,
    copied,
    not_copied: "Your browser didn’t allow copying. Select the text instead.",
    account_holder: "Account holder",
    reference: "Reference",
    amount_received: "Received",
    amount_due: "Amount to transfer",
    pay_by: "Pay by",
    passkey_offer: "Save a passkey and skip the code next time.",
    save_passkey: "Save a passkey",
    not_now: "Not now",
    order_number: "Order",
    payment_method: "Payment method",
    date: "Date",
    refunded: "Refunded",
    mandate: "Mandate reference",
    creditor: "Creditor identifier",
    collected_on: "Collected on",
    panels: &panels::PANELS,
    errors: &ERRORS,
};

fn card_ending(brand: &str, last4: &str) -> String {
    [brand, " ending in ", last4].concat()
}

fn expires(date: &str) -> String {
    ["Expires ", date].concat()
}

fn remove_label(card: &str) -> String {
    ["Remove ", card].concat()
}

fn remove_question(card: &str) -> String {
    ["Remove ", card, "?"].concat()
}

fn agreement(kind: AgreementKind, merchant: &str, maximum: Option<&str>) -> String {
    let purpose = match kind {
        AgreementKind::Subscription => "regularly until you cancel",
        AgreementKind::Instalment => "for the remaining instalments",
        _ => "for later payments",
    };
    let (before, maximum, after) = match maximum {
        Some(maximum) => (", up to ", maximum, " each time"),
        None => ("", "", ""),
    };
    [
        "By paying, you allow ",
        merchant,
        " to charge this card ",
        purpose,
        before,
        maximum,
        after,
        ". You can withdraw this permission at any time by contacting ",
        merchant,
        ".",
    ]
    .concat()
}

fn mandate_text(creditor: &str, identifier: &str, is_b2b: bool) -> String {
    let refunds = if is_b2b {
        "This mandate is for payments between businesses: once your account is debited, you are not \
         entitled to a refund from your bank. Until the day of the debit you can ask your bank not \
         to debit your account. "
    } else {
        "You are entitled to a refund from your bank under the terms of your agreement with it; a \
         refund must be claimed within eight weeks of the debit. "
    };
    [
        "By signing this mandate, you authorize ",
        creditor,
        " (creditor identifier ",
        identifier,
        ") to send instructions to your bank to debit your account, and your bank to debit your \
         account in accordance with those instructions. ",
        refunds,
        "You are notified of this debit at least one day, and of later ones at \
         least 14 days before they are made.",
    ]
    .concat()
}

fn fields_to_check(count: usize) -> String {
    ["Check ", &count.to_string(), " fields."].concat()
}

fn more_items(count: usize) -> String {
    let items = if count == 1 {
        " more item"
    } else {
        " more items"
    };
    ["Show ", &count.to_string(), items].concat()
}

fn session_ends_at(time: &str) -> String {
    ["This checkout times out at ", time, ". Pay before then."].concat()
}

fn resend_wait(seconds: u64) -> String {
    ["in ", &seconds.to_string(), " s"].concat()
}

fn attempts_left(count: u32) -> String {
    match count {
        1 => "1 attempt left.".into(),
        count => [&count.to_string(), " attempts left."].concat(),
    }
}

fn code_expires_in(time: &str) -> String {
    ["The code expires in ", time].concat()
}

fn copy_label(name: &str) -> String {
    ["Copy ", name].concat()
}

fn copied(name: &str) -> String {
    [name, " copied."].concat()
}

fn decline(category: DeclineCategory) -> Explanation {
    use DeclineCategory as Category;
    let declined = |sentence| explanation("Payment declined", sentence);
    let not_completed = |sentence| explanation("Payment not completed", sentence);
    match category {
        Category::CardDeclined => {
            declined("Your card was declined. Try another card or contact your bank.")
        }
        Category::NotEnoughFunds => declined("Your card has insufficient funds. Try another card."),
        Category::AmountOverLimit => {
            declined("This payment is over your card’s limit. Try another card.")
        }
        Category::LimitReached => declined(
            "Your card has reached its limit for now. Try another card, or try this one later.",
        ),
        Category::AmountNotAccepted => {
            declined("Your bank didn’t accept this amount. Try another card.")
        }
        Category::CardNotAccepted => {
            declined("This card can’t be used for this payment. Try another card.")
        }
        Category::CardRestricted => {
            declined("This card can’t be used here. Contact your bank or try another card.")
        }
        Category::CardNotActivated => {
            declined("Activate your card with your bank, then try again.")
        }
        Category::BankWantsACall => declined(
            "Your bank needs to speak with you first. Call the number on your card, then try \
             again.",
        ),
        Category::AttemptsExceeded => declined("Too many incorrect attempts. Contact your bank."),
        Category::NumberNotValid => declined("Check your card number, or try another card."),
        Category::CardExpired => {
            declined("Your card has expired. Check the expiry date or try another card.")
        }
        Category::SecurityCodeNotValid => declined("Check your card’s security code."),
        Category::AuthenticationUnavailable => declined(
            "Your bank requires extra confirmation that isn’t available here. Try another card.",
        ),
        Category::NotAuthenticated => {
            declined("Your bank couldn’t confirm it’s you. Try another card or contact your bank.")
        }
        Category::NotConfirmedInTime => not_completed(
            "The payment wasn’t confirmed in time. You haven’t been charged. Try again.",
        ),
        Category::BankNotResponding => not_completed(
            "Your bank isn’t responding. You haven’t been charged. Try again in a few minutes.",
        ),
        Category::ProcessingError => {
            not_completed("Something went wrong, and you haven’t been charged. Try again.")
        }
        Category::PossiblyPaid => declined(
            "We may already have received this payment. Check your orders before you pay again.",
        ),
        Category::PaymentStopped => {
            declined("Your bank has stopped this payment. Try another card.")
        }
        Category::AccountNotDebited => {
            declined("This account can’t be debited. Check the IBAN, or use another account.")
        }
        Category::CancelledInWallet => explanation(
            "Payment cancelled",
            "You cancelled in your wallet. You haven’t been charged. Try again or pay another way.",
        ),
    }
}

const fn explanation(heading: &'static str, sentence: &'static str) -> Explanation {
    Explanation { heading, sentence }
}

/// The first is the fallback.
static ERRORS: [(&str, &str); 37] = [
    ("", "Check this field."),
    ("number_missing", "Enter your card number."),
    ("number_not_digits", "Use digits only in the card number."),
    ("number_incomplete", "Your card number is incomplete."),
    ("number_too_long", "This card number is too long."),
    (
        "number_failed_luhn",
        "This card number isn’t valid. Check the digits.",
    ),
    ("expiry_missing", "Enter the expiry date."),
    ("expiry_not_a_date", "Enter the expiry date as MM / YY."),
    ("expiry_month_invalid", "Check the month: 01 to 12."),
    ("expiry_incomplete", "Enter the month and year."),
    ("expiry_in_the_past", "This card has expired."),
    ("expiry_too_far", "Check the expiry year."),
    ("security_code_not_digits", "Use digits only."),
    ("security_code_not_three", "Enter the 3 digits on the back."),
    ("security_code_not_four", "Enter the 4 digits on the front."),
    ("holder_missing", "Enter the name of the account holder."),
    ("holder_too_long", "This name is too long."),
    (
        "holder_control_character",
        "Use letters, spaces, hyphens and apostrophes only.",
    ),
    ("holder_is_a_number", "Enter a name here, not a number."),
    (
        "holder_no_letter",
        "Enter the name exactly as shown on the card.",
    ),
    ("iban_missing", "Enter your IBAN."),
    ("iban_characters", "Use letters and digits only."),
    (
        "iban_country",
        "Begin with the two letters of a SEPA country, such as DE.",
    ),
    ("iban_length", "Check the length of your IBAN."),
    (
        "iban_check_digits",
        "This IBAN isn’t valid. Check the letters and digits.",
    ),
    ("code_incomplete", "Enter all 6 digits."),
    (
        "code_refused",
        "That code isn’t right. Check it or get a new one.",
    ),
    ("code_expired", "This code has expired. Get a new one."),
    ("security_code_again", "Enter the security code again."),
    ("code_sent", "We’ve sent a new code."),
    (
        "resend_not_allowed",
        "We can’t send another code right now. Try again in a moment.",
    ),
    (
        "passkey_refused",
        "That passkey didn’t work. Try again or get a code.",
    ),
    (
        "passkey_wrong_page",
        "Passkeys can’t be used on this page. Get a code instead.",
    ),
    (
        "passkey_failed",
        "We couldn’t verify your passkey. Try again or get a code.",
    ),
    (
        "not_sent",
        "The connection was interrupted. Please try again.",
    ),
    ("passkey_saved", "Your passkey is saved."),
    ("passkey_not_saved", "No passkey was saved."),
];

//! English, in the spelling of Oxford: authorized, cancelled, colour.

use super::Catalog;

/// Every sentence.
pub(super) static CATALOG: Catalog = Catalog {
    language: "en",
    is_right_to_left: false,
    test_mode: "Test mode",
    order: "Your order",
    total: "Total",
    methods: "How would you like to pay?",
    method: [
        (
            "Card",
            "Your card details are encrypted on this device before they’re sent.",
            "",
        ),
        (
            "Wallet",
            "We’ll open your wallet in a new window so you can confirm.",
            "Pay with your wallet",
        ),
        (
            "Bank transfer",
            "We’ll show you where to send the money. Your order is placed when it arrives.",
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
    continue_to_wallet: "Continue to wallet",
    show_transfer: "Pay by bank transfer",
    processing: "Processing…",
    takes_long: "Still working – your bank is taking longer than usual. Don’t close this page.",
    fields_to_check: |count| ["Check ", &count.to_string(), " fields."].concat(),
    more_items: |count| {
        let items = if count == 1 {
            " more item"
        } else {
            " more items"
        };
        ["Show ", &count.to_string(), items].concat()
    },
    ends_at: ("This checkout times out at ", ". Pay before then."),
    declined: "Payment declined",
    declined_without_reason: "You haven’t been charged. Try another card.",
    decline_headings: &[
        ("cancelled_in_wallet", "Payment cancelled"),
        ("not_confirmed_in_time", "Payment not completed"),
        ("processing_error", "Payment not completed"),
        ("bank_not_responding", "Payment not completed"),
        ("transfer_late", "Transfer not received"),
    ],
    try_again: "Try again",
    paid: "Payment complete",
    authorized: "Payment approved",
    you_paid: "You paid ",
    is_reserved: [
        " is on hold on your card. You’ll be charged when your order ships.",
        " is on hold in your wallet. You’ll be charged when your order ships.",
    ],
    payee: "Paying",
    paid_to: "Paid to",
    amount: "Amount",
    code_sent_to: ("Enter the 6-digit code your bank sent to ", "."),
    code: "One-time code",
    confirm: "Confirm",
    send_another: "Resend code",
    seconds_to_wait: ("in ", " s"),
    attempts_left: |count| match count {
        1 => "1 attempt left.".into(),
        count => [&count.to_string(), " attempts left."].concat(),
    },
    code_expires_in: "The code expires in ",
    use_passkey: "Continue with passkey",
    use_code: "Send me a code instead",
    cancel: "Cancel payment",
    open_wallet: "Open wallet",
    pay_another_way: "Pay another way",
    continue_here: "Continue here",
    start_again: "Start again",
    back_to_shop: "Back to the shop",
    copy: "Copy",
    copy_fact: |fact| ["Copy ", fact].concat(),
    copied: |fact| [fact, " copied."].concat(),
    not_copied: "Your browser didn’t allow copying. Select the text instead.",
    holder_of_account: "Account holder",
    reference: "Reference",
    received: "Received",
    still_due: "Amount to transfer",
    until: "Pay by",
    offer: "Save a passkey and skip the code next time.",
    keep_passkey: "Save a passkey",
    no_thanks: "Not now",
    order_number: "Order",
    payment_method: "Payment method",
    date: "Date",
    refunded: "Refunded",
    panels: &PANELS,
    errors: &ERRORS,
};

/// The first stands for every code that is not listed.
static PANELS: [(&str, &str, &str); 26] = [
    (
        "",
        "Something’s wrong with this checkout",
        "You haven’t been charged. Go back to the shop and start again.",
    ),
    (
        "checking",
        "We’re checking your payment",
        "Don’t pay again yet. This can take a moment, and you can leave this page open.",
    ),
    (
        "interrupted",
        "The connection was interrupted",
        "It’s safe to try again. You won’t be charged twice.",
    ),
    (
        "unreachable",
        "We can’t connect right now",
        "You haven’t been charged. Check your connection, then try again.",
    ),
    (
        "session_expired",
        "This checkout has timed out",
        "It can’t take a payment any more. If you haven’t paid yet, go back to the shop to start \
         again.",
    ),
    (
        "too_many_attempts",
        "Too many attempts",
        "You haven’t been charged. Go back to the shop to start again.",
    ),
    (
        "outcome_unknown",
        "We couldn’t confirm your payment",
        "It may have gone through, so don’t pay again. The shop will tell you as soon as the bank \
         responds.",
    ),
    (
        "possibly_paid",
        "You may already have paid",
        "Your bank has this payment already, so don’t pay again. Check your orders, or ask the \
         shop.",
    ),
    (
        "origin_not_allowed",
        "This shop isn’t set up to take payments here",
        "You haven’t been charged. Please contact the shop.",
    ),
    (
        "malformed_order",
        "Something’s wrong with this order",
        "You haven’t been charged. Go back to the shop and start again. If the problem continues, \
         contact the shop.",
    ),
    (
        "order_reused",
        "This checkout can’t be opened again",
        "It may be open in another tab, or it was reloaded too often. Continue there, or go back \
         to the shop to start again.",
    ),
    (
        "open_elsewhere",
        "This checkout is open in another tab",
        "Finish paying there, or continue here. You won’t be charged twice.",
    ),
    (
        "not_embedded",
        "Open this form from a shop",
        "Go to the checkout of the shop you want to pay.",
    ),
    (
        "sealing_key_unusable",
        "We couldn’t secure your card details",
        "Nothing was sent, and you haven’t been charged. Reload the page or try another browser.",
    ),
    (
        "sealed_card_refused",
        "Enter your security code again",
        "We refreshed the secure connection. You haven’t been charged.",
    ),
    (
        "nothing_was_paid",
        "The payment didn’t go through",
        "You haven’t been charged. You can try again.",
    ),
    (
        "payment_voided",
        "The shop cancelled this payment",
        "You haven’t been charged, and the amount on hold has been released.",
    ),
    (
        "cancelled",
        "Payment cancelled",
        "You haven’t been charged. You can pay again whenever you’re ready.",
    ),
    (
        "abandoned",
        "Your last payment wasn’t completed",
        "Reloading the page ended your bank’s check, so an earlier code no longer works. You \
         haven’t been charged: enter your card again.",
    ),
    (
        "method_not_offered",
        "This payment method isn’t available",
        "You haven’t been charged. Choose another one.",
    ),
    (
        "code",
        "Confirm it’s you",
        "Never share this code with anyone.",
    ),
    (
        "passkey",
        "Confirm it’s you",
        "Your bank asks for your passkey: fingerprint, face or screen lock.",
    ),
    (
        "wallet",
        "Confirm in your wallet",
        "We’ve opened your wallet in a new window. Confirm there, then come back here.",
    ),
    (
        "wallet_hidden",
        "Confirm in your wallet",
        "If no window has opened, open your wallet with this link. Confirm there, then come back \
         here.",
    ),
    (
        "wallet_closed",
        "Confirm in your wallet",
        "Your wallet isn’t open. Open it to confirm the payment.",
    ),
    (
        "transfer",
        "Complete your bank transfer",
        "We’ll confirm your order when your transfer arrives. You can close this page.",
    ),
];

/// The first stands for every code that is not listed.
static ERRORS: [(&str, &str); 32] = [
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
    ("holder_missing", "Enter the name on the card."),
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
    ("code_incomplete", "Enter all 6 digits."),
    (
        "code_refused",
        "That code isn’t right. Check it or get a new one.",
    ),
    ("code_expired", "This code has expired. Get a new one."),
    ("security_code_again", "Enter the security code again."),
    ("code_sent", "We’ve sent a new code."),
    (
        "resend_refused",
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
        "passkey_unused",
        "We couldn’t verify your passkey. Try again or get a code.",
    ),
    (
        "not_sent",
        "The connection was interrupted. Please try again.",
    ),
    ("passkey_kept", "Your passkey is saved."),
    ("passkey_not_kept", "No passkey was saved."),
];

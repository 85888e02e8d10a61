//! The panels and notices in English.

/// Code, heading and sentence. The first is the fallback.
pub(super) static PANELS: [(&str, &str, &str); 28] = [
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
        "instrument_unavailable",
        "This card is no longer saved",
        "You haven’t been charged. Choose another card.",
    ),
    (
        "consent",
        "One more thing before you pay",
        "Read what you agree to below, then pay. You haven’t been charged yet.",
    ),
    (
        "payment_not_made",
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

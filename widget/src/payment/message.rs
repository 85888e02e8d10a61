//! The messages to the page that embeds the form. None of them can carry card digits.

use sealpay_protocol::api::{Advice, Method, ShopperState};
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::PaymentId;

/// A message to the host page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostMessage {
    /// The form can be used.
    Ready,
    /// The form changed.
    Change {
        /// Every field is complete and valid.
        complete: bool,
        /// The card brand, once it is unambiguous.
        brand: Option<Brand>,
    },
    /// The payment was approved.
    Complete {
        /// The payment.
        payment: PaymentId,
        /// The merchant's order reference.
        order_ref: String,
        /// `authorized`, `captured`, or `pending` for a direct debit.
        state: ShopperState,
        /// The receipt offers a passkey: a page that redirects should wait.
        has_offer: bool,
        /// The reference of the mandate, of a direct debit.
        mandate: Option<String>,
    },
    /// The shopper accepted, declined or is considering the offer.
    Offer {
        /// Whether the shopper has decided.
        is_settled: bool,
    },
    /// The shopper has to confirm. Nothing more is disclosed: it is between shopper and bank.
    Challenge {
        /// `code`, `passkey` or `wallet`.
        kind: &'static str,
    },
    /// The shopper has the transfer instructions; the money arrives later or never.
    Pending {
        /// The payment.
        payment: PaymentId,
        /// The merchant's order reference.
        order_ref: String,
        /// The payment method.
        method: Method,
    },
    /// The payment was declined; the shopper may try again.
    Decline {
        /// The payment.
        payment: PaymentId,
        /// The advice shown to the shopper.
        advice: Advice,
    },
    /// The checkout is over, but the host page can supply another order.
    Expired {
        /// Why it is over.
        code: &'static str,
    },
    /// The form cannot continue, or not now. The sentence for people is in [`crate::i18n`].
    Error {
        /// A stable code.
        code: String,
    },
}

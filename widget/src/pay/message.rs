//! What the page that embeds the form is told. There is no way to put card digits in here.

use sealpay_protocol::api::{Advice, Method, ShopperState};
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::PaymentId;

/// One message to the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The form can be used.
    Ready,
    /// The form changed.
    Change {
        /// Every field is complete and correct.
        complete: bool,
        /// The brand, when only one is left.
        brand: Option<Brand>,
    },
    /// The payment was approved.
    Complete {
        /// The payment.
        payment: PaymentId,
        /// The merchant's order number.
        order_ref: String,
        /// `authorized` or `captured`.
        state: ShopperState,
        /// The form still has something to offer: a page that goes elsewhere should wait.
        has_offer: bool,
    },
    /// The offer was taken or refused, or is being looked at.
    Offer {
        /// Whether the shopper is done with it.
        is_settled: bool,
    },
    /// The shopper is asked to confirm. Nothing more is said: it is between shopper and bank.
    Challenge {
        /// How: `code`, `passkey` or `wallet`.
        kind: &'static str,
    },
    /// The shopper was told where to transfer the money, which will come later or never.
    Pending {
        /// The payment.
        payment: PaymentId,
        /// The merchant's order number.
        order_ref: String,
        /// How it will be paid.
        method: Method,
    },
    /// The payment was declined; the shopper may try again.
    Decline {
        /// The payment.
        payment: PaymentId,
        /// What the shopper was advised.
        advice: Advice,
    },
    /// With another order of the page the shopper could go on.
    Expired {
        /// Why this one is over.
        code: &'static str,
    },
    /// The form cannot go on, or not now. The sentence for people is in [`crate::texts`].
    Error {
        /// A stable code.
        code: String,
    },
}

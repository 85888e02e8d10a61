//! The payment form in a page: one element and one script.

use maud::{Markup, html};
use sealpay_protocol::origin::Origin;

/// The element becomes the form, and the script is its loader. `assets/shop.js` adds `renewOrder`,
/// which can only be set as a property; both scripts are deferred, so that it is set first.
pub(crate) fn payment_form(verifier: &Origin, signed: &str, reference: &str) -> Markup {
    html! {
        sealpay-checkout
            order=(signed)
            on-complete-url={ "/orders/" (reference) "?from=form" }
            return-url={ "/orders/" (reference) }
            data-sign={ "/checkout/" (reference) "/sign" }
            summary="false"
            accent="#a33d1f" {}
        script src={ (verifier) "/checkout.js" } defer {}
    }
}

//! What a checkout keeps in the tab: the key of its session.
//!
//! A page that is loaded again, or shows the form again, is then the same to the verifier as before.
//! With another key each time it would take the order over from itself, which is allowed a few times
//! only (`SESSION_REBINDS`). The key signs requests about this one order and opens nothing; no card
//! is ever kept. `sessionStorage` is the tab's own and, in a frame, that of this shop's site; where a
//! browser has none for us, each load makes a key of its own.

use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::order;
use zeroize::Zeroizing;

/// A seed of a signing key.
pub type Seed = Zeroizing<[u8; 32]>;

/// The seed that this tab has for an order, or else a fresh one.
#[must_use]
pub fn seed_for(order: &str, fresh: impl FnOnce() -> Seed) -> Seed {
    let storage = web_sys::window().and_then(|window| window.session_storage().ok().flatten());
    let name = ["sealpay:", &base64url(&order::digest(order))].concat();
    let kept = storage
        .as_ref()
        .and_then(|storage| storage.get_item(&name).ok().flatten())
        .and_then(|text| from_base64url(&text))
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if let Some(kept) = kept {
        return Zeroizing::new(kept);
    }
    let seed = fresh();
    if let Some(storage) = storage {
        // A tab without room goes on without.
        let _ = storage.set_item(&name, &base64url(&*seed));
    }
    seed
}

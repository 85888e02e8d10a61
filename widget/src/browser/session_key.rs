//! The session key, kept in the tab.
//!
//! A page that is reloaded, or mounts the form again, then has the same key as before. With another
//! key each time it would take the order over from itself, which is allowed a few times only
//! (`SESSION_REBINDS`). The key signs requests about this one order and decrypts nothing; no card
//! is ever stored. `sessionStorage` belongs to the tab and, in a frame, is partitioned by the
//! shop's site; where a browser denies it, each load makes a new key.

use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::order;
use zeroize::Zeroizing;

/// The seed of a signing key.
pub type Seed = Zeroizing<[u8; 32]>;

/// The stored seed for an order, or else a fresh one.
#[must_use]
pub fn seed_for(order: &str, fresh: impl FnOnce() -> Seed) -> Seed {
    let storage = web_sys::window().and_then(|window| window.session_storage().ok().flatten());
    let name = ["sealpay:", &base64url(&order::digest(order))].concat();
    let stored = storage
        .as_ref()
        .and_then(|storage| storage.get_item(&name).ok().flatten())
        .and_then(|text| from_base64url(&text))
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if let Some(stored) = stored {
        return Zeroizing::new(stored);
    }
    let seed = fresh();
    if let Some(storage) = storage {
        // If the storage is full, the key is not stored.
        let _ = storage.set_item(&name, &base64url(&*seed));
    }
    seed
}

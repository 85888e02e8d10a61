//! The browser: the only module that names `web_sys`, `js_sys` or `gloo`.
//!
//! Everything here is thin: decisions are made in `form` and `payment`.

pub mod appearance;
pub mod clipboard;
pub mod clock;
pub mod document;
pub mod field;
pub mod host;
pub mod intl;
pub mod object;
pub mod passkey;
pub mod random;
pub mod responses;
pub mod session_key;
pub mod transport;
pub mod wallet;

use crate::i18n::Explanation;
use crate::view::{self, Connection};

/// Starts: waits for the host page to supply its order.
pub fn start() {
    let catalog = crate::i18n::Catalog::for_locale(&document::language());
    if !host::is_embedded() {
        let Explanation { heading, sentence } = catalog.panel("not_embedded");
        document::show_failure(heading, sentence);
        return;
    }
    host::connect(|handshake| {
        document::set_colour_scheme(handshake.colour_scheme);
        document::set_appearance(&handshake.appearance);
        if let Some(root) = document::root() {
            let connection = Connection::new(handshake, transport::Transport::to_verifier());
            view::mount(root, connection);
        }
    });
}

//! The browser's edge: the only place that names `web_sys`, `js_sys` or `gloo`.
//!
//! Everything here is thin. What can be decided is decided in `form` and `pay`.

pub mod answer;
pub mod clipboard;
pub mod clock;
pub mod document;
pub mod field;
pub mod international;
pub mod keepsake;
pub mod object;
pub mod page;
pub mod passkey;
pub mod random;
pub mod transport;
pub mod wallet;
pub mod wish;

use crate::view::{self, Connection};

/// Begins: waits for the page that embeds this document to hand over its order.
pub fn start() {
    let texts = crate::texts::Texts::of(&document::language());
    if !page::is_embedded() {
        let (heading, sentence) = texts.panel("not_embedded");
        document::show_failure(heading, sentence);
        return;
    }
    page::connect(|greeting| {
        document::set_colour_scheme(greeting.colour_scheme);
        document::set_appearance(&greeting.appearance);
        if let Some(root) = document::root() {
            let connection = Connection::new(greeting, transport::Transport::to_verifier());
            view::mount(root, connection);
        }
    });
}

//! Renders `form` and `payment` with Yew. Decisions are made there, where the host tests them.
//!
//! Each file takes its own model and a [`yew::Callback`] for messages; only `checkout` knows the
//! component. Differences between payment methods are in [`crate::methods`].

pub(crate) mod action;
pub(crate) mod button;
mod checkout;
mod connection;
pub(crate) mod element;
mod form;
pub(crate) mod icons;
pub(crate) mod msg;
mod notice;
pub(crate) mod panel;
mod receipt;
mod status;
mod summary;

pub use checkout::{Checkout, Properties};
pub use connection::Connection;
pub use msg::Msg;

use crate::browser::field;
use std::rc::Rc;

/// Mounts the form in place of the skeleton.
pub fn mount(root: field::Element, connection: Connection) {
    crate::browser::document::set_language(connection.catalog());
    let properties = Properties {
        connection: Rc::new(connection),
    };
    yew::Renderer::<Checkout>::with_root_and_props(root, properties).render();
}

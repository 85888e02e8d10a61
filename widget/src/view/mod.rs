//! Draws what `form` and `payment` say. No decision is made here that a test on the host could not see.

mod announce;
mod challenge;
mod checkout;
mod effects;
mod element;
mod fields;
mod icons;
mod methods;
mod panel;
mod receipt;
mod summary;
mod transfer;
mod typing;

pub use checkout::{Checkout, Properties};

use crate::appearance::Look;
use crate::browser::host::{ExitOptions, Handshake, Port};
use crate::browser::responses::{Claims, claims_unverified};
use crate::browser::transport::Transport;
use crate::browser::{document, field, random, session_key};
use crate::i18n::Catalog;
use crate::locale;
use crate::payment::request::Credentials;
use std::rc::Rc;
use zeroize::Zeroizing;

/// Everything a checkout needs from outside.
pub struct Connection {
    catalog: &'static Catalog,
    /// Of amounts and dates.
    locale: String,
    look: Look,
    parent_origin: String,
    exit_options: ExitOptions,
    port: Port,
    transport: Transport,
    order: Result<AcceptedOrder, &'static str>,
}

/// An order that this page may show.
struct AcceptedOrder {
    claims: Claims,
    credentials: Credentials,
}

impl Connection {
    /// Looks at the order, without verifying it: the verifier does. A page that the order does not
    /// name gets no form.
    #[must_use]
    pub fn new(handshake: Handshake, transport: Transport) -> Self {
        let Handshake {
            order,
            parent_origin,
            locale,
            appearance,
            exit_options,
            port,
            ..
        } = handshake;
        let base_name = locale::base_name(&locale)
            .or_else(|| locale::base_name(&document::language()))
            .unwrap_or_default();
        let catalog = Catalog::for_locale(&base_name);
        let order = accept_order(order, parent_origin.clone());
        Self {
            catalog,
            locale: locale::in_language(catalog.language, &base_name),
            look: appearance.look,
            parent_origin,
            exit_options,
            port,
            transport,
            order,
        }
    }
}

impl Connection {
    /// The same for another order of the page.
    fn with_order(&self, order: Rc<str>) -> Self {
        Self {
            catalog: self.catalog,
            locale: self.locale.clone(),
            look: self.look,
            parent_origin: self.parent_origin.clone(),
            exit_options: self.exit_options,
            port: self.port.clone(),
            transport: self.transport.clone(),
            order: accept_order(order, self.parent_origin.clone()),
        }
    }
}

fn accept_order(order: Rc<str>, parent_origin: String) -> Result<AcceptedOrder, &'static str> {
    let claims = claims_unverified(&order).ok_or("malformed_order")?;
    if !claims.parent_origins.contains(&parent_origin) {
        return Err("origin_not_allowed");
    }
    let parent_origin = parent_origin.parse().map_err(|_| "origin_not_allowed")?;
    // A page that is loaded again, or mounts again, goes on with the session that it has.
    let seed = session_key::seed_for(&order, || Zeroizing::new(random::bytes()));
    Ok(AcceptedOrder {
        claims,
        credentials: Credentials::new(order, parent_origin, &seed),
    })
}

/// Puts the form in place of the skeleton.
pub fn mount(root: field::Element, connection: Connection) {
    crate::browser::document::set_language(connection.catalog);
    let properties = Properties {
        connection: Rc::new(connection),
    };
    yew::Renderer::<Checkout>::with_root_and_props(root, properties).render();
}

//! What a checkout needs from outside: its order, its texts, the host page and the verifier.

use crate::appearance::Look;
use crate::browser::host::{ExitOptions, Handshake, Port};
use crate::browser::responses::{Claims, claims_unverified};
use crate::browser::transport::Transport;
use crate::browser::{document, random, session_key};
use crate::i18n::Catalog;
use crate::locale;
use crate::payment::request::Credentials;
use std::rc::Rc;
use zeroize::Zeroizing;

/// Everything a checkout needs from outside.
pub struct Connection {
    catalog: &'static Catalog,
    /// Of amounts and dates.
    pub(super) locale: String,
    pub(super) look: Look,
    parent_origin: String,
    pub(super) exit_options: ExitOptions,
    pub(super) port: Port,
    pub(super) transport: Transport,
    /// The order, or the code of why it is rejected.
    pub(super) order: Result<AcceptedOrder, &'static str>,
}

/// An order that this page may show.
pub(super) struct AcceptedOrder {
    pub(super) claims: Claims,
    pub(super) credentials: Credentials,
}

impl Connection {
    /// Reads the order without verifying it: the verifier does that. A page that the order does not
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

    /// The texts in the language of the page.
    pub(super) const fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    /// The same for another order of the page.
    pub(super) fn with_order(&self, order: Rc<str>) -> Self {
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
    // A page that reloads or mounts the form again continues with the session that it has.
    let seed = session_key::seed_for(&order, || Zeroizing::new(random::bytes()));
    Ok(AcceptedOrder {
        claims,
        credentials: Credentials::new(order, parent_origin, &seed),
    })
}

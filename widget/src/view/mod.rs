//! Draws what `form` and `pay` say. No decision is made here that a test on the host could not see.

mod announcing;
mod challenge;
mod checkout;
mod effects;
mod element;
mod fields;
mod marks;
mod methods;
mod panel;
mod receipt;
mod summary;
mod transfer;
mod typing;

pub use checkout::{Checkout, Properties};

use crate::appearance::Look;
use crate::browser::answer::{Claims, claims_unverified};
use crate::browser::page::{Greeting, Port, WayOut};
use crate::browser::transport::Transport;
use crate::browser::{document, field, keepsake, random};
use crate::locale;
use crate::pay::request::Credentials;
use crate::texts::Texts;
use std::rc::Rc;
use zeroize::Zeroizing;

/// Everything a checkout needs from outside.
pub struct Connection {
    texts: &'static Texts,
    /// Of amounts and dates.
    locale: String,
    look: Look,
    parent_origin: String,
    way_out: WayOut,
    port: Port,
    transport: Transport,
    admission: Result<Admitted, &'static str>,
}

/// An order that this page may show.
struct Admitted {
    claims: Claims,
    credentials: Credentials,
}

impl Connection {
    /// Looks at the order, without verifying it: the verifier does. A page that the order does not
    /// name gets no form.
    #[must_use]
    pub fn new(greeting: Greeting, transport: Transport) -> Self {
        let Greeting {
            order,
            parent_origin,
            locale,
            appearance,
            way_out,
            port,
            ..
        } = greeting;
        let base_name = locale::base_name(&locale)
            .or_else(|| locale::base_name(&document::language()))
            .unwrap_or_default();
        let texts = Texts::of(&base_name);
        let admission = admit(order, parent_origin.clone());
        Self {
            texts,
            locale: locale::in_language(texts.language, &base_name),
            look: appearance.look,
            parent_origin,
            way_out,
            port,
            transport,
            admission,
        }
    }
}

impl Connection {
    /// The same for another order of the page.
    fn with_order(&self, order: Rc<str>) -> Self {
        Self {
            texts: self.texts,
            locale: self.locale.clone(),
            look: self.look,
            parent_origin: self.parent_origin.clone(),
            way_out: self.way_out,
            port: self.port.clone(),
            transport: self.transport.clone(),
            admission: admit(order, self.parent_origin.clone()),
        }
    }
}

fn admit(order: Rc<str>, parent_origin: String) -> Result<Admitted, &'static str> {
    let claims = claims_unverified(&order).ok_or("malformed_order")?;
    if !claims.parent_origins.contains(&parent_origin) {
        return Err("origin_not_allowed");
    }
    // A page that is loaded again, or mounts again, goes on with the session that it has.
    let seed = keepsake::seed_for(&order, || Zeroizing::new(random::bytes()));
    Ok(Admitted {
        claims,
        credentials: Credentials::new(order, parent_origin, &seed),
    })
}

/// Puts the form in place of the skeleton.
pub fn mount(root: field::Element, connection: Connection) {
    crate::browser::document::set_language(connection.texts);
    let properties = Properties {
        connection: Rc::new(connection),
    };
    yew::Renderer::<Checkout>::with_root_and_props(root, properties).render();
}

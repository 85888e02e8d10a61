//! What a shopper does: buys, types, presses and reads, in a real browser.

#![expect(clippy::expect_used, reason = "a shopper who cannot go on has to stop")]

use crate::browser::{Session, eventually};
use crate::leaks::Typed;
use thirtyfour::prelude::*;

/// The frame with the form.
pub const FRAME: &str = "iframe[title='Secure card payment']";
/// The button that pays.
pub const PAY: &str = "form button[type=submit]";
/// The heading of what stands in place of the form.
pub const PANEL: &str = ".panel h2";
/// What stands above the fields after a decline.
pub const NOTICE: &str = ".notice";

/// Typed in every test, so that every test can look for it where it must not be.
pub const TYPED: [Typed<'static>; 2] = [
    Typed {
        security_code: "417",
        expiry: "203412",
    },
    Typed {
        security_code: "8351",
        expiry: "203412",
    },
];

/// A card as it is typed.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// The number, as the shopper writes it.
    pub number: &'static str,
    /// The security code.
    pub security_code: &'static str,
}

const fn persona(number: &'static str) -> Card {
    Card {
        number,
        security_code: TYPED[0].security_code,
    }
}

/// Approved.
pub const VISA: Card = persona("4242424242424242");
/// Approved.
pub const MASTERCARD: Card = persona("5555 5555 5555 4444");
/// Approved, with a code of four digits.
pub const AMEX: Card = Card {
    number: "3782-822463-10005",
    security_code: TYPED[1].security_code,
};
/// Declined: insufficient funds.
pub const INSUFFICIENT_FUNDS: Card = persona("4000000000009995");
/// Declined: the security code does not fit.
pub const WRONG_SECURITY_CODE: Card = persona("4000000000000127");

impl Session {
    /// Orders the first product of the shop, and comes to its checkout; the order's reference.
    ///
    /// # Panics
    /// When the shop does not lead there.
    pub async fn order(&self, shop: &str) -> String {
        self.go(shop).await;
        self.press(".product form button[type=submit]").await;
        self.see(FRAME).await;
        let address = self.driver().current_url().await.expect("the page has an address");
        let reference = address.path().strip_prefix("/checkout/");
        reference.unwrap_or_else(|| panic!("{address} is no checkout")).to_owned()
    }

    /// Presses what fits, as soon as it can be seen.
    ///
    /// # Panics
    /// When it cannot be pressed.
    pub async fn press(&self, selector: &str) {
        let element = self.see(selector).await;
        let pressed = element.click().await;
        pressed.unwrap_or_else(|error| panic!("{selector} cannot be pressed: {error}"));
    }

    /// Looks at the page, not at the form in it.
    ///
    /// # Panics
    /// When the browser does not.
    pub async fn enter_page(&self) {
        self.driver().enter_default_frame().await.expect("every frame is in a page");
    }

    /// Looks into the form, as soon as it is open for typing.
    pub async fn enter_form(&self) {
        self.enter_form_in(FRAME).await;
    }

    /// The same for one form of several.
    ///
    /// # Panics
    /// When no form comes.
    pub async fn enter_form_in(&self, frame: &str) {
        self.enter_frame(frame).await;
        self.see("#number").await;
        // The merchant's name comes with the session.
        self.see(".summary h1").await;
    }

    /// Looks into a frame, whatever it shows.
    ///
    /// # Panics
    /// When there is none.
    pub async fn enter_frame(&self, selector: &str) {
        self.enter_page().await;
        let frame = self.see(selector).await;
        frame.enter_frame().await.expect("a frame can be entered");
    }

    /// Types into a field behind what stands there.
    ///
    /// # Panics
    /// When the field takes nothing.
    pub async fn type_into(&self, selector: &str, text: impl Into<TypingData>) {
        let field = self.see(selector).await;
        let typed = field.send_keys(text).await;
        typed.unwrap_or_else(|error| panic!("{selector} takes no text: {error}"));
    }

    /// What stands in a field.
    ///
    /// # Panics
    /// When there is no such field.
    pub async fn value_of(&self, selector: &str) -> String {
        let field = self.see(selector).await;
        field.value().await.expect("a field has a value").unwrap_or_default()
    }

    /// Fills in a card.
    pub async fn fill_in(&self, card: Card) {
        self.type_into("#number", card.number).await;
        self.type_into("#expiry", "1234").await;
        self.type_into("#security-code", card.security_code).await;
    }

    /// Fills in another card over the one that stands there.
    pub async fn replace_card(&self, card: Card) {
        for field in ["#number", "#expiry", "#security-code"] {
            self.type_into(field, Key::Control + "a").await;
            self.type_into(field, Key::Delete).await;
        }
        self.fill_in(card).await;
    }

    /// Pays with a card, from the page with the form on.
    pub async fn pay_with(&self, card: Card) {
        self.enter_form().await;
        self.fill_in(card).await;
        self.press(PAY).await;
    }

    /// Waits on the page until the order is in a state.
    ///
    /// # Panics
    /// When it never is.
    pub async fn see_order(&self, state: &str) {
        self.enter_page().await;
        self.see(&format!("[data-order-state={state}]")).await;
    }

    /// Waits until the page has heard an event of the form, and gives its detail.
    ///
    /// # Panics
    /// When it never hears it.
    pub async fn hear(&self, event: &str) -> serde_json::Value {
        self.enter_page().await;
        eventually(&format!("the event {event}"), async || {
            let heard = self.heard().await;
            let events = heard["events"].as_array()?;
            let found = events.iter().find(|heard| heard["type"] == event)?;
            Some(found["detail"].clone())
        })
        .await
    }
}

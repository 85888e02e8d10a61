//! What a shopper does: buys, types, presses and reads, in a real browser.

use crate::browser::{Session, eventually, unless_stale};
use crate::engine::Engine;
use crate::leaks::Typed;
use sealpay_simulator::persona::{self, Persona};
use serde_json::{Value, json};
use thirtyfour::prelude::*;

/// The frame with the form.
pub const FRAME: &str = "iframe[title='Secure payment form']";
/// The button that pays.
pub const PAY: &str = "form button[type=submit]";
/// The heading of what stands in place of the form.
pub const PANEL: &str = ".panel h2";
/// What stands above the fields after a decline.
pub const NOTICE: &str = ".notice";

/// The button that confirms a code.
pub const CONFIRM: &str = ".panel form button[type=submit]";
/// What is said about a code or a passkey.
pub const NOTE: &str = "#code-note";

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

/// More stops for Tab than any page here has.
const STOPS: usize = 80;

/// A card as it is typed.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// The number, as the shopper writes it.
    pub number: &'static str,
    /// The security code.
    pub security_code: &'static str,
}

const fn card(number: &'static str) -> Card {
    Card {
        number,
        security_code: TYPED[0].security_code,
    }
}

/// Approved.
pub const VISA: Card = card("4242424242424242");
/// Approved.
pub const MASTERCARD: Card = card("5555 5555 5555 4444");
/// Approved, with a code of four digits.
pub const AMEX: Card = Card {
    number: "3782-822463-10005",
    security_code: TYPED[1].security_code,
};
/// Declined: insufficient funds.
pub const INSUFFICIENT_FUNDS: Card = card("4000000000009995");
/// Declined: the security code does not fit.
pub const WRONG_SECURITY_CODE: Card = card("4000000000000127");

/// The card for an outcome of the simulated bank.
#[must_use]
pub fn persona_for(outcome: &str) -> Card {
    let fits = |persona: &&Persona| persona.outcome == outcome;
    let found = persona::all()
        .iter()
        .find(fits)
        .expect("every outcome has a card");
    card(&found.number)
}

impl Session {
    /// By keyboard alone, from the page into the form, up to the field of a selector.
    pub async fn tab_into_form(&self, field: &str) {
        self.enter_form().await;
        self.enter_page().await;
        self.tab_until("document.activeElement.matches('iframe')")
            .await;
        self.enter_frame(FRAME).await;
        let is_there = format!("document.activeElement.matches('{field}')");
        self.tab_until(&is_there).await;
    }

    /// Orders the first product of the shop, and comes to its checkout; the order's reference.
    pub async fn order(&self, shop: &str) -> String {
        self.go(shop).await;
        self.press(".product form button[type=submit]").await;
        self.see(FRAME).await;
        let address = self
            .driver()
            .current_url()
            .await
            .expect("the page has an address");
        let reference = address.path().strip_prefix("/checkout/");
        reference
            .unwrap_or_else(|| panic!("{address} is no checkout"))
            .to_owned()
    }

    /// Presses what fits, as soon as it can be seen.
    pub async fn press(&self, selector: &str) {
        eventually(selector, async || {
            let element = self.see(selector).await;
            self.expect_a_click().await;
            let clicked = element.click().await;
            if clicked.is_err() && self.was_clicked().await {
                return Some(());
            }
            unless_stale(selector, clicked)
        })
        .await;
    }

    async fn expect_a_click(&self) {
        self.evaluate(
            "window.wasClicked = false; \
             document.addEventListener('click', () => window.wasClicked = true, \
             { capture: true, once: true })",
        )
        .await;
    }

    /// Whether the page has heard a click since it was expected. A driver can report a button as
    /// stale because the click has removed it.
    async fn was_clicked(&self) -> bool {
        self.is_true("window.wasClicked !== false").await
    }

    /// Presses the button with these words, as soon as it can be pressed.
    pub async fn press_button(&self, words: &str) {
        let path = format!("//button[contains(normalize-space(.), '{words}')]");
        eventually(&format!("the button {words:?}"), async || {
            let button = self.driver().find(By::XPath(path.as_str())).await.ok()?;
            let can_be_pressed =
                button.is_displayed().await.ok()? && button.is_enabled().await.ok()?;
            if !can_be_pressed {
                return None;
            }
            self.expect_a_click().await;
            let clicked = button.click().await.is_ok() || self.was_clicked().await;
            clicked.then_some(())
        })
        .await;
    }

    /// Presses keys, wherever they go.
    pub async fn press_keys(&self, keys: impl Into<TypingData>) {
        let pressing = self.driver().action_chain().send_keys(keys);
        pressing.perform().await.expect("keys can be pressed");
    }

    /// Whether something is so in the current frame.
    pub async fn is_true(&self, expression: &str) -> bool {
        self.evaluate(&format!("return {expression}")).await == true
    }

    /// Fails unless something is so.
    pub async fn assert_true(&self, expression: &str) {
        assert!(self.is_true(expression).await, "{expression}");
    }

    /// Waits until something is so.
    pub async fn wait_until(&self, expression: &str) {
        eventually(expression, async || {
            self.is_true(expression).await.then_some(())
        })
        .await;
    }

    /// Goes on by Tab until something is so.
    pub async fn tab_until(&self, expression: &str) {
        for _ in 0..STOPS {
            if self.is_true(expression).await {
                return;
            }
            self.press_keys(Key::Tab).await;
        }
        panic!("Tab never leads to: {expression}");
    }

    /// Looks at the page, not at the form in it.
    pub async fn enter_page(&self) {
        self.driver()
            .enter_default_frame()
            .await
            .expect("every frame is in a page");
    }

    /// Makes the page stay where it is when the payment is complete, as any page may by cancelling
    /// the event; otherwise it leaves a second later.
    pub async fn stay(&self) {
        self.enter_page().await;
        let script = "document.addEventListener('sealpay:complete', (event) => {
                        event.preventDefault();
                      })";
        self.evaluate(script).await;
    }

    /// Looks into the form, as soon as it is open for typing.
    pub async fn enter_form(&self) {
        self.enter_form_in(FRAME).await;
    }

    /// The same for one form of several.
    pub async fn enter_form_in(&self, frame: &str) {
        self.enter_frame(frame).await;
        self.see("#number").await;
        // That it is a test, only the session says.
        self.see(".test-mode").await;
    }

    /// Looks into a frame, whatever it shows.
    pub async fn enter_frame(&self, selector: &str) {
        self.enter_page().await;
        eventually(selector, async || {
            unless_stale(selector, self.see(selector).await.enter_frame().await)
        })
        .await;
    }

    async fn enter_form_of_any_method(&self) {
        self.enter_frame(FRAME).await;
        self.see(".methods").await;
        // That it is a test, only the session says.
        self.see(".test-mode").await;
    }

    /// Types into a field behind what stands there.
    pub async fn type_into(&self, selector: &str, text: impl Into<TypingData>) {
        if self.engine() == Engine::WebKit {
            // Its driver refuses a field in a frame that it has not focused itself.
            let is_focused = format!("document.activeElement?.matches({})", json!(selector));
            eventually(&format!("{selector} in focus"), async || {
                self.see(selector).await.click().await.ok()?;
                self.is_true(&is_focused).await.then_some(())
            })
            .await;
            return self.press_keys(text).await;
        }
        let text = String::from_iter(text.into().as_vec());
        eventually(selector, async || {
            let field = self.see(selector).await;
            unless_stale(selector, field.send_keys(text.as_str()).await)
        })
        .await;
    }

    /// Deletes what stands in a field, by the keyboard.
    async fn empty(&self, field: &str) {
        if self.engine() == Engine::WebKit {
            // Its driver does not hold a key down in a frame.
            let select = format!("document.querySelector({}).select()", json!(field));
            self.see(field).await;
            self.evaluate(&select).await;
            self.press_keys(Key::Delete).await;
        } else {
            self.type_into(field, Key::Control + "a").await;
            self.type_into(field, Key::Delete).await;
        }
    }

    /// What stands in a field.
    pub async fn value_of(&self, selector: &str) -> String {
        let value = eventually(selector, async || {
            unless_stale(selector, self.see(selector).await.value().await)
        })
        .await;
        value.unwrap_or_default()
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
            self.empty(field).await;
        }
        self.fill_in(card).await;
    }

    /// Pays with the card that stands there already: only its security code is asked again.
    pub async fn pay_again_with(&self, card: Card) {
        self.type_into("#security-code", card.security_code).await;
        self.press(PAY).await;
    }

    /// Pays with a card, from the page with the form on.
    pub async fn pay_with(&self, card: Card) {
        self.enter_form().await;
        self.fill_in(card).await;
        self.press(PAY).await;
    }

    /// Chooses a way to pay, by its name in the interface.
    pub async fn choose(&self, method: &str) {
        self.enter_form_of_any_method().await;
        self.press(&format!("label:has(input[value={method}])"))
            .await;
    }

    /// Pays without a card, from the page with the form on.
    pub async fn pay_by(&self, method: &str) {
        self.choose(method).await;
        self.press(PAY).await;
    }

    /// Types a code over what stands there, and confirms it.
    pub async fn confirm_code(&self, code: &str) {
        self.empty("#code").await;
        self.type_into("#code", code).await;
        self.press(CONFIRM).await;
    }

    /// Where in the window something of the form stands, and scrolls there.
    pub async fn aim(&self, selector: &str) -> (i64, i64) {
        let place = "const { x, y, width, height } = arguments[0].getBoundingClientRect();
                     return [x, y, x + width / 2, y + height / 2].map(Math.round)";
        let element = self.see(selector).await;
        element
            .scroll_into_view()
            .await
            .expect("what is seen can be scrolled to");
        let inside = self
            .run(place, vec![element.to_json().expect("an element")])
            .await;
        self.enter_page().await;
        let frame = self.see(FRAME).await;
        let frame = frame.to_json().expect("an element");
        let outside = self.run(place, vec![frame]).await;
        self.enter_frame(FRAME).await;
        let whole = |value: &Value| value.as_i64().expect("a whole number");
        (
            whole(&inside[2]) + whole(&outside[0]),
            whole(&inside[3]) + whole(&outside[1]),
        )
    }

    /// Clicks with the mouse, so often and so quickly as one event follows another. The driver's
    /// own click would wait for the page in between.
    pub async fn click_quickly(&self, (x, y): (i64, i64), times: u32) {
        for count in 1..=times {
            for kind in ["mousePressed", "mouseReleased"] {
                let event = json!({ "type": kind, "x": x, "y": y, "button": "left",
                                    "clickCount": count });
                self.developer_tools("Input.dispatchMouseEvent", event)
                    .await;
            }
        }
    }

    /// Waits on the page until the order is in a state.
    pub async fn see_order(&self, state: &str) {
        self.enter_page().await;
        self.see(&format!("[data-order-state={state}]")).await;
    }

    /// Waits until the page has heard an event of the form, and gives its detail.
    pub async fn hear(&self, event: &str) -> serde_json::Value {
        self.enter_page().await;
        eventually(&format!("the event {event}"), async || {
            let heard = self.recorded_events().await;
            let events = heard["events"].as_array()?;
            let found = events.iter().find(|heard| heard["type"] == event)?;
            Some(found["detail"].clone())
        })
        .await
    }
}

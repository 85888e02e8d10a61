//! What the panels of required actions share: their model, the feedback, and their buttons.

use super::button::plain_button;
use super::element::{Element, element};
use super::msg::Msg;
use super::panel::{self, Panel};
use crate::i18n::Catalog;
use crate::payment::ActionRequired;
use sealpay_protocol::api::ActionView;
use yew::{Callback, Html, NodeRef};

/// A payment that waits for the shopper.
pub(crate) struct ActionModel<'a> {
    pub(crate) catalog: &'static Catalog,
    pub(crate) locale: &'a str,
    pub(crate) required: &'a ActionRequired,
    pub(crate) payee: &'a str,
    pub(crate) total: &'a str,
    /// A response of the shopper is under way.
    pub(crate) is_busy: bool,
    /// The verifier's time, seconds since 1970.
    pub(crate) now: u64,
    pub(crate) wallet: WalletPage<'a>,
    pub(crate) heading: &'static str,
    pub(crate) heading_ref: &'a NodeRef,
    pub(crate) code_ref: &'a NodeRef,
}

/// The page of the wallet.
#[derive(Clone, Copy)]
pub(crate) enum WalletPage<'a> {
    /// Its window is open.
    Open,
    /// No window is open.
    Closed,
    /// The browser does not report whether a window opened; the page has this address.
    Unknown(Option<&'a str>),
}

impl ActionModel<'_> {
    /// The panel; the caller appends the content.
    pub(crate) fn panel(&self, icon: Html) -> Element {
        let panel = Panel {
            kind: None,
            icon,
            heading: self.heading,
            heading_ref: self.heading_ref,
            is_receipt: false,
        };
        panel.view()
    }

    /// Payee and amount, which the shopper should see before confirming.
    pub(crate) fn order_lines(&self) -> Element {
        panel::lines()
            .line(self.catalog.payee, self.payee)
            .line(self.catalog.amount, self.total)
    }

    /// The seconds until a time of the verifier's clock.
    pub(crate) const fn seconds_until(&self, time: u64) -> u64 {
        time.saturating_sub(self.now)
    }

    fn feedback_code(&self) -> Option<&'static str> {
        self.required.feedback.or(match &self.required.action {
            ActionView::Code(code) if self.seconds_until(code.expires_at) == 0 => {
                Some("code_expired")
            }
            _ => None,
        })
    }

    /// Whether the feedback is an error.
    pub(crate) fn has_error(&self) -> bool {
        self.feedback_code().is_some_and(|code| code != "code_sent")
    }

    /// The feedback on the shopper's last input.
    pub(crate) fn feedback(&self) -> Option<String> {
        let code = self.feedback_code()?;
        let mut feedback = self.catalog.error(code).to_owned();
        if code == "code_refused"
            && let ActionView::Code(code) = &self.required.action
        {
            feedback.extend([" ", &(self.catalog.attempts_left)(code.attempts_left)]);
        }
        Some(feedback)
    }

    /// The feedback as an element, empty without one.
    pub(crate) fn feedback_note(&self) -> Element {
        element("p")
            .attrs("id=code-note;class=beneath")
            .attr_opt("data-kind", self.has_error().then_some("error"))
            .text(&self.feedback().unwrap_or_default())
    }

    /// A button that acts on the challenge.
    pub(crate) fn button(
        &self,
        on: &Callback<Msg>,
        look: &'static str,
        label: &str,
        message: fn() -> Msg,
    ) -> Element {
        plain_button(look, label)
            // Not `disabled`, which would lose the focus. The state machine ignores a second
            // action.
            .attr_opt("aria-disabled", self.is_busy.then_some("true"))
            .on_click(on, message)
    }
}

//! Announcements of the live region, and where the focus moves.

use super::Checkout;
use super::effects::WARNING_SECONDS;
use crate::browser::{clock, document, field, intl};
use crate::i18n::Explanation;
use crate::payment::{PasskeyOffer, Phase};
use crate::view::msg::Focus;
use crate::view::{notice, receipt};
use sealpay_protocol::api::ActionView;

/// What was shown before an event.
pub(super) struct Before {
    is_busy: bool,
    has_offer: bool,
    panel: Option<String>,
}

impl Checkout {
    pub(super) fn shown(&self) -> Before {
        Before {
            is_busy: self.is_busy(),
            has_offer: matches!(
                self.state.phase(),
                Phase::Paid {
                    offer: PasskeyOffer::Available | PasskeyOffer::Failed,
                    ..
                }
            ),
            panel: self.panel_code().map(str::to_owned),
        }
    }

    fn is_busy(&self) -> bool {
        self.state.is_processing()
            || self.state.is_authenticating()
            || self.state.is_in_passkey_dialog()
    }

    /// Has the live region read a text, even if it is the same as before.
    pub(super) fn announce(&mut self, text: String) {
        let change = if self.announcement == text {
            "\u{a0}"
        } else {
            ""
        };
        self.announcement = [&text, change].concat();
    }

    /// Announces a change once: by focusing the new heading if the shopper is here, or else by the
    /// live region.
    pub(super) fn announce_change(&mut self, before: &Before) {
        let panel = self.panel_code();
        if panel.is_some() && panel != before.panel.as_deref() {
            if document::has_focus() {
                let is_code = panel == Some("code");
                self.focus = Some(if is_code { Focus::Code } else { Focus::Heading });
                self.announcement = String::new();
            } else {
                self.announcement = self.panel_announcement();
            }
        } else if self.is_busy() {
            if !before.is_busy {
                self.announcement = self.connection.catalog().processing.into();
                if matches!(
                    self.state.phase(),
                    Phase::Sealing { .. } | Phase::Paying { .. }
                ) {
                    self.reveal_button();
                }
            }
        } else if self.focus == Some(Focus::Notice) {
            // A screen reader reads the focused notice.
            self.announcement = String::new();
        } else if let Some(feedback) = self.feedback() {
            self.announcement = feedback;
        }
        self.follow_offer(before);
    }

    fn panel_announcement(&self) -> String {
        match self.state.phase() {
            Phase::Paid { payment, offer } => self.receipt_model(payment, *offer).announcement(),
            _ => self.heading().into(),
        }
    }

    /// The button that was pressed disappears: the focus moves to its result.
    fn follow_offer(&mut self, before: &Before) {
        let Phase::Paid { offer, .. } = self.state.phase() else {
            return;
        };
        if before.has_offer && document::has_focus() {
            match offer {
                PasskeyOffer::Saved => self.focus = Some(Focus::Offer),
                PasskeyOffer::None => self.focus = Some(Focus::Heading),
                PasskeyOffer::Available | PasskeyOffer::Failed => {}
            }
        }
    }

    /// The keyboard of a phone, or a long page, may hide that a payment has started.
    fn reveal_button(&self) {
        if let Some(button) = self.pay.cast::<field::Element>() {
            let (top, bottom) = field::extent(&button);
            self.connection.port.reveal(top, bottom);
        }
    }

    /// Warns that the session ends, if the shopper still has to pay.
    pub(super) fn warn_of_session_end(&mut self) {
        self.session_ends_soon = true;
        if self.notice().is_none()
            && let Some(warning) = self.session_warning()
        {
            self.announce(warning);
        }
    }

    /// When the session ends, if that is soon.
    pub(super) fn session_warning(&self) -> Option<String> {
        let session = self.state.session().filter(|_| self.session_ends_soon)?;
        let left = session.expires_at.saturating_sub(self.verifier_now());
        // A renewed session ends later.
        (1..=WARNING_SECONDS).contains(&left).then(|| {
            // In the time of the shopper's own clock, which may be wrong.
            let time = intl::time(&self.connection.locale, clock::now() + left);
            (self.connection.catalog().session_ends_at)(&time)
        })
    }

    /// Whether the one-time code expires in this second.
    pub(super) fn code_has_just_expired(&self) -> bool {
        let Phase::ActionRequired(required) = self.state.phase() else {
            return false;
        };
        let ActionView::Code(code) = &required.action else {
            return false;
        };
        let now = self.verifier_now();
        required.feedback.is_none() && code.expires_at <= now && now < code.expires_at + 2
    }

    /// Feedback besides a heading.
    fn feedback(&self) -> Option<String> {
        let catalog = self.connection.catalog();
        match self.state.phase() {
            Phase::Form {
                notice: Some(notice),
            } => {
                let Explanation { heading, sentence } = notice::explanation(catalog, notice);
                Some([heading, ". ", sentence].concat())
            }
            Phase::ActionRequired(required) => self.action_model(required).feedback(),
            Phase::Paid { offer, .. } => {
                receipt::offer_code(*offer).map(|code| catalog.error(code).to_owned())
            }
            _ => None,
        }
    }
}

//! What is said to shoppers who do not look, and where they are put.

use super::checkout::{Checkout, Focus};
use super::effects::WARNING_SECONDS;
use super::{challenge, fields, panel, receipt};
use crate::browser::{clock, document, field, intl};
use crate::i18n::Explanation;
use crate::payment::{PasskeyOffer, Phase};

impl Checkout {
    pub(super) fn is_busy(&self) -> bool {
        self.state.is_processing()
            || self.state.is_authenticating()
            || self.state.is_in_passkey_dialog()
    }

    /// Has the live region say something, also when it has just said the same.
    pub(super) fn say(&mut self, words: String) {
        let again = if self.announcement == words {
            "\u{a0}"
        } else {
            ""
        };
        self.announcement = [&words, again].concat();
    }

    /// Says once what has changed: by moving to the new heading when the shopper is here, or else
    /// by the live region.
    pub(super) fn announce(&mut self, was_busy: bool, had_offer: bool, before: Option<String>) {
        let catalog = self.connection.catalog;
        let panel = self.panel_code();
        if panel.is_some() && panel != before.as_deref() {
            if document::has_focus() {
                let is_code = panel == Some("code");
                self.focus = Some(if is_code { Focus::Code } else { Focus::Heading });
                self.announcement = String::new();
            } else {
                self.announcement = panel::words_of(self);
            }
        } else if self.is_busy() {
            if !was_busy {
                self.announcement = catalog.processing.into();
                if matches!(
                    self.state.phase(),
                    Phase::Sealing { .. } | Phase::Paying { .. }
                ) {
                    self.reveal_button();
                }
            }
        } else if matches!(self.focus, Some(Focus::Notice)) {
            // Read where the shopper is put.
            self.announcement = String::new();
        } else if let Some(words) = self.words() {
            self.announcement = words;
        }
        self.follow_offer(had_offer);
    }

    /// The button that was pressed goes away: the shopper is put where its answer stands.
    fn follow_offer(&mut self, had_offer: bool) {
        let Phase::Paid { offer, .. } = self.state.phase() else {
            return;
        };
        if had_offer && document::has_focus() {
            match offer {
                PasskeyOffer::Saved => self.focus = Some(Focus::Offer),
                PasskeyOffer::None => self.focus = Some(Focus::Heading),
                PasskeyOffer::Available | PasskeyOffer::Failed => {}
            }
        }
    }

    pub(super) fn has_offer(&self) -> bool {
        matches!(
            self.state.phase(),
            Phase::Paid {
                offer: PasskeyOffer::Available | PasskeyOffer::Failed,
                ..
            }
        )
    }

    /// A phone's keyboard, or a long page, may hide that something has begun.
    fn reveal_button(&self) {
        if let Some(button) = self.pay.cast::<field::Element>() {
            let (top, bottom) = field::extent(&button);
            self.connection.port.reveal(top, bottom);
        }
    }

    /// Warns that the session ends, where the shopper still has to pay.
    pub(super) fn warn(&mut self) {
        self.ends_soon = true;
        if self.notice().is_none()
            && let Some(sentence) = self.ends_at()
        {
            self.say(sentence);
        }
    }

    /// When the session ends, once it is about to.
    pub(super) fn ends_at(&self) -> Option<String> {
        let session = self.state.session().filter(|_| self.ends_soon)?;
        // In the time of the shopper's own clock, which may be wrong.
        let left = self.seconds_until(session.expires_at);
        // A renewed session has its end later.
        (1..=WARNING_SECONDS).contains(&left).then(|| {
            let time = intl::time(&self.connection.locale, clock::now() + left);
            (self.connection.catalog.session_ends_at)(&time)
        })
    }

    /// What there is to say besides a heading.
    fn words(&self) -> Option<String> {
        let catalog = self.connection.catalog;
        match self.state.phase() {
            Phase::Form {
                notice: Some(notice),
            } => {
                let Explanation { heading, sentence } = fields::explanation(catalog, notice);
                Some([heading, ". ", sentence].concat())
            }
            Phase::ActionRequired(required) => challenge::words_of(self, required),
            Phase::Paid { offer, .. } => {
                receipt::code_of(*offer).map(|code| catalog.error(code).to_owned())
            }
            _ => None,
        }
    }
}

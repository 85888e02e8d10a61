//! The saved cards: the one to pay with, and the removal of one.
//!
//! The list itself belongs to the session.

use sealpay_protocol::api::InstrumentView;
use sealpay_protocol::card::{Expiry, ExpiryError, YearMonth};
use sealpay_protocol::ids::{AttemptId, InstrumentId};

/// The choice of the shopper.
#[derive(Debug, Default)]
pub struct SavedCards {
    choice: Choice,
    removal: Removal,
    saves_card: bool,
}

#[derive(Debug, Default)]
enum Choice {
    /// The first card that has not expired.
    #[default]
    First,
    Saved(InstrumentId),
    Another,
}

/// The removal of a saved card: at most one at a time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// None was requested.
    #[default]
    None,
    /// The shopper is asked whether to remove the card.
    Asked(InstrumentId),
    /// The request was sent.
    Sent(InstrumentId, AttemptId),
    /// The card was not removed. If the outcome is unknown, the same request is sent again.
    Failed(InstrumentId, Option<AttemptId>),
    /// The shopper keeps the card.
    Kept(InstrumentId),
}

/// What the shopper does about the removal of a card.
#[derive(Debug, Clone, Copy)]
pub enum RemovalStep {
    /// Asks for it.
    Ask(InstrumentId),
    /// Confirms it.
    Confirm,
    /// Keeps the card.
    Keep,
}

impl SavedCards {
    /// The shopper chose a saved card, or another card with `None`.
    pub fn choose(&mut self, card: Option<InstrumentId>) {
        self.choice = card.map_or(Choice::Another, Choice::Saved);
    }

    /// The saved card to pay with: the chosen one, or else the first that has not expired. `None`
    /// if the shopper enters a card.
    #[must_use]
    pub fn selected<'a>(
        &self,
        cards: &'a [InstrumentView],
        today: YearMonth,
    ) -> Option<&'a InstrumentView> {
        let usable = || cards.iter().filter(|card| !is_expired(card, today));
        let chosen = match self.choice {
            Choice::First => None,
            Choice::Saved(id) => usable().find(|card| card.id == id),
            Choice::Another => return None,
        };
        chosen.or_else(|| usable().next())
    }

    /// The shopper ticked or unticked the box that saves the card entered.
    pub const fn toggle_saving(&mut self) {
        self.saves_card = !self.saves_card;
    }

    /// Whether the card entered is to be saved.
    #[must_use]
    pub const fn saves_card(&self) -> bool {
        self.saves_card
    }

    /// The removal under way.
    #[must_use]
    pub const fn removal(&self) -> Removal {
        self.removal
    }

    /// Whether this card is being removed, so that nothing can be paid with it.
    #[must_use]
    pub fn is_removing(&self, card: InstrumentId) -> bool {
        matches!(self.removal, Removal::Sent(id, _) if id == card)
    }

    /// Takes a step of the shopper. Returns the request to send, if any: `attempt` is its
    /// `Idempotency-Key`, unless an earlier request is repeated.
    pub fn step(
        &mut self,
        step: RemovalStep,
        attempt: AttemptId,
    ) -> Option<(InstrumentId, AttemptId)> {
        self.removal = match (self.removal, step) {
            // One request at a time.
            (Removal::Sent(..), _) => return None,
            (_, RemovalStep::Ask(id)) => Removal::Asked(id),
            (Removal::Asked(id), RemovalStep::Confirm) => Removal::Sent(id, attempt),
            (Removal::Failed(id, sent), RemovalStep::Confirm) => {
                Removal::Sent(id, sent.unwrap_or(attempt))
            }
            (Removal::Asked(id) | Removal::Failed(id, _), RemovalStep::Keep) => Removal::Kept(id),
            (removal, _) => removal,
        };
        match self.removal {
            Removal::Sent(id, attempt) => Some((id, attempt)),
            _ => None,
        }
    }

    /// The card of the request under way; `None` if this is another request, such as one of a
    /// previous order.
    #[must_use]
    pub fn card_of_request(&self, attempt: AttemptId) -> Option<InstrumentId> {
        match self.removal {
            Removal::Sent(id, sent) if sent == attempt => Some(id),
            _ => None,
        }
    }

    /// Takes the outcome of the request under way: whether the card was removed, if that is known.
    pub const fn finish(&mut self, is_removed: Option<bool>) {
        if let Removal::Sent(id, attempt) = self.removal {
            self.removal = match is_removed {
                Some(true) => Removal::None,
                Some(false) => Removal::Failed(id, None),
                None => Removal::Failed(id, Some(attempt)),
            };
        }
    }
}

/// Whether a saved card can no longer pay.
#[must_use]
pub fn is_expired(card: &InstrumentView, today: YearMonth) -> bool {
    Expiry::parse(&card.expiry, today) == Err(ExpiryError::InThePast)
}

/// The expiry as a card has it: `08/29` for `2029-08`.
#[must_use]
pub fn printed_expiry(card: &InstrumentView) -> String {
    let (year, month) = card.expiry.split_once('-').unwrap_or_default();
    [month, "/", year.get(2..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use super::{Removal, RemovalStep, SavedCards, is_expired, printed_expiry};
    use sealpay_protocol::api::InstrumentView;
    use sealpay_protocol::card::YearMonth;
    use sealpay_protocol::ids::{AttemptId, InstrumentId};

    fn id(number: u8) -> InstrumentId {
        InstrumentId::new(1, [number; 10])
    }

    fn attempt(number: u8) -> AttemptId {
        AttemptId::new(1, [number; 10])
    }

    fn card(number: u8, expiry: &str) -> InstrumentView {
        InstrumentView {
            id: id(number),
            brand: "visa".into(),
            last4: "4242".into(),
            expiry: expiry.into(),
        }
    }

    fn today() -> YearMonth {
        YearMonth::new(2026, 11).unwrap()
    }

    #[test]
    fn cards_expire_after_their_month_and_not_before() {
        for (expiry, expected) in [
            ("2026-10", true),
            ("2026-11", false),
            ("2026-12", false),
            ("2025-12", true),
            ("2099-01", false),
            ("", false),
        ] {
            assert_eq!(is_expired(&card(1, expiry), today()), expected, "{expiry}");
        }
    }

    #[test]
    fn expiry_is_printed_as_on_the_card() {
        for (expiry, expected) in [("2029-08", "08/29"), ("2030-12", "12/30")] {
            assert_eq!(printed_expiry(&card(1, expiry)), expected);
        }
    }

    #[test]
    fn first_card_that_has_not_expired_is_selected() {
        let (old, second, third) = (card(1, "2026-10"), card(2, "2029-08"), card(3, "2030-01"));
        let all = [old.clone(), second, third];
        type Row<'a> = (
            &'a [InstrumentView],
            Option<Option<InstrumentId>>,
            Option<u8>,
        );
        let rows: [Row<'_>; 8] = [
            (&[], None, None),
            (&all, None, Some(2)),
            (&all, Some(Some(id(3))), Some(3)),
            (&all, Some(None), None),
            // An expired card cannot be chosen.
            (&all, Some(Some(id(1))), Some(2)),
            (&[old], None, None),
            // The chosen card was removed.
            (&all[..2], Some(Some(id(3))), Some(2)),
            (&all[..1], Some(Some(id(3))), None),
        ];
        for (cards, choice, expected) in rows {
            let mut saved = SavedCards::default();
            if let Some(choice) = choice {
                saved.choose(choice);
            }
            let selected = saved.selected(cards, today()).map(|card| card.id);
            assert_eq!(selected, expected.map(id), "{choice:?}");
        }
    }

    #[test]
    fn card_is_removed_once_the_shopper_confirms() {
        let mut saved = SavedCards::default();
        assert_eq!(saved.step(RemovalStep::Confirm, attempt(9)), None);
        assert_eq!(saved.step(RemovalStep::Ask(id(1)), attempt(1)), None);
        assert_eq!(saved.removal(), Removal::Asked(id(1)));
        assert!(!saved.is_removing(id(1)));
        let sent = saved.step(RemovalStep::Confirm, attempt(2));
        assert_eq!(sent, Some((id(1), attempt(2))));
        assert!(saved.is_removing(id(1)) && !saved.is_removing(id(2)));
        // Nothing else happens while the request is under way.
        for step in [
            RemovalStep::Confirm,
            RemovalStep::Keep,
            RemovalStep::Ask(id(2)),
        ] {
            assert_eq!(saved.step(step, attempt(3)), None);
            assert!(saved.is_removing(id(1)));
        }
        assert_eq!(saved.card_of_request(attempt(3)), None);
        assert_eq!(saved.card_of_request(attempt(2)), Some(id(1)));
        saved.finish(Some(true));
        assert_eq!(saved.removal(), Removal::None);
        assert_eq!(saved.card_of_request(attempt(2)), None);
        // Without a request there is nothing to finish.
        saved.step(RemovalStep::Ask(id(2)), attempt(4));
        saved.finish(Some(true));
        assert_eq!(saved.removal(), Removal::Asked(id(2)));
    }

    #[test]
    fn shopper_who_keeps_a_card_sends_nothing() {
        let mut saved = SavedCards::default();
        saved.step(RemovalStep::Ask(id(1)), attempt(1));
        assert_eq!(saved.step(RemovalStep::Keep, attempt(1)), None);
        assert_eq!(saved.removal(), Removal::Kept(id(1)));
        assert_eq!(saved.step(RemovalStep::Confirm, attempt(1)), None);
        saved.step(RemovalStep::Ask(id(2)), attempt(1));
        assert_eq!(saved.removal(), Removal::Asked(id(2)));
    }

    #[test]
    fn removal_without_a_response_is_repeated_as_the_same_request() {
        for (outcome, again) in [(None, attempt(1)), (Some(false), attempt(2))] {
            let mut saved = SavedCards::default();
            saved.step(RemovalStep::Ask(id(1)), attempt(1));
            saved.step(RemovalStep::Confirm, attempt(1));
            saved.finish(outcome);
            assert!(matches!(saved.removal(), Removal::Failed(card, _) if card == id(1)));
            assert!(!saved.is_removing(id(1)));
            let sent = saved.step(RemovalStep::Confirm, attempt(2));
            assert_eq!(sent, Some((id(1), again)), "{outcome:?}");
        }
    }

    #[test]
    fn card_is_saved_only_if_the_shopper_ticks_the_box() {
        let mut saved = SavedCards::default();
        assert!(!saved.saves_card());
        saved.toggle_saving();
        assert!(saved.saves_card());
        saved.toggle_saving();
        assert!(!saved.saves_card());
    }
}

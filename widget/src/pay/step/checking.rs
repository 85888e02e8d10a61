//! Finding out what became of an attempt, and trying again when the shopper asks.

use super::super::backoff;
use super::super::effect::{Effect, Wake};
use super::super::state::{Phase, Poll, State};
use super::tell_error;

impl State {
    pub(super) fn check_again(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Checking { poll, polls } => self.check(poll, polls),
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    /// Waits and then asks, longer every time.
    pub(super) fn check(&mut self, mut poll: Poll, polls: u32) -> Vec<Effect> {
        let wake = match &mut poll {
            Poll::Attempt(attempt) => {
                attempt.may_be_paid = true;
                Wake::Send
            }
            Poll::Session => Wake::Open,
        };
        self.phase = Phase::Checking {
            poll,
            polls: polls.saturating_add(1),
        };
        self.wait(backoff::checking_ms(polls), wake)
    }

    pub(super) fn wait(&mut self, milliseconds: u32, wake: Wake) -> Vec<Effect> {
        vec![Effect::Wait {
            turn: self.next_turn(),
            milliseconds,
            wake,
        }]
    }

    pub(super) fn woke(&mut self, wake: Wake) -> Vec<Effect> {
        if wake == Wake::Authenticate {
            return self.send_proof();
        }
        if wake == Wake::Retry {
            return self.retry_unseen();
        }
        let attempt = match &self.phase {
            Phase::Paying { attempt, .. } => Some(attempt.clone()),
            Phase::Checking {
                poll: Poll::Attempt(attempt),
                ..
            } => Some(attempt.clone()),
            Phase::Acting(_) => return self.ask_now(),
            _ => None,
        };
        let turn = self.next_turn();
        match (wake, attempt) {
            (Wake::Open, _) => vec![Effect::OpenSession { turn }],
            (Wake::Send, Some(attempt)) => vec![Effect::Send { turn, attempt }],
            (Wake::Send | Wake::Authenticate | Wake::Retry, _) => Vec::new(),
        }
    }

    /// The page hears of it once, and then it is tried again in the background: the panel stays, and
    /// nobody has to press anything.
    pub(super) fn told_interrupted(&mut self, code: &str) -> Vec<Effect> {
        let is_first = self.interruptions == 0;
        let mut effects = self.retry_later();
        if is_first {
            effects.push(tell_error(code));
        }
        effects
    }

    pub(super) fn retry_later(&mut self) -> Vec<Effect> {
        let milliseconds = backoff::retry_ms(self.interruptions);
        self.interruptions = self.interruptions.saturating_add(1);
        self.wait(milliseconds, Wake::Retry)
    }

    /// Tries again what the network did not carry, without a change of what is shown.
    pub(super) fn retry_unseen(&mut self) -> Vec<Effect> {
        let attempt = match &self.phase {
            Phase::Interrupted { attempt } => Some(attempt.clone()),
            Phase::Unreachable => None,
            _ => return Vec::new(),
        };
        let turn = self.next_turn();
        vec![match attempt {
            Some(attempt) => Effect::Send { turn, attempt },
            None => Effect::OpenSession { turn },
        }]
    }

    pub(super) fn retried(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Unreachable => self.open(None),
            Phase::Interrupted { attempt } => self.send(attempt, 0),
            Phase::Elsewhere => {
                self.phase = Phase::Checking {
                    poll: Poll::Session,
                    polls: 0,
                };
                self.ask_now()
            }
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }
}

//! Polling an unknown outcome, and retries.

use super::super::attempt::Poll;
use super::super::backoff;
use super::super::effect::{Effect, Timer};
use super::super::state::{Phase, State};
use super::notify_error;

impl State {
    pub(super) fn poll_again(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Polling { poll, polls } => self.poll(poll, polls),
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    /// Polls after a wait that grows every time.
    pub(super) fn poll(&mut self, mut poll: Poll, polls: u32) -> Vec<Effect> {
        let timer = match &mut poll {
            Poll::Attempt(attempt) => {
                attempt.may_be_paid = true;
                Timer::Send
            }
            Poll::Session => Timer::Open,
        };
        self.phase = Phase::Polling {
            poll,
            polls: polls.saturating_add(1),
        };
        self.wait(backoff::polling_ms(polls), timer)
    }

    pub(super) fn wait(&mut self, milliseconds: u32, timer: Timer) -> Vec<Effect> {
        vec![Effect::Wait {
            generation: self.next_generation(),
            milliseconds,
            timer,
        }]
    }

    pub(super) fn timer_fired(&mut self, timer: Timer) -> Vec<Effect> {
        if timer == Timer::Authenticate {
            return self.send_response();
        }
        if timer == Timer::Retry {
            return self.retry_in_background();
        }
        let attempt = match &self.phase {
            Phase::Paying { attempt, .. } => Some(attempt.clone()),
            Phase::Polling {
                poll: Poll::Attempt(attempt),
                ..
            } => Some(attempt.clone()),
            Phase::ActionRequired(_) => return self.poll_now(),
            _ => None,
        };
        let generation = self.next_generation();
        match (timer, attempt) {
            (Timer::Open, _) => vec![Effect::OpenSession { generation }],
            (Timer::Send, Some(attempt)) => vec![Effect::Send {
                generation,
                attempt,
            }],
            (Timer::Send | Timer::Authenticate | Timer::Retry, _) => Vec::new(),
        }
    }

    /// Notifies the host page once and retries in the background: the panel stays, and the shopper
    /// does not have to press anything.
    pub(super) fn notify_interrupted(&mut self, code: &str) -> Vec<Effect> {
        let is_first = self.interruptions == 0;
        let mut effects = self.retry_later();
        if is_first {
            effects.push(notify_error(code));
        }
        effects
    }

    pub(super) fn retry_later(&mut self) -> Vec<Effect> {
        let milliseconds = backoff::retry_ms(self.interruptions);
        self.interruptions = self.interruptions.saturating_add(1);
        self.wait(milliseconds, Timer::Retry)
    }

    /// Sends again what the network lost, without changing the panel.
    pub(super) fn retry_in_background(&mut self) -> Vec<Effect> {
        let attempt = match &self.phase {
            Phase::Interrupted { attempt } => Some(attempt.clone()),
            Phase::Unreachable => None,
            _ => return Vec::new(),
        };
        let generation = self.next_generation();
        vec![match attempt {
            Some(attempt) => Effect::Send {
                generation,
                attempt,
            },
            None => Effect::OpenSession { generation },
        }]
    }

    pub(super) fn retry(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Unreachable => self.open(None),
            Phase::Interrupted { attempt } => self.send(attempt, 0),
            Phase::OpenElsewhere => {
                self.phase = Phase::Polling {
                    poll: Poll::Session,
                    polls: 0,
                };
                self.poll_now()
            }
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }
}

//! Each event once, and none that is older than what its payment, or payout, already told.
//!
//! This one remembers in memory. A shop keeps both in its database instead, in the transaction that
//! does the work: a unique column for `webhook-id`, and the last sequence on the order's row.

use serde_json::Value;
use std::collections::{HashMap, HashSet, VecDeque};

const REMEMBERED: usize = 100_000;

/// What has come so far.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    done: HashSet<String>,
    done_in_order: VecDeque<String>,
    sequences: HashMap<String, u64>,
    sequences_in_order: VecDeque<String>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The work was done.
    Processed,
    /// It had been done before.
    Duplicate,
    /// A later event of the same payment came before it.
    Stale,
}

const SUBJECTS: [&str; 4] = ["payment", "payout", "settlement", "webhook_endpoint"];

/// What an event tells of, and its place among the events of that one thing, where it has both.
pub(crate) fn counted(event: &Value) -> Option<(&str, u64)> {
    let data = &event["data"];
    let mut subjects = SUBJECTS
        .iter()
        .filter_map(|name| data[*name]["id"].as_str());
    subjects.next().zip(data["sequence"].as_u64())
}

impl Inbox {
    /// Hands an event to `work` when it is new and not stale.
    ///
    /// # Errors
    /// Those of `work`; the event is not remembered then, so that it can come again.
    pub(crate) fn take<E>(
        &mut self,
        id: &str,
        event: &Value,
        work: impl FnOnce(&str, &Value) -> Result<(), E>,
    ) -> Result<Taken, E> {
        if self.done.contains(id) {
            return Ok(Taken::Duplicate);
        }
        let counted = counted(event);
        let last = counted.and_then(|(subject, _)| self.sequences.get(subject));
        let is_stale = counted
            .zip(last)
            .is_some_and(|((_, sequence), last)| sequence <= *last);
        if !is_stale {
            work(id, event)?;
        }
        self.done.insert(id.to_owned());
        self.done_in_order.push_back(id.to_owned());
        if self.done_in_order.len() > REMEMBERED
            && let Some(oldest) = self.done_in_order.pop_front()
        {
            self.done.remove(&oldest);
        }
        if is_stale {
            return Ok(Taken::Stale);
        }
        if let Some((subject, sequence)) = counted {
            self.count(subject, sequence);
        }
        Ok(Taken::Processed)
    }

    fn count(&mut self, subject: &str, sequence: u64) {
        if self
            .sequences
            .insert(subject.to_owned(), sequence)
            .is_some()
        {
            return;
        }
        self.sequences_in_order.push_back(subject.to_owned());
        if self.sequences_in_order.len() > REMEMBERED
            && let Some(oldest) = self.sequences_in_order.pop_front()
        {
            self.sequences.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inbox, Taken};
    use serde_json::json;

    #[test]
    fn an_event_is_worked_on_once_unless_that_fails_or_a_later_one_came_before() {
        let mut inbox = Inbox::default();
        let payment = |id: &str, sequence: u64| {
            let payment = json!({"id": id});
            json!({"type": "x", "data": {"sequence": sequence, "payment": payment}})
        };
        let payout = |sequence: u64| {
            let payout = json!({"id": "pyo_1"});
            json!({"type": "x", "data": {"sequence": sequence, "payout": payout}})
        };
        let other = json!({"type": "ping", "data": {}});
        let rows = [
            ("evt_1", payment("pay_1", 2), Err("busy"), Err("busy")),
            ("evt_1", payment("pay_1", 2), Ok(()), Ok(Taken::Processed)),
            ("evt_1", payment("pay_1", 2), Ok(()), Ok(Taken::Duplicate)),
            ("evt_0", payment("pay_1", 1), Ok(()), Ok(Taken::Stale)),
            ("evt_0", payment("pay_1", 1), Ok(()), Ok(Taken::Duplicate)),
            ("evt_2", payment("pay_2", 1), Ok(()), Ok(Taken::Processed)),
            ("evt_3", payment("pay_1", 3), Ok(()), Ok(Taken::Processed)),
            ("evt_4", other.clone(), Ok(()), Ok(Taken::Processed)),
            ("evt_6", payout(2), Ok(()), Ok(Taken::Processed)),
            ("evt_7", payout(1), Ok(()), Ok(Taken::Stale)),
            ("evt_5", other, Ok(()), Ok(Taken::Processed)),
        ];
        for (id, event, answer, expected) in rows {
            let mut calls = 0;
            let taken = inbox.take(id, &event, |_, _| {
                calls += 1;
                answer
            });
            assert_eq!(taken, expected, "{id}");
            let is_work = matches!(expected, Ok(Taken::Processed) | Err(_));
            assert_eq!(calls, i32::from(is_work), "{id}");
        }
    }
}

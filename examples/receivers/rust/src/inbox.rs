//! Each event once, and none that is older than what is known of its payment or payout.
//!
//! This inbox is in memory and never forgets. A shop keeps both in its database instead, in the
//! transaction that does the work: a unique column for `webhook-id`, and the last sequence on the
//! order's row.

use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The ids of deliveries that are done, and the last sequence of each payment.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    done: HashSet<String>,
    sequences: HashMap<String, u64>,
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

const SUBJECTS: [&str; 9] = [
    "payment",
    "subscription",
    "invoice",
    "agreement",
    "customer",
    "instrument",
    "payout",
    "settlement",
    "webhook_endpoint",
];

/// The resource that an event is about, and its place among the events of that resource.
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
        let is_stale = counted.is_some_and(|(subject, sequence)| {
            let last = self.sequences.get(subject);
            last.is_some_and(|last| sequence <= *last)
        });
        if !is_stale {
            work(id, event)?;
        }
        self.done.insert(id.to_owned());
        if is_stale {
            return Ok(Taken::Stale);
        }
        if let Some((subject, sequence)) = counted {
            self.sequences.insert(subject.to_owned(), sequence);
        }
        Ok(Taken::Processed)
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

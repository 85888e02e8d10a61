//! The simulated phones: messages from the issuer to shoppers.
//!
//! A message has its code in clear text, as on a real phone, so that a page can show it. The issuer
//! itself stores only a keyed hash of a code. A message is deleted after a day.

use super::SimulatedBank;
use super::account::Account;
use super::authentication::ChallengeState;
use super::simulation::Simulation;
use sealpay_protocol::encoding::hex;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::AuthenticationStatus;
use sealpay_storage::{DatabaseError, FromRow, Projection, Row, Value, entity, sql, values};
use serde::Serialize;
use std::collections::HashSet;
use utoipa::ToSchema;

/// How long a message is stored, milliseconds.
const RETENTION_MS: i64 = 24 * 60 * 60 * 1000;

/// Maximum number of messages that are listed at once.
const LISTED: u32 = 200;

/// A message on a simulated phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id; ids sort by time.
    pub id: String,
    /// The recipient's number.
    pub phone: String,
    /// The account.
    pub account: String,
    /// The text.
    pub text: String,
    /// The one-time code in it.
    pub code: Option<String>,
    /// When it was sent, milliseconds since 1970.
    pub created_at_ms: i64,
    /// The payment, if it is about one.
    pub reference: Option<PaymentId>,
}

/// Whether a one-time code can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// It can.
    Valid,
    /// It was.
    Used,
    /// Another one was sent in its place.
    Replaced,
    /// Its time ran out, or the payment was given up.
    Expired,
}

/// A message and the state of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The message.
    pub message: Message,
    /// None where it has no code.
    pub code_state: Option<CodeState>,
}

entity! {
    Message in "bank_messages" {
        id,
        phone,
        account,
        text,
        code,
        created_at_ms,
        reference,
    }
}

/// Deletes the messages with an id below this one.
pub(crate) const PURGE: &str = "DELETE FROM bank_messages WHERE id < $1";

const NEWEST: &str = sql!(
    "SELECT ",
    Message::COLUMNS,
    ", state, status, code_expires_at_ms FROM bank_messages \
     LEFT JOIN (SELECT reference AS payment, state, status, code_expires_at_ms FROM bank_challenges) \
     AS challenges ON payment = reference ORDER BY id DESC LIMIT $1"
);

impl Message {
    /// A message that carries a code.
    pub(crate) fn with_code(
        simulation: &Simulation,
        (phone, account): (&str, &str),
        (reference, payee, money): (PaymentId, &str, Money),
        code: &str,
    ) -> Self {
        let created_at_ms = simulation.clock.now_ms_i64();
        Self {
            id: message_id(created_at_ms, simulation.rng.bytes()),
            phone: phone.into(),
            account: account.into(),
            text: format!(
                "{code} is your code to pay {money} to {payee}. Never share it with anyone."
            ),
            code: Some(code.into()),
            created_at_ms,
            reference: Some(reference),
        }
    }

    /// A message about a new passkey.
    pub(crate) fn about_passkey(simulation: &Simulation, account: &Account) -> Self {
        let created_at_ms = simulation.clock.now_ms_i64();
        Self {
            id: message_id(created_at_ms, simulation.rng.bytes()),
            phone: account.phone.clone(),
            account: account.id.clone(),
            text: format!(
                "A passkey was saved for your card ending in {}. If this was not you, call your \
                 bank.",
                account.last4
            ),
            code: None,
            created_at_ms,
            reference: None,
        }
    }

    /// The argument of [`PURGE`] when this message is sent.
    pub(crate) fn purge_before(&self) -> [Value; 1] {
        values![message_id(self.created_at_ms - RETENTION_MS, [0; 10])]
    }
}

/// A message with the challenge of its payment.
struct MessageRow {
    message: Message,
    state: Option<String>,
    status: Option<String>,
    code_expires_at_ms: Option<i64>,
}

impl FromRow for MessageRow {
    fn from_row(row: &mut Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            message: Message::from_row(row)?,
            state: row.take()?,
            status: row.take()?,
            code_expires_at_ms: row.take()?,
        })
    }
}

impl MessageRow {
    fn sent(self, now_ms: i64) -> SentMessage {
        let authenticated = AuthenticationStatus::Authenticated.letter();
        let is_over = self.state.as_deref() == Some(ChallengeState::Done.name());
        let is_used = self.status == Some(authenticated.to_string());
        let code_state = match (is_over, is_used) {
            (true, true) => CodeState::Used,
            (false, _) if now_ms < self.code_expires_at_ms.unwrap_or(0) => CodeState::Valid,
            _ => CodeState::Expired,
        };
        SentMessage {
            code_state: self.message.code.is_some().then_some(code_state),
            message: self.message,
        }
    }
}

/// Only the newest code of a payment can be used.
fn replace_earlier(messages: &mut [SentMessage]) {
    let mut seen = HashSet::new();
    for sent in messages {
        let is_newest = sent
            .message
            .reference
            .is_none_or(|reference| seen.insert(reference));
        if !is_newest && sent.code_state.is_some() {
            sent.code_state = Some(CodeState::Replaced);
        }
    }
}

/// Ids sort by time, because the times have the same length.
fn message_id(created_at_ms: i64, random: [u8; 10]) -> String {
    let time = created_at_ms.max(0).to_be_bytes();
    format!("msg_{}{}", hex(&time), hex(&random))
}

/// The last two digits of a number, after dots that hide its length.
pub(crate) fn masked(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let shown = digits.iter().skip(digits.len().saturating_sub(2));
    "•••• ".chars().chain(shown.copied()).collect()
}

impl SimulatedBank {
    /// The newest messages of all phones, newest first.
    pub async fn messages(&self, limit: u32) -> Result<Vec<SentMessage>, DatabaseError> {
        let database = &self.simulation.journal.database;
        let rows: Vec<MessageRow> = database.list(NEWEST, values![limit.min(LISTED)]).await?;
        let now_ms = self.simulation.clock.now_ms_i64();
        let mut messages: Vec<_> = rows.into_iter().map(|row| row.sent(now_ms)).collect();
        replace_earlier(&mut messages);
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::{masked, message_id};

    #[test]
    fn only_the_last_two_digits_of_a_number_are_shown() {
        let rows = [
            ("+99910000042", "•••• 42"),
            ("+999 100 0042", "•••• 42"),
            ("42", "•••• 42"),
            ("7", "•••• 7"),
        ];
        for (phone, expected) in rows {
            assert_eq!(masked(phone), expected, "{phone}");
        }
    }

    #[test]
    fn message_ids_sort_by_time() {
        let moments = [0, 1, 255, 256, 1_763_800_000_000, i64::MAX];
        let ids = moments.map(|moment| message_id(moment, [7; 10]));
        assert!(ids.is_sorted(), "{ids:?}");
        assert_eq!(message_id(-1, [0; 10]), message_id(0, [0; 10]));
    }
}

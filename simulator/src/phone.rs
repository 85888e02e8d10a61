//! The simulated phones: what the issuer sends to shoppers.
//!
//! A message holds its code in clear, as it does on a real phone, because the page that shows the
//! phone has to show it. What the issuer itself keeps of a code is a keyed hash. A message is
//! deleted after a day.

use super::account::Account;
use super::authentication;
use super::world::World;
use sealpay_protocol::encoding::hex;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::AuthenticationStatus;
use sealpay_storage::{DatabaseError, Row, Value, values};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// How long a message is kept.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// Maximum number of messages that are shown at once.
const SHOWN: u32 = 200;

/// A message on a simulated phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its name; later messages have later names.
    pub id: String,
    /// The number it was sent to.
    pub phone: String,
    /// The account it is about.
    pub account: String,
    /// What it says.
    pub text: String,
    /// The one-time code in it.
    pub code: Option<String>,
    /// When it was sent, milliseconds since 1970.
    pub created_at_ms: i64,
    /// The payment that it is about.
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

/// A message with what has become of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The message.
    pub message: Message,
    /// None where it holds no code.
    pub code_state: Option<CodeState>,
}

/// Keeps a message.
pub(super) const SEND: &str = "INSERT INTO bank_messages
    (id, phone, account, text, code, created_at_ms, reference)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Deletes messages with a name below that of a moment.
pub(super) const FORGET: &str = "DELETE FROM bank_messages WHERE id < $1";

const NEWEST: &str =
    "SELECT m.id, m.phone, m.account, m.text, m.code, m.created_at_ms, m.reference,
    c.state, c.status, c.code_expires_at_ms FROM bank_messages m
    LEFT JOIN bank_challenges c ON c.reference = m.reference ORDER BY m.id DESC LIMIT $1";

impl Message {
    /// A message that carries a code.
    pub(super) fn with_code(
        world: &World,
        (phone, account): (&str, &str),
        (reference, payee, money): (PaymentId, &str, Money),
        code: &str,
    ) -> Self {
        let created_at_ms = world.clock.now_ms_i64();
        Self {
            id: message_id(created_at_ms, world.rng.bytes()),
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

    /// A message that says that a passkey was made.
    pub(super) fn of_passkey(world: &World, account: &Account) -> Self {
        let created_at_ms = world.clock.now_ms_i64();
        Self {
            id: message_id(created_at_ms, world.rng.bytes()),
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

    /// The arguments of [`SEND`].
    pub(super) fn values(&self) -> [Value; 7] {
        values![
            &self.id,
            &self.phone,
            &self.account,
            &self.text,
            self.code.clone(),
            self.created_at_ms,
            self.reference.map(|reference| reference.to_string()),
        ]
    }

    /// The argument of [`FORGET`] when this message is sent.
    pub(super) fn oldest_kept(&self) -> [Value; 1] {
        values![message_id(self.created_at_ms - KEPT_MS, [0; 10])]
    }

    fn read(row: &mut Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            id: row.text()?,
            phone: row.text()?,
            account: row.text()?,
            text: row.text()?,
            code: row.optional_text()?,
            created_at_ms: row.integer()?,
            reference: row
                .optional_text()?
                .and_then(|reference| reference.parse().ok()),
        })
    }
}

impl SentMessage {
    fn read(mut row: Row, now_ms: i64) -> Result<Self, DatabaseError> {
        let message = Message::read(&mut row)?;
        let (state, status) = (row.optional_text()?, row.optional_text()?);
        let expires_at_ms = row.optional_integer()?.unwrap_or(0);
        let is_done = state.as_deref().is_some_and(authentication::is_over);
        let is_met = status == Some(AuthenticationStatus::Authenticated.letter().to_string());
        let code_state = match (is_done, is_met) {
            (true, true) => CodeState::Used,
            (false, _) if now_ms < expires_at_ms => CodeState::Valid,
            _ => CodeState::Expired,
        };
        Ok(Self {
            code_state: message.code.is_some().then_some(code_state),
            message,
        })
    }
}

/// Only the newest code of a payment can be used, or was.
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

/// Names sort by time as the times themselves do, because they are as long as each other.
fn message_id(created_at_ms: i64, random: [u8; 10]) -> String {
    let time = created_at_ms.max(0).to_be_bytes();
    format!("msg_{}{}", hex(&time), hex(&random))
}

/// The last two digits of a number, behind dots that do not tell how long it is.
pub(super) fn masked(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let shown = digits.iter().skip(digits.len().saturating_sub(2));
    "•••• ".chars().chain(shown.copied()).collect()
}

/// What the page that shows the phones reads.
#[derive(Debug, Clone)]
pub struct Phone {
    world: Arc<World>,
}

impl Phone {
    pub(super) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
        }
    }

    /// The newest messages of all phones, newest first.
    pub async fn messages(&self, limit: u32) -> Result<Vec<SentMessage>, DatabaseError> {
        let rows = self.world.database.rows(NEWEST, values![limit.min(SHOWN)]);
        let now_ms = self.world.clock.now_ms_i64();
        let messages = rows.await?.into_iter();
        let mut messages = messages
            .map(|row| SentMessage::read(row, now_ms))
            .collect::<Result<Vec<_>, _>>()?;
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
    fn names_of_messages_sort_by_time() {
        let names = [0, 1, 255, 256, 1_763_800_000_000, i64::MAX];
        let names = names.map(|moment| message_id(moment, [7; 10]));
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(message_id(-1, [0; 10]), message_id(0, [0; 10]));
    }
}

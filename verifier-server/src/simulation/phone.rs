//! `/sim/phone`: the simulated phones that get one-time codes.

use super::{bank, row_limit};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
pub use sealpay_simulator::phone::CodeState;
use sealpay_simulator::phone::SentMessage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Maximum number of searched messages.
const LOOKED_THROUGH: u32 = 200;

/// Prefix of the accounts of personas.
const PERSONA: &str = "persona:";

/// Messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Messages {
    /// The messages.
    pub data: Vec<MessageView>,
}

/// A message on a simulated phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageView {
    /// The id.
    pub id: String,
    /// The recipient's number.
    pub phone: String,
    /// The persona that owns the phone.
    pub persona: Option<String>,
    /// The text.
    pub text: String,
    /// The one-time code in it.
    pub code: Option<String>,
    /// Whether the code can be used.
    pub code_state: Option<CodeState>,
    /// `pay_…`: the payment.
    pub payment: Option<String>,
    /// When it was sent, seconds since 1970.
    pub sent_at: i64,
}

/// The filter of messages.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// To this number.
    pub phone: Option<String>,
    /// To this persona.
    pub persona: Option<String>,
}

impl Wanted {
    fn fits(&self, message: &MessageView) -> bool {
        let digits = |text: &str| text.trim().trim_start_matches('+').to_owned();
        let phone = self.phone.as_deref();
        phone.is_none_or(|phone| digits(phone) == digits(&message.phone))
            && (self.persona.is_none() || self.persona == message.persona)
    }
}

fn view(sent: SentMessage) -> MessageView {
    let SentMessage {
        message,
        code_state,
    } = sent;
    MessageView {
        id: message.id,
        phone: message.phone,
        persona: message.account.strip_prefix(PERSONA).map(str::to_owned),
        text: message.text,
        code: message.code,
        code_state,
        payment: message.reference.map(|payment| payment.to_string()),
        sent_at: message.created_at_ms.div_euclid(1000),
    }
}

/// The query parameters of the message list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneQuery {
    /// 1 to 100; 20 if omitted.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// Only messages to this number.
    phone: Option<String>,
    /// Only messages to this persona.
    persona: Option<String>,
}

/// Lists the messages on the simulated phones, newest first, with their one-time codes. Test mode
/// only.
#[utoipa::path(
    get,
    path = "/sim/phone",
    tag = "simulation",
    params(PhoneQuery),
    responses(
        (status = 200, description = "The messages", body = Messages),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<PhoneQuery>,
) -> Result<Json<Messages>, Problem> {
    let query = query.read()?;
    let most = row_limit(query.limit.as_deref())?;
    let wanted = Wanted {
        phone: query.phone,
        persona: query.persona,
    };
    Ok(Json(messages(&state.gateway, &wanted, most).await?))
}

/// The newest messages, newest first, up to a maximum.
pub(super) async fn messages(
    gateway: &Gateway,
    wanted: &Wanted,
    limit: u32,
) -> Result<Messages, ApiError> {
    let found = bank(gateway)?.messages(LOOKED_THROUGH).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let fitting = found
        .into_iter()
        .map(view)
        .filter(|message| wanted.fits(message));
    Ok(Messages {
        data: fitting.take(limit).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{MessageView, Wanted};

    #[test]
    fn messages_are_filtered_by_number_and_persona() {
        let message = MessageView {
            id: "msg_1".into(),
            phone: "+99910000042".into(),
            persona: Some("cody".into()),
            text: String::new(),
            code: None,
            code_state: None,
            payment: None,
            sent_at: 0,
        };
        let rows = [
            (None, None, true),
            (Some("+99910000042"), None, true),
            // A plus sign in a query is decoded as a space.
            (Some(" 99910000042"), None, true),
            (Some("99910000042"), Some("cody"), true),
            (Some("+9991000004"), None, false),
            (Some("+99910000042"), Some("kay"), false),
            (None, Some("kay"), false),
        ];
        for (phone, persona, expected) in rows {
            let wanted = Wanted {
                phone: phone.map(str::to_owned),
                persona: persona.map(str::to_owned),
            };
            assert_eq!(wanted.fits(&message), expected, "{phone:?} {persona:?}");
        }
    }
}

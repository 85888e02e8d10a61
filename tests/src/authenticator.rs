//! An authenticator for passkeys that exists in the browser only: Chromium's own, as in
//! WebAuthn section 11.

use crate::browser::Session;
use serde_json::{Value, json};

/// One that is built in, knows its user, and keeps passkeys.
#[derive(Debug)]
pub struct Authenticator<'a> {
    session: &'a Session,
    id: String,
}

impl<'a> Authenticator<'a> {
    /// Puts one into the browser in place of all real ones.
    pub async fn plug_in(session: &'a Session) -> Self {
        session
            .developer_tools("WebAuthn.enable", json!({ "enableUI": false }))
            .await;
        let options = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let added = session
            .developer_tools(
                "WebAuthn.addVirtualAuthenticator",
                json!({ "options": options }),
            )
            .await;
        let id = added["authenticatorId"].as_str();
        let id = id.expect("an authenticator has an id").to_owned();
        Self { session, id }
    }

    /// Whether it knows its user from now on, by finger, face or secret.
    pub async fn recognise_user(&self, is_recognised: bool) {
        self.tell(
            "WebAuthn.setUserVerified",
            json!({ "isUserVerified": is_recognised }),
        )
        .await;
    }

    /// How many passkeys it keeps.
    pub async fn passkeys(&self) -> usize {
        let kept = self.tell("WebAuthn.getCredentials", json!({})).await;
        let kept = kept["credentials"].as_array();
        kept.expect("a list of credentials").len()
    }

    /// Takes it away, with everything that it keeps.
    pub async fn unplug(self) {
        self.tell("WebAuthn.removeVirtualAuthenticator", json!({}))
            .await;
    }

    async fn tell(&self, method: &str, mut parameters: Value) -> Value {
        parameters["authenticatorId"] = json!(self.id);
        self.session.developer_tools(method, parameters).await
    }
}

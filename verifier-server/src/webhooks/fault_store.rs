//! How webhooks misbehave, as a tester has set it for all verifiers on one database.

use sealpay_storage::{Database, DatabaseError, values};

const WEBHOOKS: &str = "webhooks";

const READ: &str = "SELECT value, number FROM simulation WHERE name = $1";

const SET: &str = "INSERT INTO simulation (name, number, value) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET number = excluded.number, value = excluded.value";

const COUNT_DOWN: &str = "UPDATE simulation SET number = number - 1
    WHERE name = $1 AND number > 0";

/// The repository of how webhooks misbehave in a test.
#[derive(Debug, Clone)]
pub struct WebhookFaultStore {
    pub(crate) database: Database,
}

impl WebhookFaultStore {
    /// How webhooks misbehave, as it was set, and how many deliveries are still to be dropped.
    pub async fn get(&self) -> Result<Option<(String, u32)>, DatabaseError> {
        self.database.get(READ, values![WEBHOOKS]).await
    }

    /// Sets how webhooks misbehave and how many deliveries are to be dropped.
    pub async fn set(&self, text: &str, drops: u32) -> Result<(), DatabaseError> {
        let wanted = values![WEBHOOKS, drops, text.to_owned()];
        self.database.change(SET, wanted).await.map(drop)
    }

    /// Takes one of the deliveries that are to be dropped; says whether there was one.
    pub async fn take_drop(&self) -> Result<bool, DatabaseError> {
        self.database.change(COUNT_DOWN, values![WEBHOOKS]).await
    }
}

//! The webhook fault settings of a test environment, shared by all servers of a database.

use sealpay_storage::{Database, DatabaseError, values};

const WEBHOOKS: &str = "webhooks";

const READ: &str = "SELECT value, number FROM simulation WHERE name = $1";

const SET: &str = "INSERT INTO simulation (name, number, value) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET number = excluded.number, value = excluded.value";

const COUNT_DOWN: &str = "UPDATE simulation SET number = number - 1
    WHERE name = $1 AND number > 0";

/// The repository of webhook fault settings.
#[derive(Debug, Clone)]
pub struct WebhookFaultStore {
    pub(crate) database: Database,
}

impl WebhookFaultStore {
    /// The settings, and the number of deliveries still to drop.
    pub async fn get(&self) -> Result<Option<(String, u32)>, DatabaseError> {
        self.database.get(READ, values![WEBHOOKS]).await
    }

    /// Stores the settings and the number of deliveries to drop.
    pub async fn set(&self, text: &str, drops: u32) -> Result<(), DatabaseError> {
        let wanted = values![WEBHOOKS, drops, text.to_owned()];
        self.database.change(SET, wanted).await.map(drop)
    }

    /// Consumes one of the deliveries to drop; returns whether there was one.
    pub async fn take_drop(&self) -> Result<bool, DatabaseError> {
        self.database.change(COUNT_DOWN, values![WEBHOOKS]).await
    }
}

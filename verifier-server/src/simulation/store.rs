//! What a tester has set, shared by all verifiers on one database.

use crate::store::Store;
use sealpay_storage::{DatabaseError, values};

const CLOCK: &str = "clock";
const WEBHOOKS: &str = "webhooks";

const READ: &str = "SELECT number, value FROM simulation WHERE name = $1";

/// The clock never goes back, whoever moves it last.
const MOVE_CLOCK: &str = "INSERT INTO simulation (name, number, value) VALUES ($1, $2, '')
    ON CONFLICT (name) DO UPDATE SET number = excluded.number
    WHERE simulation.number < excluded.number";

const SET: &str = "INSERT INTO simulation (name, number, value) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET number = excluded.number, value = excluded.value";

const COUNT_DOWN: &str = "UPDATE simulation SET number = number - 1
    WHERE name = $1 AND number > 0";

impl Store {
    /// How far the world's clock is ahead of the wall's, milliseconds.
    pub async fn clock_ahead_ms(&self) -> Result<u64, DatabaseError> {
        match self.database.row(READ, values![CLOCK]).await? {
            Some(mut row) => row.number(),
            None => Ok(0),
        }
    }

    /// Moves the world's clock; says whether it was behind that.
    pub async fn move_clock(&self, ahead_ms: i64) -> Result<bool, DatabaseError> {
        self.database
            .change(MOVE_CLOCK, values![CLOCK, ahead_ms])
            .await
    }

    /// How webhooks misbehave, as it was set, and how many deliveries are still to be dropped.
    pub async fn webhook_faults(&self) -> Result<Option<(String, u32)>, DatabaseError> {
        match self.database.row(READ, values![WEBHOOKS]).await? {
            Some(mut row) => {
                let drops = row.number()?;
                Ok(Some((row.text()?, drops)))
            }
            None => Ok(None),
        }
    }

    /// Sets how webhooks misbehave and how many deliveries are to be dropped.
    pub async fn set_webhook_faults(&self, text: &str, drops: u32) -> Result<(), DatabaseError> {
        let wanted = values![WEBHOOKS, drops, text.to_owned()];
        self.database.change(SET, wanted).await.map(drop)
    }

    /// Takes one of the deliveries that are to be dropped; says whether there was one.
    pub async fn take_webhook_drop(&self) -> Result<bool, DatabaseError> {
        self.database.change(COUNT_DOWN, values![WEBHOOKS]).await
    }
}

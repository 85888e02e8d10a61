//! The stored offset of the simulated clock.

use super::Store;
use sealpay_storage::{DatabaseError, values};

const CLOCK: &str = "clock";

const READ: &str = "SELECT number FROM simulation WHERE name = $1";

/// The clock never goes back, even with concurrent updates.
const MOVE_CLOCK: &str = "INSERT INTO simulation (name, number, value) VALUES ($1, $2, '')
    ON CONFLICT (name) DO UPDATE SET number = excluded.number
    WHERE simulation.number < excluded.number";

impl Store {
    /// The offset of the simulated clock from the system clock, milliseconds.
    pub async fn clock_ahead_ms(&self) -> Result<u64, DatabaseError> {
        let ahead_ms = self.database.get(READ, values![CLOCK]).await?;
        Ok(ahead_ms.map_or(0, |(ahead_ms,)| ahead_ms))
    }

    /// Advances the simulated clock; returns whether it was behind that.
    pub async fn move_clock(&self, ahead_ms: i64) -> Result<bool, DatabaseError> {
        self.database
            .change(MOVE_CLOCK, values![CLOCK, ahead_ms])
            .await
    }
}

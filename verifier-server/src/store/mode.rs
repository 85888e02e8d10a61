//! The mode of a database, test or live, set by its first start.

use super::Store;
use sealpay_storage::{DatabaseError, values};

const SAY: &str = "INSERT INTO data_mode (id, livemode) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
const READ: &str = "SELECT livemode FROM data_mode WHERE id = 1";

impl Store {
    /// Sets the mode unless it is already set; returns the mode in effect.
    pub async fn bind_mode(&self, livemode: bool) -> Result<bool, DatabaseError> {
        if let Some((stored,)) = self.database.get(READ, []).await? {
            return Ok(stored);
        }
        self.database.change(SAY, values![livemode]).await?;
        let stored = self.database.get(READ, []).await?;
        Ok(stored.map_or(livemode, |(stored,)| stored))
    }
}

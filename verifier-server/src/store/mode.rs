//! Whether a database is of tests or of real payments: said once, by the first start.

use super::Store;
use sealpay_storage::{DatabaseError, values};

const SAY: &str = "INSERT INTO data_mode (id, livemode) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
const READ: &str = "SELECT livemode FROM data_mode WHERE id = 1";

impl Store {
    /// Says what the data is of, unless that was said before; what was said first.
    pub async fn bind_mode(&self, livemode: bool) -> Result<bool, DatabaseError> {
        let said = self.database.row(READ, values![]).await?;
        if let Some(mut row) = said {
            return Ok(row.number::<i64>()? != 0);
        }
        self.database
            .change(SAY, values![i64::from(livemode)])
            .await?;
        match self.database.row(READ, values![]).await? {
            Some(mut row) => Ok(row.number::<i64>()? != 0),
            None => Ok(livemode),
        }
    }
}

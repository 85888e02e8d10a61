//! The last use of each API key, to the hour. Requests record it in memory and housekeeping writes
//! it to the database, so that no request waits for the write.

use crate::auth::api_keys::model::ApiKey;
use crate::store::{DatabaseError, Store};
use sealpay_protocol::ids::ApiKeyId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The hours of last uses that are not written yet.
#[derive(Debug, Default)]
pub struct LastUse(Mutex<BTreeMap<ApiKeyId, i64>>);

impl LastUse {
    /// Records the use of a key, unless this hour is already recorded.
    pub(crate) fn note(&self, key: &ApiKey, now_ms: i64) {
        let hour_ms = now_ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS);
        if key
            .last_used_at_ms
            .is_none_or(|known_ms| known_ms < hour_ms)
        {
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            noted.insert(key.id, hour_ms);
        }
    }

    fn take(&self) -> BTreeMap<ApiKeyId, i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes the recorded uses. If the write fails they are lost, and recorded again at the key's next
/// use.
pub async fn write(last_use: &LastUse, store: &Store) -> Result<(), DatabaseError> {
    store.api_keys.note_used(last_use.take()).await
}

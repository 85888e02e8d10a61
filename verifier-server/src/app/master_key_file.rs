//! Loads the master key from the environment or a file.

use crate::config::Config;
use crate::gateway::KeySource;
use crate::keys::master_key::{self, MasterKeys};
use sealpay_system::Rng;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The master key in the data folder.
pub(super) const MASTER_KEY_FILE: &str = "master.key";

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting that comes from the environment"
)]
pub(super) fn load_master_keys(config: &Config, rng: &Rng) -> Result<MasterKeys, String> {
    if let Ok(text) = std::env::var("SEALPAY_MASTER_KEY") {
        let text = Zeroizing::new(text);
        return master_key::parse(&text).map_err(|error| format!("SEALPAY_MASTER_KEY: {error}"));
    }
    let path = master_key_path(config);
    // A new key cannot decrypt existing data.
    if config
        .database_file_in_data()
        .is_some_and(|file| file.exists())
    {
        return master_key::load(&path);
    }
    master_key::load_or_create(&path, || rng.bytes())
}

/// Reloads the master keys after a rotation. Keys from the environment stay until a restart.
pub(super) fn key_source(config: &Config) -> Box<KeySource> {
    let path = master_key_path(config);
    Box::new(move || {
        // Without a file, the keys were passed in by the code that built the server.
        if is_master_key_in_environment() || !path.exists() {
            return Ok(None);
        }
        master_key::load(&path).map(Some)
    })
}

/// Whether the master key is set in the environment, where no command can replace it.
#[must_use]
pub fn is_master_key_in_environment() -> bool {
    std::env::var_os("SEALPAY_MASTER_KEY").is_some()
}

/// The file of the master key.
#[must_use]
pub fn master_key_path(config: &Config) -> PathBuf {
    let path = config.master_key_file.clone();
    path.unwrap_or_else(|| config.data.join(MASTER_KEY_FILE))
}

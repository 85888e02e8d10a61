//! The commands for worlds. They work on the data themselves; a running server is not needed, and
//! only a restore must not have one.

use super::print_json;
use crate::app::{Parts, worlds};
use crate::config::{Config, ControlListen};
use crate::keys::follow::GONE_AFTER;
use crate::worlds::name::WorldName;
use crate::worlds::{SavedWorld, WorldError, WorldFacts};
use clap::Subcommand;
use sealpay_storage::is_postgres;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum WorldCommand {
    /// Saves the whole state under a name, also while a server runs.
    Snapshot {
        /// Lowercase letters, digits and hyphens.
        name: WorldName,
    },
    /// Goes back to a world. For a running server use POST /sim/worlds/NAME/restore.
    Restore {
        /// The name of the world.
        name: WorldName,
    },
    /// Makes a new data folder of a world, for another server.
    Fork {
        /// The name of the world.
        name: WorldName,
        /// The folder, which does not exist or is empty.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Lists the worlds.
    List,
    /// Deletes a world.
    Delete {
        /// The name of the world.
        name: WorldName,
    },
}

fn sentence(error: WorldError) -> String {
    error.sentence()
}

/// Runs a command; in live mode there are no worlds.
pub(super) async fn run(config: &Config, command: WorldCommand) -> Result<(), String> {
    if config.livemode() {
        return Err("worlds are for tests: [providers] names one that moves real money".into());
    }
    let parts = Parts::open_existing(config).await?;
    let outcome = run_with(config, &parts, command).await;
    parts.store.close().await;
    outcome
}

async fn run_with(config: &Config, parts: &Parts, command: WorldCommand) -> Result<(), String> {
    let worlds = worlds(config, &parts.rng);
    match command {
        WorldCommand::Snapshot { name } => {
            let saved = worlds.snapshot(&name, facts(parts).await?).await;
            print_json(&SavedWorld::from(saved.map_err(sentence)?), true)
        }
        WorldCommand::Restore { name } => {
            let staged = worlds
                .stage(&name, parts.encryption.encryption_key_ids())
                .await;
            let staged = staged.map_err(sentence)?;
            let since = parts.clock.wall_i64().saturating_sub(GONE_AFTER);
            // On SQLite a lock on the folder decides.
            if is_postgres(&config.database)
                && parts
                    .store
                    .keys
                    .other_servers("", since)
                    .await
                    .map_err(|error| error.to_string())?
                    > 0
            {
                return Err(running_server(config, &name));
            }
            parts.store.close().await;
            let restored = staged.put_in_place(&parts.folder).await;
            restored.map_err(|error| match error {
                WorldError::InUse(_) => running_server(config, &name),
                error => error.sentence(),
            })
        }
        WorldCommand::Fork { name, to } => worlds.fork(&name, &to).await.map_err(sentence),
        WorldCommand::List => {
            for world in worlds.list().await.map_err(sentence)? {
                print_json(&SavedWorld::from(world), true)?;
            }
            Ok(())
        }
        WorldCommand::Delete { name } => worlds.delete(&name).await.map_err(sentence),
    }
}

fn running_server(config: &Config, name: &WorldName) -> String {
    let control = match config.control_listen {
        ControlListen::At(address) => address.to_string(),
        ControlListen::Off => "ADDRESS".into(),
    };
    format!(
        "a server or another command uses this data, or did in the last {GONE_AFTER} seconds: let the \
         server restore the world (curl -X POST http://{control}/sim/worlds/{name}/restore), or \
         stop it first"
    )
}

/// The moment of the present state.
async fn facts(parts: &Parts) -> Result<WorldFacts, String> {
    let ahead_ms = parts.store.clock_ahead_ms().await;
    parts
        .clock
        .move_ahead(ahead_ms.map_err(|error| error.to_string())?);
    Ok(WorldFacts::new(&parts.clock, &parts.encryption))
}

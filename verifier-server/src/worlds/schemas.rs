//! Snapshots of a Postgres database: a schema for each, in the same database.

use super::manifest::{BANK, FORMS, GATEWAY, Manifest, WorldFacts};
use super::name::WorldName;
use super::{MOST_BYTES, MOST_WORLDS, WorldError, WorldRecord};
use crate::store::MIGRATIONS;
use sealpay_storage::{DatabaseError, OwnTables, RowCounts, SchemaCopies};
use std::collections::BTreeMap;

/// The simulated bank's tables begin with this (`docs/adr/0008`).
const BANK_PREFIX: &str = "bank_";

/// The snapshots in a database.
#[derive(Debug, Clone)]
pub(super) struct Schemas {
    pub(super) url: String,
}

/// A verified snapshot whose rows can replace those of the world.
#[derive(Debug)]
pub(super) struct StagedSchema {
    copies: SchemaCopies,
    name: WorldName,
    rows: RowCounts,
}

impl StagedSchema {
    /// Replaces the world in one transaction.
    pub(super) async fn put_in_place(self) -> Result<(), WorldError> {
        let restored = self.copies.restore(self.name.as_str(), &self.rows).await;
        restored.map_err(|error| match error {
            DatabaseError::Corrupt(why) => WorldError::Damaged(why),
            error => error.into(),
        })
    }
}

impl Schemas {
    async fn open(&self) -> Result<SchemaCopies, WorldError> {
        let own = OwnTables {
            names: MIGRATIONS.tables().map(str::to_owned).collect(),
            prefix: BANK_PREFIX,
            journal: MIGRATIONS.table,
        };
        Ok(SchemaCopies::open(&self.url, own).await?)
    }

    /// The snapshots, by name.
    pub(super) async fn list(&self) -> Result<Vec<WorldRecord>, WorldError> {
        let copies = self.open().await?.list().await?;
        let records = copies.into_iter().map(|copy| {
            let name = copy.name.parse();
            let manifest = name
                .ok()
                .and_then(|name| Manifest::parse(copy.note.as_bytes(), &name, "").ok());
            WorldRecord {
                name: copy.name,
                bytes: copy.bytes,
                facts: manifest.map(|manifest| manifest.facts),
            }
        });
        Ok(records.collect())
    }

    /// Takes a snapshot of one moment, while servers run.
    pub(super) async fn snapshot(
        &self,
        name: &WorldName,
        facts: WorldFacts,
    ) -> Result<(), WorldError> {
        let copies = self.open().await?;
        let worlds = copies.list().await?;
        if worlds.iter().any(|world| world.name == name.as_str()) {
            return Err(WorldError::Exists);
        }
        let stored = worlds
            .iter()
            .fold(0_u64, |sum, world| sum.saturating_add(world.bytes));
        if worlds.len() >= MOST_WORLDS || stored >= MOST_BYTES {
            return Err(WorldError::LimitReached);
        }
        let mut forms = BTreeMap::new();
        for (file, table) in FORMS {
            forms.insert(file.to_owned(), copies.form(table).await?.unwrap_or(0));
        }
        let manifest = Manifest::new(name, "", facts, forms);
        // A manifest without text would be found damaged.
        let note = |rows: &RowCounts| manifest.with_rows(rows).to_text().unwrap_or_default();
        Ok(copies.create(name.as_str(), note).await?)
    }

    /// Verifies a snapshot. Its number of rows is verified again when it is put in place.
    pub(super) async fn stage(
        &self,
        name: &WorldName,
        keys: &[String],
    ) -> Result<StagedSchema, WorldError> {
        let copies = self.open().await?;
        let found = copies.list().await?.into_iter();
        let mut found = found.filter(|copy| copy.name == name.as_str());
        let copy = found.next().ok_or(WorldError::NotFound)?;
        let manifest = Manifest::parse(copy.note.as_bytes(), name, "")?;
        manifest.check_key(keys)?;
        // Rows fit only into tables of the same form; files are migrated when they are opened.
        let mut present = BTreeMap::new();
        for (file, table) in FORMS {
            present.insert(file, copies.form(table).await?.unwrap_or(0));
        }
        manifest.check_forms(|file, form| {
            [GATEWAY, BANK].contains(&file) && present.get(file) == Some(&form)
        })?;
        Ok(StagedSchema {
            copies,
            name: name.clone(),
            rows: manifest.rows,
        })
    }

    /// Deletes a snapshot, whatever state it is in.
    pub(super) async fn delete(&self, name: &WorldName) -> Result<(), WorldError> {
        let copies = self.open().await?;
        let worlds = copies.list().await?;
        if !worlds.iter().any(|world| world.name == name.as_str()) {
            return Err(WorldError::NotFound);
        }
        Ok(copies.delete(name.as_str()).await?)
    }
}

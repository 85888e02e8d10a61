//! What a snapshot says about itself: where it belongs, and what it has to contain.

use super::WorldError;
use super::name::WorldName;
use crate::keys::encryption::KeyEncryption;
use sealpay_system::Clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of manifests and of the folders they describe.
const FORMAT: u32 = 1;

/// The gateway's database in a data folder.
pub(super) const GATEWAY: &str = "sealpay.sqlite";
/// The simulated bank's.
pub(super) const BANK: &str = "simulated-bank.sqlite";
/// The master key, if it is in the data folder.
pub(super) const MASTER_KEY: &str = "master.key";

/// The migrations of each database, by the table that records them.
pub(super) const FORMS: [(&str, &str); 2] = [
    (GATEWAY, "schema_migrations"),
    (BANK, "bank_schema_migrations"),
];

/// A file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorldFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// SHA-256, hexadecimal.
    pub(super) sha256: String,
}

/// The moment of a snapshot, and the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldFacts {
    /// System time, seconds since 1970.
    pub created_at: u64,
    /// Simulated time, seconds since 1970.
    pub now: u64,
    /// Offset of the simulated clock, seconds.
    pub ahead_seconds: u64,
    /// Name of the key under which secrets are encrypted.
    pub encryption_key: String,
}

impl WorldFacts {
    /// The facts of the present moment.
    #[must_use]
    pub fn new(clock: &Clock, encryption: &KeyEncryption) -> Self {
        Self {
            created_at: clock.wall(),
            now: clock.now(),
            ahead_seconds: clock.ahead_ms() / 1000,
            encryption_key: encryption.encryption_key_id(),
        }
    }
}

/// The manifest of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    name: String,
    /// The data folder it was taken of; empty on Postgres, where it never leaves its database.
    home: String,
    pub(super) facts: WorldFacts,
    /// The last migration of each database.
    forms: BTreeMap<String, i64>,
    /// The files, on SQLite.
    pub(super) files: Vec<WorldFile>,
    /// The rows of each table, on Postgres.
    pub(super) rows: BTreeMap<String, u64>,
}

fn damaged(why: &str) -> WorldError {
    WorldError::Damaged(why.to_owned())
}

fn foreign(why: &str) -> WorldError {
    WorldError::Foreign(why.to_owned())
}

impl Manifest {
    pub(super) fn new(
        name: &WorldName,
        home: &str,
        facts: WorldFacts,
        forms: BTreeMap<String, i64>,
    ) -> Self {
        Self {
            format: FORMAT,
            name: name.to_string(),
            home: home.to_owned(),
            facts,
            forms,
            files: Vec::new(),
            rows: BTreeMap::new(),
        }
    }

    pub(super) fn with_rows(self, rows: &BTreeMap<String, u64>) -> Self {
        Self {
            rows: rows.clone(),
            ..self
        }
    }

    pub(super) fn to_text(&self) -> Result<String, WorldError> {
        serde_json::to_string(self).map_err(|error| WorldError::Failed(error.to_string()))
    }

    /// Parses a manifest and checks that it is of this name and this home.
    pub(super) fn parse(text: &[u8], name: &WorldName, home: &str) -> Result<Self, WorldError> {
        // The format is read first, because later formats may have other members.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } =
            serde_json::from_slice(text).map_err(|_| damaged("its manifest cannot be read"))?;
        if format != FORMAT {
            return Err(foreign("another version made it"));
        }
        let manifest: Self =
            serde_json::from_slice(text).map_err(|_| damaged("its manifest cannot be read"))?;
        if manifest.name != name.as_str() {
            return Err(foreign("it was made under another name"));
        }
        if manifest.home != home {
            return Err(foreign("it was taken of another data folder"));
        }
        Ok(manifest)
    }

    /// Checks that this program can open the databases.
    pub(super) fn check_forms(&self, fits: impl Fn(&str, i64) -> bool) -> Result<(), WorldError> {
        if self.forms.iter().all(|(name, form)| fits(name, *form)) {
            return Ok(());
        }
        Err(foreign("another version made it"))
    }

    /// Checks the list of files, and that its key is here or is the one in use.
    pub(super) fn check_files(&self, keys: &[String]) -> Result<(), WorldError> {
        let names: Vec<_> = self.files.iter().map(|file| file.name.as_str()).collect();
        let is_known = |name: &&str| [GATEWAY, BANK, MASTER_KEY].contains(name);
        let is_once = |name: &&str| names.iter().filter(|other| *other == name).count() == 1;
        let is_complete = names.contains(&GATEWAY);
        if !is_complete || !names.iter().all(|name| is_known(name) && is_once(name)) {
            return Err(damaged(
                "its manifest names other files than those of a data folder",
            ));
        }
        if names.contains(&MASTER_KEY) {
            return Ok(());
        }
        self.check_key(keys)
    }

    /// Checks that the key in use opens it.
    pub(super) fn check_key(&self, keys: &[String]) -> Result<(), WorldError> {
        if keys.contains(&self.facts.encryption_key) {
            return Ok(());
        }
        Err(foreign("it is encrypted under another master key"))
    }
}

#[cfg(test)]
mod tests {
    use super::{BANK, GATEWAY, MASTER_KEY, Manifest, WorldFacts, WorldFile};
    use crate::worlds::WorldError;
    use crate::worlds::name::WorldName;
    use std::collections::BTreeMap;

    fn name() -> WorldName {
        "a".parse().unwrap()
    }

    fn manifest(files: &[&str]) -> Manifest {
        let facts = WorldFacts {
            created_at: 1,
            now: 2,
            ahead_seconds: 1,
            encryption_key: "m1".into(),
        };
        let forms = BTreeMap::from([(GATEWAY.to_owned(), 1)]);
        let file = |name: &&str| WorldFile {
            name: (*name).to_owned(),
            bytes: 1,
            sha256: String::new(),
        };
        Manifest {
            files: files.iter().map(file).collect(),
            ..Manifest::new(&name(), "home", facts, forms)
        }
    }

    #[test]
    fn manifests_belong_to_one_name_home_and_format() {
        let text = manifest(&[GATEWAY]).to_text().unwrap();
        let parse = |text: &str, of: &str, home: &str| {
            Manifest::parse(text.as_bytes(), &of.parse().unwrap(), home)
        };
        assert_eq!(parse(&text, "a", "home"), Ok(manifest(&[GATEWAY])));
        let is_foreign =
            |parsed: Result<Manifest, WorldError>| matches!(parsed, Err(WorldError::Foreign(_)));
        assert!(is_foreign(parse(&text, "b", "home")));
        assert!(is_foreign(parse(&text, "a", "elsewhere")));
        let newer = text.replace("\"format\":1", "\"format\":2,\"more\":[]");
        assert!(is_foreign(parse(&newer, "a", "home")));
        let more = text.replace("\"format\":1", "\"format\":1,\"more\":[]");
        for damaged in ["", "{}", "null", &text[1..], &text[..text.len() - 1], &more] {
            let parsed = parse(damaged, "a", "home");
            assert!(matches!(parsed, Err(WorldError::Damaged(_))), "{damaged}");
        }
    }

    #[test]
    fn manifests_name_only_files_of_a_data_folder() {
        let rows: [(&[&str], bool); 8] = [
            (&[GATEWAY], true),
            (&[GATEWAY, BANK], true),
            (&[GATEWAY, BANK, MASTER_KEY], true),
            (&[], false),
            (&[BANK], false),
            (&[GATEWAY, GATEWAY], false),
            (&[GATEWAY, "../../.ssh/authorized_keys"], false),
            (&[GATEWAY, "/etc/passwd"], false),
        ];
        for (files, is_good) in rows {
            let checked = manifest(files).check_files(&["m1".to_owned()]);
            assert_eq!(checked.is_ok(), is_good, "{files:?}");
        }
        assert!(manifest(&[GATEWAY]).check_files(&[]).is_err());
        assert_eq!(manifest(&[GATEWAY, MASTER_KEY]).check_files(&[]), Ok(()));
    }

    #[test]
    fn databases_of_a_newer_version_are_foreign() {
        let rows = [(0, false), (1, true), (2, true)];
        for (known, is_good) in rows {
            let checked = manifest(&[GATEWAY]).check_forms(|_, form| form <= known);
            assert_eq!(checked.is_ok(), is_good, "{known}");
        }
    }
}

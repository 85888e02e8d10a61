//! The repository of recently used widget builds, so that every server can serve the files of all
//! of them.

use sealpay_storage::{Database, DatabaseError, Projection, projection, sql, values};

const RECORD: &str = "INSERT INTO widget_builds (digest, seen_at_ms) VALUES ($1, $2)
    ON CONFLICT (digest) DO UPDATE SET seen_at_ms = excluded.seen_at_ms";

const ADD_FILE: &str = "INSERT INTO widget_files (build, name, coding, content)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const DIGESTS: &str = "SELECT digest FROM widget_builds";

const COUNT: &str = "SELECT COUNT(*) FROM widget_files WHERE build = $1";

const FILES: &str = sql!(WidgetFile::SELECT, "WHERE build = $1 ORDER BY name, coding");

// Files are deleted first: a build that is recorded again meanwhile keeps them, because it is in
// use by then.
const FORGET_FILES: &str = "DELETE FROM widget_files WHERE build IN
    (SELECT digest FROM widget_builds WHERE seen_at_ms < $1)";

const FORGET: &str = "DELETE FROM widget_builds WHERE seen_at_ms < $1";

/// A file of a build with one content coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidgetFile {
    /// Its name.
    pub name: String,
    /// `identity`, `gzip` or `br`.
    pub coding: String,
    /// Its bytes in base64url.
    pub content: String,
}

projection! {
    WidgetFile from "widget_files" {
        name,
        coding,
        content,
    }
}

/// The repository of builds of the widget.
#[derive(Debug, Clone)]
pub struct WidgetBuildStore {
    pub(crate) database: Database,
}

impl WidgetBuildStore {
    /// Records that a build is in use now, milliseconds since 1970.
    pub async fn record(&self, digest: &str, now_ms: i64) -> Result<(), DatabaseError> {
        let values = values![digest.to_owned(), now_ms];
        self.database.execute(RECORD, values).await.map(drop)
    }

    /// Adds a file of a recorded build; an existing file is unchanged.
    pub async fn add_file(&self, digest: &str, file: &WidgetFile) -> Result<(), DatabaseError> {
        let values = values![digest.to_owned(), &file.name, &file.coding, &file.content];
        self.database.execute(ADD_FILE, values).await.map(drop)
    }

    /// The digests of the recorded builds.
    pub async fn list(&self) -> Result<Vec<String>, DatabaseError> {
        let digests = self.database.list(DIGESTS, []).await?.into_iter();
        Ok(digests.map(|(digest,)| digest).collect())
    }

    /// The number of stored files of a build, counting each coding.
    pub async fn file_count(&self, digest: &str) -> Result<i64, DatabaseError> {
        let build = values![digest.to_owned()];
        self.database.scalar(COUNT, build).await
    }

    /// The files of a build. They may be incomplete, so the reader verifies the digest.
    pub async fn files(&self, digest: &str) -> Result<Vec<WidgetFile>, DatabaseError> {
        let build = values![digest.to_owned()];
        self.database.list(FILES, build).await
    }

    /// Deletes builds that were not used since a time, milliseconds since 1970.
    pub async fn purge(&self, before_ms: i64) -> Result<(), DatabaseError> {
        self.database
            .execute(FORGET_FILES, values![before_ms])
            .await?;
        self.database
            .execute(FORGET, values![before_ms])
            .await
            .map(drop)
    }
}

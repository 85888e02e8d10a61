//! The widget's files, read once at startup and served from memory.
//!
//! Their paths contain a digest of all files, so a URL's content never changes and may be cached
//! forever. The files are compressed at build time.

use crate::widget_builds::WidgetFile;
use axum::body::Bytes;
use brotli::CompressorWriter;
use sealpay_protocol::encoding::{base64, base64url, from_base64url, hex};
use sha2::{Digest, Sha256, Sha384};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// The HTML document of the frame.
const DOCUMENT: &str = "index.html";
/// Length of the digest in paths, bytes of SHA-256; enough to identify a build.
const DIGEST_BYTES: usize = 16;
/// The script that merchants load.
const LOADER: &str = "checkout.js";

/// A file with all its encodings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) identity: Bytes,
    pub(crate) gzip: Option<Bytes>,
    pub(crate) brotli: Option<Bytes>,
}

/// The files of one build, with the digest of all of them.
#[derive(Debug, Default)]
pub(crate) struct Build {
    digest: String,
    files: BTreeMap<String, Asset>,
}

/// The widget's files.
#[derive(Debug, Default)]
pub struct Assets {
    build: Build,
    document: Option<Asset>,
    loader_integrity: Option<String>,
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

impl Assets {
    /// Loads a folder of a widget build.
    ///
    /// # Errors
    /// A sentence if the folder cannot be read or has no document.
    pub fn load(folder: &Path) -> Result<Self, String> {
        let trouble = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(trouble)? {
            let path = entry.map_err(trouble)?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Some(content_type) = content_type(name) else {
                continue;
            };
            let identity = std::fs::read(&path).map_err(trouble)?.into();
            let compressed = |ending| std::fs::read(folder.join([name, ending].concat()));
            let compressed = |ending| compressed(ending).ok().map(Bytes::from);
            let asset = Asset {
                content_type,
                identity,
                gzip: compressed(".gz"),
                brotli: compressed(".br"),
            };
            files.insert(name.to_owned(), asset);
        }
        let document = std::fs::read_to_string(folder.join(DOCUMENT)).map_err(|error| {
            format!(
                "{}: {error}; build the widget with `cargo xtask widget`",
                folder.display()
            )
        })?;
        let build = Build::new(files);
        let document = document
            .replace("/assets/", &format!("/assets/{}/", build.digest))
            .into_bytes();
        let document = Asset {
            content_type: "text/html; charset=utf-8",
            // Its URLs are inserted at startup, so it could not be compressed at build time.
            brotli: brotli(&document).ok().map(Bytes::from),
            gzip: None,
            identity: document.into(),
        };
        let integrity =
            |file: &Asset| ["sha384-", &base64(&Sha384::digest(&file.identity))].concat();
        let loader_integrity = build.files.get(LOADER).map(integrity);
        Ok(Self {
            build,
            document: Some(document),
            loader_integrity,
        })
    }

    /// The digest of the build; none without a widget.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.document.as_ref()?;
        Some(&self.build.digest)
    }

    /// The number of files, counting each encoding.
    #[must_use]
    pub fn count(&self) -> usize {
        let files = self.build.files.values();
        files.map(|asset| asset.codings().count()).sum()
    }

    /// The files of the build, as stored for other servers.
    #[must_use]
    pub fn files(&self) -> Vec<WidgetFile> {
        self.build.files()
    }

    /// The HTML document of the frame.
    pub(crate) fn document(&self) -> Option<&Asset> {
        self.document.as_ref()
    }

    /// A file of the build with this digest.
    pub(crate) fn file(&self, digest: &str, name: &str) -> Option<&Asset> {
        if digest == self.build.digest {
            self.build.file(name)
        } else {
            None
        }
    }

    pub(crate) fn loader(&self) -> Option<&Asset> {
        self.build.file(LOADER)
    }

    /// The versioned URL of the loader, and its integrity for the script tag.
    pub(crate) fn pinned_loader(&self) -> Option<(String, &str)> {
        let integrity = self.loader_integrity.as_deref()?;
        Some((format!("/assets/{}/{LOADER}", self.build.digest), integrity))
    }
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let mut writer = CompressorWriter::new(&mut compressed, 4096, 11, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(compressed)
}

impl Asset {
    /// Its bytes by encoding.
    fn codings(&self) -> impl Iterator<Item = (&'static str, &Bytes)> {
        let compressed = [("gzip", &self.gzip), ("br", &self.brotli)];
        let compressed = compressed.into_iter();
        let compressed = compressed.filter_map(|(coding, bytes)| Some((coding, bytes.as_ref()?)));
        std::iter::once(("identity", &self.identity)).chain(compressed)
    }
}

impl Build {
    fn new(files: BTreeMap<String, Asset>) -> Self {
        Self {
            digest: digest_of(&files),
            files,
        }
    }

    /// Whether a text has the form of a digest.
    pub(crate) fn is_digest(text: &str) -> bool {
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        text.len() == 2 * DIGEST_BYTES && text.bytes().all(is_digit)
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn file(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }

    fn files(&self) -> Vec<WidgetFile> {
        let files = self.files.iter().flat_map(|(name, asset)| {
            asset.codings().map(|(coding, bytes)| WidgetFile {
                name: name.clone(),
                coding: coding.to_owned(),
                content: base64url(bytes),
            })
        });
        files.collect()
    }

    /// Restores a build from stored files, if there are any.
    pub(crate) fn from_files(files: &[WidgetFile]) -> Option<Self> {
        let mut assets: BTreeMap<String, Asset> = BTreeMap::new();
        for file in files {
            let bytes = Bytes::from(from_base64url(&file.content)?);
            let asset = assets.entry(file.name.clone()).or_default();
            asset.content_type = content_type(&file.name)?;
            match file.coding.as_str() {
                "identity" => asset.identity = bytes,
                "gzip" => asset.gzip = Some(bytes),
                "br" => asset.brotli = Some(bytes),
                _ => return None,
            }
        }
        Some(Self::new(assets))
    }
}

/// Covers every served byte, because browsers identify a build by its digest.
fn digest_of(files: &BTreeMap<String, Asset>) -> String {
    let mut hash = Sha256::new();
    for (name, asset) in files {
        for (coding, bytes) in asset.codings() {
            for text in [name.as_str(), coding] {
                hash.update(text);
                hash.update([0]);
            }
            hash.update(Sha256::digest(bytes));
        }
    }
    hex(&hash.finalize()[..DIGEST_BYTES])
}

#[cfg(test)]
mod tests {
    use super::{Asset, Build};
    use axum::body::Bytes;
    use std::collections::BTreeMap;

    #[test]
    fn stored_builds_have_the_same_digest_and_altered_ones_another() {
        let asset = Asset {
            content_type: "text/javascript; charset=utf-8",
            identity: Bytes::from_static(b"boot"),
            gzip: None,
            brotli: Some(Bytes::from_static(b"br")),
        };
        let build = Build::new(BTreeMap::from([("boot.js".to_owned(), asset)]));
        assert!(Build::is_digest(build.digest()));
        let mut files = build.files();
        let read = Build::from_files(&files).unwrap();
        assert_eq!(read.digest(), build.digest());
        let file = read.file("boot.js").unwrap();
        assert_eq!(
            (&file.identity[..], file.gzip.is_none()),
            (&b"boot"[..], true)
        );
        for place in 0..files.len() {
            let good = std::mem::replace(&mut files[place].content, "AAAA".into());
            let altered = Build::from_files(&files).unwrap();
            assert_ne!(altered.digest(), build.digest());
            files[place].content = good;
        }
        assert_ne!(
            Build::from_files(&files[1..]).unwrap().digest(),
            build.digest()
        );
        "no coding".clone_into(&mut files[0].coding);
        assert!(Build::from_files(&files).is_none());
    }
}

//! The widget's files, read once at the start and served from memory.
//!
//! Their paths hold a digest of all of them, so that they never change under one address and may
//! be cached for ever. The build has compressed them already.

use brotli::CompressorWriter;
use sealpay_protocol::encoding::{base64, hex};
use sha2::{Digest, Sha256, Sha384};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// The file that is the document in the frame.
const DOCUMENT: &str = "index.html";
/// The file that merchants load.
const LOADER: &str = "checkout.js";

/// One file, in every form that the build made.
#[derive(Debug, Clone, Default)]
pub(super) struct Asset {
    pub(super) content_type: &'static str,
    pub(super) identity: Vec<u8>,
    pub(super) gzip: Option<Vec<u8>>,
    pub(super) brotli: Option<Vec<u8>>,
}

/// The widget's files.
#[derive(Debug, Default)]
pub struct Assets {
    digest: String,
    document: Option<Asset>,
    files: BTreeMap<String, Asset>,
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
    /// Reads a folder that the widget's build made.
    ///
    /// # Errors
    /// A sentence when the folder cannot be read or has no document.
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
            let identity = std::fs::read(&path).map_err(trouble)?;
            let compressed = |ending| std::fs::read(folder.join([name, ending].concat())).ok();
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
        let digest = digest_of(&files);
        let document = document
            .replace("/assets/", &format!("/assets/{digest}/"))
            .into_bytes();
        let document = Asset {
            content_type: "text/html; charset=utf-8",
            // Its addresses were written into it just now, so the build could not compress it.
            brotli: brotli(&document).ok(),
            gzip: None,
            identity: document,
        };
        let integrity =
            |file: &Asset| ["sha384-", &base64(&Sha384::digest(&file.identity))].concat();
        let loader_integrity = files.get(LOADER).map(integrity);
        Ok(Self {
            digest,
            document: Some(document),
            files,
            loader_integrity,
        })
    }

    /// The document in the frame.
    pub(super) fn document(&self) -> Option<&Asset> {
        self.document.as_ref()
    }

    /// A file under the current digest.
    pub(super) fn file(&self, digest: &str, name: &str) -> Option<&Asset> {
        if digest == self.digest {
            self.files.get(name)
        } else {
            None
        }
    }

    /// The loader.
    pub(super) fn loader(&self) -> Option<&Asset> {
        self.files.get(LOADER)
    }

    /// The address under which the loader never changes, and its integrity for the script tag.
    pub(super) fn pinned_loader(&self) -> Option<(String, &str)> {
        let integrity = self.loader_integrity.as_deref()?;
        Some((format!("/assets/{}/{LOADER}", self.digest), integrity))
    }
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let mut writer = CompressorWriter::new(&mut compressed, 4096, 11, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(compressed)
}

fn digest_of(files: &BTreeMap<String, Asset>) -> String {
    let mut hash = Sha256::new();
    for (name, asset) in files {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(&asset.identity));
    }
    hex(&hash.finalize()[..8])
}

//! Compresses the finished files beforehand, so that the server only picks the form that a browser takes.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use brotli::CompressorWriter;
use data_encoding::BASE64;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha384};

use crate::failure::Failure;

/// Below this many bytes the headers of an answer weigh more than what compression saves.
const WORTH_COMPRESSING: usize = 200;
/// The list of all files, beside them.
pub(crate) const MANIFEST: &str = "manifest.json";

const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_BITS: u32 = 22;
const BROTLI_BUFFER_BYTES: usize = 1 << 16;

/// The size of a file in each form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) raw: usize,
    pub(crate) gzip: usize,
    pub(crate) brotli: usize,
}

/// Writes `.br` and `.gz` beside every file of a folder, and `manifest.json` with sizes and digests.
/// A file that is not worth compressing counts with its own size in every form.
///
/// # Errors
/// When the folder cannot be read or written.
pub(crate) fn folder(dist: &Path) -> Result<Vec<(String, Sizes)>, Failure> {
    let broken =
        |error| Failure::because(format!("{} cannot be compressed", dist.display()), error);
    let mut listed = Map::new();
    let mut all = Vec::new();
    let files = fs::read_dir(dist).map_err(broken)?;
    let files = files.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = files.collect::<io::Result<_>>().map_err(broken)?;
    files.sort();
    for file in files {
        let content = fs::read(&file).map_err(broken)?;
        let sizes = write_forms(&file, &content).map_err(broken)?;
        let name = file
            .strip_prefix(dist)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        let integrity = format!("sha384-{}", BASE64.encode(&Sha384::digest(&content)));
        listed.insert(
            name.clone(),
            json!({
                "raw": sizes.raw, "gzip": sizes.gzip, "brotli": sizes.brotli, "integrity": integrity,
            }),
        );
        all.push((name, sizes));
    }
    let mut manifest = Value::from(Map::from_iter([(
        String::from("files"),
        Value::Object(listed),
    )]))
    .to_string();
    manifest.push('\n');
    fs::write(dist.join(MANIFEST), manifest).map_err(broken)?;
    Ok(all)
}

fn write_forms(file: &Path, content: &[u8]) -> io::Result<Sizes> {
    let raw = content.len();
    if raw <= WORTH_COMPRESSING {
        return Ok(Sizes {
            raw,
            gzip: raw,
            brotli: raw,
        });
    }
    let gzip = gzip(content)?;
    let brotli = brotli(content)?;
    fs::write(beside(file, ".gz"), &gzip)?;
    fs::write(beside(file, ".br"), &brotli)?;
    Ok(Sizes {
        raw,
        gzip: gzip.len(),
        brotli: brotli.len(),
    })
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    PathBuf::from(name)
}

/// Without a name and a time inside, so that the same content gives the same bytes.
fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = CompressorWriter::new(
        Vec::new(),
        BROTLI_BUFFER_BYTES,
        BROTLI_QUALITY,
        BROTLI_WINDOW_BITS,
    );
    encoder.write_all(content)?;
    encoder.flush()?;
    Ok(encoder.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn both_forms_unpack_to_what_went_in_and_are_the_same_every_time() {
        let content = "The quick brown fox jumps over the lazy dog. ".repeat(200);
        let gzipped = gzip(content.as_bytes()).expect("written to memory");
        let brotlied = brotli(content.as_bytes()).expect("written to memory");
        assert_eq!(
            gzip(content.as_bytes()).expect("written to memory"),
            gzipped
        );
        assert_eq!(
            brotli(content.as_bytes()).expect("written to memory"),
            brotlied
        );

        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(gzipped.as_slice())
            .read_to_string(&mut unpacked)
            .expect("gzip");
        assert_eq!(unpacked, content);
        unpacked.clear();
        brotli::Decompressor::new(brotlied.as_slice(), 4096)
            .read_to_string(&mut unpacked)
            .expect("brotli");
        assert_eq!(unpacked, content);
    }

    #[test]
    fn a_folder_gets_a_form_of_each_file_that_is_worth_it_and_a_manifest() {
        let folder_path =
            std::env::temp_dir().join(format!("xtask-compress-{}", std::process::id()));
        fs::create_dir_all(&folder_path).expect("a temporary folder");
        fs::write(folder_path.join("long.js"), "x".repeat(1000)).expect("written");
        fs::write(folder_path.join("short.css"), "y".repeat(200)).expect("written");

        let all = folder(&folder_path).expect("compressed");
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["long.js", "short.css"]);
        assert!(folder_path.join("long.js.br").is_file());
        assert!(folder_path.join("long.js.gz").is_file());
        assert!(!folder_path.join("short.css.br").exists());

        let manifest = fs::read_to_string(folder_path.join(MANIFEST)).expect("a manifest");
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        let short = &manifest["files"]["short.css"];
        assert_eq!(
            (&short["raw"], &short["brotli"]),
            (&json!(200), &json!(200))
        );
        // printf 'y%.0s' $(seq 200) | openssl dgst -sha384 -binary | base64
        assert_eq!(short["integrity"], json!(SHA384_OF_200_Y));
        fs::remove_dir_all(&folder_path).expect("removed");
    }

    const SHA384_OF_200_Y: &str =
        "sha384-1A1vfg2CUIzV4yW23VmYerq2e2q4+fWTTHQGEcUnn/uCeI8kJnze8tN7CSqnUh6s";
}

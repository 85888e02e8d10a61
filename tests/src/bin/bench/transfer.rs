//! What a shopper's browser loads, file by file, in every form that the server may send.

use harness::processes::widget_folder;
use serde_json::{Map, Value, json};
use std::path::Path;

/// What browsers load; whatever else stands in the folder they never see.
const ENDINGS: [&str; 5] = ["css", "html", "js", "svg", "wasm"];

pub(crate) fn measure() -> Value {
    let folder = widget_folder();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the widget's folder can be read")
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            name.rsplit_once('.')
                .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
        })
        .collect();
    names.sort();
    let mut files = Map::new();
    let mut totals = [0; 3];
    for name in &names {
        let sizes = sizes(&folder.join(name));
        for (total, size) in totals.iter_mut().zip(sizes) {
            *total += size;
        }
        files.insert(name.clone(), object(sizes));
    }
    json!({ "files": files, "total": object(totals), "requests": names.len() })
}

fn object([raw, gzip, brotli]: [u64; 3]) -> Value {
    json!({ "raw": raw, "gzip": gzip, "brotli": brotli })
}

/// A form that was not worth making is sent as the file stands.
fn sizes(file: &Path) -> [u64; 3] {
    let size = |ending: &str| {
        let path = format!("{}{ending}", file.display());
        std::fs::metadata(path).map(|metadata| metadata.len()).ok()
    };
    let raw = size("").unwrap_or(0);
    [raw, size(".gz").unwrap_or(raw), size(".br").unwrap_or(raw)]
}

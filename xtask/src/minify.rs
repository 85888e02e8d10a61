//! Scripts and style sheets without what only people read.

use crate::failure::{Failure, Outcome};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// Minifies every script and style sheet of a folder in place.
///
/// # Errors
/// When a file cannot be read or written, or is not of its language.
pub(crate) fn folder(dist: &Path) -> Outcome {
    let broken = |error| Failure::because(format!("{} cannot be read", dist.display()), error);
    for entry in fs::read_dir(dist).map_err(broken)? {
        file(&entry.map_err(broken)?.path())?;
    }
    Ok(())
}

fn file(path: &Path) -> Outcome {
    let minify: fn(&str) -> Result<String, &'static str> =
        match path.extension().and_then(OsStr::to_str) {
            Some("js") => |text| Ok(minifier::js::minify(text).to_string()),
            Some("css") => |text| minifier::css::minify(text).map(|css| css.to_string()),
            _ => return Ok(()),
        };
    let broken = |error| Failure::because(format!("{} cannot be minified", path.display()), error);
    let text = fs::read_to_string(path).map_err(broken)?;
    let minified = minify(&text).map_err(|error| {
        Failure::new(format!("{} cannot be minified: {error}.", path.display()))
    })?;
    fs::write(path, minified).map_err(broken)
}

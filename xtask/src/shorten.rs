//! Short names for what the widget's WebAssembly imports, and a shorter script beside it.
//!
//! wasm-bindgen gives every import a long name with sixteen random digits, once in the module and
//! once in the script beside it. Nobody reads them and they do not compress: short ones save every
//! shopper about four kilobytes. The script also knows ways to load a module that are never gone
//! here, and describes values at length for messages that nobody sees.

use crate::failure::Failure;
use crate::wasm;
use std::collections::BTreeMap;

/// The import section (WebAssembly core specification section 5.5.5).
const IMPORT_SECTION: u8 = 2;
/// Imports of functions; wasm-bindgen makes no others (section 5.4.1).
const FUNCTION: u8 = 0;

/// Functions of the script, and what stands for each. The verifier serves the module with its own
/// type, and `boot.js` says where it is.
const REPLACED: [(&str, &str); 5] = [
    ("\nfunction initSync(", ""),
    ("\nasync function __wbg_load(", ""),
    (
        "\nasync function __wbg_init_once(module_or_path) {",
        "async function __wbg_init_once({ module_or_path }) {\n\
         const { instance, module } = await WebAssembly.instantiateStreaming(\n\
         fetch(module_or_path), __wbg_get_imports());\n\
         return __wbg_finalize_init(instance, module);\n}",
    ),
    (
        "\nfunction debugString(val) {",
        "function debugString(val) {\nreturn String(val);\n}",
    ),
    // It begins anew after two gigabytes.
    (
        "\nfunction decodeText(bytes) {",
        "function decodeText(bytes) {\nreturn cachedTextDecoder.decode(bytes);\n}",
    ),
];

/// The module and the script with short names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shortened {
    pub(crate) module: Vec<u8>,
    pub(crate) script: String,
}

/// Renames the imports in both.
///
/// # Errors
/// A sentence when the module is not of the form that wasm-bindgen writes, or when the script does
/// not define each import exactly once.
pub(crate) fn shorten(module: &[u8], script: &str) -> Result<Shortened, Failure> {
    let mut reader = Reader(module);
    let mut shorter = reader.take(wasm::PREAMBLE.len())?.to_vec();
    let mut script = script.to_owned();
    while !reader.0.is_empty() {
        let before = reader.0;
        let section = reader.byte()?;
        let length = reader.number()?;
        let body = reader.take(length)?;
        if section == IMPORT_SECTION {
            let (imports, names) = rename(body)?;
            shorter.push(section);
            write_number(&mut shorter, imports.len());
            shorter.extend(imports);
            for (long, short) in names {
                script = define_as(&script, &long, &short)?;
            }
        } else {
            shorter.extend(&before[..before.len() - reader.0.len()]);
        }
    }
    Ok(Shortened {
        module: shorter,
        script: replace(&script),
    })
}

/// The script without what is never used. A function begins as it is known, and ends with the first
/// brace that begins a line; one that is not there is not missed.
fn replace(script: &str) -> String {
    let mut script = script.replace("export { initSync, ", "export { ");
    for (beginning, replacement) in REPLACED {
        let parts = script.split_once(beginning);
        let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once("\n}\n")?.1)));
        if let Some((before, after)) = parts {
            script = [before, "\n", replacement, "\n", after].concat();
        }
    }
    script
}

/// The section's body with short names, and which short name stands for which long one.
fn rename(body: &[u8]) -> Result<(Vec<u8>, BTreeMap<String, String>), Failure> {
    let mut reader = Reader(body);
    let count = reader.number()?;
    let mut renamed = Vec::new();
    write_number(&mut renamed, count);
    let mut names = BTreeMap::new();
    for _ in 0..count {
        let from = reader.name()?.to_owned();
        let long = reader.name()?.to_owned();
        let kind = reader.byte()?;
        if kind != FUNCTION {
            return Err(Failure::new(format!(
                "The import {long} is not a function."
            )));
        }
        let function_type = reader.number()?;
        let next = short_name(names.len());
        let short = names.entry(long).or_insert(next);
        write_name(&mut renamed, &from);
        write_name(&mut renamed, short);
        renamed.push(kind);
        write_number(&mut renamed, function_type);
    }
    Ok((renamed, names))
}

/// Renames the one property of that name in the script's table of imports.
fn define_as(script: &str, long: &str, short: &str) -> Result<String, Failure> {
    let is_part_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut found = script.match_indices(long).filter(|(at, _)| {
        let before = script[..*at].chars().next_back();
        let after = script[at + long.len()..].trim_start().chars().next();
        !before.is_some_and(is_part_of_a_name) && matches!(after, Some(':' | '('))
    });
    let (Some((at, _)), None) = (found.next(), found.next()) else {
        let reason = format!("The script does not define the import {long} exactly once.");
        return Err(Failure::new(reason));
    };
    Ok([&script[..at], short, &script[at + long.len()..]].concat())
}

/// `a`, `b`, …, `z`, `ba`, `bb`, …: the places of the alphabet as digits.
fn short_name(mut place: usize) -> String {
    let mut name = String::new();
    loop {
        let letter = u8::try_from(place % 26).unwrap_or(0);
        name.insert(0, char::from(b'a' + letter));
        place /= 26;
        if place == 0 {
            return name;
        }
    }
}

fn write_name(bytes: &mut Vec<u8>, name: &str) {
    write_number(bytes, name.len());
    bytes.extend(name.as_bytes());
}

/// Unsigned LEB128 (section 5.2.2).
fn write_number(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// What is left to be read of a part of the module.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Failure> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Failure> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<usize, Failure> {
        let (number, rest) = wasm::number(self.0).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(number)
    }

    fn name(&mut self) -> Result<&'a str, Failure> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| malformed())
    }
}

fn malformed() -> Failure {
    Failure::new("What was built is not a WebAssembly module of the form that wasm-bindgen writes.")
}

#[cfg(test)]
mod tests {
    use super::{define_as, replace, short_name, shorten, write_name, write_number};

    /// A module with a type section, these imports and a custom section.
    fn module(imports: &[&str]) -> Vec<u8> {
        let mut body = Vec::new();
        write_number(&mut body, imports.len());
        for import in imports {
            write_name(&mut body, "./w.js");
            write_name(&mut body, import);
            body.extend([0, 0]);
        }
        let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02".to_vec();
        write_number(&mut module, body.len());
        module.extend(body);
        module.extend(b"\0\x03\x01xy");
        module
    }

    #[test]
    fn both_sides_get_the_same_short_names() {
        let script =
            "const imports = { __wbg_new_1: function() { __wbg_new_12(); }, __wbg_new_12: f };";
        let script = script.replace("__wbg_new_12();", "");
        let shortened = shorten(&module(&["__wbg_new_1", "__wbg_new_12"]), &script).unwrap();
        assert_eq!(shortened.module, module(&["a", "b"]));
        assert_eq!(
            shortened.script,
            "const imports = { a: function() {  }, b: f };"
        );
    }

    #[test]
    fn what_is_never_used_is_not_kept() {
        let script = "let a;\nfunction initSync(module) {\n    if (a) {\n    }\n}\n\
            function debugString(val) {\n    long();\n}\nfunction b() {\n}\n\
            export { initSync, b as default };";
        let expected = "let a;\n\nfunction debugString(val) {\nreturn String(val);\n}\n\
            function b() {\n}\nexport { b as default };";
        assert_eq!(replace(script), expected);
        assert_eq!(replace("let a;"), "let a;");
        let endless = "let a;\nfunction debugString(val) {";
        assert_eq!(replace(endless), endless);
    }

    #[test]
    fn a_script_that_does_not_fit_is_refused() {
        for script in [
            "",
            "{ long: f, long: g }",
            "{ longer: f }",
            "{ xlong: f }",
            "x = long;",
        ] {
            assert!(define_as(script, "long", "a").is_err(), "{script}");
        }
        assert_eq!(define_as("{ long: f }", "long", "a").unwrap(), "{ a: f }");
    }

    #[test]
    fn a_module_that_breaks_off_is_refused() {
        let whole = module(&["long"]);
        for length in 0..whole.len() {
            let cut = shorten(&whole[..length], "{ long: f }");
            // At the border between two sections nothing is missing.
            let at_a_border = [8, 14, whole.len() - 5].contains(&length);
            assert_eq!(cut.is_ok(), at_a_border, "{length}");
        }
    }

    #[test]
    fn names_do_not_repeat() {
        let names: std::collections::BTreeSet<_> = (0..1000).map(short_name).collect();
        assert_eq!(names.len(), 1000);
        assert_eq!(
            (short_name(0), short_name(25), short_name(26)),
            ("a".into(), "z".into(), "ba".into())
        );
    }
}

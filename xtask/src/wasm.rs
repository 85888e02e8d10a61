//! Takes out of a WebAssembly module what no browser needs to run it.

use crate::failure::Failure;

/// Magic number and version: WebAssembly Core Specification, section 5.5.16.
const PREAMBLE: &[u8] = b"\0asm\x01\0\0\0";
/// Section 5.5.3: "ignored by the WebAssembly semantics".
const CUSTOM_SECTION: u8 = 0;
/// A 32-bit number in LEB128 takes five bytes at most: section 5.2.2.
const LONGEST_NUMBER: usize = 5;

/// The module without its custom sections. The largest of them names every function for a debugger: more
/// than a quarter of the module.
///
/// # Errors
/// When it is not a module.
pub(crate) fn without_custom_sections(module: &[u8]) -> Result<Vec<u8>, Failure> {
    let malformed = || Failure::new("What was built is not a WebAssembly module.");
    let mut rest = module.strip_prefix(PREAMBLE).ok_or_else(malformed)?;
    let mut kept = PREAMBLE.to_vec();
    while let Some((id, after_id)) = rest.split_first() {
        let (length, content) = number(after_id).ok_or_else(malformed)?;
        let header = rest.len() - content.len();
        let (section, following) = rest
            .split_at_checked(header.saturating_add(length))
            .ok_or_else(malformed)?;
        if *id != CUSTOM_SECTION {
            kept.extend_from_slice(section);
        }
        rest = following;
    }
    Ok(kept)
}

/// An unsigned LEB128 number, and what stands behind it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (position, byte) in bytes.iter().enumerate().take(LONGEST_NUMBER) {
        let digit = usize::from(byte & 0x7f);
        value |= digit.checked_shl(u32::try_from(position * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.split_at_checked(position + 1)?.1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        let mut bytes = PREAMBLE.to_vec();
        bytes.extend(sections.concat());
        bytes
    }

    #[test]
    fn custom_sections_go_and_all_others_stay_in_order() {
        let types: &[u8] = &[1, 4, 1, 0x60, 0, 0];
        let names: &[u8] = &[0, 5, 4, b'n', b'a', b'm', b'e'];
        let mut long = vec![11, 0x80 | 72, 1];
        long.extend([7; 200]);
        let with = module(&[types, names, &long, names]);
        let without = module(&[types, &long]);
        assert_eq!(without_custom_sections(&with), Ok(without.clone()));
        assert_eq!(without_custom_sections(&without), Ok(without));
        assert_eq!(without_custom_sections(&module(&[])), Ok(module(&[])));
    }

    #[test]
    fn what_is_not_a_whole_module_is_refused() {
        let rows: &[Vec<u8>] = &[
            Vec::new(),
            b"<!doctype html>".to_vec(),
            module(&[&[1]]),
            module(&[&[1, 4, 1]]),
            module(&[&[1, 0x80, 0x80]]),
            module(&[&[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]]),
            module(&[&[1, 0xff, 0xff, 0xff, 0xff, 0x0f]]),
        ];
        for bytes in rows {
            assert!(without_custom_sections(bytes).is_err(), "{bytes:?}");
        }
    }
}

//! The program that the browser starts; everything is in the library.

// Without the start-up code of a process: a browser has no arguments, streams or threads to set up.
#![cfg_attr(target_arch = "wasm32", no_main)]

/// Two-level segregated fit in its small form: download size matters more than speed.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Called by the script beside the module.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
fn start() {
    sealpay_widget::browser::start();
}

/// The widget only runs in a browser.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}

//! The program that the browser starts; everything is in the library.

#[cfg(target_arch = "wasm32")]
fn main() {
    sealpay_widget::browser::start();
}

/// There is nothing to run outside a browser.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}

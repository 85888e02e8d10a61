//! The window with the wallet's own page.

use super::object;
use wasm_bindgen::JsValue;
use web_sys::Window;

/// One window for all: opened again, it is the same.
const NAME: &str = "sealpay-wallet";
/// As wide and high as a phone.
const FEATURES: &str = "popup,width=440,height=720";

/// A window that was opened.
pub struct WalletWindow(Window);

impl WalletWindow {
    /// Opens the page. `None` when the browser does not let a window open without a click.
    #[must_use]
    pub fn open(url: &str) -> Option<Self> {
        let window = web_sys::window()?
            .open_with_url_and_target_and_features("", NAME, FEATURES)
            .ok()??;
        // The wallet's page must not lead this one elsewhere.
        object::set(&window, "opener", &JsValue::NULL);
        window.location().replace(url).ok()?;
        Some(Self(window))
    }

    /// Brings it to the front.
    pub fn show(&self) {
        let _ = self.0.focus();
    }

    /// Whether the shopper has closed it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed().unwrap_or(true)
    }

    /// Closes it: it is not needed any more.
    pub fn close(self) {
        let _ = self.0.close();
    }
}

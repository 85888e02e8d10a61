//! The window with the wallet's own page.

use super::{object, random};
use sealpay_protocol::encoding::base64url;
use wasm_bindgen::JsValue;
use web_sys::Window;

/// As wide and high as a phone.
const FEATURES: &str = "popup,width=440,height=720";
/// Random bytes of the window's name: anyone who knows the name can navigate the window.
const NAME_BYTES: usize = 12;

/// A window that was opened.
pub struct WalletWindow(Window);

impl WalletWindow {
    /// Opens the page. `None` when the browser does not report an open window: it requires a click,
    /// the app has no windows, or the host page isolates its windows
    /// (`Cross-Origin-Opener-Policy`), in which case one may be open.
    #[must_use]
    pub fn open(url: &str) -> Option<Self> {
        let own = web_sys::window()?;
        // Opened with its URL: a window isolated from this one could not be navigated later.
        let window = own
            .open_with_url_and_target_and_features(url, &fresh_name(), FEATURES)
            .ok()??;
        // Some in-app browsers show the page in place of this one, and return this window.
        if window == own || own.top().ok().flatten().as_ref() == Some(&window) {
            return None;
        }
        // The wallet's page must not navigate this one.
        object::set(&window, "opener", &JsValue::NULL);
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

    /// Closes it.
    pub fn close(self) {
        let _ = self.0.close();
    }
}

/// Unpredictable, and different for each window.
fn fresh_name() -> String {
    ["sealpay-", &base64url(&random::bytes::<NAME_BYTES>())].concat()
}

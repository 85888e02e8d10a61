//! Amounts and dates as the shopper's country writes them, by the browser's `Intl`.

use super::object;
use js_sys::{Date, Object};
use sealpay_protocol::money::Money;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &Object) -> Result<NumberFormat, JsValue>;

    /// A text of decimal digits is formatted exactly; it never becomes a float.
    #[wasm_bindgen(method, catch)]
    fn format(this: &NumberFormat, decimal: &str) -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &Object) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn format(this: &DateTimeFormat, date: &Date) -> Result<String, JsValue>;
}

/// An amount such as `€24.90` or `24,90 €`; `24.90 EUR` in a browser that cannot.
#[must_use]
pub fn money(locale: &str, money: Money) -> String {
    let digits = JsValue::from(money.currency().exponent());
    let options = object::of(&[
        ("style", "currency".into()),
        ("currency", money.currency().code().into()),
        ("minimumFractionDigits", digits.clone()),
        ("maximumFractionDigits", digits),
    ]);
    NumberFormat::new(locale, &options)
        .and_then(|format| format.format(&money.decimal()))
        .unwrap_or_else(|_| money.to_string())
}

/// A moment in seconds since 1970, as a date and a time of the shopper's time zone.
#[must_use]
pub fn moment(locale: &str, unix_seconds: u64) -> String {
    let Ok(seconds) = u32::try_from(unix_seconds) else {
        return String::new();
    };
    // From 1970 on, as many seconds: milliseconds would not fit into 32 bits.
    let date = Date::new(&JsValue::from(0));
    date.set_utc_seconds(seconds);
    let options = object::of(&[
        ("dateStyle", "medium".into()),
        ("timeStyle", "short".into()),
    ]);
    DateTimeFormat::new(locale, &options)
        .and_then(|format| format.format(&date))
        .unwrap_or_default()
}

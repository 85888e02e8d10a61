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

/// Symbols that several currencies share. Which one is meant would depend on the locale, which the
/// host page chooses.
const SHARED_SYMBOLS: [&str; 2] = ["$", "kr"];

/// An amount such as `€24.90`, `24,90 €` or `USD 24.90`; `24.90 EUR` in a browser that cannot.
#[must_use]
pub fn money(locale: &str, money: Money) -> String {
    let symbol = money_with(locale, money, "symbol");
    symbol
        .filter(|text| !SHARED_SYMBOLS.iter().any(|shared| contains(text, shared)))
        .or_else(|| money_with(locale, money, "code"))
        .unwrap_or_else(|| money.to_string())
}

/// Used instead of `str::contains`, which would add more to the download than it is worth here.
fn contains(text: &str, symbol: &str) -> bool {
    let mut parts = text.as_bytes().windows(symbol.len());
    parts.any(|part| part == symbol.as_bytes())
}

fn money_with(locale: &str, money: Money, display: &str) -> Option<String> {
    let digits = JsValue::from(money.currency().exponent());
    let options = object::from_members(&[
        ("style", "currency".into()),
        ("currency", money.currency().code().into()),
        ("currencyDisplay", display.into()),
        ("numberingSystem", LATIN.into()),
        ("minimumFractionDigits", digits.clone()),
        ("maximumFractionDigits", digits),
    ]);
    let format = NumberFormat::new(locale, &options).ok()?;
    format.format(&money.decimal()).ok()
}

/// Latin digits, as in the texts, regardless of the locale.
const LATIN: &str = "latn";

/// An amount in the currency with this code; empty if the code is unknown.
#[must_use]
pub fn amount(locale: &str, amount_minor: i64, currency: &str) -> String {
    let currency = currency.parse();
    currency
        .map(|currency| money(locale, Money::new(amount_minor, currency)))
        .unwrap_or_default()
}

/// A point in time, for people and for programs.
#[derive(Debug, Default)]
pub struct Moment {
    /// A date and a time of the shopper's time zone.
    pub words: String,
    /// The same in UTC (ISO 8601).
    pub machine: String,
}

/// Formats a point in time, seconds since 1970.
#[must_use]
pub fn moment(locale: &str, unix_seconds: u64) -> Moment {
    let Some(date) = to_date(unix_seconds) else {
        return Moment::default();
    };
    let styles = [
        ("dateStyle", "medium".into()),
        ("timeStyle", "short".into()),
    ];
    let machine = String::from(date.to_iso_string());
    Moment {
        words: format_date(locale, styles.into(), &date).unwrap_or_else(|| machine.clone()),
        machine,
    }
}

/// Formats the time of day, seconds since 1970.
#[must_use]
pub fn time(locale: &str, unix_seconds: u64) -> String {
    let styles = [("timeStyle", "short".into())];
    to_date(unix_seconds)
        .and_then(|date| format_date(locale, styles.into(), &date))
        .unwrap_or_default()
}

fn to_date(unix_seconds: u64) -> Option<Date> {
    // From 1970 on, as many seconds: milliseconds would not fit into 32 bits.
    let date = Date::new(&JsValue::from(0));
    date.set_utc_seconds(u32::try_from(unix_seconds).ok()?);
    Some(date)
}

fn format_date(locale: &str, mut options: Vec<(&str, JsValue)>, date: &Date) -> Option<String> {
    options.push(("numberingSystem", LATIN.into()));
    options.push(("calendar", "gregory".into()));
    let format = DateTimeFormat::new(locale, &object::from_members(&options)).ok()?;
    format.format(date).ok()
}

//! Typed and filled-in card fields: number, expiry date, security code and name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::card::expiry::format_typing;
use sealpay_protocol::card::{CardNumber, Expiry, Holder, Progress, SecurityCode, YearMonth};
use sealpay_protocol::text;

fuzz_target!(|text: &str| {
    let today = YearMonth::from_unix_seconds(1_763_800_000);
    let _ = CardNumber::parse(text);
    let _ = SecurityCode::parse(text, None);
    let parsed = Expiry::parse(text, today);
    let checked = Expiry::check(text, today);
    assert_eq!(parsed.is_ok(), checked == Ok(Progress::Complete));
    let shown = format_typing(text, today);
    if let Ok(expiry) = parsed {
        assert_eq!(Expiry::parse(&shown, today), Ok(expiry), "{text:?} is shown as {shown:?}");
    }
    if let Ok(holder) = Holder::parse(text) {
        let again = Holder::parse(holder.as_str()).map(|again| again.as_str().to_owned());
        assert_eq!(again.as_deref(), Ok(holder.as_str()));
    }
    if text::check(text, 80).is_ok() {
        let line = text::on_one_line(text);
        assert!(!line.contains(['\n', '\r', '\t']));
    }
});

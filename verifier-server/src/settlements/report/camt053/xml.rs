//! An XML writer: elements, text and amounts (XML 1.0, ISO 20022).

use sealpay_protocol::currency::Currency;

/// A document being written.
#[derive(Debug)]
pub(super) struct Xml {
    text: String,
}

impl Xml {
    /// Starts a document.
    pub(super) fn new() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
        }
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The finished document.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// An element with child elements.
    pub(super) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element_with(name, "", content);
    }

    /// An element with attributes, which are not escaped, and child elements.
    pub(super) fn element_with(
        &mut self,
        name: &str,
        attributes: &str,
        content: impl FnOnce(&mut Self),
    ) {
        self.text.push_str(&format!("<{name}{attributes}>\n"));
        content(self);
        self.text.push_str(&format!("</{name}>\n"));
    }

    /// An element with text.
    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.text
            .push_str(&format!("<{name}>{}</{name}>\n", escaped(text)));
    }

    /// Nested elements, the innermost with text.
    pub(super) fn path(&mut self, names: &[&str], text: &str) {
        match names {
            [] => {}
            [last] => self.leaf(last, text),
            [first, rest @ ..] => self.element(first, |xml| xml.path(rest, text)),
        }
    }

    /// An unsigned amount with the currency's decimals.
    pub(super) fn amount(&mut self, name: &str, currency: Currency, minor: i64) {
        let (code, amount) = (currency.code(), decimal(currency, minor));
        self.text
            .push_str(&format!("<{name} Ccy=\"{code}\">{amount}</{name}>\n"));
    }

    /// `CRDT` for zero and more, `DBIT` for less.
    pub(super) fn direction(&mut self, minor: i64) {
        self.leaf("CdtDbtInd", if minor < 0 { "DBIT" } else { "CRDT" });
    }
}

/// An unsigned amount with the currency's decimals.
pub(super) fn decimal(currency: Currency, minor: i64) -> String {
    decimal_of(currency, u128::from(minor.unsigned_abs()))
}

/// An amount with the currency's decimals.
pub(super) fn decimal_of(currency: Currency, minor: u128) -> String {
    let decimals = usize::from(currency.exponent());
    let digits = format!("{minor:0>width$}", width = decimals + 1);
    let (units, cents) = digits.split_at(digits.len() - decimals);
    if cents.is_empty() {
        units.to_owned()
    } else {
        format!("{units}.{cents}")
    }
}

/// Escapes text. A parser would turn CR into LF and may trim white space, so those are written as
/// character references; characters that XML 1.0 cannot contain (section 2.2) become U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}' | '\u{2028}' => {
                escaped.push_str(&format!("&#{};", u32::from(character)));
            }
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

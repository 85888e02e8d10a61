//! The fields of a card, as types that exist only with valid values.
//!
//! Each field has two functions. `parse` is strict and returns the type. `check` serves a form at
//! every keystroke: is the text complete, incomplete, or wrong already? Errors have a stable `code`
//! for machines; the form has the messages for shoppers.

pub mod brand;
mod brand_table;
mod digits;
pub mod expiry;
mod expiry_text;
pub mod holder;
pub mod luhn;
pub mod number;
pub mod security_code;
mod year_month;

pub use brand::{Brand, Candidates};
pub use expiry::{Expiry, ExpiryError};
pub use holder::{Holder, HolderError};
pub use number::{CardNumber, CardNumberError};
pub use security_code::{SecurityCode, SecurityCodeError};
pub use year_month::{YearMonth, YearMonthError};

/// The progress of a field without errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Valid as it stands, though more may follow.
    Complete,
    /// Not valid yet, but may become valid with more typing.
    Incomplete,
}

/// Valid card details. Not cloneable; the secrets are wiped on drop.
#[derive(Debug)]
pub struct Card {
    /// The number.
    pub number: CardNumber,
    /// The last month in which the card is valid.
    pub expiry: Expiry,
    /// The three or four digits that show the shopper has the card.
    pub security_code: SecurityCode,
    /// The cardholder name, if the form asked for it.
    pub holder: Option<Holder>,
}

//! What is printed on a card, as types that only exist when it is right.
//!
//! Each field has two checks. `parse` is strict and gives the type. `check` asks what a form asks
//! at every keystroke: is it complete, may it become right by typing on, or is it wrong already?
//! Errors carry a stable `code` for machines; the words for shoppers belong to the form.

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
pub use year_month::YearMonth;

/// How far a field is that has nothing wrong so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// It is right as it stands, though more may follow.
    Complete,
    /// It is not right yet and may become so by typing on.
    Incomplete,
}

/// A card that can be asked for money. It cannot be copied, and its secrets are wiped when it is
/// dropped.
#[derive(Debug)]
pub struct Card {
    /// The number.
    pub number: CardNumber,
    /// The last month in which the card is good.
    pub expiry: Expiry,
    /// The three or four digits that prove that the card is at hand.
    pub security_code: SecurityCode,
    /// The name on the card, if the shopper was asked for it.
    pub holder: Option<Holder>,
}

//! The fields as pure state: their text, its formatting, and when errors appear and disappear.
//!
//! An error appears when the shopper leaves a field or submits, never while typing, and disappears
//! as soon as the text can still become valid. No text is ever cleared, except the security code
//! after an attempt.

mod account;
mod edit;
mod entry;
mod method_choice;
mod saved_cards;

pub use edit::{Deletion, Edit};
pub use entry::{Entry, Field};
pub use method_choice::{MethodChoice, methods_for};
pub use saved_cards::{Removal, RemovalStep, SavedCards, is_expired, printed_expiry};

use sealpay_protocol::api::{Advice, CardField, DebitAccount, DeclineView};
use sealpay_protocol::card::brand::candidates;
use sealpay_protocol::card::{
    Brand, Card, CardNumber, Expiry, Holder, Progress, SecurityCode, YearMonth, number,
};

/// Why a field is invalid: a stable code, worded in [`crate::i18n`].
pub type FieldErrorCode = &'static str;

/// The error of a field that the bank declined: the field shows the reason of the decline.
pub const DECLINED: FieldErrorCode = "declined";

/// What the shopper has to correct after an unsuccessful attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// This field.
    Field(CardField),
    /// The whole card.
    AnotherCard,
    /// Only the security code: the same card may work.
    SecurityCode,
    /// Nothing: no correction of a field would help.
    None,
}

impl Correction {
    /// The correction that a decline asks for.
    #[must_use]
    pub const fn from_decline(decline: &DeclineView) -> Self {
        match (decline.field, decline.replace_card, decline.advice) {
            (Some(field), ..) => Self::Field(field),
            (None, true, _) => Self::AnotherCard,
            (None, false, Advice::TryAgain | Advice::TryLater) => Self::SecurityCode,
            _ => Self::None,
        }
    }
}

/// The length of the longest security code, accepted while the brand is unknown.
const LONGEST_SECURITY_CODE: u8 = 4;

/// The fields of a card, and those of a direct debit.
#[derive(Debug)]
pub struct Form {
    today: YearMonth,
    number: Entry,
    expiry: Entry,
    security_code: Entry,
    holder: Entry,
    iban: Entry,
    debtor: Entry,
}

/// The errors of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidFields {
    /// The first invalid field, which gets the focus.
    pub first: Field,
    /// How many fields are invalid.
    pub count: usize,
}

impl Form {
    /// An empty form, with the current month for the check of the expiry date.
    #[must_use]
    pub fn new(today: YearMonth) -> Self {
        Self {
            today,
            number: Entry::default(),
            expiry: Entry::default(),
            security_code: Entry::default(),
            holder: Entry::default(),
            iban: Entry::default(),
            debtor: Entry::default(),
        }
    }

    /// The current month.
    #[must_use]
    pub const fn today(&self) -> YearMonth {
        self.today
    }

    /// Corrects the month, once the verifier's clock is known.
    pub const fn set_today(&mut self, today: YearMonth) {
        self.today = today;
    }

    /// The text and the error of a field.
    #[must_use]
    pub const fn entry(&self, field: Field) -> &Entry {
        match field {
            Field::Number => &self.number,
            Field::Expiry => &self.expiry,
            Field::SecurityCode => &self.security_code,
            Field::Holder => &self.holder,
            Field::Iban => &self.iban,
            Field::Debtor => &self.debtor,
        }
    }

    const fn entry_mut(&mut self, field: Field) -> &mut Entry {
        match field {
            Field::Number => &mut self.number,
            Field::Expiry => &mut self.expiry,
            Field::SecurityCode => &mut self.security_code,
            Field::Holder => &mut self.holder,
            Field::Iban => &mut self.iban,
            Field::Debtor => &mut self.debtor,
        }
    }

    /// The card brand, once it is unambiguous.
    #[must_use]
    pub fn brand(&self) -> Option<Brand> {
        let digits = number::digits_of(self.number.text());
        if digits.is_empty() {
            None
        } else {
            candidates(&digits).only()
        }
    }

    /// The length of the security code: the brand's, or three while the brand is unknown.
    #[must_use]
    pub fn security_code_length(&self) -> u8 {
        self.brand().map_or(3, Brand::security_code_length)
    }

    /// Takes the contents of a field after an edit and returns the caret's place in the text that
    /// [`Form::entry`] now has.
    pub fn edited(&mut self, field: Field, edit: &Edit<'_>) -> usize {
        let shown = match field {
            Field::Number => edit::number(self.number.text(), edit),
            Field::Expiry => edit::expiry(edit, self.today),
            Field::SecurityCode => {
                let longest = self
                    .brand()
                    .map_or(LONGEST_SECURITY_CODE, Brand::security_code_length);
                edit::security_code(edit, longest)
            }
            Field::Holder | Field::Debtor => edit::holder(edit),
            Field::Iban => edit::iban(edit),
        };
        self.entry_mut(field).replace_text(shown.text);
        self.clear_error(field);
        if field == Field::Number {
            // Its length depends on the brand.
            self.clear_error(Field::SecurityCode);
        }
        shown.caret
    }

    /// Clears the error of a field that can still become valid, or replaces it by the current one.
    fn clear_error(&mut self, field: Field) {
        if self.entry(field).error().is_some() {
            let error = self.validate_partial(field).err();
            self.entry_mut(field).set_error(error);
        }
    }

    /// The field lost focus. Returns the error that appeared because of it. An empty field is no
    /// error yet: the shopper may only be moving through the form.
    pub fn blurred(&mut self, field: Field) -> Option<FieldErrorCode> {
        if field == Field::Expiry {
            self.expiry.tidy(|text| edit::tidy_expiry(text, self.today));
        }
        if self.entry(field).is_blank() {
            return None;
        }
        let before = self.entry(field).error();
        let error = self.validate(field).err();
        self.entry_mut(field).set_error(error);
        error.filter(|_| error != before)
    }

    /// The card, or every error at once.
    ///
    /// # Errors
    /// [`InvalidFields`] when a field is missing or wrong.
    pub fn submit(&mut self) -> Result<Card, InvalidFields> {
        self.expiry.tidy(|text| edit::tidy_expiry(text, self.today));
        self.validate_all(&Field::CARD)?;
        let (first, count) = (Field::Number, 0);
        self.card().ok_or(InvalidFields { first, count })
    }

    /// The account of a direct debit, or every error at once.
    ///
    /// # Errors
    /// [`InvalidFields`] when a field is missing or wrong.
    pub fn submit_debit(&mut self) -> Result<DebitAccount, InvalidFields> {
        self.validate_all(&Field::DEBIT)?;
        Ok(DebitAccount {
            iban: self.iban.text().to_owned(),
            holder: self.debtor.text().trim().to_owned(),
        })
    }

    fn validate_all(&mut self, fields: &[Field]) -> Result<(), InvalidFields> {
        let mut first = None;
        let mut count = 0;
        for field in fields.iter().copied() {
            let error = self.validate(field).err();
            self.entry_mut(field).set_error(error);
            if error.is_some() {
                first = first.or(Some(field));
                count += 1;
            }
        }
        first.map_or(Ok(()), |first| Err(InvalidFields { first, count }))
    }

    /// Whether each of some fields is complete and valid.
    #[must_use]
    pub fn is_complete(&self, fields: &[Field]) -> bool {
        let mut fields = fields.iter();
        fields.all(|field| self.validate(*field).is_ok())
    }

    /// After an attempt only the security code must be entered again (PCI DSS 3.3.1: it is not
    /// stored); if another card is needed, everything. Returns the field to correct, if any: it
    /// shows an error until it is edited.
    pub fn require_correction(&mut self, correction: Correction) -> Option<Field> {
        if correction == Correction::AnotherCard {
            self.clear();
        }
        self.security_code = Entry::default();
        let (field, error) = match correction {
            Correction::Field(CardField::Number) => (Field::Number, DECLINED),
            Correction::Field(CardField::Expiry) => (Field::Expiry, DECLINED),
            Correction::Field(CardField::SecurityCode) => (Field::SecurityCode, DECLINED),
            Correction::AnotherCard => (Field::Number, DECLINED),
            Correction::SecurityCode if self.number.is_blank() => return None,
            Correction::SecurityCode => (Field::SecurityCode, "security_code_again"),
            Correction::None => return None,
        };
        self.entry_mut(field).set_error(Some(error));
        Some(field)
    }

    /// Wipes everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.today);
    }

    fn card(&self) -> Option<Card> {
        let number = CardNumber::parse(self.number.text()).ok()?;
        let expiry = Expiry::parse(self.expiry.text(), self.today).ok()?;
        let security_code = SecurityCode::parse(self.security_code.text(), number.brand()).ok()?;
        let holder = if self.holder.is_blank() {
            None
        } else {
            Some(Holder::parse(self.holder.text()).ok()?)
        };
        Some(Card {
            number,
            expiry,
            security_code,
            holder,
        })
    }

    /// Validates a field as complete input.
    fn validate(&self, field: Field) -> Result<(), FieldErrorCode> {
        let text = self.entry(field).text();
        match field {
            Field::Number => CardNumber::parse(text)
                .map(drop)
                .map_err(|error| error.code()),
            Field::Expiry => Expiry::parse(text, self.today)
                .map(drop)
                .map_err(|error| error.code()),
            Field::SecurityCode => SecurityCode::parse(text, self.brand())
                .map(drop)
                .map_err(|error| self.for_brand(error.code())),
            Field::Holder if self.holder.is_blank() => Ok(()),
            Field::Holder | Field::Debtor => {
                Holder::parse(text).map(drop).map_err(|error| error.code())
            }
            Field::Iban => account::check(text, true).map(drop),
        }
    }

    /// Validates a field that may still be incomplete.
    fn validate_partial(&self, field: Field) -> Result<Progress, FieldErrorCode> {
        let text = self.entry(field).text();
        match field {
            Field::Number => CardNumber::check(text).map_err(|error| error.code()),
            Field::Expiry => Expiry::check(text, self.today).map_err(|error| error.code()),
            Field::SecurityCode => SecurityCode::check(text, self.brand())
                .map_err(|error| self.for_brand(error.code())),
            Field::Holder | Field::Debtor => Holder::check(text).map_err(|error| error.code()),
            Field::Iban => account::check(text, false),
        }
    }

    /// The error says where the code is printed, which depends on the brand: it replaces the help
    /// text under the field.
    fn for_brand(&self, code: FieldErrorCode) -> FieldErrorCode {
        match code {
            "security_code_not_digits" => code,
            _ if self.security_code_length() == 4 => "security_code_not_four",
            _ => "security_code_not_three",
        }
    }
}

#[cfg(test)]
mod tests;

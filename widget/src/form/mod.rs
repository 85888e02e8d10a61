//! The fields as pure state: what was typed, how it is shown, and when an error appears and goes.
//!
//! An error appears when the shopper leaves a field or submits, never while typing, and goes as
//! soon as what is typed can still become right. Nothing that was typed is ever taken away, except
//! the security code after an attempt.

mod choice;
mod edit;
mod entry;

pub use choice::Choice;
pub use edit::{Deletion, Edit};
pub use entry::{Entry, Field};

use sealpay_protocol::api::{Advice, CardField, DeclineView};
use sealpay_protocol::card::brand::candidates;
use sealpay_protocol::card::{
    Brand, Card, CardNumber, Expiry, Holder, Progress, SecurityCode, YearMonth, number,
};

/// What is wrong with a field: a stable code, worded in [`crate::texts`].
pub type ErrorCode = &'static str;

/// The error of a field that the bank declined: the bank's sentence stands there.
pub const DECLINED: ErrorCode = "declined";

/// What is wanted of the shopper after an attempt that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A field is wrong.
    Correction(CardField),
    /// This card will not do.
    AnotherCard,
    /// The same card may do.
    SecurityCode,
    /// Nothing in the fields helps.
    Nothing,
}

impl Wanted {
    /// What a decline wants.
    #[must_use]
    pub const fn by(decline: &DeclineView) -> Self {
        match (decline.field, decline.replace_card, decline.advice) {
            (Some(field), ..) => Self::Correction(field),
            (None, true, _) => Self::AnotherCard,
            (None, false, Advice::TryAgain | Advice::TryLater) => Self::SecurityCode,
            _ => Self::Nothing,
        }
    }
}

/// The digits of the longest security code, taken while the brand is not known.
const LONGEST_SECURITY_CODE: u8 = 4;

/// The four fields.
#[derive(Debug)]
pub struct Form {
    today: YearMonth,
    number: Entry,
    expiry: Entry,
    security_code: Entry,
    holder: Entry,
}

/// What a submission with errors tells the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Where to put the shopper.
    pub first: Field,
    /// How many fields are wrong.
    pub count: usize,
}

impl Form {
    /// An empty form on a day of this month.
    #[must_use]
    pub fn new(today: YearMonth) -> Self {
        Self {
            today,
            number: Entry::default(),
            expiry: Entry::default(),
            security_code: Entry::default(),
            holder: Entry::default(),
        }
    }

    /// Corrects the month, once the verifier's clock is known.
    pub const fn set_today(&mut self, today: YearMonth) {
        self.today = today;
    }

    /// What is in a field, and what is shown to be wrong with it.
    #[must_use]
    pub const fn entry(&self, field: Field) -> &Entry {
        match field {
            Field::Number => &self.number,
            Field::Expiry => &self.expiry,
            Field::SecurityCode => &self.security_code,
            Field::Holder => &self.holder,
        }
    }

    const fn entry_mut(&mut self, field: Field) -> &mut Entry {
        match field {
            Field::Number => &mut self.number,
            Field::Expiry => &mut self.expiry,
            Field::SecurityCode => &mut self.security_code,
            Field::Holder => &mut self.holder,
        }
    }

    /// The brand, as soon as only one is left.
    #[must_use]
    pub fn brand(&self) -> Option<Brand> {
        let digits = number::digits_of(self.number.text());
        if digits.is_empty() {
            None
        } else {
            candidates(&digits).only()
        }
    }

    /// Digits of the security code: of the brand's, or three while the brand is not known.
    #[must_use]
    pub fn security_code_length(&self) -> u8 {
        self.brand().map_or(3, Brand::security_code_length)
    }

    /// Takes what the browser has in a field after an edit, and says where the caret belongs in
    /// the text that [`Form::entry`] now has.
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
            Field::Holder => edit::holder(edit),
        };
        self.entry_mut(field).replace_text(shown.text);
        self.forgive(field);
        if field == Field::Number {
            // Its length depends on the brand.
            self.forgive(Field::SecurityCode);
        }
        shown.caret
    }

    /// Takes an error away when the field can still become right, or puts the one that is true now.
    fn forgive(&mut self, field: Field) {
        if self.entry(field).error().is_some() {
            let error = self.check(field).err();
            self.entry_mut(field).set_error(error);
        }
    }

    /// The shopper left the field. Returns the error that appeared because of it. An empty field
    /// is not an error yet: the shopper may be looking around.
    pub fn left(&mut self, field: Field) -> Option<ErrorCode> {
        if field == Field::Expiry {
            self.expiry.tidy(|text| edit::tidy_expiry(text, self.today));
        }
        if self.entry(field).is_blank() {
            return None;
        }
        let before = self.entry(field).error();
        let error = self.judge(field).err();
        self.entry_mut(field).set_error(error);
        error.filter(|_| error != before)
    }

    /// The shopper asked to pay: the card, or every error at once.
    ///
    /// # Errors
    /// [`Rejection`] when a field is missing or wrong.
    pub fn submit(&mut self) -> Result<Card, Rejection> {
        self.expiry.tidy(|text| edit::tidy_expiry(text, self.today));
        let mut first = None;
        let mut count = 0;
        for field in Field::ALL {
            let error = self.judge(field).err();
            self.entry_mut(field).set_error(error);
            if error.is_some() {
                first = first.or(Some(field));
                count += 1;
            }
        }
        match (first, self.card()) {
            (None, Some(card)) => Ok(card),
            (first, _) => Err(Rejection {
                first: first.unwrap_or(Field::Number),
                count,
            }),
        }
    }

    /// Whether every field is complete and correct.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        Field::ALL
            .into_iter()
            .all(|field| self.judge(field).is_ok())
    }

    /// After an attempt only the security code must be typed again (PCI DSS 3.3.1: it is not kept);
    /// where another card is asked for, everything. Returns the field to correct, if there is one:
    /// it is marked until something is typed.
    pub fn after_attempt(&mut self, wanted: Wanted) -> Option<Field> {
        if wanted == Wanted::AnotherCard {
            self.forget();
        }
        self.security_code = Entry::default();
        let (field, error) = match wanted {
            Wanted::Correction(CardField::Number) => (Field::Number, DECLINED),
            Wanted::Correction(CardField::Expiry) => (Field::Expiry, DECLINED),
            Wanted::Correction(CardField::SecurityCode) => (Field::SecurityCode, DECLINED),
            Wanted::AnotherCard => (Field::Number, DECLINED),
            Wanted::SecurityCode if self.number.is_blank() => return None,
            Wanted::SecurityCode => (Field::SecurityCode, "security_code_again"),
            Wanted::Nothing => return None,
        };
        self.entry_mut(field).set_error(Some(error));
        Some(field)
    }

    /// Wipes everything.
    pub fn forget(&mut self) {
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

    /// Strictly, as it stands.
    fn judge(&self, field: Field) -> Result<(), ErrorCode> {
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
                .map_err(|error| self.worded_for_the_brand(error.code())),
            Field::Holder if self.holder.is_blank() => Ok(()),
            Field::Holder => Holder::parse(text).map(drop).map_err(|error| error.code()),
        }
    }

    /// Kindly, as it may still be typed on.
    fn check(&self, field: Field) -> Result<Progress, ErrorCode> {
        let text = self.entry(field).text();
        match field {
            Field::Number => CardNumber::check(text).map_err(|error| error.code()),
            Field::Expiry => Expiry::check(text, self.today).map_err(|error| error.code()),
            Field::SecurityCode => SecurityCode::check(text, self.brand())
                .map_err(|error| self.worded_for_the_brand(error.code())),
            Field::Holder => Holder::check(text).map_err(|error| error.code()),
        }
    }

    /// Four digits on the front are another sentence than three on the back, and it says so
    /// wherever some are missing: the sentence takes the place of the help.
    fn worded_for_the_brand(&self, code: ErrorCode) -> ErrorCode {
        match code {
            "security_code_not_digits" => code,
            _ if self.security_code_length() == 4 => "security_code_not_four",
            _ => "security_code_not_three",
        }
    }
}

#[cfg(test)]
mod tests;

//! One field.

use super::FieldErrorCode;
use core::fmt;
use zeroize::Zeroizing;

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The card number.
    Number,
    /// The expiry date.
    Expiry,
    /// The security code.
    SecurityCode,
    /// The name on the card, which may be left out.
    Holder,
    /// The account of a direct debit.
    Iban,
    /// The holder of that account.
    Debtor,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 6] = [
        Self::Number,
        Self::Expiry,
        Self::SecurityCode,
        Self::Holder,
        Self::Iban,
        Self::Debtor,
    ];

    /// The fields of a card, in the order of the form.
    pub const CARD: [Self; 4] = [Self::Number, Self::Expiry, Self::SecurityCode, Self::Holder];

    /// The fields of a direct debit, in the order of the form.
    pub const DEBIT: [Self; 2] = [Self::Iban, Self::Debtor];

    /// The place in [`Field::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Number => 0,
            Self::Expiry => 1,
            Self::SecurityCode => 2,
            Self::Holder => 3,
            Self::Iban => 4,
            Self::Debtor => 5,
        }
    }
}

/// The text of a field, wiped when it is dropped, and the error that is shown with it.
#[derive(Default)]
pub struct Entry {
    text: Zeroizing<String>,
    error: Option<FieldErrorCode>,
}

impl Entry {
    /// The text as it is shown.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The error that is shown.
    #[must_use]
    pub const fn error(&self) -> Option<FieldErrorCode> {
        self.error
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) const fn set_error(&mut self, error: Option<FieldErrorCode>) {
        self.error = error;
    }

    pub(super) fn replace_text(&mut self, text: Zeroizing<String>) {
        self.text = text;
    }

    pub(super) fn tidy(&mut self, tidy: impl FnOnce(&str) -> String) {
        self.text = Zeroizing::new(tidy(&self.text));
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

//! Input of the shopper: taken into the form, and shown as the form formats it.

use super::Checkout;
use crate::browser::field::{self, Input, Typed};
use crate::form::Field;
use crate::methods;
use crate::payment::{HostMessage, code_digits};
use sealpay_protocol::api::Method;
use sealpay_protocol::card::Brand;

impl Checkout {
    pub(super) fn choose_method(&mut self, method: Method) {
        if !self.state.is_processing() {
            self.choice.choose(method);
            self.notify_change();
        }
    }

    pub(super) fn edited(&mut self, field: Field, typed: &Typed) {
        // An extension may fill in the hidden fields, which changes no choice.
        if self.saved_card().is_none() {
            self.saved.choose(None);
        }
        let caret = self.form.edited(field, &typed.edit());
        if !typed.is_composing() {
            self.show(field, Some(caret));
        }
        self.announcement = String::new();
        self.notify_change();
    }

    pub(super) fn blurred(&mut self, field: Field) {
        if let Some(code) = self.form.blurred(field) {
            self.announce(self.connection.catalog().error(code).into());
        }
        self.show(field, None);
    }

    /// Reads what the browser filled in without an event.
    pub(super) fn read_fields(&mut self) {
        for field in Field::ALL {
            let Some(input) = self.input(field) else {
                continue;
            };
            let typed = Typed::from_input(&input);
            if typed.text() != self.form.entry(field).text() {
                self.form.edited(field, &typed.edit());
            }
        }
    }

    pub(super) fn input(&self, field: Field) -> Option<Input> {
        self.inputs[field.index()].cast()
    }

    pub(super) fn show(&self, field: Field, caret: Option<usize>) {
        if let Some(input) = self.input(field) {
            field::show(&input, self.form.entry(field).text(), caret);
        }
    }

    pub(super) fn show_all(&self) {
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    pub(super) fn notify_change(&mut self) {
        let change = match self.saved_card() {
            Some(card) => (true, Brand::from_slug(&card.brand)),
            None => methods::for_method(self.choice.method()).completeness(&self.form),
        };
        if change != self.last_change {
            self.last_change = change;
            let (complete, brand) = change;
            self.notify_host(&HostMessage::Change { complete, brand });
        }
    }

    pub(super) fn clear(&mut self) {
        self.form.clear();
        self.show_all();
    }

    /// Removes other characters than digits from the one-time code, and limits its length.
    pub(super) fn normalize_code(&self) {
        if let Some(input) = self.code.cast::<Input>() {
            let digits = code_digits(&field::text_in(&input));
            field::show(&input, &digits, Some(digits.len()));
        }
    }

    pub(super) fn clear_code(&self) {
        if let Some(input) = self.code.cast::<Input>() {
            field::show(&input, "", None);
        }
    }
}

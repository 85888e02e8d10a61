//! What the shopper types and chooses, taken into the form and shown as the form has it.

use super::checkout::Checkout;
use crate::browser::field::{self, Input, Typed};
use crate::form::Field;
use crate::payment::HostMessage;
use sealpay_protocol::api::Method;

impl Checkout {
    pub(super) fn chose(&mut self, method: Method) {
        if !self.state.is_processing() {
            self.choice.choose(method);
            self.notify_change();
        }
    }

    pub(super) fn edited(&mut self, field: Field, typed: &Typed) {
        let caret = self.form.edited(field, &typed.edit());
        if !typed.is_composing() {
            self.show(field, Some(caret));
        }
        self.announcement = String::new();
        self.notify_change();
    }

    pub(super) fn blurred(&mut self, field: Field) {
        if let Some(code) = self.form.blurred(field) {
            self.say(self.connection.catalog.error(code).into());
        }
        self.show(field, None);
    }

    /// Takes what the browser put into the fields without a word.
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

    pub(super) fn show(&self, field: Field, caret: Option<usize>) {
        if let Some(input) = self.input(field) {
            field::show(&input, self.form.entry(field).text(), caret);
        }
    }

    pub(super) fn notify_change(&mut self) {
        let now = match self.choice.method() {
            Method::Card => (self.form.is_complete(), self.form.brand()),
            // There is nothing to fill in.
            _ => (true, None),
        };
        if now != self.last_change {
            self.last_change = now;
            self.notify_host(&HostMessage::Change {
                complete: now.0,
                brand: now.1,
            });
        }
    }

    pub(super) fn clear(&mut self) {
        self.form.clear();
        for field in Field::ALL {
            self.show(field, None);
        }
    }

    pub(super) fn clear_code(&self) {
        if let Some(input) = self.code.cast::<Input>() {
            field::show(&input, "", None);
        }
    }
}

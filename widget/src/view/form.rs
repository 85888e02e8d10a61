//! The form: payment methods, their fields, the notice and the pay button.

use super::button::button_label;
use super::element::{Element, Kind, element};
use super::msg::Msg;
use super::notice::NoticeModel;
use crate::form::{Form, SavedCards};
use crate::i18n::Catalog;
use crate::methods::{self, FieldsModel, PaymentMethod};
use crate::payment::Notice;
use sealpay_protocol::api::{InstrumentView, Method};
use sealpay_protocol::ids::InstrumentId;
use yew::{Callback, Html, NodeRef};

pub(super) struct FormModel<'a> {
    pub(super) catalog: &'static Catalog,
    pub(super) form: &'a Form,
    pub(super) offered: &'a [Method],
    pub(super) selected: Method,
    pub(super) total: &'a str,
    pub(super) instruments: &'a [InstrumentView],
    pub(super) saved: &'a SavedCards,
    /// The saved card to pay with.
    pub(super) saved_card: Option<InstrumentId>,
    pub(super) offers_saving: bool,
    /// What paying agrees to.
    pub(super) agreement: Option<&'a str>,
    pub(super) notice: Option<&'a Notice>,
    pub(super) session_warning: Option<&'a str>,
    pub(super) is_processing: bool,
    /// The payment takes long.
    pub(super) is_slow: bool,
    /// A panel is shown instead. The form stays in the document with its contents.
    pub(super) is_hidden: bool,
    /// The host page has a pay button of its own.
    pub(super) hides_button: bool,
    pub(super) inputs: &'a [NodeRef; 6],
    pub(super) pay_ref: &'a NodeRef,
    pub(super) notice_ref: &'a NodeRef,
}

impl FormModel<'_> {
    pub(super) fn view(&self, on: &Callback<Msg>) -> Html {
        let method = methods::for_method(self.selected);
        let notice = NoticeModel {
            catalog: self.catalog,
            notice: self.notice,
            session_warning: self.session_warning,
            offers_another_card: self.saved_card.is_some(),
            node_ref: self.notice_ref,
        };
        let still_processing = self.is_slow.then(|| {
            let line = element("p.assurance");
            line.text(self.catalog.still_processing)
        });
        let mut form = element("form")
            .attrs("novalidate")
            .attr_if("hidden", self.is_hidden)
            .on(Kind::Submit, on, |event| {
                event.prevent_default();
                Some(Msg::Submitted)
            })
            .child_opt(self.chooser(on));
        // The card comes last: its fields stay in the document while another method is chosen.
        for method in Method::ALL.into_iter().rev() {
            let fields = FieldsModel {
                catalog: self.catalog,
                form: self.form,
                inputs: self.inputs,
                is_selected: method == self.selected,
                is_one_of_many: self.offered.len() > 1,
                is_read_only: self.is_processing,
                notice: self.notice,
                instruments: self.instruments,
                saved: self.saved,
                selected: self.saved_card,
                offers_saving: self.offers_saving,
            };
            form = form.child_opt(methods::for_method(method).fields(&fields, on));
        }
        let agreement = self.agreement.map(|agreement| {
            let sentence = element("p.beneath");
            sentence.attrs("id=agreement").text(agreement)
        });
        // Nothing is entered of a saved card.
        let is_entered = self.saved_card.is_none();
        let assurance = method.assurance(self.catalog).filter(|_| is_entered);
        form.child_opt(notice.view(on))
            .child_opt(agreement)
            .child(self.pay_button(method, on))
            .child_opt(still_processing)
            .child_opt(assurance)
            .finish()
    }

    /// The methods as radio buttons, where there are several.
    fn chooser(&self, on: &Callback<Msg>) -> Option<Element> {
        if self.offered.len() < 2 {
            return None;
        }
        let legend = element("legend").text(self.catalog.choose_method);
        let chooser = element("fieldset.methods")
            .attr_if("disabled", self.is_processing)
            .child(legend);
        let mut rows = element("div.rows");
        for method in self.offered.iter().copied() {
            let radio = element("input")
                .attrs("type=radio;name=method")
                .attr("value", method.name())
                .checked(method == self.selected)
                .on(Kind::Change, on, move |_| Some(Msg::MethodChosen(method)));
            let name = methods::for_method(method).texts(self.catalog).name;
            let label = element("label.row")
                .child(radio)
                .child(element("span").text(name))
                .node(methods::for_method(method).icon());
            rows = rows.child(label);
        }
        Some(chooser.child(rows))
    }

    fn pay_button(&self, method: &dyn PaymentMethod, on: &Callback<Msg>) -> Element {
        let button = element("button")
            .attrs("type=submit")
            .attr_if("hidden", self.hides_button)
            .attr_opt("aria-describedby", self.agreement.map(|_| "agreement"))
            .node_ref(self.pay_ref)
            .attr_opt("aria-disabled", self.is_processing.then_some("true"))
            // Pressing the button must not blur a field first: an error that appears there could
            // move the button away under the finger.
            .on(Kind::MouseDown, on, |event| {
                event.prevent_default();
                None
            });
        let (label, amount) = if self.is_processing {
            (self.catalog.processing, None)
        } else {
            let amount = method.charges_at_once().then_some(self.total);
            (method.texts(self.catalog).button, amount)
        };
        button_label(button, self.is_processing, label, amount)
    }
}

//! The SEPA direct debit: an account, its holder, and the mandate above the pay button.

use super::card::fields::field;
use super::{FieldsModel, PaymentMethod};
use crate::form::{Field, Form, InvalidFields};
use crate::i18n::{Catalog, MethodTexts};
use crate::payment::PaymentData;
use crate::view::action::ActionModel;
use crate::view::element::{Element, element};
use crate::view::icons;
use crate::view::msg::{Focus, Msg};
use sealpay_protocol::api::PaymentView;
use sealpay_protocol::card::Brand;
use yew::{Callback, Html};

pub(super) struct SepaDebit;

impl PaymentMethod for SepaDebit {
    fn texts(&self, catalog: &'static Catalog) -> &'static MethodTexts {
        &catalog.sepa_debit
    }

    fn icon(&self) -> Html {
        icons::outline("22", "M4 12h13M12 7l5 5l-5 5M20 5v14")
    }

    fn fields(&self, model: &FieldsModel<'_>, on: &Callback<Msg>) -> Option<Element> {
        let legend = element("legend")
            .attr_opt("data-look", model.is_one_of_many.then_some("unseen"))
            .text(model.catalog.sepa_debit.heading);
        let fields = Field::DEBIT.map(|one| field(model, one, on));
        let fieldset = element("fieldset").child(legend);
        model
            .is_selected
            .then(|| fields.into_iter().fold(fieldset, Element::child))
    }

    fn has_fields(&self) -> bool {
        true
    }

    fn collect(&self, form: &mut Form) -> Result<PaymentData, InvalidFields> {
        form.submit_debit().map(PaymentData::SepaDebit)
    }

    fn completeness(&self, form: &Form) -> (bool, Option<Brand>) {
        (form.is_complete(&Field::DEBIT), None)
    }

    fn first_focus(&self) -> Focus {
        Focus::Field(Field::Iban)
    }

    fn action(&self, _model: &ActionModel<'_>, _on: &Callback<Msg>) -> Option<Element> {
        None
    }

    /// Such as `SEPA direct debit •••• 3000`. Screen readers skip the dots.
    fn receipt_line(&self, catalog: &'static Catalog, payment: &PaymentView) -> Element {
        let line = element("dd.means").text(catalog.sepa_debit.name);
        let Some(debit) = &payment.debit else {
            return line;
        };
        let dots = element("span").attrs("aria-hidden=true").text(" •••• ");
        line.child(dots)
            .child(element("span").verbatim(&debit.last4))
    }
}

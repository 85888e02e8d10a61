//! The payment methods: one file or folder each, with everything that the form shows for it.
//!
//! To add a method, add a file here, a row in [`for_method`], its texts in [`crate::i18n`] and, if
//! the shopper has to enter data, a variant of [`PaymentData`].

mod bank_transfer;
mod card;
mod sepa_debit;
mod wallet;

use crate::form::{Form, InvalidFields, SavedCards};
use crate::i18n::{Catalog, MethodTexts};
use crate::payment::{Notice, PaymentData};
use crate::view::action::ActionModel;
use crate::view::element::{Element, element};
use crate::view::msg::{Focus, Msg};
use sealpay_protocol::api::{InstrumentView, Method, PaymentView};
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::InstrumentId;
use yew::{Callback, Html, NodeRef};

/// The fields of one payment method.
pub(crate) struct FieldsModel<'a> {
    pub(crate) catalog: &'static Catalog,
    pub(crate) form: &'a Form,
    pub(crate) inputs: &'a [NodeRef; 6],
    /// The shopper chose this method.
    pub(crate) is_selected: bool,
    /// Whether there are other methods, whose names are shown above.
    pub(crate) is_one_of_many: bool,
    pub(crate) is_read_only: bool,
    pub(crate) notice: Option<&'a Notice>,
    /// The saved cards.
    pub(crate) instruments: &'a [InstrumentView],
    pub(crate) saved: &'a SavedCards,
    /// The saved card to pay with.
    pub(crate) selected: Option<InstrumentId>,
    /// The shopper may save the card entered.
    pub(crate) offers_saving: bool,
}

/// A payment method.
pub(crate) trait PaymentMethod {
    /// Its label and its other sentences.
    fn texts(&self, catalog: &'static Catalog) -> &'static MethodTexts;

    /// Its icon in the list of methods.
    fn icon(&self) -> Html;

    /// Its fields, or the content shown in place of them; `None` if the method adds nothing to the
    /// document.
    fn fields(&self, model: &FieldsModel<'_>, _on: &Callback<Msg>) -> Option<Element> {
        let texts = self.texts(model.catalog);
        model.is_selected.then(|| description(model, texts))
    }

    /// Whether the shopper fills in fields.
    fn has_fields(&self) -> bool {
        false
    }

    /// Whether the pay button pays, and so names the amount.
    fn charges_at_once(&self) -> bool {
        false
    }

    /// Beneath the pay button.
    fn assurance(&self, _catalog: &'static Catalog) -> Option<Element> {
        None
    }

    /// What the shopper entered, or what is invalid.
    fn collect(&self, form: &mut Form) -> Result<PaymentData, InvalidFields>;

    /// Whether all fields are complete, and the card brand, for the host page.
    fn completeness(&self, _form: &Form) -> (bool, Option<Brand>) {
        (true, None)
    }

    /// Where the shopper starts.
    fn first_focus(&self) -> Focus {
        Focus::Pay
    }

    /// The panel of a required action; `None` for an action of another method.
    fn action(&self, model: &ActionModel<'_>, on: &Callback<Msg>) -> Option<Element>;

    /// The `dd` of the receipt that names the method.
    fn receipt_line(&self, catalog: &'static Catalog, _payment: &PaymentView) -> Element {
        element("dd.means").text(self.texts(catalog).name)
    }
}

/// The implementation of a method.
pub(crate) fn for_method(method: Method) -> &'static dyn PaymentMethod {
    match method {
        Method::Card => &card::Card,
        Method::Wallet => &wallet::Wallet,
        Method::BankTransfer => &bank_transfer::BankTransfer,
        Method::SepaDebit => &sepa_debit::SepaDebit,
    }
}

/// The panel of a required action.
pub(crate) fn action_panel(model: &ActionModel<'_>, on: &Callback<Msg>) -> Html {
    let mut panels = Method::ALL.into_iter().map(for_method);
    let panel = panels.find_map(|method| method.action(model, on));
    panel.map_or_else(Html::default, Element::finish)
}

/// What happens next, for a method without fields.
fn description(model: &FieldsModel<'_>, texts: &MethodTexts) -> Element {
    let heading = (!model.is_one_of_many).then(|| element("h2").text(texts.heading));
    let description = element("p.explained").text(texts.description);
    element("div").child_opt(heading).child(description)
}

//! The card: entered here, sealed for the verifier, and confirmed by a code or a passkey.

mod challenge;
pub(super) mod fields;
mod saved;

use super::{FieldsModel, PaymentMethod};
use crate::form::{Field, Form, InvalidFields};
use crate::i18n::{Catalog, MethodTexts};
use crate::payment::PaymentData;
use crate::view::action::ActionModel;
use crate::view::element::{Element, element};
use crate::view::icons;
use crate::view::msg::{Focus, Msg};
use sealpay_protocol::api::{ActionView, PaymentView};
use sealpay_protocol::card::Brand;
use yew::{Callback, Html};

pub(super) struct Card;

impl PaymentMethod for Card {
    fn texts(&self, catalog: &'static Catalog) -> &'static MethodTexts {
        &catalog.card
    }

    fn icon(&self) -> Html {
        icons::outline("22", "M3 6.5h18v11.5h-18zM3 10.5h18M6.5 14.5h3")
    }

    fn fields(&self, model: &FieldsModel<'_>, on: &Callback<Msg>) -> Option<Element> {
        let card = element("div")
            .child_opt(saved::view(model, on))
            .child(fields::view(model, on));
        Some(card)
    }

    fn has_fields(&self) -> bool {
        true
    }

    fn charges_at_once(&self) -> bool {
        true
    }

    fn assurance(&self, catalog: &'static Catalog) -> Option<Element> {
        let assurance = element("p.assurance")
            .node(icons::small_lock())
            .child(element("span").text(catalog.card.description));
        Some(assurance)
    }

    fn collect(&self, form: &mut Form) -> Result<PaymentData, InvalidFields> {
        form.submit().map(|card| PaymentData::Card(Box::new(card)))
    }

    fn completeness(&self, form: &Form) -> (bool, Option<Brand>) {
        (form.is_complete(&Field::CARD), form.brand())
    }

    fn first_focus(&self) -> Focus {
        Focus::Field(Field::Number)
    }

    fn action(&self, model: &ActionModel<'_>, on: &Callback<Msg>) -> Option<Element> {
        match &model.required.action {
            ActionView::Code(code) => Some(challenge::code(model, code, on)),
            ActionView::Passkey(_) => Some(challenge::passkey(model, on)),
            _ => None,
        }
    }

    /// A card such as `Visa •••• 4242` with its icon. Screen readers skip the dots.
    fn receipt_line(&self, catalog: &'static Catalog, payment: &PaymentView) -> Element {
        let line = element("dd.means");
        let Some(card) = &payment.card else {
            return line.text(catalog.card.name);
        };
        let brand = Brand::from_slug(&card.brand);
        card_name(line.child(brand_icon(brand)), catalog, brand, &card.last4)
    }
}

/// The icon beside a name, which a screen reader need not read twice.
fn brand_icon(brand: Option<Brand>) -> Element {
    let icon = element("span").attrs("aria-hidden=true");
    icon.node(icons::brand(brand))
}

/// Appends the name of a card, such as `Visa •••• 4242`. Screen readers skip the dots, and no line
/// breaks after them.
fn card_name(
    line: Element,
    catalog: &'static Catalog,
    brand: Option<Brand>,
    last4: &str,
) -> Element {
    let name = [brand.map_or(catalog.card.name, Brand::name), " "].concat();
    let dots = element("span").attrs("aria-hidden=true").text("•••• ");
    let digits = element("span.whole")
        .child(dots)
        .child(element("span").verbatim(last4));
    line.child(element("span").verbatim(&name)).child(digits)
}

//! The fields of the card, and one field of any method.

use super::saved;
use crate::browser::field::Typed;
use crate::form::{DECLINED, Field};
use crate::i18n::Catalog;
use crate::methods::FieldsModel;
use crate::payment::Notice;
use crate::view::element::{Element, Kind, element};
use crate::view::icons;
use crate::view::msg::Msg;
use yew::{Callback, Event};

/// The constants of a field.
struct FieldSpec {
    id: &'static str,
    note_id: &'static str,
    autocomplete: &'static str,
    input_mode: &'static str,
    placeholder: &'static str,
    label: &'static str,
    is_required: bool,
}

const fn spec(field: Field, catalog: &Catalog) -> FieldSpec {
    match field {
        Field::Number => FieldSpec {
            id: "number",
            note_id: "number-note",
            autocomplete: "cc-number",
            input_mode: "numeric",
            placeholder: "1234 1234 1234 1234",
            label: catalog.number,
            is_required: true,
        },
        Field::Expiry => FieldSpec {
            id: "expiry",
            note_id: "expiry-note",
            autocomplete: "cc-exp",
            input_mode: "numeric",
            placeholder: catalog.expiry_example,
            label: catalog.expiry,
            is_required: true,
        },
        Field::SecurityCode => FieldSpec {
            id: "security-code",
            note_id: "security-code-note",
            autocomplete: "cc-csc",
            input_mode: "numeric",
            placeholder: "",
            label: catalog.security_code,
            is_required: true,
        },
        Field::Holder => FieldSpec {
            id: "holder",
            note_id: "holder-note",
            autocomplete: "cc-name",
            input_mode: "text",
            placeholder: "",
            label: catalog.holder,
            is_required: false,
        },
        Field::Iban => FieldSpec {
            id: "iban",
            note_id: "iban-note",
            autocomplete: "off",
            input_mode: "text",
            placeholder: "",
            label: "IBAN",
            is_required: true,
        },
        Field::Debtor => FieldSpec {
            id: "debtor",
            note_id: "debtor-note",
            autocomplete: "name",
            input_mode: "text",
            placeholder: "",
            label: catalog.account_holder,
            is_required: true,
        },
    }
}

/// The fieldset, hidden while another method or a saved card is chosen, so that it keeps its
/// contents.
pub(super) fn view(model: &FieldsModel<'_>, on: &Callback<Msg>) -> Element {
    // What is above it names it already.
    let is_named = model.is_one_of_many || !model.instruments.is_empty();
    let legend = element("legend")
        .attr_opt("data-look", is_named.then_some("unseen"))
        .node(icons::lock())
        .child(element("span").text(model.catalog.card.heading));
    let pair = element("div.pair")
        .child(field(model, Field::Expiry, on))
        .child(field(model, Field::SecurityCode, on));
    element("fieldset")
        .attr_if("hidden", !model.is_selected || model.selected.is_some())
        .child(legend)
        .child(field(model, Field::Number, on))
        .child(pair)
        .child(field(model, Field::Holder, on))
        .child_opt(model.offers_saving.then(|| saved::saving_box(model, on)))
}

pub(in crate::methods) fn field(
    model: &FieldsModel<'_>,
    field: Field,
    on: &Callback<Msg>,
) -> Element {
    let spec = spec(field, model.catalog);
    let error = model.form.entry(field).error();
    let (kind, note) = match error {
        Some(code) => (Some("error"), error_sentence(model, code)),
        None => (None, help(model, field)),
    };
    let mut label = element("label")
        .attr("for", spec.id)
        .child(element("span").text(spec.label));
    if !spec.is_required {
        let optional = [" ", model.catalog.optional].concat();
        label = label.child(element("span.optional").text(&optional));
    }
    let icon = match field {
        // Until the brand is known the space belongs to the digits.
        Field::Number => {
            let brand = model.form.brand();
            brand.map(|brand| icons::brand(Some(brand)))
        }
        Field::SecurityCode => {
            let is_on_the_front = model.form.security_code_length() == 4;
            Some(icons::security_code(is_on_the_front))
        }
        _ => None,
    };
    let control = element("div.control")
        .child(input(model, field, &spec, !note.is_empty(), on))
        .child_opt(icon.map(|icon| element("span.mark").node(icon)));
    let note = element("p.beneath")
        .attr("id", spec.note_id)
        .attr_opt("data-kind", kind)
        .text(note);
    element("div.field").child(label).child(control).child(note)
}

fn input(
    model: &FieldsModel<'_>,
    field: Field,
    spec: &FieldSpec,
    has_note: bool,
    on: &Callback<Msg>,
) -> Element {
    let is_invalid = model.form.entry(field).error().is_some();
    let is_numeric = spec.input_mode == "numeric";
    let edited =
        move |event: &Event| Typed::from_event(event).map(|typed| Msg::Edited(field, typed));
    element("input")
        .attrs("type=text;autocorrect=off;spellcheck=false")
        .node_ref(&model.inputs[field.index()])
        .attr("id", spec.id)
        .attr("name", spec.autocomplete)
        .attr("inputmode", spec.input_mode)
        .attr_opt("autocapitalize", (!is_numeric).then_some("words"))
        .attr("autocomplete", spec.autocomplete)
        .attr("dir", if is_numeric { "ltr" } else { "auto" })
        .attr("placeholder", spec.placeholder)
        .attr_if("required", spec.is_required)
        .attr_if("readonly", model.is_read_only)
        .attr_opt("aria-invalid", is_invalid.then_some("true"))
        .attr_opt("aria-describedby", has_note.then_some(spec.note_id))
        .on(Kind::Input, on, edited)
        // Some browsers autofill without an `input` event.
        .on(Kind::Change, on, edited)
        .on(Kind::CompositionEnd, on, edited)
        .on(Kind::Blur, on, move |_| Some(Msg::Blurred(field)))
}

/// The error of a field; where the bank declined it, the reason of the decline.
fn error_sentence(model: &FieldsModel<'_>, code: &str) -> &'static str {
    match model.notice {
        Some(Notice::Declined(decline)) if code == DECLINED => {
            (model.catalog.decline)(decline.category).sentence
        }
        _ => model.catalog.error(code),
    }
}

fn help(model: &FieldsModel<'_>, field: Field) -> &'static str {
    match field {
        Field::SecurityCode if model.form.security_code_length() == 4 => {
            model.catalog.security_code_front
        }
        Field::SecurityCode => model.catalog.security_code_back,
        _ => "",
    }
}

//! The form: fields, notice and the pay button.

use super::checkout::{Checkout, Msg};
use super::element::{Element, Kind, element};
use super::{icons, methods};
use crate::browser::field::Typed;
use crate::form::{DECLINED, Field};
use crate::i18n::{Catalog, Explanation};
use crate::payment::Notice;
use sealpay_protocol::api::Method;
use yew::html::Scope;
use yew::{Event, Html};

/// Where a field stands among the four.
pub(super) const fn place_of(field: Field) -> usize {
    match field {
        Field::Number => 0,
        Field::Expiry => 1,
        Field::SecurityCode => 2,
        Field::Holder => 3,
    }
}

/// What does not change about a field.
struct Facts {
    id: &'static str,
    note_id: &'static str,
    autocomplete: &'static str,
    input_mode: &'static str,
    placeholder: &'static str,
    label: &'static str,
    is_required: bool,
}

fn facts_of(field: Field, catalog: &Catalog) -> Facts {
    match field {
        Field::Number => Facts {
            id: "number",
            note_id: "number-note",
            autocomplete: "cc-number",
            input_mode: "numeric",
            placeholder: "1234 1234 1234 1234",
            label: catalog.number,
            is_required: true,
        },
        Field::Expiry => Facts {
            id: "expiry",
            note_id: "expiry-note",
            autocomplete: "cc-exp",
            input_mode: "numeric",
            placeholder: catalog.expiry_example,
            label: catalog.expiry,
            is_required: true,
        },
        Field::SecurityCode => Facts {
            id: "security-code",
            note_id: "security-code-note",
            autocomplete: "cc-csc",
            input_mode: "numeric",
            placeholder: "",
            label: catalog.security_code,
            is_required: true,
        },
        Field::Holder => Facts {
            id: "holder",
            note_id: "holder-note",
            autocomplete: "cc-name",
            input_mode: "text",
            placeholder: "",
            label: catalog.holder,
            is_required: false,
        },
    }
}

/// The form. It stays in the document while a panel stands in its place, so that what was typed
/// and what the browser filled in stay too.
pub(super) fn view(checkout: &Checkout, link: &Scope<Checkout>) -> Html {
    // A checkout that the page can renew goes on with what stands in the fields.
    let may_go_on = checkout.state.is_renewable() && checkout.connection.exit_options.can_renew;
    if checkout.state.is_over() && !may_go_on {
        return Html::default();
    }
    let catalog = checkout.connection.catalog;
    let is_card = checkout.choice.method() == Method::Card;
    let is_one_of_many = checkout.choice.offered().len() > 1;
    let legend = element("legend")
        .maybe("data-look", is_one_of_many.then_some("unseen"))
        .child(icons::lock())
        .holds(element("span").says(catalog.card.heading));
    let pair = element("div.pair")
        .holds(field(checkout, link, Field::Expiry))
        .holds(field(checkout, link, Field::SecurityCode));
    let fields = element("fieldset")
        .when(!is_card, "hidden")
        .holds(legend)
        .holds(field(checkout, link, Field::Number))
        .holds(pair)
        .holds(field(checkout, link, Field::Holder));
    let is_plain = !checkout.connection.look.hides_button;
    let assurance = is_card.then(|| {
        let words = methods::texts(catalog, Method::Card).description;
        element("p.assurance")
            .child(icons::small_lock())
            .holds(element("span").says(words))
    });
    element("form")
        .with("novalidate")
        .when(checkout.panel_code().is_some(), "hidden")
        .on(Kind::Submit, link, |event| {
            event.prevent_default();
            Some(Msg::Submitted)
        })
        .child(methods::view(checkout, link))
        .child(methods::without_fields(checkout))
        .holds(fields)
        .child(notice(checkout))
        .holds(pay_button(checkout, link).when(!is_plain, "hidden"))
        .may_hold(patience(checkout))
        .may_hold(assurance)
        .done()
}

fn field(checkout: &Checkout, link: &Scope<Checkout>, field: Field) -> Element {
    let catalog = checkout.connection.catalog;
    let facts = facts_of(field, catalog);
    let error = checkout.form.entry(field).error();
    let (kind, note) = match error {
        Some(code) => (Some("error"), error_of(checkout, code)),
        None => (None, hint(checkout, field)),
    };
    let mut label = element("label")
        .say("for", facts.id)
        .holds(element("span").says(facts.label));
    if !facts.is_required {
        let optional = [" ", catalog.optional].concat();
        label = label.holds(element("span.optional").says(&optional));
    }
    let mut control =
        element("div.control").holds(input(checkout, link, field, &facts, !note.is_empty()));
    let mark = match field {
        // Until the brand is known the room is left to the digits.
        Field::Number => checkout.form.brand().map(|brand| icons::brand(Some(brand))),
        Field::SecurityCode => Some(icons::security_code(
            checkout.form.security_code_length() == 4,
        )),
        _ => None,
    };
    control = control.may_hold(mark.map(|mark| element("span.mark").child(mark)));
    let beneath = element("p.beneath")
        .say("id", facts.note_id)
        .maybe("data-kind", kind)
        .says(note);
    element("div.field")
        .holds(label)
        .holds(control)
        .holds(beneath)
}

fn input(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    field: Field,
    facts: &Facts,
    has_note: bool,
) -> Element {
    let is_wrong = checkout.form.entry(field).error().is_some();
    let is_numeric = facts.input_mode == "numeric";
    let edited =
        move |event: &Event| Typed::from_event(event).map(|typed| Msg::Edited(field, typed));
    element("input")
        .with("type=text;autocorrect=off;spellcheck=false")
        .at(&checkout.inputs[place_of(field)])
        .say("id", facts.id)
        .say("name", facts.autocomplete)
        .say("inputmode", facts.input_mode)
        .maybe("autocapitalize", (!is_numeric).then_some("words"))
        .say("autocomplete", facts.autocomplete)
        .say("dir", if is_numeric { "ltr" } else { "auto" })
        .say("placeholder", facts.placeholder)
        .when(facts.is_required, "required")
        .when(checkout.state.is_processing(), "readonly")
        .maybe("aria-invalid", is_wrong.then_some("true"))
        .maybe("aria-describedby", has_note.then_some(facts.note_id))
        .on(Kind::Input, link, edited)
        // Some browsers fill a field in without an `input` event.
        .on(Kind::Change, link, edited)
        .on(Kind::Composed, link, edited)
        .on(Kind::Leave, link, move |_| Some(Msg::Blurred(field)))
}

/// What is wrong with a field: of one that the bank declined, the bank's sentence.
pub(super) fn error_of(checkout: &Checkout, code: &'static str) -> &'static str {
    match checkout.notice() {
        Some(Notice::Declined(decline)) if code == DECLINED => {
            (checkout.connection.catalog.decline)(decline.category).sentence
        }
        _ => checkout.connection.catalog.error(code),
    }
}

fn hint(checkout: &Checkout, field: Field) -> &'static str {
    let catalog = checkout.connection.catalog;
    match field {
        Field::SecurityCode if checkout.form.security_code_length() == 4 => {
            catalog.security_code_front
        }
        Field::SecurityCode => catalog.security_code_back,
        _ => "",
    }
}

fn pay_button(checkout: &Checkout, link: &Scope<Checkout>) -> Element {
    let catalog = checkout.connection.catalog;
    let is_processing = checkout.state.is_processing();
    let button = element("button")
        .with("type=submit")
        .at(&checkout.pay)
        .maybe("aria-disabled", is_processing.then_some("true"))
        // Pressing the button must not take the shopper out of a field first: an error that
        // appeared there could move the button away under the finger.
        .on(Kind::MouseDown, link, |event| {
            event.prevent_default();
            None
        });
    let (words, amount) = if is_processing {
        (catalog.processing, None)
    } else {
        match checkout.choice.method() {
            Method::Card => (catalog.card.button, Some(checkout.total())),
            Method::Wallet => (catalog.wallet.button, None),
            Method::BankTransfer => (catalog.bank_transfer.button, None),
        }
    };
    labelled(button, is_processing, words, amount)
}

/// What is said when a payment takes long. It is announced besides.
fn patience(checkout: &Checkout) -> Option<Element> {
    let words = checkout.connection.catalog.still_processing;
    checkout
        .takes_long
        .then(|| element("p.assurance").says(words))
}

/// Gives a button its label, behind a spinner while it is busy, before an amount where it is one
/// that pays.
pub(super) fn labelled(
    button: Element,
    is_busy: bool,
    words: &str,
    amount: Option<&str>,
) -> Element {
    let figure = amount.map(|amount| element("bdi").quotes(amount));
    let gap = if amount.is_some() { " " } else { "" };
    let words = element("span").says(&[words, gap].concat());
    button
        .child(if is_busy {
            icons::spinner()
        } else {
            Html::default()
        })
        .holds(element("span").holds(words).may_hold(figure))
}

/// What a notice says.
pub(super) fn explanation(catalog: &Catalog, notice: &Notice) -> Explanation {
    match notice {
        Notice::Declined(decline) => (catalog.decline)(decline.category),
        Notice::Code(code) => catalog.panel(code),
    }
}

/// Directly above the button that pays. The shopper is put here where no field is to be corrected.
fn notice(checkout: &Checkout) -> Html {
    let catalog = checkout.connection.catalog;
    let reason = checkout.ends_at();
    let (kind, heading, sentence) = match (checkout.notice(), &reason) {
        (Some(notice), _) => {
            let Explanation { heading, sentence } = explanation(catalog, notice);
            let kind = match notice {
                Notice::Declined(_) => "danger",
                Notice::Code(_) => "warning",
            };
            (kind, heading, sentence)
        }
        (None, Some(reason)) => ("warning", "", reason.as_str()),
        (None, None) => return Html::default(),
    };
    let heading = (!heading.is_empty()).then(|| {
        let strong = element("strong").with("id=notice-heading");
        strong.says(heading)
    });
    element("div.notice")
        .with(
            "tabindex=-1;role=group;aria-labelledby=notice-heading;\
             aria-describedby=notice-sentence",
        )
        .at(&checkout.notice_place)
        .say("data-kind", kind)
        .may_hold(heading)
        .holds(element("span").with("id=notice-sentence").says(sentence))
        .done()
}

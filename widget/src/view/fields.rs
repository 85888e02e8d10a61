//! The form: fields, notice and the pay button.

use super::checkout::{Checkout, Heard};
use super::marks;
use crate::browser::field::Typed;
use crate::form::Field;
use crate::pay::Notice;
use crate::texts::Texts;
use yew::html::Scope;
use yew::{AttrValue, Event, FocusEvent, Html, InputEvent, MouseEvent, SubmitEvent, html};

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

fn facts_of(field: Field, texts: &Texts) -> Facts {
    match field {
        Field::Number => Facts {
            id: "number",
            note_id: "number-note",
            autocomplete: "cc-number",
            input_mode: "numeric",
            placeholder: "1234 1234 1234 1234",
            label: texts.number,
            is_required: true,
        },
        Field::Expiry => Facts {
            id: "expiry",
            note_id: "expiry-note",
            autocomplete: "cc-exp",
            input_mode: "numeric",
            placeholder: texts.expiry_example,
            label: texts.expiry,
            is_required: true,
        },
        Field::SecurityCode => Facts {
            id: "security-code",
            note_id: "security-code-note",
            autocomplete: "cc-csc",
            input_mode: "numeric",
            placeholder: "",
            label: texts.security_code,
            is_required: true,
        },
        Field::Holder => Facts {
            id: "holder",
            note_id: "holder-note",
            autocomplete: "cc-name",
            input_mode: "text",
            placeholder: "",
            label: texts.holder,
            is_required: false,
        },
    }
}

/// The form. It stays in the document while a panel stands in its place, so that what was typed
/// and what the browser filled in stay too.
pub(super) fn view(checkout: &Checkout, link: &Scope<Checkout>) -> Html {
    if checkout.state.is_over() {
        return Html::default();
    }
    let texts = checkout.connection.texts;
    let onsubmit = link.callback(|event: SubmitEvent| {
        event.prevent_default();
        Heard::Submitted
    });
    html! {
        <form {onsubmit} novalidate=true hidden={checkout.panel_code().is_some()}>
            { notice(checkout) }
            <fieldset>
                <legend>{ marks::lock() }{ texts.card }</legend>
                { field(checkout, link, Field::Number) }
                <div class="pair">
                    { field(checkout, link, Field::Expiry) }
                    { field(checkout, link, Field::SecurityCode) }
                </div>
                { field(checkout, link, Field::Holder) }
            </fieldset>
            { pay_button(checkout) }
            <p class="assurance">{ texts.assurance }</p>
        </form>
    }
}

fn field(checkout: &Checkout, link: &Scope<Checkout>, field: Field) -> Html {
    let texts = checkout.connection.texts;
    let facts = facts_of(field, texts);
    let error = checkout.form.entry(field).error();
    let edited = move |event: &Event| Typed::of(event).map(|typed| Heard::Edited(field, typed));
    let oninput = link.batch_callback(move |event: InputEvent| edited(&event));
    // Some browsers fill a field in without an `input` event.
    let onchange = link.batch_callback(move |event: Event| edited(&event));
    let onblur = link.callback(move |_: FocusEvent| Heard::Left(field));
    let (kind, note) = match error {
        Some(code) => (Some("error"), texts.error(code)),
        None => (None, hint(checkout, field)),
    };
    let described_by = (!note.is_empty()).then_some(facts.note_id);
    let direction = if facts.input_mode == "numeric" {
        "ltr"
    } else {
        "auto"
    };
    html! {
        <div class="field">
            <label for={facts.id}>
                { facts.label }
                if !facts.is_required {
                    <span>{ " " }{ texts.optional }</span>
                }
            </label>
            <div class="control">
                <input
                    ref={checkout.inputs[place_of(field)].clone()}
                    id={facts.id}
                    name={facts.autocomplete}
                    type="text"
                    inputmode={facts.input_mode}
                    autocomplete={facts.autocomplete}
                    autocorrect="off"
                    spellcheck="false"
                    dir={direction}
                    placeholder={facts.placeholder}
                    required={facts.is_required}
                    readonly={checkout.state.is_processing()}
                    aria-invalid={error.map(|_| "true")}
                    aria-describedby={described_by}
                    {oninput}
                    {onchange}
                    {onblur}
                />
                if field == Field::Number {
                    <span class="mark">{ marks::of_brand(checkout.form.brand()) }</span>
                }
            </div>
            <p id={facts.note_id} class="beneath" data-kind={kind}>{ note }</p>
        </div>
    }
}

fn hint(checkout: &Checkout, field: Field) -> &'static str {
    let texts = checkout.connection.texts;
    match field {
        Field::SecurityCode if checkout.form.security_code_length() == 4 => {
            texts.security_code_front
        }
        Field::SecurityCode => texts.security_code_back,
        _ => "",
    }
}

fn pay_button(checkout: &Checkout) -> Html {
    let texts = checkout.connection.texts;
    let is_processing = checkout.state.is_processing();
    // Pressing the button must not take the shopper out of a field first: an error that appeared
    // there could move the button away under the finger.
    let onmousedown = |event: MouseEvent| event.prevent_default();
    let amount = checkout
        .summary
        .as_ref()
        .map(|summary| summary.total.clone());
    html! {
        <button type="submit" {onmousedown} aria-disabled={is_processing.then_some("true")}>
            if is_processing {
                <span class="spinner"></span>
                { texts.processing }
            } else {
                { texts.pay }{ " " }{ amount.unwrap_or_default() }
            }
        </button>
    }
}

/// Heading and sentence of a notice.
pub(super) fn words_of<'a>(texts: &'static Texts, notice: &'a Notice) -> (&'a str, &'a str) {
    match notice {
        Notice::Declined { message, .. } if message.is_empty() => {
            (texts.declined, texts.declined_without_reason)
        }
        Notice::Declined { message, .. } => (texts.declined, message),
        Notice::Code(code) => texts.panel(code),
    }
}

fn notice(checkout: &Checkout) -> Html {
    let Some(notice) = checkout.notice() else {
        return Html::default();
    };
    let (heading, sentence) = words_of(checkout.connection.texts, notice);
    let sentence: AttrValue = sentence.to_owned().into();
    let kind = match notice {
        Notice::Declined { .. } => "danger",
        Notice::Code(_) => "warning",
    };
    html! {
        <div class="notice" data-kind={kind}><strong>{ heading }</strong>{ sentence }</div>
    }
}

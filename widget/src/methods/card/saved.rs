//! The saved cards, as radio buttons: one to pay with, and the question before one is removed.

use crate::form::{Removal, RemovalStep, is_expired, printed_expiry};
use crate::methods::FieldsModel;
use crate::view::button::plain_button;
use crate::view::element::{Element, Kind, element};
use crate::view::msg::Msg;
use sealpay_protocol::api::InstrumentView;
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::InstrumentId;
use yew::Callback;

/// How many cards are shown before the shopper opens the rest of a longer list.
const SHOWN_CARDS: usize = 3;

/// The list; `None` without saved cards.
pub(super) fn view(model: &FieldsModel<'_>, on: &Callback<Msg>) -> Option<Element> {
    let cards = model.instruments;
    if cards.is_empty() || !model.is_selected {
        return None;
    }
    let catalog = model.catalog;
    // A list of one card to open would save no room.
    let shown = if cards.len() > SHOWN_CARDS + 1 {
        SHOWN_CARDS
    } else {
        cards.len()
    };
    let (first, rest) = cards.split_at(shown);
    let rows = |list: Element, cards: &[InstrumentView]| {
        let rows = cards.iter().map(|card| row(model, card, on));
        rows.fold(list, Element::child)
    };
    let rest = (!rest.is_empty()).then(|| {
        let summary = element("summary").text(catalog.show_all);
        rows(element("details.more").child(summary), rest)
    });
    let another = element("label.row")
        .child(radio(model, None, on))
        .child(element("span").text(catalog.another_card));
    let list = rows(element("div.rows"), first)
        .child_opt(rest)
        .child(another);
    let saved = element("fieldset.methods")
        .attr_if("disabled", model.is_read_only)
        .child(element("legend").text(catalog.saved_cards))
        .child(list);
    Some(saved)
}

fn row(model: &FieldsModel<'_>, card: &InstrumentView, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    let id = card.id;
    let is_expired = is_expired(card, model.form.today());
    let brand = Brand::from_slug(&card.brand);
    let state = if is_expired {
        catalog.expired.to_owned()
    } else {
        (catalog.expires)(&printed_expiry(card))
    };
    let name = super::card_name(element("span"), catalog, brand, &card.last4);
    let words = element("span")
        .child(name)
        .child(element("span.optional").text(&state));
    let label = element("label")
        .child(radio(model, Some(id), on).attr_if("disabled", is_expired))
        .child(super::brand_icon(brand))
        .child(words);
    let removal = model.saved.removal();
    let (is_asked, has_failed, was_kept) = match removal {
        Removal::Asked(asked) | Removal::Sent(asked, _) => (asked == id, false, false),
        Removal::Failed(asked, _) => (asked == id, asked == id, false),
        Removal::Kept(asked) => (false, false, asked == id),
        Removal::None => (false, false, false),
    };
    let name = (catalog.card_ending)(brand.map_or(catalog.card.name, Brand::name), &card.last4);
    let remove = (!is_asked).then(|| {
        let label = (catalog.remove_label)(&name);
        button(on, "quiet", RemovalStep::Ask(id), catalog.remove)
            // Gets the focus back.
            .attr_opt("id", was_kept.then_some("kept"))
            .attr_string("aria-label", label)
    });
    let question = is_asked.then(|| {
        let error = if has_failed { catalog.not_removed } else { "" };
        let is_busy = model.saved.is_removing(id).then_some("true");
        let remove = button(on, "secondary", RemovalStep::Confirm, catalog.remove);
        let keep = button(on, "quiet", RemovalStep::Keep, catalog.keep);
        element("div.question")
            .attrs("role=group;aria-labelledby=question")
            .child(
                element("p")
                    .attrs("id=question")
                    .text(&(catalog.remove_question)(&name)),
            )
            .child(
                element("p.beneath")
                    .attrs("id=removal-note;data-kind=error")
                    .text(error),
            )
            .child(
                remove
                    .attrs("aria-describedby=removal-note")
                    .attr_opt("aria-disabled", is_busy),
            )
            .child(keep.attrs("id=keep").attr_opt("aria-disabled", is_busy))
    });
    element("div.row")
        .child(label)
        .child_opt(remove)
        .child_opt(question)
}

fn radio(model: &FieldsModel<'_>, card: Option<InstrumentId>, on: &Callback<Msg>) -> Element {
    let value = card.map(|card| card.to_string());
    element("input")
        .attrs("type=radio;name=instrument")
        .attr_string("value", value.unwrap_or_default())
        .checked(model.selected == card)
        .on(Kind::Change, on, move |_| Some(Msg::CardChosen(card)))
}

fn button(on: &Callback<Msg>, look: &'static str, step: RemovalStep, text: &str) -> Element {
    plain_button(look, text).on(Kind::Click, on, move |_| Some(Msg::Removal(step)))
}

/// The box that saves the card entered, with an explanation.
pub(super) fn saving_box(model: &FieldsModel<'_>, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    let tick = element("input")
        .attrs("type=checkbox;id=save-card;aria-describedby=save-card-note")
        .attr_if("disabled", model.is_read_only)
        .checked(model.saved.saves_card())
        .on(Kind::Change, on, |_| Some(Msg::SavingToggled));
    let label = element("label")
        .child(tick)
        .child(element("span").text(catalog.save_card));
    let note = element("p.beneath")
        .attrs("id=save-card-note")
        .text(catalog.save_card_note);
    element("div.field saving").child(label).child(note)
}

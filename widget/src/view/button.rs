//! The label of a button that submits.

use super::element::{Element, element};
use super::icons;
use yew::Html;

/// A button with a text that does not submit. `look` is `secondary`, `quiet`, or empty for the
/// primary one.
pub(crate) fn plain_button(look: &'static str, text: &str) -> Element {
    element("button")
        .attrs("type=button")
        .attr("data-look", look)
        .text(text)
}

/// Labels a button: a spinner while it is busy, the text, and the amount of a button that pays.
pub(crate) fn button_label(
    button: Element,
    is_busy: bool,
    label: &str,
    amount: Option<&str>,
) -> Element {
    let amount = amount.map(|amount| element("bdi").verbatim(amount));
    let gap = if amount.is_some() { " " } else { "" };
    let label = element("span").text(&[label, gap].concat());
    button
        .node(if is_busy {
            icons::spinner()
        } else {
            Html::default()
        })
        .child(element("span").child(label).child_opt(amount))
}

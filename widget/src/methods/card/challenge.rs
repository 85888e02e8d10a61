//! The challenges of a card payment: a one-time code or a passkey.

use crate::browser::field::{Input, text_in};
use crate::browser::passkey;
use crate::payment::ShopperAction;
use crate::view::action::ActionModel;
use crate::view::button::button_label;
use crate::view::element::{Element, Kind, element};
use crate::view::icons;
use crate::view::msg::Msg;
use sealpay_protocol::api::CodeView;
use yew::Callback;

const CANCEL: fn() -> Msg = || Msg::Action(ShopperAction::Cancel);

pub(super) fn passkey(model: &ActionModel<'_>, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    let explanation = element("p").text(catalog.panel("passkey").sentence);
    let panel = model
        .panel(icons::lock())
        .child(explanation)
        .child(model.order_lines());
    let (panel, look) = if passkey::is_known() {
        let use_passkey = || Msg::Action(ShopperAction::UsePasskey);
        let button = model.button(on, "", catalog.use_passkey, use_passkey);
        let panel = panel.child(model.feedback_note()).child(button);
        (panel, "secondary")
    } else {
        (panel, "")
    };
    let use_code = || Msg::Action(ShopperAction::UseCode);
    panel
        .child(model.button(on, look, catalog.use_code, use_code))
        .child(model.button(on, "quiet", catalog.cancel, CANCEL))
}

pub(super) fn code(model: &ActionModel<'_>, code: &CodeView, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    let (before, after) = catalog.code_sent_to;
    let explanation = element("p")
        .attrs("id=code-help")
        .child(element("span").text(before))
        .child(element("span").verbatim(&code.sent_to))
        .child(element("span").text(after));
    model
        .panel(icons::lock())
        .child(explanation)
        .child(model.order_lines())
        .child(code_form(model, code, on))
        .child(model.button(on, "quiet", catalog.cancel, CANCEL))
}

fn code_form(model: &ActionModel<'_>, code: &CodeView, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    let confirm = element("button")
        .attrs("type=submit")
        .attr_opt("aria-disabled", model.is_busy.then_some("true"));
    let label = if model.is_busy {
        catalog.processing
    } else {
        catalog.confirm
    };
    let confirm = button_label(confirm, model.is_busy, label, None);
    let resend = (code.resends_left > 0).then(|| resend_button(model, code, on));
    let seconds = model.seconds_until(code.expires_at);
    let expiry = (seconds > 0).then(|| {
        let line = element("p.assurance");
        line.text(&(catalog.code_expires_in)(&minutes(seconds)))
    });
    let warning = element("p.assurance").text(catalog.panel("code").sentence);
    let code_ref = model.code_ref.clone();
    element("form")
        .attrs("novalidate")
        .on(Kind::Submit, on, move |event| {
            event.prevent_default();
            let input = code_ref.cast::<Input>()?;
            let code = text_in(&input);
            Some(Msg::Action(ShopperAction::EnterCode(code)))
        })
        .child(code_field(model, on))
        .child(confirm)
        .child_opt(resend)
        .child_opt(expiry)
        .child(warning)
}

fn code_field(model: &ActionModel<'_>, on: &Callback<Msg>) -> Element {
    let label = element("label").attrs("for=code").text(model.catalog.code);
    let input = element("input")
        .attrs(
            "id=code;type=text;inputmode=numeric;autocomplete=one-time-code;\
             enterkeyhint=go;dir=ltr;required;aria-describedby=code-help code-note",
        )
        .node_ref(model.code_ref)
        .attr_if("readonly", model.is_busy)
        .attr_opt("aria-invalid", model.has_error().then_some("true"))
        .on(Kind::Input, on, |_| Some(Msg::CodeEdited));
    element("div.field")
        .child(label)
        .child(input)
        .child(model.feedback_note())
}

/// Screen readers skip the seconds: otherwise the button's name would change every second.
fn resend_button(model: &ActionModel<'_>, code: &CodeView, on: &Callback<Msg>) -> Element {
    let catalog = model.catalog;
    let seconds = model.seconds_until(code.resend_at);
    let must_wait = seconds > 0 || model.is_busy;
    let wait = (seconds > 0).then(|| {
        let wait = [" ", &(catalog.resend_wait)(seconds)].concat();
        element("span").attrs("aria-hidden=true").text(&wait)
    });
    let label = element("span").text(catalog.resend_code);
    element("button")
        .attrs("type=button;data-look=secondary")
        .attr_opt("aria-disabled", must_wait.then_some("true"))
        .on_click(on, || Msg::Action(ShopperAction::ResendCode))
        .child(element("span").child(label).child_opt(wait))
}

/// Such as `4:05`.
fn minutes(seconds: u64) -> String {
    let rest = seconds % 60;
    let zero = if rest < 10 { "0" } else { "" };
    [&(seconds / 60).to_string(), ":", zero, &rest.to_string()].concat()
}

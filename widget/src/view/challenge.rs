//! What the shopper has to confirm: by a code, with a passkey, or in the wallet.

use super::checkout::{Checkout, Msg};
use super::element::{Element, Kind, element};
use super::{fields, icons, panel};
use crate::browser::field::{self, Input, text_in};
use crate::browser::{clock, passkey};
use crate::payment::{ActionRequired, Phase, ShopperAction, code_digits};
use sealpay_protocol::api::{ActionView, CodeView};
use yew::html::Scope;

/// A button that does something about a challenge.
pub(super) fn button(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    look: &'static str,
    words: &str,
    meaning: fn() -> Msg,
) -> Element {
    element("button")
        .with("type=button")
        .say("data-look", look)
        // Not really disabled: the shopper would lose their place. The machine does one thing at a time.
        .maybe(
            "aria-disabled",
            checkout.state.is_authenticating().then_some("true"),
        )
        .pressed(link, meaning)
        .says(words)
}

pub(super) fn view(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    required: &ActionRequired,
) -> Element {
    let catalog = checkout.connection.catalog;
    let icon = match &required.action {
        ActionView::Wallet(_) => icons::spinner(),
        _ => icons::lock(),
    };
    let repeated = panel::receipt()
        .line(catalog.payee, checkout.payee())
        .line(catalog.amount, checkout.total());
    let view = panel::panel(checkout, None, icon)
        .holds(introduction(checkout, &required.action))
        .holds(repeated);
    let view = match &required.action {
        ActionView::Code(code) => view.holds(code_form(checkout, link, required, code)),
        ActionView::Passkey(_) => {
            let (view, look) = if passkey::is_known() {
                let meaning = || Msg::Action(ShopperAction::UsePasskey);
                let used = button(checkout, link, "", catalog.use_passkey, meaning);
                (
                    view.holds(note(checkout, required)).holds(used),
                    "secondary",
                )
            } else {
                (view, "")
            };
            let meaning = || Msg::Action(ShopperAction::UseCode);
            view.holds(button(checkout, link, look, catalog.use_code, meaning))
        }
        _ => {
            let is_open = checkout.wallet_is_open();
            let look = if is_open { "secondary" } else { "" };
            let meaning = || Msg::WalletRequested;
            let open = if checkout.is_wallet_hidden {
                wallet_link(checkout)
            } else {
                Some(button(checkout, link, look, catalog.open_wallet, meaning))
            };
            view.holds(note(checkout, required)).may_hold(open)
        }
    };
    let meaning = || Msg::Action(ShopperAction::Cancel);
    view.holds(button(checkout, link, "quiet", catalog.cancel, meaning))
}

/// A plain link, where no window opens: apps show it in their own way, and no page can keep it apart.
fn wallet_link(checkout: &Checkout) -> Option<Element> {
    let address = checkout.wallet_address()?.to_owned();
    let link = element("a.link").with("target=_blank;rel=noopener");
    Some(
        link.tell("href", address)
            .says(checkout.connection.catalog.open_wallet),
    )
}

fn introduction(checkout: &Checkout, action: &ActionView) -> Element {
    let catalog = checkout.connection.catalog;
    match action {
        ActionView::Code(code) => {
            let (before, after) = catalog.code_sent_to;
            element("p")
                .with("id=code-help")
                .holds(element("span").says(before))
                .holds(element("span").quotes(&code.sent_to))
                .holds(element("span").says(after))
        }
        _ => {
            let code = match panel::code_of(checkout.state.phase()).unwrap_or_default() {
                "wallet" if checkout.is_wallet_hidden => "wallet_hidden",
                "wallet" if !checkout.wallet_is_open() => "wallet_closed",
                code => code,
            };
            element("p").says(catalog.panel(code).sentence)
        }
    }
}

/// Whether what is said is good news.
fn is_good(feedback: &str) -> bool {
    feedback == "code_sent"
}

/// What there is to say, by code: about the last thing that the shopper did, or the code's end.
fn feedback_code(checkout: &Checkout, required: &ActionRequired) -> Option<&'static str> {
    required.feedback.or_else(|| match &required.action {
        ActionView::Code(code) => {
            (checkout.seconds_until(code.expires_at) == 0).then_some("code_expired")
        }
        _ => None,
    })
}

/// The same in words.
pub(super) fn words_of(checkout: &Checkout, required: &ActionRequired) -> Option<String> {
    let catalog = checkout.connection.catalog;
    let feedback = feedback_code(checkout, required)?;
    let mut words = catalog.error(feedback).to_owned();
    if feedback == "code_refused"
        && let ActionView::Code(code) = &required.action
    {
        words.extend([" ", &(catalog.attempts_left)(code.attempts_left)]);
    }
    Some(words)
}

pub(super) fn note(checkout: &Checkout, required: &ActionRequired) -> Element {
    let is_bad = feedback_code(checkout, required).is_some_and(|feedback| !is_good(feedback));
    element("p")
        .with("id=code-note;class=beneath")
        .maybe("data-kind", is_bad.then_some("error"))
        .says(&words_of(checkout, required).unwrap_or_default())
}

fn code_form(
    checkout: &Checkout,
    link: &Scope<Checkout>,
    required: &ActionRequired,
    code: &CodeView,
) -> Element {
    let catalog = checkout.connection.catalog;
    let is_busy = checkout.state.is_authenticating();
    let is_wrong = feedback_code(checkout, required).is_some_and(|feedback| !is_good(feedback));
    let input = element("input")
        .with(
            "id=code;type=text;inputmode=numeric;autocomplete=one-time-code;\
             enterkeyhint=go;dir=ltr;required;aria-describedby=code-help code-note",
        )
        .at(&checkout.code)
        .when(is_busy, "readonly")
        .maybe("aria-invalid", is_wrong.then_some("true"))
        .on(Kind::Input, link, |_| Some(Msg::CodeEdited));
    let label = element("label").with("for=code").says(catalog.code);
    let field = element("div.field")
        .holds(label)
        .holds(input)
        .holds(note(checkout, required));
    let confirm = element("button")
        .with("type=submit")
        .maybe("aria-disabled", is_busy.then_some("true"));
    let words = if is_busy {
        catalog.processing
    } else {
        catalog.confirm
    };
    let confirm = fields::labelled(confirm, is_busy, words, None);
    let place = checkout.code.clone();
    let another = (code.resends_left > 0).then(|| another_code(checkout, link, code));
    let warning = element("p.assurance");
    let seconds = checkout.seconds_until(code.expires_at);
    let left = (seconds > 0).then(|| {
        let line = element("p.assurance");
        line.says(&(catalog.code_expires_in)(&minutes(seconds)))
    });
    element("form")
        .with("novalidate")
        .on(Kind::Submit, link, move |event| {
            event.prevent_default();
            let input = place.cast::<Input>()?;
            Some(Msg::Action(ShopperAction::EnterCode(text_in(&input))))
        })
        .holds(field)
        .holds(confirm)
        .may_hold(another)
        .may_hold(left)
        .holds(warning.says(catalog.panel("code").sentence))
}

/// Its name stays the same while seconds are counted beside it: it would be read out each second.
fn another_code(checkout: &Checkout, link: &Scope<Checkout>, code: &CodeView) -> Element {
    let catalog = checkout.connection.catalog;
    let seconds = checkout.seconds_until(code.resend_at);
    let must_wait = seconds > 0 || checkout.state.is_authenticating();
    let wait = (seconds > 0).then(|| {
        let wait = [" ", &(catalog.resend_wait)(seconds)].concat();
        element("span").with("aria-hidden=true").says(&wait)
    });
    let label = element("span").says(catalog.resend_code);
    element("button")
        .with("type=button;data-look=secondary")
        .maybe("aria-disabled", must_wait.then_some("true"))
        .pressed(link, || Msg::Action(ShopperAction::ResendCode))
        .holds(element("span").holds(label).may_hold(wait))
}

/// Such as `4:05`.
fn minutes(seconds: u64) -> String {
    let rest = seconds % 60;
    let zero = if rest < 10 { "0" } else { "" };
    [&(seconds / 60).to_string(), ":", zero, &rest.to_string()].concat()
}

impl Checkout {
    /// Keeps no more in the field than a code has, and nothing else than digits.
    pub(super) fn normalize_code(&self) {
        if let Some(input) = self.code.cast::<Input>() {
            let digits = code_digits(&text_in(&input));
            field::show(&input, &digits, Some(digits.len()));
        }
    }

    /// Whether this is the second in which the code ends.
    pub(super) fn code_has_just_expired(&self) -> bool {
        let Phase::ActionRequired(required) = self.state.phase() else {
            return false;
        };
        let is_new = |code: &CodeView| {
            let now = self.state.verifier_time(clock::now());
            code.expires_at <= now && now < code.expires_at + 2
        };
        required.feedback.is_none()
            && matches!(&required.action, ActionView::Code(code) if is_new(code))
    }

    /// How long it is until a time of the verifier's clock.
    pub(super) fn seconds_until(&self, time: u64) -> u64 {
        time.saturating_sub(self.state.verifier_time(clock::now()))
    }
}

//! Panels of phases in which the shopper can at most retry or leave, and the codes of all panels.

use super::element::element;
use super::icons;
use super::msg::Msg;
use super::panel::Panel;
use crate::browser::host::ExitOptions;
use crate::i18n::Catalog;
use crate::payment::{EndReason, PaymentEvent, Phase};
use sealpay_protocol::api::{ActionView, ShopperState};
use yew::{Callback, Html, NodeRef};

/// The code of the panel of a phase, under which the catalog explains it; `None` for the form.
pub(super) fn panel_code(phase: &Phase) -> Option<&str> {
    match phase {
        Phase::Waiting
        | Phase::Opening { .. }
        | Phase::Form { .. }
        | Phase::Sealing { .. }
        | Phase::Paying { .. }
        | Phase::Cancelling { .. } => None,
        Phase::Unreachable => Some("unreachable"),
        Phase::Polling { .. } => Some("checking"),
        Phase::OpenElsewhere => Some("open_elsewhere"),
        Phase::Interrupted { .. } => Some("interrupted"),
        Phase::ActionRequired(required) => Some(match required.action {
            ActionView::Code(_) => "code",
            ActionView::Passkey(_) => "passkey",
            ActionView::Wallet(_) => "wallet",
            ActionView::Transfer(_) => "transfer",
            ActionView::Continue => "checking",
        }),
        Phase::Paid { .. } => Some("paid"),
        Phase::Ended(reason) => Some(reason.code()),
    }
}

/// The heading of the panel of a phase.
pub(super) fn heading(catalog: &Catalog, phase: &Phase) -> &'static str {
    match phase {
        Phase::Paid { payment, .. } => match payment.state {
            ShopperState::Captured => catalog.payment_complete,
            ShopperState::Pending => catalog.mandate_signed,
            _ => catalog.payment_approved,
        },
        phase => {
            let code = panel_code(phase).unwrap_or_default();
            catalog.panel(code).heading
        }
    }
}

type Message = fn() -> Msg;

/// A panel without content of its own.
pub(super) struct StatusModel<'a> {
    pub(super) catalog: &'static Catalog,
    pub(super) phase: &'a Phase,
    pub(super) exit_options: ExitOptions,
    pub(super) heading_ref: &'a NodeRef,
}

impl StatusModel<'_> {
    pub(super) fn view(&self, on: &Callback<Msg>) -> Html {
        let Some(code) = panel_code(self.phase) else {
            return Html::default();
        };
        let (kind, icon) = self.icon();
        let explanation = self.catalog.panel(code);
        let panel = Panel {
            kind,
            icon,
            heading: explanation.heading,
            heading_ref: self.heading_ref,
            is_receipt: false,
        };
        let button = self.button().map(|(label, message)| {
            let button = element("button").attrs("type=button");
            button.on_click(on, message).text(label)
        });
        panel
            .view()
            .child(element("p").text(explanation.sentence))
            .child_opt(button)
            .finish()
    }

    fn icon(&self) -> (Option<&'static str>, Html) {
        match self.phase {
            Phase::Polling { .. } => (None, icons::spinner()),
            Phase::Ended(EndReason::Fatal(code)) => match code.as_str() {
                "payment_voided" => (None, icons::cross()),
                "possibly_paid" => (Some("warning"), icons::attention()),
                _ => (Some("danger"), icons::cross()),
            },
            Phase::Ended(EndReason::Expired) => (None, icons::clock()),
            _ => (Some("warning"), icons::attention()),
        }
    }

    /// The label of the only button, and its message.
    fn button(&self) -> Option<(&'static str, Message)> {
        let Self {
            catalog,
            exit_options,
            ..
        } = *self;
        let retry = || Msg::Payment(PaymentEvent::Retry);
        match self.phase {
            Phase::Unreachable | Phase::Interrupted { .. } => Some((catalog.try_again, retry)),
            Phase::OpenElsewhere => Some((catalog.continue_here, retry)),
            Phase::Ended(reason) if reason.is_renewable() && exit_options.can_renew => {
                Some((catalog.start_again, || Msg::ExitRequested("renew")))
            }
            Phase::Ended(_) if exit_options.can_return => {
                Some((catalog.back_to_shop, || Msg::ExitRequested("return")))
            }
            _ => None,
        }
    }
}

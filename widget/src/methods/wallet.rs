//! The wallet: confirmed on its own page, in a window of its own.

use super::PaymentMethod;
use crate::form::{Form, InvalidFields};
use crate::i18n::{Catalog, MethodTexts};
use crate::payment::{PaymentData, ShopperAction};
use crate::view::action::{ActionModel, WalletPage};
use crate::view::element::{Element, element};
use crate::view::icons;
use crate::view::msg::Msg;
use sealpay_protocol::api::ActionView;
use yew::{Callback, Html};

pub(super) struct Wallet;

impl PaymentMethod for Wallet {
    fn texts(&self, catalog: &'static Catalog) -> &'static MethodTexts {
        &catalog.wallet
    }

    fn icon(&self) -> Html {
        icons::outline("22", "M4 7.5h16v11.5h-16v-12l12-3v3.5M16 13v.1")
    }

    fn collect(&self, _form: &mut Form) -> Result<PaymentData, InvalidFields> {
        Ok(PaymentData::Wallet)
    }

    fn action(&self, model: &ActionModel<'_>, on: &Callback<Msg>) -> Option<Element> {
        let ActionView::Wallet(_) = model.required.action else {
            return None;
        };
        let catalog = model.catalog;
        let code = match model.wallet {
            WalletPage::Open => "wallet",
            WalletPage::Closed => "wallet_closed",
            WalletPage::Unknown(_) => "wallet_hidden",
        };
        let open = |look| model.button(on, look, catalog.open_wallet, || Msg::WalletRequested);
        let open = match model.wallet {
            WalletPage::Open => Some(open("secondary")),
            WalletPage::Closed => Some(open("")),
            WalletPage::Unknown(address) => address.map(|address| link(catalog, address)),
        };
        let cancel = || Msg::Action(ShopperAction::Cancel);
        let panel = model
            .panel(icons::spinner())
            .child(element("p").text(catalog.panel(code).sentence))
            .child(model.order_lines())
            .child(model.feedback_note())
            .child_opt(open)
            .child(model.button(on, "quiet", catalog.cancel, cancel));
        Some(panel)
    }
}

/// A plain link, for when no window opens: in-app browsers open it their own way, and no isolation
/// policy blocks it.
fn link(catalog: &Catalog, address: &str) -> Element {
    element("a.link")
        .attrs("target=_blank;rel=noopener")
        .attr_string("href", address.to_owned())
        .text(catalog.open_wallet)
}

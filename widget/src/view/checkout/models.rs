//! The models of the views, taken from the state.

use super::Checkout;
use crate::browser::clock;
use crate::payment::{ActionRequired, Notice, PasskeyOffer, Phase};
use crate::view::action::{ActionModel, WalletPage};
use crate::view::form::FormModel;
use crate::view::receipt::ReceiptModel;
use crate::view::status::{self, StatusModel};
use sealpay_protocol::api::PaymentView;

impl Checkout {
    /// The form; `None` once it is no longer needed.
    pub(super) fn form_model<'a>(
        &'a self,
        session_warning: Option<&'a str>,
        agreement: Option<&'a str>,
    ) -> Option<FormModel<'a>> {
        // A checkout that the host page can renew continues with the fields as they are.
        let may_continue = self.state.is_renewable() && self.connection.exit_options.can_renew;
        if self.state.is_over() && !may_continue {
            return None;
        }
        Some(FormModel {
            catalog: self.connection.catalog(),
            form: &self.form,
            offered: self.choice.offered(),
            selected: self.choice.method(),
            total: self.total(),
            instruments: self.instruments(),
            saved: &self.saved,
            saved_card: self.saved_card().map(|card| card.id),
            offers_saving: self.offers_saving(),
            agreement,
            notice: self.notice(),
            session_warning,
            is_processing: self.state.is_processing(),
            is_slow: self.is_slow,
            is_hidden: self.panel_code().is_some(),
            hides_button: self.connection.look.hides_button,
            inputs: &self.inputs,
            pay_ref: &self.pay,
            notice_ref: &self.notice_ref,
        })
    }

    pub(super) fn action_model<'a>(&'a self, required: &'a ActionRequired) -> ActionModel<'a> {
        ActionModel {
            catalog: self.connection.catalog(),
            locale: &self.connection.locale,
            required,
            payee: self.payee(),
            total: self.total(),
            is_busy: self.state.is_authenticating(),
            now: self.verifier_now(),
            wallet: self.wallet_page(),
            heading: self.heading(),
            heading_ref: &self.heading_ref,
            code_ref: &self.code,
        }
    }

    pub(super) fn receipt_model<'a>(
        &'a self,
        payment: &'a PaymentView,
        offer: PasskeyOffer,
    ) -> ReceiptModel<'a> {
        let session = self.state.session();
        ReceiptModel {
            catalog: self.connection.catalog(),
            locale: &self.connection.locale,
            payment,
            offer,
            heading: self.heading(),
            payee: self.payee(),
            order_ref: session.map_or("", |session| &session.order.order_ref),
            is_busy: self.state.is_authenticating() || self.state.is_in_passkey_dialog(),
            heading_ref: &self.heading_ref,
            offer_ref: &self.offer,
        }
    }

    pub(super) fn status_model(&self) -> StatusModel<'_> {
        StatusModel {
            catalog: self.connection.catalog(),
            phase: self.state.phase(),
            exit_options: self.connection.exit_options,
            heading_ref: &self.heading_ref,
        }
    }

    fn wallet_page(&self) -> WalletPage<'_> {
        if self.is_wallet_unknown {
            WalletPage::Unknown(self.wallet_address())
        } else if self
            .wallet
            .as_ref()
            .is_some_and(|window| !window.is_closed())
        {
            WalletPage::Open
        } else {
            WalletPage::Closed
        }
    }

    /// The code of the panel shown in place of the form, if any.
    pub(super) fn panel_code(&self) -> Option<&str> {
        status::panel_code(self.state.phase())
    }

    /// The heading of that panel.
    pub(super) fn heading(&self) -> &'static str {
        status::heading(self.connection.catalog(), self.state.phase())
    }

    /// The notice above the pay button.
    pub(super) fn notice(&self) -> Option<&Notice> {
        match self.state.phase() {
            Phase::Form { notice } | Phase::Opening { notice, .. } => notice.as_ref(),
            _ => None,
        }
    }

    /// The merchant's name, once it is known.
    pub(super) fn payee(&self) -> &str {
        let payee = self
            .summary
            .as_ref()
            .and_then(|summary| summary.merchant.as_deref());
        payee.unwrap_or_default()
    }

    /// The formatted amount.
    fn total(&self) -> &str {
        self.summary.as_ref().map_or("", |summary| &summary.total)
    }

    /// The verifier's time, seconds since 1970.
    pub(super) fn verifier_now(&self) -> u64 {
        self.state.verifier_time(clock::now())
    }
}

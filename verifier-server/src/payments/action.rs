//! What the shopper has to do about a payment, as the widget shows it.

use super::methods::bank_transfer::model::{AmountMatch, TransferInstructions};
use super::model::Payment;
use super::state::PaymentState;
use crate::gateway::Gateway;
use sealpay_protocol::api::{
    ActionView, CodeView, EnrolmentView, PasskeyView, TransferView, WalletView,
};
use sealpay_protocol::method::Method;
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_provider::authentication::{CodeChallenge, PasskeyChallenge, Progress};

/// Milliseconds of the store as seconds of the interface.
pub(crate) fn seconds(unix_ms: i64) -> u64 {
    u64::try_from(unix_ms.div_euclid(1000)).unwrap_or(0)
}

/// What has to be done; none in every other state, and none while the provider cannot be asked:
/// the widget asks again.
///
/// A challenge is shown to the key that made the attempt. The wallet has a sign-in of its own where it
/// is real, and an account to send money to is no secret: a page that was reloaded may show them.
pub(crate) async fn of(
    gateway: &Gateway,
    payment: &Payment,
    requester: &str,
) -> Option<ActionView> {
    if payment.state != PaymentState::RequiresAction {
        return None;
    }
    match payment.method {
        Method::Card if payment.owner != requester => None,
        Method::Card => {
            let asked = gateway.providers.authenticator.progress(payment.id);
            let progress = gateway.within(asked).await.ok().flatten()?;
            of_progress(progress)
        }
        Method::Wallet => {
            let asked = gateway.providers.wallet.page(payment.id);
            let url = gateway.within(asked).await.ok().flatten()?;
            Some(ActionView::Wallet(WalletView {
                url,
                expires_at: seconds(payment.lease_until_ms),
            }))
        }
        Method::BankTransfer => {
            let expected = payment.transfer.as_ref()?;
            Some(ActionView::Transfer(of_transfer(payment, expected)))
        }
    }
}

/// Somebody else's step may have ended it in between: then there is nothing to do but to ask again.
fn of_progress(progress: Progress) -> Option<ActionView> {
    match progress {
        Progress::Code(challenge) => Some(ActionView::Code(of_code(challenge))),
        Progress::Passkey(challenge) => Some(ActionView::Passkey(of_passkey(challenge))),
        Progress::Done(authentication) => authentication
            .status
            .may_be_authorized()
            .then_some(ActionView::Continue),
    }
}

fn of_code(challenge: CodeChallenge) -> CodeView {
    CodeView {
        sent_to: challenge.sent_to,
        refused: challenge.refused,
        attempts_left: challenge.attempts_left,
        resends_left: challenge.resends_left,
        resend_at: seconds(challenge.resend_at_ms),
        expires_at: seconds(challenge.expires_at_ms),
    }
}

fn of_passkey(challenge: PasskeyChallenge) -> PasskeyView {
    PasskeyView {
        options: challenge.options,
        refused: challenge.refused,
        wrong_page: challenge.wrong_page,
        expires_at: seconds(challenge.expires_at_ms),
    }
}

fn of_transfer(payment: &Payment, expected: &TransferInstructions) -> TransferView {
    let amount_due = match expected.sum(payment.money.amount_minor()) {
        AmountMatch::Short(minor) => minor,
        AmountMatch::Exact | AmountMatch::Over(_) => 0,
    };
    TransferView {
        holder: expected.holder.clone(),
        iban: expected.iban.clone(),
        bic: expected.bic.clone(),
        reference: expected.reference.clone(),
        amount_due,
        amount_received: expected.received_minor,
        expires_at: seconds(payment.lease_until_ms),
    }
}

/// How a passkey can be kept for next time, for a shopper whose code was right for this payment.
pub(crate) async fn enrolment(
    gateway: &Gateway,
    payment: &Payment,
    requester: &str,
) -> Option<EnrolmentView> {
    let is_paid = matches!(
        payment.state,
        PaymentState::Authorized | PaymentState::Captured
    );
    let by_code = payment
        .authentication
        .as_ref()
        .is_some_and(|authentication| {
            authentication.challenge == Some(ChallengeKind::Code)
                && authentication.status == AuthenticationStatus::Authenticated
        });
    if !(is_paid && by_code && payment.owner == requester) {
        return None;
    }
    let asked = gateway.providers.authenticator.enrolment(payment.id);
    let options = gateway.within(asked).await.ok().flatten()?;
    Some(EnrolmentView { options })
}

//! A reloaded page takes over the session while its payment is pending; requests signed with the
//! old key are rejected.

use crate::databases::on_both_databases;
use crate::payments::methods::{EVERYDAY, Waiting, begun, press, transfer_of, wallet_of};
use harness::checkout::{Checkout, simulate, view};
use harness::client::{APPROVED, Prepared};
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::{Cancel, Resend, UseCode};
use sealpay_protocol::api::{SessionState, ShopperState};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;

on_both_databases! {
    reloaded_page_shows_the_pending_action_and_can_finish,
    challenge_is_shown_only_to_the_browser_it_was_for,
    challenge_can_be_completed_after_the_session_expired,
}

/// The same order in a page that was loaded again.
async fn reloaded<'g>(checkout: &Checkout<'g>) -> Checkout<'g> {
    let gateway = checkout.gateway;
    let browser = gateway.browser();
    let session = gateway.open(&browser, &checkout.order).await;
    assert_eq!(session.session, checkout.session.session);
    Checkout {
        gateway,
        browser,
        order: checkout.order.clone(),
        session,
    }
}

/// Nothing that the old key signs is taken.
async fn old_key_is_worthless(old: &Checkout<'_>, waiting: &[Prepared]) {
    for request in waiting {
        let answer = old.gateway.send(request.clone()).await;
        assert_eq!(
            answer.refusal(),
            (401, "signature_invalid".into()),
            "{}",
            request.path
        );
    }
}

fn requests_of_old(old: &Waiting<'_>) -> Vec<Prepared> {
    vec![
        old.checkout.request(&old.attempt),
        old.checkout.step(old.payment, Cancel),
        old.checkout.step(old.payment, Resend),
    ]
}

async fn reloaded_page_shows_the_pending_action_and_can_finish(gateway: &TestGateway) {
    for method in [Method::Wallet, Method::BankTransfer] {
        for gives_up in [false, true] {
            let outcome = Some("transfer_never").filter(|_| method == Method::BankTransfer);
            let waiting = begun(gateway, method, Capture::Automatic, outcome).await;
            let new = reloaded(&waiting.checkout).await;
            assert_eq!(new.session.state, SessionState::Processing, "{method:?}");
            let shown = new.session.payment.clone().expect("the payment is shown");
            assert_eq!(shown.action, waiting.view.action, "{method:?}");
            assert_eq!(shown.payment, waiting.payment);
            old_key_is_worthless(&waiting.checkout, &requests_of_old(&waiting)).await;
            // The attempt has no secret in it: the new page asks what became of it.
            let asked = new.pay(&waiting.attempt).await;
            assert_eq!(asked.action, waiting.view.action, "{method:?}");
            let other = new.send(&new.by_card(APPROVED)).await;
            other.assert_refused(409, "attempt_in_progress");
            if gives_up {
                let view = new.take(waiting.payment, Cancel).await;
                assert_eq!(view.state, ShopperState::Declined);
                let paid = new.pay(&new.by_card(APPROVED)).await;
                // The order's script is about transfers; a card is approved.
                assert_eq!(paid.state, ShopperState::Captured);
                continue;
            }
            match method {
                Method::Wallet => press(gateway, &wallet_of(&shown).url, EVERYDAY).await,
                _ => {
                    let reference = &transfer_of(&shown).reference;
                    assert_eq!(gateway.send_money(reference, 2490).await, "matched");
                }
            }
            let view = new.pay(&waiting.attempt).await;
            assert_eq!(view.state, ShopperState::Captured, "{method:?}");
            // Loaded once more, it gets the receipt.
            let receipt = reloaded(&new).await.session;
            assert_eq!(receipt.state, SessionState::Complete);
            assert_eq!(
                receipt.payment.map(|payment| payment.state),
                Some(view.state)
            );
        }
    }
}

async fn challenge_is_shown_only_to_the_browser_it_was_for(gateway: &TestGateway) {
    for is_known in [false, true] {
        let checkout = gateway
            .checkout(|claims| simulate(claims, "challenge_code"))
            .await;
        let attempt = checkout.by_card(APPROVED);
        let waiting = checkout.pay(&attempt).await;
        let code = gateway.newest_code().await;
        if is_known {
            checkout.type_code(waiting.payment, &code).await;
        }
        let new = reloaded(&checkout).await;
        assert_eq!(new.session.state, SessionState::Processing);
        let shown = new.session.payment.clone().expect("the payment is shown");
        assert_eq!(
            (shown.state, shown.action),
            (ShopperState::RequiresAction, None)
        );
        let old = [
            checkout.request(&attempt),
            checkout.code(waiting.payment, &code),
            checkout.step(waiting.payment, Cancel),
        ];
        old_key_is_worthless(&checkout, &old).await;
        for request in [
            new.code(waiting.payment, &code),
            new.step(waiting.payment, Resend),
            new.step(waiting.payment, UseCode),
        ] {
            let answer = gateway.send(request).await;
            answer.assert_refused(409, "challenge_closed");
        }
        // The sealed card of the old page does not open for the new one.
        let asked = view(&new.send(&attempt).await);
        assert_eq!(
            (asked.state, asked.action),
            (ShopperState::RequiresAction, None)
        );
        let given_up = new.take(waiting.payment, Cancel).await;
        assert_eq!(given_up.state, ShopperState::Declined);
        let second = new.by_card(APPROVED);
        let view = new.pay(&second).await;
        let code = gateway.newest_code().await;
        new.type_code(view.payment, &code).await;
        assert_eq!(new.pay(&second).await.state, ShopperState::Captured);
        assert_eq!(
            gateway.published(waiting.payment).await,
            ["requires_action", "declined"]
        );
    }
}

async fn challenge_can_be_completed_after_the_session_expired(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| simulate(claims, "challenge_code"))
        .await;
    gateway.move_clock(29 * 60);
    let attempt = checkout.by_card(APPROVED);
    let waiting = checkout.pay(&attempt).await;
    let code = gateway.newest_code().await;
    gateway.move_clock(4 * 60);
    let known = checkout.type_code(waiting.payment, &code).await;
    assert_eq!(known.state, ShopperState::RequiresAction);
    assert_eq!(checkout.pay(&attempt).await.state, ShopperState::Captured);
}

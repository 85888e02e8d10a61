//! Wallets and transfers, which go on elsewhere, and pages that are reloaded meanwhile.

use super::super::{
    Answer, Deed, Effect, Ending, Event, Means, Message, Notice, Phase, Poll, Submission, Wake,
    wallet_address,
};
use super::{
    NOW, Run, attempt, code_of, passkey, payment, payment_id, refused, session, transfer,
    waiting_for, wallet,
};
use sealpay_protocol::api::{
    ActionView, AuthenticationStep, Method, PaymentView, SessionState, SessionView, ShopperState,
};

fn processing(payment: PaymentView) -> Answer<Box<SessionView>> {
    Answer::Good(Box::new(SessionView {
        state: SessionState::Processing,
        payment: Some(payment),
        ..session()
    }))
}

#[test]
fn what_is_paid_without_a_card_is_not_sealed_and_has_the_same_protection() {
    for (means, body) in [
        (Means::Wallet, "{\"method\":\"wallet\"}"),
        (Means::BankTransfer, "{\"method\":\"bank_transfer\"}"),
    ] {
        let mut run = Run::open();
        run.step(Event::Submitted(Submission {
            attempt: attempt(1),
            means,
        }));
        let first = run.sent().unwrap();
        assert_eq!((first.0, &first.1[..]), (attempt(1), body.as_bytes()));
        run.step(Event::Submitted(Submission {
            attempt: attempt(2),
            means: Means::Wallet,
        }));
        assert!(run.effects.is_empty());
        run.paid(Answer::None);
        run.step(Event::Retried);
        assert_eq!(run.sent().unwrap(), first);
    }
}

#[test]
fn after_a_decline_another_method_may_be_taken() {
    let mut run = Run::acting(wallet());
    run.paid(Answer::Good(Box::new(payment(ShopperState::Declined))));
    assert!(run.state.accepts_submission());
    run.step(Event::Submitted(Submission {
        attempt: attempt(2),
        means: Means::BankTransfer,
    }));
    assert_eq!(run.sent().unwrap().0, attempt(2));
}

#[test]
fn a_method_that_turns_out_not_to_be_offered_is_not_sent() {
    let mut run = Run::new();
    run.step(Event::Submitted(Submission {
        attempt: attempt(1),
        means: Means::Wallet,
    }));
    run.opened(Answer::Good(Box::new(session())));
    assert!(run.sent().is_none());
    let expected = || Some(Notice::Code("method_not_offered"));
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == expected()));

    let mut run = Run::new();
    run.step(Event::Submitted(Submission {
        attempt: attempt(1),
        means: Means::Wallet,
    }));
    let offered = SessionView {
        methods: vec![Method::Card, Method::Wallet],
        ..session()
    };
    run.opened(Answer::Good(Box::new(offered)));
    assert!(run.sent().is_some());

    // The verifier has the last word, as long as nothing may have been paid.
    run.refused("method_not_offered");
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == expected()));
    let mut run = Run::acting(wallet());
    run.woke(Wake::Send);
    run.refused("method_not_offered");
    assert_eq!(run.ending(), &Ending::Unresolved);
}

#[test]
fn a_wallet_is_opened_once_and_asked_for_quickly_and_then_more_slowly() {
    let mut run = Run::acting(wallet());
    assert_eq!(run.told(), [&Message::Challenge { kind: "wallet" }]);
    let opens = |run: &Run| {
        let is_open = |effect: &Effect| matches!(effect, Effect::OpenWallet);
        run.effects.iter().any(is_open)
    };
    assert!(opens(&run));
    let mut waits = Vec::new();
    for number in 0..100 {
        waits.push(run.waits_ms().unwrap());
        run.woke(Wake::Send);
        assert_eq!(run.sent().unwrap().0, attempt(1));
        // Whatever happens to a question, the next one is asked.
        match number % 4 {
            0 => run.paid(Answer::None),
            1 => run.refused("rate_limited"),
            2 => run.refused("attempt_in_progress"),
            _ => run.answered_with(wallet()),
        }
        assert!(!opens(&run) && run.told().is_empty(), "{number}");
    }
    assert!(waits[..30].iter().all(|wait| *wait == 2000));
    assert!(waits[30..90].iter().all(|wait| *wait == 5000));
    assert!(waits[90..].iter().all(|wait| *wait == 15_000));
    run.woke(Wake::Send);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn who_comes_back_is_answered_at_once_and_not_twice() {
    for (action, asks) in [
        (wallet(), true),
        (transfer(), true),
        (code_of(5), false),
        (passkey(), false),
    ] {
        let mut run = Run::acting(action);
        run.step(Event::CameBack);
        assert_eq!(run.sent().is_some(), asks);
        run.step(Event::CameBack);
        assert!(run.effects.is_empty());
    }
    let mut run = Run::acting(wallet());
    run.does(2, Deed::Cancel);
    run.step(Event::CameBack);
    assert!(run.effects.is_empty(), "it is being cancelled");
}

#[test]
fn a_wallet_that_is_cancelled_while_it_is_asked_for_is_cancelled() {
    let mut run = Run::acting(wallet());
    run.woke(Wake::Send);
    let late = run.turn();
    run.does(2, Deed::Cancel);
    assert_eq!(run.proved().unwrap().1.step, AuthenticationStep::Cancel);
    run.step(Event::Paid {
        turn: late,
        now: NOW,
        answer: Answer::Good(Box::new(waiting_for(wallet()))),
    });
    assert!(run.effects.is_empty());
    // The answer is lost; it is still asked what became of it.
    for _ in 0..2 {
        run.authenticated(Answer::None);
        run.woke(Wake::Authenticate);
    }
    run.authenticated(Answer::None);
    assert_eq!(run.shown().said, Some("not_sent"));
    assert_eq!(run.waits_ms(), Some(2000));
    run.does(3, Deed::Cancel);
    assert_eq!(run.proved().unwrap().0, attempt(2), "the same request");
}

#[test]
fn a_transfer_is_told_once_asked_for_slowly_and_outlives_the_session() {
    let mut run = Run::acting(transfer());
    let pending = Message::Pending {
        payment: payment_id(),
        order_ref: "A-1001".into(),
        method: Method::BankTransfer,
    };
    assert_eq!(run.told(), [&pending]);
    let mut waits = Vec::new();
    for _ in 0..14 {
        waits.push(run.waits_ms().unwrap());
        run.woke(Wake::Send);
        run.answered_with(transfer());
        assert!(run.told().is_empty());
    }
    assert!(waits[..12].iter().all(|wait| *wait == 10_000));
    assert_eq!(waits[12..], [60_000, 60_000]);
    let mut arrived = transfer();
    if let ActionView::Transfer(transfer) = &mut arrived {
        transfer.amount_received = 1;
    }
    run.woke(Wake::Send);
    run.answered_with(arrived);
    run.does(2, Deed::Cancel);
    assert!(run.effects.is_empty(), "some of the money is there");

    run.woke(Wake::Send);
    run.refused("session_expired");
    assert!(run.effects.is_empty());
    assert!(matches!(run.shown().action, ActionView::Transfer(_)));
}

#[test]
fn a_transfer_of_which_nothing_has_come_can_be_given_up_for_another_way() {
    let mut run = Run::acting(transfer());
    run.does(2, Deed::Cancel);
    let (_, request) = run.proved().unwrap();
    assert_eq!(request.step, AuthenticationStep::Cancel);
    run.authenticated_as(PaymentView {
        method: Method::BankTransfer,
        ..payment(ShopperState::Declined)
    });
    let notice = Notice::Code("cancelled");
    assert!(matches!(run.state.phase(), Phase::Form { notice: Some(shown) } if *shown == notice));
}

#[test]
fn a_wallet_whose_session_is_gone_may_have_been_paid() {
    for code in ["session_expired", "something_new"] {
        let mut run = Run::acting(wallet());
        run.woke(Wake::Send);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
    }
}

#[test]
fn a_reload_shows_the_wallet_or_the_transfer_again_and_asks_the_session() {
    for action in [wallet(), transfer()] {
        let mut run = Run::new();
        run.opened(processing(waiting_for(action.clone())));
        assert_eq!(run.told().len(), 2, "ready, and what is to be done");
        assert!(matches!(run.shown().poll, Poll::Session));
        run.woke(Wake::Open);
        assert!(run.opens() && run.sent().is_none());
        run.opened(processing(waiting_for(action.clone())));
        assert!(run.told().is_empty() && run.waits_ms().is_some());
        run.woke(Wake::Open);
        run.opened(Answer::None);
        assert!(run.waits_ms().is_some());
        run.woke(Wake::Open);
        run.opened(Answer::Refused(refused("attempt_in_progress")));
        assert_eq!(run.shown().action, action);
        run.woke(Wake::Open);
        run.opened(Answer::Good(Box::new(SessionView {
            state: SessionState::Complete,
            payment: Some(payment(ShopperState::Captured)),
            ..session()
        })));
        assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    }
    let mut run = Run::new();
    run.opened(processing(waiting_for(wallet())));
    run.woke(Wake::Open);
    run.opened(Answer::Good(Box::new(SessionView {
        payment: Some(payment(ShopperState::Declined)),
        ..session()
    })));
    assert!(run.state.accepts_submission());
}

/// Runs what the browser's edge does at once.
fn abandoned(action: ActionView) -> Run {
    let mut run = Run::new();
    run.opened(processing(waiting_for(action)));
    assert!(matches!(run.effects[..], [.., Effect::Abandon]));
    assert!(run.state.is_processing() && !run.state.accepts_submission());
    run.does(2, Deed::Cancel);
    run
}

#[test]
fn a_reload_gives_up_the_card_of_the_page_before() {
    for action in [code_of(5), passkey(), ActionView::Continue] {
        let mut run = abandoned(action);
        let (id, request) = run.proved().unwrap();
        assert_eq!((id, request.step), (attempt(2), AuthenticationStep::Cancel));
        run.authenticated_as(payment(ShopperState::Declined));
        let expected = Notice::Code("abandoned");
        assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(expected)));
    }
}

/// The verifier tells how to prove who the shopper is only to the page that made the attempt.
#[test]
fn a_reload_gives_up_a_card_although_it_does_not_learn_what_is_asked() {
    let mut run = Run::new();
    let untold = PaymentView {
        action: None,
        ..waiting_for(code_of(5))
    };
    run.opened(processing(untold));
    assert!(matches!(run.effects[..], [.., Effect::Abandon]));
}

#[test]
fn a_card_that_cannot_be_given_up_is_asked_for_and_tried_again_later() {
    let mut run = abandoned(code_of(5));
    run.authenticated(Answer::Refused(refused("challenge_closed")));
    assert_eq!(run.waits_ms(), Some(1000));
    run.woke(Wake::Open);
    run.opened(processing(waiting_for(code_of(5))));
    run.does(3, Deed::Cancel);
    // It does not go on for ever at once.
    run.authenticated_as(waiting_for(code_of(5)));
    assert_eq!(run.waits_ms(), Some(2000));
    run.woke(Wake::Open);
    run.opened(processing(waiting_for(code_of(5))));
    run.does(4, Deed::Cancel);
    for _ in 0..2 {
        run.authenticated(Answer::None);
        run.woke(Wake::Authenticate);
        assert_eq!(run.proved().unwrap().0, attempt(4));
    }
    run.authenticated(Answer::None);
    assert_eq!(run.waits_ms(), Some(3000));
    run.woke(Wake::Open);
    run.opened(Answer::Good(Box::new(session())));
    assert!(run.state.accepts_submission());
}

#[test]
fn only_pages_of_the_verifier_and_encrypted_ones_are_opened() {
    let origin = "http://localhost:8080";
    let rows = [
        ("/wallet/1?a=b#c", true),
        ("https://wallet.example/confirm", true),
        ("http://localhost:8080/wallet", true),
        ("http://localhost:8080", false),
        ("http://localhost:80801/wallet", false),
        ("http://localhost:8080.example/wallet", false),
        ("http://wallet.example/", false),
        ("//wallet.example/", false),
        ("/\\wallet.example/", false),
        ("/\t/wallet.example/", false),
        ("javascript:alert(1)", false),
        (" javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("wallet", false),
        ("", false),
    ];
    for (url, is_opened) in rows {
        assert_eq!(wallet_address(url, origin).is_some(), is_opened, "{url:?}");
    }
}

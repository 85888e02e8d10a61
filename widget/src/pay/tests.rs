use super::{
    Answer, Effect, Ending, Event, Message, Notice, Phase, Poll, Refused, State, Submission, Wake,
};
use sealpay_protocol::api::{
    Advice, CardView, DeclineView, MerchantView, Method, OrderView, PaymentView, SealingKeyView,
    SessionState, SessionView, ShopperState,
};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::{AttemptId, MerchantId, PaymentId, SessionId};
use sealpay_protocol::order::Capture;
use std::rc::Rc;

const NOW: u64 = 1_763_800_000;

pub(super) fn session() -> SessionView {
    SessionView {
        session: SessionId::new(1, [1; 10]),
        state: SessionState::Open,
        expires_at: NOW + 1800,
        server_time: NOW,
        test_mode: true,
        verifier_origin: "https://pay.example".parse().unwrap(),
        merchant: MerchantView {
            id: MerchantId::new(1, [2; 10]),
            name: "Paper Lantern".into(),
        },
        order: OrderView {
            amount: 2490,
            currency: "EUR".into(),
            order_ref: "A-1001".into(),
            capture: Capture::Automatic,
            description: None,
            items: None,
        },
        methods: vec![Method::Card],
        sealing_key: SealingKeyView {
            kid: String::new(),
            public_key: String::new(),
        },
        attempts_left: 10,
        payment: None,
    }
}

fn payment(state: ShopperState) -> PaymentView {
    let decline = (state == ShopperState::Declined).then(|| DeclineView {
        message: "Your bank said no.".into(),
        advice: Advice::TryOtherCard,
    });
    PaymentView {
        payment: PaymentId::new(1, [3; 10]),
        attempt: attempt(1),
        state,
        amount: 2490,
        currency: "EUR".into(),
        order_ref: "A-1001".into(),
        created_at: NOW,
        card: CardView {
            brand: "visa".into(),
            last4: "4242".into(),
        },
        decline,
        attempts_left: 9,
    }
}

fn refused(code: &str) -> Refused {
    Refused {
        code: code.into(),
        server_time: NOW,
    }
}

fn attempt(number: u8) -> AttemptId {
    AttemptId::new(1, [number; 10])
}

pub(super) fn submission(number: u8) -> Submission {
    let number_on_card = CardNumber::parse("4242424242424242").unwrap();
    let security_code = SecurityCode::parse("123", number_on_card.brand()).unwrap();
    let today = YearMonth::new(2026, 11).unwrap();
    let expiry = Expiry::parse("12/30", today).unwrap();
    let card = Card {
        number: number_on_card,
        expiry,
        security_code,
        holder: None,
    };
    Submission {
        attempt: attempt(number),
        card,
    }
}

fn body() -> Rc<[u8]> {
    b"sealed".as_slice().into()
}

/// The machine and what it asked for last.
struct Run {
    state: State,
    effects: Vec<Effect>,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            state: State::default(),
            effects: Vec::new(),
        };
        run.step(Event::Start);
        run
    }

    fn step(&mut self, event: Event) {
        self.effects = self.state.step(event);
    }

    fn turn(&self) -> u32 {
        self.state.turn
    }

    fn opened(&mut self, answer: Answer<Box<SessionView>>) {
        self.step(Event::Opened {
            turn: self.turn(),
            now: NOW,
            answer,
        });
    }

    fn paid(&mut self, answer: Answer<Box<PaymentView>>) {
        self.step(Event::Paid {
            turn: self.turn(),
            now: NOW,
            answer,
        });
    }

    fn outcome(&mut self, state: ShopperState) {
        self.paid(Answer::Good(Box::new(payment(state))));
    }

    fn refused(&mut self, code: &str) {
        self.paid(Answer::Refused(refused(code)));
    }

    fn woke(&mut self, wake: Wake) {
        self.step(Event::Woke {
            turn: self.turn(),
            wake,
        });
    }

    /// With an open form.
    fn open() -> Self {
        let mut run = Self::new();
        run.opened(Answer::Good(Box::new(session())));
        run
    }

    /// With an attempt on its way.
    fn paying() -> Self {
        let mut run = Self::open();
        run.step(Event::Submitted(submission(1)));
        run.step(Event::Sealed {
            turn: run.turn(),
            body: Some(body()),
        });
        run
    }

    fn sent(&self) -> Option<(AttemptId, Rc<[u8]>)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Send { attempt, .. } => Some((attempt.id, attempt.body.clone())),
            _ => None,
        })
    }

    fn waits_ms(&self) -> Option<u32> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Wait { milliseconds, .. } => Some(*milliseconds),
            _ => None,
        })
    }

    fn opens(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::OpenSession { .. }))
    }

    fn clears_only_the_security_code(&self) -> bool {
        let clears = |effect: &Effect| matches!(effect, Effect::AskSecurityCodeAgain);
        let forgets = |effect: &Effect| matches!(effect, Effect::ForgetCard);
        self.effects.iter().any(clears) && !self.effects.iter().any(forgets)
    }

    fn forgets_the_card(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::ForgetCard))
    }

    fn told(&self) -> Vec<&Message> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Tell(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    fn told_error(&self) -> Option<&str> {
        self.told().into_iter().find_map(|message| match message {
            Message::Error { code } => Some(code.as_str()),
            _ => None,
        })
    }

    fn ending(&self) -> &Ending {
        match self.state.phase() {
            Phase::Ended(ending) => ending,
            phase => panic!("not ended: {phase:?}"),
        }
    }
}

#[test]
fn a_payment_goes_from_opening_to_paid() {
    let mut run = Run::new();
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert_eq!(run.told(), [&Message::Ready]);
    assert!(matches!(run.state.phase(), Phase::Form { notice: None }));

    run.step(Event::Submitted(submission(1)));
    assert!(matches!(run.effects[..], [Effect::Seal { .. }]));
    assert!(run.state.is_processing());
    run.step(Event::Sealed {
        turn: run.turn(),
        body: Some(body()),
    });
    assert_eq!(run.sent(), Some((attempt(1), body())));
    assert!(run.state.is_processing());

    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    assert!(run.forgets_the_card());
    let complete = Message::Complete {
        payment: PaymentId::new(1, [3; 10]),
        order_ref: "A-1001".into(),
        state: ShopperState::Captured,
    };
    assert_eq!(run.told(), [&complete]);
}

#[test]
fn a_second_submission_starts_nothing_in_any_phase_but_the_form() {
    type Reach = fn() -> Run;
    let rows: [(&str, Reach); 8] = [
        ("sealing", || {
            let mut run = Run::open();
            run.step(Event::Submitted(submission(1)));
            run
        }),
        ("paying", Run::paying),
        ("checking", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Unknown);
            run
        }),
        ("interrupted", || {
            let mut run = Run::paying();
            run.paid(Answer::None);
            run
        }),
        ("paid", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Captured);
            run
        }),
        ("ended", || {
            let mut run = Run::open();
            run.step(Event::SessionTimeUp);
            run
        }),
        ("held", || {
            let mut run = Run::new();
            run.step(Event::Submitted(submission(1)));
            run
        }),
        ("unreachable", || {
            let mut run = Run::new();
            for _ in 0..3 {
                run.opened(Answer::None);
                run.woke(Wake::Open);
            }
            run
        }),
    ];
    for (name, reach) in rows {
        let mut run = reach();
        assert!(!run.state.accepts_submission(), "{name}");
        let before = format!("{:?}", run.state);
        run.step(Event::Submitted(submission(2)));
        assert!(run.effects.is_empty(), "{name}");
        assert_eq!(format!("{:?}", run.state), before, "{name}");
    }
}

#[test]
fn a_card_submitted_before_the_session_is_open_is_sealed_when_it_is() {
    let mut run = Run::new();
    run.step(Event::Submitted(submission(1)));
    assert!(run.effects.is_empty() && run.state.is_processing());
    run.opened(Answer::Good(Box::new(session())));
    let sealed = run.effects.iter().any(|effect| {
        matches!(effect, Effect::Seal { submission, .. } if submission.attempt == attempt(1))
    });
    assert!(sealed);
}

#[test]
fn a_decline_clears_only_the_security_code_and_a_new_attempt_has_a_new_name() {
    let mut run = Run::paying();
    run.outcome(ShopperState::Declined);
    assert!(run.clears_only_the_security_code());
    let decline = Message::Decline {
        payment: PaymentId::new(1, [3; 10]),
        advice: Advice::TryOtherCard,
    };
    assert_eq!(run.told(), [&decline]);
    let Phase::Form {
        notice: Some(Notice::Declined { message, .. }),
    } = run.state.phase()
    else {
        panic!("{:?}", run.state.phase());
    };
    assert_eq!(message, "Your bank said no.");
    run.step(Event::Submitted(submission(2)));
    run.step(Event::Sealed {
        turn: run.turn(),
        body: Some(body()),
    });
    assert_eq!(run.sent().unwrap().0, attempt(2));
}

#[test]
fn a_decline_without_attempts_left_ends_it() {
    let mut run = Run::paying();
    let last = PaymentView {
        attempts_left: 0,
        ..payment(ShopperState::Declined)
    };
    run.paid(Answer::Good(Box::new(last)));
    assert_eq!(run.ending(), &Ending::Exhausted);
    assert!(run.forgets_the_card());
}

#[test]
fn a_lost_answer_is_retried_with_the_same_attempt_and_the_same_bytes() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.paid(Answer::None);
    assert!(matches!(run.state.phase(), Phase::Interrupted { .. }));
    assert_eq!(run.told_error(), Some("interrupted"));
    assert_eq!(run.sent(), None, "the shopper decides");
    run.step(Event::Retried);
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn an_unknown_outcome_is_asked_for_ever_more_rarely() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    let mut waits = Vec::new();
    run.outcome(ShopperState::Processing);
    for _ in 0..10 {
        waits.push(run.waits_ms().unwrap());
        assert!(matches!(run.state.phase(), Phase::Checking { .. }));
        run.woke(Wake::Send);
        assert_eq!(run.sent().unwrap(), first);
        // An answer that gets lost meanwhile changes nothing.
        if waits.len() % 2 == 0 {
            run.outcome(ShopperState::Unknown)
        } else {
            run.paid(Answer::None)
        }
    }
    let expected = [1, 2, 3, 5, 8, 13, 20, 30, 30, 30].map(|seconds| seconds * 1000);
    assert_eq!(waits, expected);
    run.woke(Wake::Send);
    run.outcome(ShopperState::Declined);
    assert!(run.clears_only_the_security_code());
}

#[test]
fn a_wrong_clock_is_corrected_and_the_same_bytes_are_sent_once_more() {
    for code in [
        "signature_expired",
        "signature_from_the_future",
        "nonce_replayed",
    ] {
        let mut run = Run::paying();
        let first = run.sent().unwrap();
        let wrong_by_an_hour = Refused {
            server_time: NOW + 3600,
            ..refused(code)
        };
        run.paid(Answer::Refused(wrong_by_an_hour));
        assert_eq!(run.sent().unwrap(), first, "{code}");
        assert_eq!(run.state.verifier_time(NOW), NOW + 3600);
        // It does not go on for ever.
        run.refused(code);
        run.refused(code);
        assert_eq!(run.sent(), None, "{code}");
        assert!(
            matches!(run.state.phase(), Phase::Interrupted { .. }),
            "{code}"
        );
    }
}

#[test]
fn a_wrong_clock_is_corrected_while_opening_too() {
    let mut run = Run::new();
    let ahead = Refused {
        server_time: NOW - 7200,
        ..refused("signature_from_the_future")
    };
    run.opened(Answer::Refused(ahead));
    assert!(run.opens());
    assert_eq!(run.state.verifier_time(NOW), NOW - 7200);
}

#[test]
fn a_busy_verifier_is_asked_again_twice_and_then_the_shopper_decides() {
    for code in ["rate_limited", "overloaded", "shutting_down", "internal"] {
        let mut run = Run::paying();
        let first = run.sent().unwrap();
        let mut waits = Vec::new();
        run.refused(code);
        while let Some(wait) = run.waits_ms() {
            waits.push(wait);
            run.woke(Wake::Send);
            assert_eq!(run.sent().unwrap(), first, "{code}");
            run.refused(code);
        }
        assert_eq!(waits, [1000, 3000], "{code}");
        assert!(
            matches!(run.state.phase(), Phase::Interrupted { .. }),
            "{code}"
        );
    }
}

#[test]
fn a_refusal_ends_it_and_says_nothing_false_about_a_lost_answer() {
    let rows = [
        ("session_expired", Ending::Expired),
        ("order_expired", Ending::Expired),
        ("unknown_session", Ending::Expired),
        ("too_many_attempts", Ending::Exhausted),
        ("digest_mismatch", Ending::Fatal("digest_mismatch".into())),
        ("something_new", Ending::Fatal("something_new".into())),
    ];
    for (code, ending) in rows {
        let mut run = Run::paying();
        run.refused(code);
        assert_eq!(run.ending(), &ending, "{code}");
        assert!(
            run.forgets_the_card() && run.told_error().is_some(),
            "{code}"
        );

        // After a lost answer the same refusal means that we do not know.
        let mut run = Run::paying();
        run.paid(Answer::None);
        run.step(Event::Retried);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
        assert_eq!(run.told_error(), Some("outcome_unknown"));

        // So it does while an outcome is being asked for, and after an internal error.
        let mut run = Run::paying();
        run.outcome(ShopperState::Unknown);
        run.woke(Wake::Send);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
        let mut run = Run::paying();
        run.refused("internal");
        run.woke(Wake::Send);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
    }
}

#[test]
fn a_changed_sealing_key_opens_the_session_again_and_asks_for_the_security_code() {
    let mut run = Run::paying();
    run.refused("sealed_card_refused");
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert!(run.clears_only_the_security_code());
    assert!(run.told().is_empty(), "ready is told once");
    let expected = Notice::Code("sealed_card_refused");
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(expected)));
}

#[test]
fn a_session_that_was_paid_elsewhere_shows_the_payment() {
    let complete = || SessionView {
        state: SessionState::Complete,
        payment: Some(payment(ShopperState::Captured)),
        ..session()
    };
    let mut run = Run::new();
    run.opened(Answer::Good(Box::new(complete())));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    assert_eq!(run.told().len(), 2, "ready and complete");

    let mut run = Run::paying();
    run.refused("session_complete");
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(complete())));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn a_reload_during_an_attempt_asks_the_session_until_it_is_known() {
    let mut run = Run::new();
    run.opened(Answer::Refused(refused("attempt_in_progress")));
    assert_eq!(run.told(), [&Message::Ready]);
    assert!(matches!(
        run.state.phase(),
        Phase::Checking {
            poll: Poll::Session,
            ..
        }
    ));
    assert_eq!(run.waits_ms(), Some(1000));
    run.woke(Wake::Open);
    assert!(run.opens());
    let processing = SessionView {
        state: SessionState::Processing,
        ..session()
    };
    run.opened(Answer::Good(Box::new(processing)));
    assert_eq!(run.waits_ms(), Some(2000));
    run.woke(Wake::Open);
    let declined = SessionView {
        payment: Some(payment(ShopperState::Declined)),
        ..session()
    };
    run.opened(Answer::Good(Box::new(declined)));
    assert!(matches!(
        run.state.phase(),
        Phase::Form {
            notice: Some(Notice::Declined { .. })
        }
    ));
}

#[test]
fn the_same_attempt_in_progress_is_asked_for_again() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.refused("attempt_in_progress");
    assert_eq!(run.waits_ms(), Some(1000));
    run.woke(Wake::Send);
    assert_eq!(run.sent().unwrap(), first);
}

#[test]
fn an_unreachable_verifier_is_tried_three_times_and_again_when_asked() {
    let mut run = Run::new();
    for wait in [1000, 3000] {
        run.opened(Answer::None);
        assert_eq!(run.waits_ms(), Some(wait));
        run.woke(Wake::Open);
        assert!(run.opens());
    }
    run.opened(Answer::None);
    assert!(matches!(run.state.phase(), Phase::Unreachable));
    assert_eq!(run.told_error(), Some("unreachable"));
    run.step(Event::Retried);
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert_eq!(run.told(), [&Message::Ready]);
}

#[test]
fn an_answer_of_an_older_turn_is_ignored() {
    let mut run = Run::paying();
    let old = run.turn();
    run.paid(Answer::None);
    run.step(Event::Retried);
    let late = Answer::Good(Box::new(payment(ShopperState::Declined)));
    run.step(Event::Paid {
        turn: old,
        now: NOW,
        answer: late,
    });
    assert!(run.effects.is_empty());
    assert!(matches!(run.state.phase(), Phase::Paying { .. }));
    run.step(Event::Woke {
        turn: old,
        wake: Wake::Send,
    });
    assert!(run.effects.is_empty());
}

#[test]
fn the_session_ends_by_the_clock_only_while_nothing_is_on_its_way() {
    let mut run = Run::open();
    run.step(Event::SessionTimeUp);
    assert_eq!(run.ending(), &Ending::Expired);
    assert_eq!(run.told_error(), Some("session_expired"));
    let mut run = Run::paying();
    run.step(Event::SessionTimeUp);
    assert!(matches!(run.state.phase(), Phase::Paying { .. }));
    assert!(run.effects.is_empty());
}

#[test]
fn the_end_of_the_session_is_watched() {
    let run = Run::open();
    let watched = run.effects.iter().find_map(|effect| match effect {
        Effect::WatchExpiry { milliseconds } => Some(*milliseconds),
        _ => None,
    });
    assert_eq!(watched, Some(1_800_000));
}

#[test]
fn a_page_that_is_not_admitted_gets_no_form() {
    let mut state = State::default();
    let effects = state.step(Event::NotAdmitted("origin_not_allowed"));
    assert!(
        matches!(state.phase(), Phase::Ended(Ending::Fatal(code)) if code == "origin_not_allowed")
    );
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, Effect::OpenSession { .. }))
    );
    assert!(state.step(Event::Start).is_empty());
}

#[test]
fn a_key_that_cannot_be_used_is_said_and_nothing_is_sent() {
    let mut run = Run::open();
    run.step(Event::Submitted(submission(1)));
    run.step(Event::Sealed {
        turn: run.turn(),
        body: None,
    });
    assert_eq!(run.ending(), &Ending::Fatal("sealing_key_unusable".into()));
}

#[test]
fn no_state_or_effect_prints_card_digits() {
    let mut run = Run::open();
    run.step(Event::Submitted(submission(1)));
    let printed = format!("{:?} {:?}", run.state, run.effects);
    assert!(
        !printed.contains("4242424242424242") && !printed.contains("\"123\""),
        "{printed}"
    );
}

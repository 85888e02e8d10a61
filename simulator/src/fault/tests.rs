//! Whom faults strike, and how often.

use super::{ANY, AppliedFault, DropMode, Fault, FaultKind, Faults, ISSUER, PAYOUTS, Request};
use crate::world::tests::{TestFolder, database};
use sealpay_protocol::ids::PaymentId;

fn fault(target: &str, kind: FaultKind) -> Fault {
    Fault {
        id: format!("{target}-{}", kind.name()),
        target: target.into(),
        kind,
        min_ms: 1,
        max_ms: 2,
        remaining: Some(1),
        share_per_mille: None,
        seed: None,
        created_at_ms: 0,
        last_struck: None,
    }
}

fn reference(number: u8) -> PaymentId {
    PaymentId::new(u64::from(number), [number; 10])
}

#[test]
fn a_fault_strikes_whom_it_was_ordered_for() {
    use FaultKind::{AcquirerDown, IssuerDown, Latency, RequestLost, ResponseLost};
    use Request::{Authorization, Completion, Inquiry, Payout, Refund};
    let (harbor, payouts) = (Some("harbor"), Some(PAYOUTS));
    let rows = [
        (ANY, RequestLost, Authorization, harbor, true),
        (ANY, RequestLost, Authorization, None, true),
        (ANY, RequestLost, Completion, harbor, true),
        (ANY, RequestLost, Inquiry, harbor, false),
        ("harbor", ResponseLost, Authorization, harbor, true),
        ("harbor", ResponseLost, Refund, harbor, true),
        ("harbor", ResponseLost, Refund, Some("meridian"), false),
        (
            "harbor",
            ResponseLost,
            Authorization,
            Some("meridian"),
            false,
        ),
        ("harbor", ResponseLost, Authorization, None, false),
        (ISSUER, IssuerDown, Authorization, harbor, true),
        (ISSUER, IssuerDown, Authorization, None, true),
        (ISSUER, IssuerDown, Refund, harbor, true),
        (ANY, IssuerDown, Refund, harbor, true),
        (ISSUER, IssuerDown, Completion, harbor, false),
        (ISSUER, IssuerDown, Inquiry, harbor, false),
        (ANY, IssuerDown, Payout, payouts, false),
        ("harbor", AcquirerDown, Authorization, harbor, true),
        ("harbor", AcquirerDown, Completion, harbor, true),
        ("harbor", AcquirerDown, Inquiry, harbor, true),
        ("harbor", AcquirerDown, Inquiry, Some("meridian"), false),
        (ANY, AcquirerDown, Authorization, None, false),
        (ISSUER, Latency, Inquiry, harbor, false),
        (ANY, Latency, Inquiry, harbor, true),
        (PAYOUTS, AcquirerDown, Payout, payouts, true),
        (PAYOUTS, ResponseLost, Payout, payouts, true),
        (PAYOUTS, ResponseLost, Refund, harbor, false),
        (ANY, RequestLost, Payout, payouts, false),
        (ANY, AcquirerDown, Payout, payouts, false),
        (ANY, Latency, Payout, payouts, false),
    ];
    for (target, kind, request, acquirer, expected) in rows {
        let concerns = fault(target, kind).concerns(request, acquirer);
        assert_eq!(
            concerns, expected,
            "{target} {kind:?} {request:?} {acquirer:?}"
        );
    }
}

#[test]
fn a_share_is_a_function_of_seed_and_reference() {
    let share = |per_mille, seed| Fault {
        remaining: None,
        share_per_mille: Some(per_mille),
        seed: Some(seed),
        ..fault(ANY, FaultKind::RequestLost)
    };
    let struck = |per_mille, seed| -> Vec<u8> {
        let all = (0..=255).filter(|number| share(per_mille, seed).chooses(reference(*number)));
        all.collect()
    };
    assert_eq!(struck(0, 1), Vec::<u8>::new());
    assert_eq!(struck(1000, 1).len(), 256);
    let half = struck(500, 1);
    assert!((90..170).contains(&half.len()), "{}", half.len());
    assert_eq!(half, struck(500, 1));
    assert_ne!(half, struck(500, 2));
}

#[tokio::test]
async fn two_servers_together_strike_as_often_as_was_ordered() {
    let folder = TestFolder::new("faults");
    let database = database(&folder).await;
    let (one, other) = (Faults::default(), Faults::default());
    let ordered = Fault {
        remaining: Some(5),
        ..fault("harbor", FaultKind::RequestLost)
    };
    one.add(&database, &ordered).await.unwrap();
    other.refresh(&database).await.unwrap();
    let mut strikes = 0;
    for number in 0..10 {
        for server in [&one, &other] {
            let request = Request::Authorization;
            let struck = server.strike(&database, request, Some("harbor"), reference(number));
            strikes += usize::from(struck.await.unwrap().lost == DropMode::Each);
        }
    }
    assert_eq!(strikes, 5);
    assert!(one.current().is_empty() && other.current().is_empty());
    assert!(one.refresh(&database).await.unwrap().is_empty());
}

#[tokio::test]
async fn faults_are_kept_as_ordered_and_go_when_removed() {
    let folder = TestFolder::new("faults-kept");
    let database = database(&folder).await;
    let faults = Faults::default();
    let share = Fault {
        remaining: None,
        share_per_mille: Some(1000),
        seed: Some(u32::MAX),
        ..fault(ANY, FaultKind::Latency)
    };
    let down = fault("harbor", FaultKind::AcquirerDown);
    for fault in [&share, &down] {
        faults.add(&database, fault).await.unwrap();
    }
    let kept = faults.refresh(&database).await.unwrap();
    assert_eq!(kept, [share.clone(), down.clone()]);
    let struck = faults.strike(&database, Request::Inquiry, Some("harbor"), reference(1));
    let expected = AppliedFault {
        latencies_ms: vec![(1, 2)],
        acquirer_down: true,
        ..AppliedFault::default()
    };
    assert_eq!(struck.await.unwrap(), expected);
    assert!(faults.remove(&database, &share.id).await.unwrap());
    assert!(!faults.remove(&database, &share.id).await.unwrap());
    let struck = faults.strike(&database, Request::Inquiry, Some("harbor"), reference(2));
    assert_eq!(struck.await.unwrap(), AppliedFault::default());
    assert!(faults.remove_all(&database).await.unwrap());
    assert!(faults.current().is_empty());
}

#[tokio::test]
async fn a_spent_fault_says_what_it_struck_for_an_hour() {
    let folder = TestFolder::new("faults-spent");
    let database = database(&folder).await;
    let faults = Faults::default();
    let twice = Fault {
        remaining: Some(2),
        ..fault("harbor", FaultKind::RequestLost)
    };
    faults.add(&database, &twice).await.unwrap();
    for number in 1..=3 {
        let request = Request::Authorization;
        let struck = faults.strike(&database, request, Some("harbor"), reference(number));
        let is_struck = struck.await.unwrap().lost == DropMode::Each;
        assert_eq!(is_struck, number < 3, "{number}");
        let (in_force, spent) = (
            faults.refresh(&database).await.unwrap(),
            Faults::spent(&database).await.unwrap(),
        );
        let struck = Fault {
            remaining: Some(2_u32.saturating_sub(number.into())),
            last_struck: Some(reference(number.min(2)).to_string()),
            ..twice.clone()
        };
        let is_spent = number > 1;
        assert_eq!(in_force.contains(&struck), !is_spent, "{number}");
        assert_eq!(spent.contains(&struck), is_spent, "{number}");
    }
    for (created_at_ms, remembered) in [(super::REMEMBERED_MS, 1), (super::REMEMBERED_MS + 1, 0)] {
        let next = Fault {
            id: format!("later-{created_at_ms}"),
            created_at_ms,
            ..twice.clone()
        };
        faults.add(&database, &next).await.unwrap();
        let spent = Faults::spent(&database).await.unwrap();
        assert_eq!(spent.len(), remembered, "{created_at_ms}");
    }
}

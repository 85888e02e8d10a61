//! The requests that faults apply to, and how often.

use super::{ANY, AppliedFault, DropMode, Fault, FaultKind, Faults, ISSUER, PAYOUTS, RequestKind};
use crate::simulation::tests::{journal, payment as reference};

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

#[test]
fn a_fault_applies_to_its_target() {
    use FaultKind::{AcquirerDown, IssuerDown, Latency, RequestLost, ResponseLost};
    use RequestKind::{Authorization, Completion, Inquiry, Payout, Refund};
    let (harbor, meridian, payouts) = (Some("harbor"), Some("meridian"), Some(PAYOUTS));
    let rows = [
        (ANY, RequestLost, Authorization, harbor, true),
        (ANY, RequestLost, Authorization, None, true),
        (ANY, RequestLost, Completion, harbor, true),
        (ANY, RequestLost, Inquiry, harbor, false),
        ("harbor", ResponseLost, Authorization, harbor, true),
        ("harbor", ResponseLost, Refund, harbor, true),
        ("harbor", ResponseLost, Refund, meridian, false),
        ("harbor", ResponseLost, Authorization, meridian, false),
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
        ("harbor", AcquirerDown, Inquiry, meridian, false),
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
        let matches = fault(target, kind).matches(request, acquirer);
        assert_eq!(
            matches, expected,
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
    let selected = |per_mille, seed| -> Vec<u8> {
        let all = (0..=255).filter(|number| share(per_mille, seed).selects(reference(*number)));
        all.collect()
    };
    assert_eq!(selected(0, 1), Vec::<u8>::new());
    assert_eq!(selected(1000, 1).len(), 256);
    let half = selected(500, 1);
    assert!((90..170).contains(&half.len()), "{}", half.len());
    assert_eq!(half, selected(500, 1));
    assert_ne!(half, selected(500, 2));
}

#[tokio::test]
async fn two_servers_together_apply_a_fault_as_often_as_was_requested() {
    let (journal, _folder) = journal("faults").await;
    let (one, other) = (Faults::default(), Faults::default());
    let requested = Fault {
        remaining: Some(5),
        ..fault("harbor", FaultKind::RequestLost)
    };
    one.add(&journal, &requested).await.unwrap();
    other.refresh(&journal).await.unwrap();
    let mut applied = 0;
    for number in 0..10 {
        for server in [&one, &other] {
            let request = RequestKind::Authorization;
            let fault = server.apply(&journal, request, Some("harbor"), reference(number));
            applied += usize::from(fault.await.unwrap().lost == DropMode::Every);
        }
    }
    assert_eq!(applied, 5);
    assert!(one.current().is_empty() && other.current().is_empty());
    assert!(one.refresh(&journal).await.unwrap().is_empty());
}

#[tokio::test]
async fn faults_are_stored_as_requested_until_they_are_removed() {
    let (journal, _folder) = journal("faults-stored").await;
    let faults = Faults::default();
    let share = Fault {
        remaining: None,
        share_per_mille: Some(1000),
        seed: Some(u32::MAX),
        ..fault(ANY, FaultKind::Latency)
    };
    let down = fault("harbor", FaultKind::AcquirerDown);
    for fault in [&share, &down] {
        faults.add(&journal, fault).await.unwrap();
    }
    let stored = faults.refresh(&journal).await.unwrap();
    assert_eq!(stored, [share.clone(), down.clone()]);
    let applied = faults.apply(&journal, RequestKind::Inquiry, Some("harbor"), reference(1));
    let expected = AppliedFault {
        latencies_ms: vec![(1, 2)],
        acquirer_down: true,
        ..AppliedFault::default()
    };
    assert_eq!(applied.await.unwrap(), expected);
    assert!(faults.remove(&journal, &share.id).await.unwrap());
    assert!(!faults.remove(&journal, &share.id).await.unwrap());
    let applied = faults.apply(&journal, RequestKind::Inquiry, Some("harbor"), reference(2));
    assert_eq!(applied.await.unwrap(), AppliedFault::default());
    faults.remove_all(&journal).await.unwrap();
    assert!(faults.current().is_empty());
}

#[tokio::test]
async fn a_spent_fault_is_listed_for_an_hour() {
    let (journal, _folder) = journal("faults-spent").await;
    let faults = Faults::default();
    let twice = Fault {
        remaining: Some(2),
        ..fault("harbor", FaultKind::RequestLost)
    };
    faults.add(&journal, &twice).await.unwrap();
    for number in 1..=3 {
        let request = RequestKind::Authorization;
        let applied = faults.apply(&journal, request, Some("harbor"), reference(number));
        let is_applied = applied.await.unwrap().lost == DropMode::Every;
        assert_eq!(is_applied, number < 3, "{number}");
        let (in_force, spent) = (
            faults.refresh(&journal).await.unwrap(),
            Faults::spent(&journal).await.unwrap(),
        );
        let expected = Fault {
            remaining: Some(2_u32.saturating_sub(number.into())),
            last_struck: Some(reference(number.min(2)).to_string()),
            ..twice.clone()
        };
        let is_spent = number > 1;
        assert_eq!(in_force.contains(&expected), !is_spent, "{number}");
        assert_eq!(spent.contains(&expected), is_spent, "{number}");
    }
    for (created_at_ms, listed) in [(super::RETENTION_MS, 1), (super::RETENTION_MS + 1, 0)] {
        let next = Fault {
            id: format!("later-{created_at_ms}"),
            created_at_ms,
            ..twice.clone()
        };
        faults.add(&journal, &next).await.unwrap();
        let spent = Faults::spent(&journal).await.unwrap();
        assert_eq!(spent.len(), listed, "{created_at_ms}");
    }
}

//! The checks find every kind of falsified evidence.

use super::evidence::{Evidence, Modification, Payout};
use super::merchant::Acknowledged;
use super::system::TestSystem;
use crate::crash::expect_each_to_be_found;
use std::time::Duration;
use tokio::time::sleep;

/// A change to the evidence, and a part of the sentence that has to be said about it.
type Falsehood = (fn(&mut Evidence), &'static str);

#[rustfmt::skip]
const FALSEHOODS: [Falsehood; 19] = [
    (|e| drop(paid_for(e)), "was acknowledged and is lost"),
    (
        |e| {
            let payment = paid_for(e);
            e.payments.extend([payment.clone(), payment]);
        },
        "has 2 payments",
    ),
    (
        |e| {
            let mut payment = paid_for(e);
            payment.state = "declined".into();
            e.payments.push(payment);
        },
        "was told, kept is",
    ),
    (|e| drop(e.sales.remove(0)), "nobody made the attempt"),
    (
        |e| {
            let place = asked_for(e);
            e.modifications.remove(place);
        },
        "made was []",
    ),
    (
        |e| {
            let place = asked_for(e);
            let again = e.modifications[place].clone();
            e.modifications.push(again);
        },
        "made was [Modification",
    ),
    (|e| asked(e).state = "failed".into(), "made was [Modification"),
    (|e| asked(e).id = "mod_0".into(), "made was [Modification"),
    (
        |e| {
            let key = asked(e).reference.clone();
            let written = e.writes.iter_mut().find(|write| write.order.key == key);
            written.unwrap().told = Acknowledged::Refused("state_conflict".into());
        },
        "was told Refused",
    ),
    (|e| asked(e).reference = "key-0".into(), "nobody asked for"),
    (|e| e.requests.push(("key-0".into(), "mod_0".into())), "nobody sent key-0"),
    (|e| e.settlements[0].number = 2, "comes after"),
    (
        |e| {
            let again = e.settlements[0].clone();
            e.settlements.insert(1, again);
        },
        "comes after Some",
    ),
    (|e| e.payouts[0].settlement = "set_0".into(), "pays out no settlement"),
    (
        |e| {
            let again = Payout { id: "po_0".into(), ..e.payouts[0].clone() };
            e.payouts.push(again);
        },
        "is paid out twice",
    ),
    (|e| drop(e.at_the_bank.remove(0)), "only one side knows"),
    (|e| e.events[0].deliveries = "1 pending".into(), "was delivered 1 pending"),
    (
        |e| {
            let id = e.events[0].id.clone();
            e.arrivals.retain(|(_, arrival)| arrival.id != id);
        },
        "never arrived",
    ),
    (|e| e.arrivals[0].1.body.push(b' '), "was delivered with another body"),
];

/// Takes a payment out that its shopper was told of.
fn paid_for(evidence: &mut Evidence) -> super::evidence::Payment {
    let paid = evidence.sales.iter().find_map(|sale| {
        let paid = sale.paid.as_ref()?;
        (!paid.is_declined).then(|| paid.payment.clone())
    });
    let paid = paid.unwrap();
    let place = evidence.payments.iter().position(|row| row.id == paid);
    evidence.payments.remove(place.unwrap())
}

/// The place of a modification that succeeded and that a merchant requested.
fn asked_for(evidence: &Evidence) -> usize {
    let is_such = |row: &Modification| !row.reference.is_empty() && row.state == "succeeded";
    evidence.modifications.iter().position(is_such).unwrap()
}

fn asked(evidence: &mut Evidence) -> &mut Modification {
    let place = asked_for(evidence);
    &mut evidence.modifications[place]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_falsified_money_record_is_detected() {
    let mut system = TestSystem::build(None, 1).await;
    let setup = system.setups[0].clone();
    let running = system.start_all().await;
    let merchants_at_work = system.open_the_shops();
    sleep(Duration::from_millis(1500)).await;
    system.come_to_rest(merchants_at_work, &setup).await;
    let keys = system.keys(&setup).await;
    drop(running);
    let evidence = system.evidence().await;
    assert_eq!(
        system.findings(&evidence, &keys).await,
        Vec::<String>::new()
    );
    expect_each_to_be_found(&evidence, &FALSEHOODS, |falsified| {
        falsified.findings(&keys)
    });
}

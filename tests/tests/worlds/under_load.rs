//! Sixteen payers pay while a world is saved and restored.

use super::Verifier;
use crate::databases::on_both_databases;
use harness::client::Browser;
use sealpay_protocol::api::ShopperState;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;
use tokio::time::sleep;

const PAYERS: usize = 16;

/// What a payer may be told while the world is replaced: that it waits, and later that the session
/// was opened in another world.
const EXPECTED: [&str; 3] = ["world_restoring", "unknown_session", "overloaded"];

/// The phases of the test, in order.
const BEFORE: u8 = 0;
const SAVING: u8 = 1;
const BETWEEN: u8 = 2;
const RESTORING: u8 = 3;
const AFTER: u8 = 4;

/// Acknowledged payments, with the phases in which the request began and was answered.
type Records = Mutex<Vec<(u8, u8, String)>>;

async fn pay_again_and_again(
    verifier: &Verifier,
    phase: &AtomicU8,
    is_over: &AtomicBool,
    records: &Records,
    unexpected: &Mutex<BTreeSet<String>>,
) {
    while !is_over.load(Ordering::SeqCst) {
        let browser = Browser::new(&verifier.setup.origin);
        let began = phase.load(Ordering::SeqCst);
        match verifier.try_to_pay(&browser, None).await {
            Ok(paid) if paid.state == ShopperState::Captured => {
                let ended = phase.load(Ordering::SeqCst);
                records
                    .lock()
                    .unwrap()
                    .push((began, ended, paid.payment.to_string()));
            }
            Ok(paid) => {
                unexpected
                    .lock()
                    .unwrap()
                    .insert(format!("{:?}", paid.state));
            }
            Err(code) if EXPECTED.contains(&code.as_str()) => {
                sleep(Duration::from_millis(10)).await;
            }
            Err(code) => {
                unexpected.lock().unwrap().insert(code);
            }
        }
    }
}

async fn no_acknowledged_payment_is_lost_or_of_another_world(verifier: &Verifier) {
    let (phase, is_over) = (AtomicU8::new(BEFORE), AtomicBool::new(false));
    let (records, unexpected) = (Records::default(), Mutex::default());
    let payers =
        (0..PAYERS).map(|_| pay_again_and_again(verifier, &phase, &is_over, &records, &unexpected));
    let director = async {
        sleep(Duration::from_secs(2)).await;
        phase.store(SAVING, Ordering::SeqCst);
        verifier.save("before").await;
        phase.store(BETWEEN, Ordering::SeqCst);
        sleep(Duration::from_secs(2)).await;
        for _ in 0..2 {
            phase.store(RESTORING, Ordering::SeqCst);
            verifier.restore("before").await.unwrap();
            sleep(Duration::from_millis(500)).await;
        }
        phase.store(RESTORING, Ordering::SeqCst);
        verifier.restore("before").await.unwrap();
        phase.store(AFTER, Ordering::SeqCst);
        sleep(Duration::from_secs(2)).await;
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(futures_util::future::join_all(payers), director);
    assert_eq!(unexpected.into_inner().unwrap(), BTreeSet::new());

    let stored = "SELECT id FROM payments WHERE state = 'captured'";
    let stored = verifier.stored("sealpay.sqlite").rows(stored).await;
    let stored: BTreeSet<_> = stored.into_iter().map(|row| row[0].clone()).collect();
    let records = records.into_inner().unwrap();
    let mut counts = [0; 3];
    for (began, ended, payment) in &records {
        let is_stored = stored.contains(payment);
        match (*began, *ended) {
            (BEFORE, BEFORE) => {
                counts[0] += 1;
                assert!(is_stored, "{payment} was acknowledged before the snapshot");
            }
            (BETWEEN, BETWEEN) => {
                counts[1] += 1;
                assert!(!is_stored, "{payment} is of the world that was replaced");
            }
            (AFTER, AFTER) => {
                counts[2] += 1;
                assert!(
                    is_stored,
                    "{payment} was acknowledged in the restored world"
                );
            }
            _ => {}
        }
    }
    eprintln!("before, between, after: {counts:?}");
    assert!(
        counts.iter().all(|count| *count > 10),
        "there was no load: {counts:?}"
    );
    verifier.ledger();
    wait_until_the_bank_agrees(verifier, &stored).await;
}

/// Payments that were in progress at the snapshot are inquired about, as after a crash: in the end
/// the bank has booked exactly what the gateway has captured.
async fn wait_until_the_bank_agrees(verifier: &Verifier, stored: &BTreeSet<String>) {
    let open = "SELECT COUNT(*) FROM payments WHERE state NOT IN ('captured', 'declined')";
    let gateway = verifier.stored("sealpay.sqlite");
    for _ in 0..300 {
        if gateway.number(open).await == 0 {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(gateway.number(open).await, 0);
    let captured = "SELECT id FROM payments WHERE state = 'captured' ORDER BY id";
    let booked =
        "SELECT reference FROM bank_authorizations WHERE state = 'booked' ORDER BY reference";
    let captured = gateway.rows(captured).await;
    let booked = verifier.stored("simulated-bank.sqlite").rows(booked).await;
    assert!(captured.len() >= stored.len());
    assert_eq!(captured, booked);
}

on_both_databases! {
    Verifier:
    no_acknowledged_payment_is_lost_or_of_another_world,
}

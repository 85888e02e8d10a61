//! The verifier is killed (SIGKILL) in the middle of restores and snapshots.

use super::Verifier;
use crate::databases::on_both_databases;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Kills, at moments that are evenly spread over the time that a restore takes; the last one comes
/// after its response.
const KILLS: u64 = 10;
const APART: Duration = Duration::from_millis(25);

/// Number of payments, and the offset of the clock in seconds: those of a world are seen together.
const ONE: (usize, u64) = (1, 0);
const TWO: (usize, u64) = (2, 3_600);

async fn world(verifier: &Verifier) -> (usize, u64) {
    let payments = verifier.get("/v1/payments").await;
    let payments = payments["data"].as_array().unwrap().len();
    verifier.ledger();
    (payments, verifier.ahead_seconds().await)
}

async fn killed_restores_leave_one_world_or_the_other(verifier: &mut Verifier) {
    verifier.pay().await;
    verifier.save("one").await;
    verifier.pay().await;
    verifier.advance(3_600).await;
    verifier.save("two").await;
    let mut present = TWO;
    let mut outcomes = Vec::new();
    for kill in 1..=KILLS {
        let other = if present == ONE { "two" } else { "one" };
        let path = format!("/sim/worlds/{other}/restore");
        let pause = match u32::try_from(kill) {
            Ok(kill) if u64::from(kill) < KILLS => APART * kill,
            _ => Duration::MAX,
        };
        tokio::select! {
            restored = verifier.sim("POST", &path, Value::Null) => drop(restored.unwrap()),
            () = sleep(pause) => {}
        }
        verifier.kill();
        verifier.forget_killed_servers().await;
        verifier.restart().await;
        let found = world(verifier).await;
        assert!([ONE, TWO].contains(&found), "{found:?} after {outcomes:?}");
        outcomes.push(found != present);
        present = found;
    }
    eprintln!("replaced: {outcomes:?}");
    assert_eq!(outcomes.last(), Some(&true), "it was acknowledged");
}

async fn killed_snapshots_do_not_exist(verifier: &mut Verifier) {
    verifier.pay().await;
    for kill in 1..=5 {
        tokio::select! {
            _ = verifier.sim("POST", "/sim/worlds", json!({"name": "killed"})) => {}
            () = sleep(APART / 5 * kill) => {}
        }
        verifier.kill();
        verifier.forget_killed_servers().await;
        verifier.restart().await;
        let path = "/sim/worlds/killed";
        let listed = verifier
            .sim("GET", "/sim/worlds", Value::Null)
            .await
            .unwrap();
        match listed["data"].as_array().unwrap().as_slice() {
            [] => drop(verifier.save("killed").await),
            [saved] => assert_eq!(saved["state"], "complete"),
            more => panic!("{more:?}"),
        }
        verifier.restore("killed").await.unwrap();
        verifier.sim("DELETE", path, Value::Null).await.unwrap();
    }
}

on_both_databases! {
    Verifier:
    killed_restores_leave_one_world_or_the_other,
    killed_snapshots_do_not_exist,
}

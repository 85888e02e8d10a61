//! The verifier is killed (SIGKILL) in the middle of restores and snapshots.

use super::Verifier;
use crate::databases::on_both_databases;
use harness::chance::Chance;
use harness::time::random;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const KILLS: usize = 8;
/// A restore takes about this long.
const LONGEST_PAUSE_MS: u64 = 150;

/// Each world has its own clock and number of payments, and they are seen together or not at all.
async fn killed_restores_leave_one_world_or_the_other(verifier: &mut Verifier) {
    let seed = u64::from(u32::from_be_bytes(random()));
    eprintln!("seed {seed}");
    let mut chance = Chance::of(seed);
    verifier.pay().await;
    verifier.save("one").await;
    verifier.pay().await;
    verifier.advance(3_600).await;
    verifier.save("two").await;
    let mut outcomes = Vec::new();
    for kill in 0..KILLS {
        let name = ["one", "two"][kill % 2];
        let restoring = format!("/sim/worlds/{name}/restore");
        let pause = Duration::from_millis(chance.between(0, LONGEST_PAUSE_MS));
        tokio::select! {
            _ = verifier.sim("POST", &restoring, Value::Null) => {}
            () = sleep(pause) => {}
        }
        verifier.kill();
        verifier.restart().await;
        let payments = verifier.get("/v1/payments").await;
        let payments = payments["data"].as_array().unwrap().len();
        let world = (payments, verifier.ahead_seconds().await);
        assert!(
            [(1, 0), (2, 3_600)].contains(&world),
            "{world:?} after {outcomes:?}"
        );
        outcomes.push(world);
        verifier.ledger();
        // A killed snapshot is none, and its name is free.
        tokio::select! {
            _ = verifier.sim("POST", "/sim/worlds", json!({"name": "three"})) => {}
            () = sleep(Duration::from_millis(chance.between(0, 40))) => {}
        }
        verifier.kill();
        verifier.restart().await;
        let listed = verifier
            .sim("GET", "/sim/worlds", Value::Null)
            .await
            .unwrap();
        for world in listed["data"].as_array().unwrap() {
            assert_eq!(world["state"], "complete", "{listed}");
        }
        verifier
            .sim("DELETE", "/sim/worlds/three", Value::Null)
            .await
            .ok();
        verifier.save("three").await;
        verifier
            .sim("DELETE", "/sim/worlds/three", Value::Null)
            .await
            .unwrap();
    }
    eprintln!("{outcomes:?}");
}

on_both_databases! {
    Verifier:
    killed_restores_leave_one_world_or_the_other,
}

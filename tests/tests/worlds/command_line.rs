//! The command `world`.

use super::Verifier;
use crate::databases::on_both_databases;
use harness::processes::free_address;
use harness::verifier_process::Setup;
use serde_json::Value;

async fn worlds_are_saved_beside_a_server_and_restored_without_one(verifier: &mut Verifier) {
    let payment = verifier.pay().await;
    let saved = verifier.command(&["world", "snapshot", "before"]).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(saved["name"], "before");
    let listed = verifier.command(&["world", "list"]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&listed).unwrap(), saved);
    let later = verifier.pay().await;
    let refused = verifier
        .command(&["world", "restore", "before"])
        .unwrap_err();
    assert!(refused.contains("/sim/worlds/before/restore"), "{refused}");
    verifier.get(&format!("/v1/payments/{later}")).await;
    verifier.restore("before").await.unwrap();
    verifier.get(&format!("/v1/payments/{payment}")).await;
    verifier.pay().await;
    for name in ["none", "../a", "A"] {
        for command in ["restore", "delete"] {
            let refused = verifier.command(&["world", command, name]);
            assert!(refused.is_err(), "{command} {name}: {refused:?}");
        }
    }
    verifier.command(&["world", "delete", "before"]).unwrap();
    assert_eq!(verifier.command(&["world", "list"]).unwrap(), "");
}

on_both_databases! {
    Verifier:
    worlds_are_saved_beside_a_server_and_restored_without_one,
}

#[tokio::test(flavor = "multi_thread")]
async fn world_is_restored_without_a_server_and_forked_for_another() {
    let mut verifier = Verifier::on_sqlite().await;
    let payment = verifier.pay().await;
    verifier.advance(3_600).await;
    verifier.save("before").await;
    verifier.pay().await;
    verifier.kill();
    verifier.command(&["world", "restore", "before"]).unwrap();
    let fork = verifier.folder.path().join("fork");
    let to = fork.display().to_string();
    verifier
        .command(&["world", "fork", "before", "--to", &to])
        .unwrap();
    let refused = verifier.command(&["world", "fork", "before", "--to", &to]);
    assert!(refused.unwrap_err().contains("is not empty"));
    verifier.restart().await;
    let listen = free_address();
    let forked = Setup {
        data: fork,
        listen,
        origin: harness::client::origin(&format!("http://{listen}")),
        log: verifier.folder.path().join("fork.log"),
        ..verifier.setup.clone()
    };
    let (process, _) = forked.started().await;
    let forked = Verifier {
        folder: harness::folder::Folder::new("fork"),
        setup: forked,
        process: Some(process),
        merchant: verifier.merchant.clone(),
        client: verifier.client.clone(),
        _database: None,
    };
    // The same merchants, keys and payments in both, and then each goes its own way.
    for verifier in [&verifier, &forked] {
        let payments = verifier.get("/v1/payments").await;
        let payments = payments["data"].as_array().unwrap();
        assert_eq!(payments.len(), 1);
        assert_eq!(payments[0]["id"], payment.to_string());
        assert_eq!(verifier.ahead_seconds().await, 3_600);
        verifier.pay().await;
        verifier.ledger();
    }
    forked.advance(60).await;
    assert_eq!(verifier.ahead_seconds().await, 3_600);
    assert_eq!(forked.command(&["world", "list"]).unwrap(), "");
}

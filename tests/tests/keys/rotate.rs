//! Key rotation beside a running server under load.

use crate::interop::running_verifier::{OpenShop, Shop};
use harness::client::{Merchant, Prepared};
use harness::folder::Folder;
use harness::processes::free_address;
use harness::time::seen_when;
use harness::verifier_process::Setup;
use harness::webhook_receiver::{Arrival, WebhookReceiver};
use sealpay_protocol::webhook::{EndpointSecret, public_key};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Pays until it is told to stop; what was paid.
async fn load(shop: Arc<OpenShop>, merchant: Arc<Merchant>, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut paid = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let payment = shop.pay_as_the_widget_does(&merchant).await;
        paid.push(payment.payment.to_string());
    }
    paid
}

/// Runs a command of the operator's to its end; the lines that it prints.
async fn operator(mut command: Command) -> Vec<Value> {
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("a thread").expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
}

/// The payment that a delivery tells of.
fn told(arrival: &Arrival) -> String {
    let event: Value = serde_json::from_slice(&arrival.body).expect("JSON");
    event["data"]["payment"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Waits until there is a delivery for each of these payments.
async fn all_told(tap: &WebhookReceiver, paid: &[String]) -> Vec<Arrival> {
    let is_told = |arrivals: &Vec<Arrival>| {
        let told: BTreeSet<_> = arrivals.iter().map(told).collect();
        paid.iter().all(|payment| told.contains(payment))
    };
    seen_when("what arrived", async || tap.arrivals(), is_told).await
}

fn signatures(arrival: &Arrival, scheme: &str) -> usize {
    let prefix = format!("{scheme},");
    let entries = arrival.signature.split(' ');
    entries.filter(|entry| entry.starts_with(&prefix)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_is_rotated_under_load_without_losing_payments_or_deliveries() {
    let shop = Shop::new();
    let tap = WebhookReceiver::start().await;
    let merchant = Arc::new(shop.setup.add_merchant(Some(tap.url())));
    let shop = Arc::new(shop.open().await);
    let key_file = shop.setup.data.join("master.key");
    let old_file = shop.folder.path().join("old.key");
    std::fs::copy(&key_file, &old_file).expect("the master key is a file");
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = (0..2)
        .map(|_| {
            tokio::spawn(load(
                Arc::clone(&shop),
                Arc::clone(&merchant),
                Arc::clone(&stop),
            ))
        })
        .collect();
    let first: Value = shop.send(&Prepared::get_of("/v1/keys", None)).await;

    operator(
        shop.setup
            .command(&["keys", "rotate", "webhook", "--overlap", "1h"]),
    )
    .await;
    let both: Value = keys_when(&shop, |keys| {
        keys["webhook_keys"].as_array().map(Vec::len) == Some(2)
    })
    .await;
    assert!(both["webhook_keys"][0]["not_after"].is_i64(), "{both}");
    assert!(both["webhook_keys"][1]["not_after"].is_null(), "{both}");

    operator(shop.setup.command(&["keys", "rotate", "sealing", "--now"])).await;
    let sealing = &first["sealing_keys"][0]["kid"];
    let is_gone = |keys: &Value| {
        let mut keys = keys["sealing_keys"].as_array().into_iter().flatten();
        keys.all(|key| key["kid"] != *sealing)
    };
    keys_when(&shop, is_gone).await;

    let rotated = operator(shop.setup.command(&["keys", "rotate", "master"])).await;
    assert!(
        rotated[0]["encrypted_anew"].as_i64() >= Some(4),
        "{rotated:?}"
    );
    let listed = operator(shop.setup.command(&["keys", "list"])).await;
    assert_eq!(
        listed.last().map(|key| &key["key_id"]),
        Some(&rotated[0]["key_id"])
    );

    // Some more under the new master key, before the load ends.
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop.store(true, Ordering::Relaxed);
    let mut paid = Vec::new();
    for load in loads {
        paid.extend(load.await.expect("no payment is lost"));
    }
    assert!(paid.len() > 10, "{}", paid.len());
    let arrivals = all_told(&tap, &paid).await;
    every_delivery_is_signed(&merchant, &both, &arrivals);
    the_trail_names_every_rotation(&shop).await;
    the_old_master_key_opens_nothing(&shop, &old_file).await;
}

/// A server that got a copy of the master key's file never reads the new key: what it would write would
/// be lost with the old one.
#[tokio::test]
async fn previous_master_key_stays_until_every_server_has_the_new_one() {
    let folder = Folder::new("copied-key");
    let setup = Setup::on_sqlite(folder.path());
    drop(setup.add_merchant(None));
    let file = setup.data.join("master.key");
    let copy = folder.path().join("copy.key");
    std::fs::copy(&file, &copy).expect("the master key is a file");
    let served = setup
        .clone()
        .with("--master-key-file", &copy.to_string_lossy());
    let (verifier, _) = served.started().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let rotate = ["keys", "rotate", "master", "--wait", "3"];
    let mut command = setup.command(&rotate);
    let refused = tokio::task::spawn_blocking(move || command.output()).await;
    let refused = refused.expect("a thread").expect("the program starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("1 of the running servers"), "{said}");
    assert!(said.contains("nothing was removed"), "{said}");
    // The file has both keys; once the server has them, too, the rotation goes on.
    verifier.kill();
    std::fs::copy(&file, &copy).expect("the master key is a file");
    let (verifier, _) = served.started().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let rotated = operator(setup.command(&["keys", "rotate", "master"])).await;
    assert!(rotated[0]["encrypted_anew"].is_i64(), "{rotated:?}");
    verifier.kill();
    let (verifier, _) = setup.started().await;
    verifier.kill();
}

fn every_delivery_is_signed(merchant: &Merchant, both: &Value, arrivals: &[Arrival]) {
    let keys = both["webhook_keys"].as_array().expect("keys").iter();
    let keys: Vec<_> = keys
        .filter_map(|key| public_key(key["public_key"].as_str()?))
        .collect();
    let secret = merchant
        .webhook_secret
        .as_deref()
        .and_then(EndpointSecret::parse);
    let secret = secret.expect("a secret");
    for arrival in arrivals {
        let fits = keys.iter().any(|key| arrival.verify(key, &secret).is_ok());
        assert!(fits, "{arrival:?}");
    }
    let last = arrivals.last().expect("deliveries");
    assert_eq!(signatures(last, "v1a"), 2, "both keys sign for a while");
}

async fn the_trail_names_every_rotation(shop: &OpenShop) {
    // Every command has left its row, and nobody has touched the trail.
    let rows = operator(shop.setup.command(&["audit"])).await;
    for action in [
        "keys rotate webhook",
        "keys rotate sealing",
        "keys rotate master",
    ] {
        let is_it = |row: &&Value| row["action"] == action && row["outcome"] == "done";
        assert_eq!(rows.iter().filter(is_it).count(), 1, "{action}: {rows:?}");
    }
    operator(shop.setup.command(&["audit", "--verify"])).await;
}

async fn the_old_master_key_opens_nothing(shop: &OpenShop, old_file: &Path) {
    // After the end the old master key opens nothing.
    let old_file = old_file.to_string_lossy().into_owned();
    let mut with_the_old = shop.setup.command(&["serve", "--test-mode"]);
    let (listen, control) = (free_address(), free_address());
    with_the_old.args(["--listen", &listen.to_string()]);
    with_the_old.args(["--public-origin", &format!("http://{listen}")]);
    with_the_old.args(["--control-listen", &control.to_string()]);
    with_the_old.args(["--master-key-file", &old_file]);
    let ended = tokio::task::spawn_blocking(move || with_the_old.output()).await;
    let ended = ended.expect("a thread").expect("the program starts");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        !ended.status.success() && said.contains("master key"),
        "{said}"
    );
}

/// The published keys, once they are as expected.
async fn keys_when(shop: &OpenShop, expected: impl Fn(&Value) -> bool) -> Value {
    let look = async || shop.send(&Prepared::get_of("/v1/keys", None)).await;
    seen_when("the list of keys", look, expected).await
}

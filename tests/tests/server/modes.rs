//! Test data and live data are never mixed.

use harness::folder::Folder;
use harness::verifier_process::{Setup, program};
use sealpay_provider::{Capabilities, Providers};
use sealpay_simulator::SimulatedBank;
use sealpay_system::{Clock, Rng};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use verifier_server::app::{Parts, Server};
use verifier_server::config::Config;
use verifier_server::keys::encryption::KeyEncryption;
use verifier_server::keys::master_key::MasterKey;
use verifier_server::store::{Options, Store};
use verifier_server::worlds::FolderLock;

fn config(folder: &Folder, test_mode: bool) -> Config {
    Config {
        data: folder.path().to_owned(),
        widget: folder.path().join("no-widget"),
        test_mode,
        ..Config::default()
    }
}

/// Starts a server on a folder, with a provider that is taken for a real one or for the simulated.
async fn start(folder: &Folder, livemode: bool) -> Result<Server, String> {
    let config = config(folder, !livemode);
    let store = Store::open(&config.database_url(), &Options::default()).await;
    let parts = Parts {
        store: store.expect("the store opens"),
        encryption: KeyEncryption::new(&MasterKey::new([7; 32])),
        clock: Clock::system(),
        rng: Rng::system(),
        livemode,
        folder: FolderLock::default(),
    };
    let bank = SimulatedBank::open(
        &config.bank_url(),
        parts.encryption.bank_key(),
        config.public_origin.clone(),
        parts.clock.clone(),
        parts.rng.clone(),
        !livemode,
    )
    .await?;
    let capabilities = Capabilities {
        livemode,
        // Its page is a part of the simulation.
        wallet: None,
        ..bank.capabilities()
    };
    let providers = Providers::compose([("live".into(), capabilities)])?;
    Server::with_providers(&config, parts, providers, None).await
}

async fn refused(folder: &Folder, livemode: bool) -> String {
    match start(folder, livemode).await {
        Ok(_) => panic!("it starts"),
        Err(sentence) => sentence,
    }
}

#[tokio::test]
async fn test_data_is_rejected_in_live_mode_with_instructions() {
    let folder = Folder::new("test-data");
    let server = start(&folder, false).await.expect("a test starts");
    let gateway = &server.state.gateway;
    gateway.close().await;
    let said = refused(&folder, true).await;
    assert!(said.contains("this data is a test's"), "{said}");
    assert!(
        said.contains("begin with an empty folder (--data)"),
        "{said}"
    );
    assert!(!said.contains("clock"), "{said}");

    let server = start(&folder, false).await.expect("a test starts again");
    let eight_days_ms = 8 * 24 * 60 * 60 * 1000;
    let store = server.state.gateway.store();
    let moved = store.move_clock(eight_days_ms).await;
    assert!(moved.expect("the store answers"));
    server.state.gateway.close().await;
    let said = refused(&folder, true).await;
    assert!(
        said.contains("its clock was moved and is 8 days ahead"),
        "{said}"
    );
}

#[tokio::test]
async fn live_data_is_rejected_in_test_mode() {
    let folder = Folder::new("live-data");
    let server = start(&folder, true).await.expect("it starts");
    server.state.gateway.close().await;
    let said = refused(&folder, false).await;
    assert!(said.contains("this data is of real payments"), "{said}");
    let server = start(&folder, true).await.expect("it starts again");
    server.state.gateway.close().await;
}

#[tokio::test]
async fn simulated_bank_is_rejected_in_live_mode() {
    let folder = Folder::new("no-live");
    let config = config(&folder, false);
    let store = Store::open(&config.database_url(), &Options::default()).await;
    let parts = Parts {
        store: store.expect("the store opens"),
        encryption: KeyEncryption::new(&MasterKey::new([7; 32])),
        clock: Clock::system(),
        rng: Rng::system(),
        livemode: false,
        folder: FolderLock::default(),
    };
    let said = match Server::new(&config, parts).await {
        Ok(_) => panic!("it starts"),
        Err(sentence) => sentence,
    };
    assert!(
        said.contains("providers.simulated.kind = \"simulated\""),
        "{said}"
    );
}

fn run(setup: &Setup, file: &std::path::Path) -> std::process::Output {
    let mut list = Command::new(program());
    list.args(["merchant", "list", "--data"]).arg(&setup.data);
    list.arg("--database-file").arg(file);
    list.output().expect("the program starts")
}

#[test]
fn database_url_file_must_be_private() {
    let folder = Folder::new("database-file");
    let setup = Setup::on_sqlite(folder.path());
    drop(setup.add_merchant(None));
    let file = folder.path().join("database");
    std::fs::write(&file, "sqlite\n").expect("the folder takes a file");
    let rights = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode));
    rights(0o600).expect("the file is ours");
    let listed = run(&setup, &file);
    assert!(listed.status.success());
    assert!(String::from_utf8_lossy(&listed.stdout).contains("mer_"));
    rights(0o644).expect("the file is ours");
    let refused = run(&setup, &file);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("database_file"), "{said}");
    assert!(said.contains("may be used by others (mode 0644)"), "{said}");
}

#[test]
fn listen_reads_its_secret_from_a_file() {
    let folder = Folder::new("listen-secret");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None).id.to_string();
    let file = folder.path().join("secret");
    std::fs::write(&file, "whsec_short").expect("the folder takes a file");
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&file, own).expect("the file is ours");
    let file = file.to_string_lossy();
    let forward = ["--forward-to", "http://127.0.0.1:1/"];
    let listen = |more: &[&str]| {
        let mut listen = setup.command(&["listen", "--merchant", &merchant]);
        let output = listen.args(forward).args(more).output();
        let output = output.expect("the program starts");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = listen(&["--secret-file", &file]);
    assert!(said.contains("the secret is not whsec_"), "{said}");
    let said = listen(&["--secret-file", &file, "--secret", "whsec_x"]);
    assert!(said.contains("cannot be used with"), "{said}");
}

//! Insecure settings are rejected at start.

use harness::client::origin;
use harness::folder::Folder;
use harness::verifier_process::{Setup, program};
use std::process::Command;

/// What a start with this configuration file says before it ends.
fn refusal_of(settings: &str) -> String {
    let folder = Folder::new("start-up");
    let file = folder.path().join("verifier-server.toml");
    std::fs::write(&file, settings).expect("the folder takes a file");
    let mut serve = Command::new("timeout");
    serve.arg("20").arg(program());
    serve.args(["serve", "--test-mode", "--test-mode-in-public", "--data"]);
    serve.arg(folder.path().join("data"));
    let output = serve.arg("--config").arg(file).output();
    let output = output.expect("the program starts");
    assert_ne!(output.status.code(), Some(124), "{settings}: it starts");
    assert!(!output.status.success(), "{settings}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn insecure_settings_are_rejected_at_start() {
    let public = "listen = \"127.0.0.1:0\"\ncontrol_listen = \"off\"\n\
        public_origin = \"https://pay.example\"\n";
    let proxies = |networks: &str| format!("{public}trusted_proxies = [{networks}]\n");
    let named = proxies("\"127.0.0.1\"");
    let everybody = "trusted_proxies";
    let rows = [
        (proxies("\"0.0.0.0/0\""), everybody),
        (proxies("\"0.0.0.0/00\""), everybody),
        (proxies("\"::/0\""), everybody),
        (proxies("\"0.0.0.0/1\", \"128.0.0.0/1\""), everybody),
        (proxies("\"2000::/3\""), everybody),
        (
            format!("{named}[webhooks]\nallow = [\"0.0.0.0/0\", \"::/0\"]\n"),
            "webhooks.allow",
        ),
    ];
    for (settings, expected) in rows {
        let said = refusal_of(&settings);
        assert!(said.contains(expected), "{settings}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "one sentence: {said}");
    }
}

#[tokio::test]
async fn public_server_without_a_rate_limit_warns_at_start() {
    let folder = Folder::new("no-rate-limit");
    let mut setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    setup.origin = origin("https://pay.example");
    let flags = ["--test-mode-in-public", "--trusted-proxy", "127.0.0.1"];
    setup.flags.extend(flags.map(str::to_owned));
    let (_process, _) = setup.started().await;
    let log = std::fs::read_to_string(&setup.log).expect("there is a log");
    assert!(log.contains("rate_limit.per_second = 0"), "{log}");
    assert!(log.contains("webhooks.allow"), "{log}");
}

#[test]
fn failed_merchant_registration_leaves_no_data_folder() {
    let folder = Folder::new("no-merchant");
    let setup = Setup::on_sqlite(folder.path());
    let mut command = setup.command(&["merchant", "add", "--name", "", "--key-id", "a"]);
    let output = command
        .arg("--public-key=AAAA")
        .output()
        .expect("it starts");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the merchant's name"), "{said}");
    assert!(!setup.data.exists());
}

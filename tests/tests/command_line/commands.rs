//! The commands and their error messages.

use harness::folder::Folder;
use harness::verifier_process::{Setup, program};
use std::process::{Command, Output};

const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn run(data: &Folder, words: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(words).arg("--data").arg(data.path());
    command.output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("the answer is JSON")
}

fn add(data: &Folder) -> serde_json::Value {
    let words = [
        "merchant",
        "add",
        "--json",
        "--name",
        "Paper Lantern",
        "--key-id",
        "2026-11",
    ];
    let more = [
        "--public-key",
        PUBLIC_KEY,
        "--origin",
        "https://shop.example",
    ];
    json(&run(data, &[&words[..], &more[..]].concat()))
}

#[test]
fn command_in_the_wrong_folder_creates_no_database() {
    let data = Folder::new("nothing-there");
    let commands: [&[&str]; 8] = [
        &["audit", "--verify"],
        &["ledger"],
        &["keys", "list"],
        &["keys", "rotate", "master"],
        &["settle", "--until", "2026-12-10"],
        &["modification", "list"],
        &["merchant", "list"],
        &[
            "merchant",
            "revoke-api-key",
            "key_00000000000000000000000000",
        ],
    ];
    for words in commands {
        let output = run(&data, words);
        assert!(!output.status.success(), "{words:?}");
        let said = said(&output);
        assert!(
            said.contains("there is no database in"),
            "{words:?}: {said}"
        );
    }
    let files = std::fs::read_dir(data.path()).unwrap().count();
    assert_eq!(files, 0, "nothing was made");
}

#[test]
fn missing_master_key_is_not_regenerated() {
    let data = Folder::new("lost-key");
    add(&data);
    let key = data.path().join("master.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let output = run(&data, &["merchant", "list"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("master.key"), "{}", said(&output));
    assert!(!key.exists(), "another one would open nothing");
    std::fs::write(&key, kept).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, mode).unwrap();
    assert!(run(&data, &["merchant", "list"]).status.success());
}

#[test]
fn merchant_keys_origins_and_endpoints_are_changed_by_commands() {
    let data = Folder::new("commands");
    let merchant = add(&data)["merchant"].as_str().unwrap().to_owned();
    let other_key = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";
    let commands: [&[&str]; 4] = [
        &[
            "merchant",
            "add-key",
            &merchant,
            "--key-id",
            "2026-12",
            "--public-key",
            other_key,
        ],
        &["merchant", "retire-key", &merchant, "--key-id", "2026-11"],
        &[
            "merchant",
            "add-origin",
            &merchant,
            "https://www.shop.example",
        ],
        &[
            "merchant",
            "remove-origin",
            &merchant,
            "https://shop.example",
        ],
    ];
    for words in commands {
        let output = run(&data, words);
        assert!(output.status.success(), "{words:?}: {}", said(&output));
    }
    let listed = json(&run(&data, &["merchant", "list"]));
    assert_eq!(listed[0]["merchant"], merchant);
    assert_eq!(listed[0]["order_keys"], serde_json::json!(["2026-12"]));
    assert_eq!(
        listed[0]["origins"],
        serde_json::json!(["https://www.shop.example"])
    );

    let made = json(&run(&data, &["merchant", "add-api-key", &merchant]));
    // Without --scopes the key gets the narrowest useful scope.
    assert_eq!(made["scopes"], "payments:read");
    assert!(made["api_key"].as_str().unwrap().starts_with("sk_test_"));
    let id = made["api_key_id"].as_str().unwrap();
    assert!(
        run(&data, &["merchant", "revoke-api-key", id])
            .status
            .success()
    );
    assert!(
        !run(&data, &["merchant", "revoke-api-key", id])
            .status
            .success()
    );
    let url = "https://shop.example/webhooks/sealpay";
    let endpoint = json(&run(&data, &["merchant", "add-webhook", &merchant, url]));
    assert!(
        endpoint["webhook_secret"]
            .as_str()
            .unwrap()
            .starts_with("whsec_")
    );
    assert_eq!(endpoint["state"], "pending_verification");
    let id = endpoint["endpoint"].as_str().unwrap();
    assert!(
        run(&data, &["merchant", "disable-webhook", id])
            .status
            .success()
    );
    let listed = json(&run(&data, &["merchant", "list"]));
    assert_eq!(listed[0]["api_keys"].as_array().map(Vec::len), Some(1));
    let expected = serde_json::json!([{"endpoint": id, "url": url, "disabled": true,
        "verified": false}]);
    assert_eq!(listed[0]["endpoints"], expected);
}

#[test]
fn api_key_is_scoped_and_rotated_by_commands() {
    let data = Folder::new("api-keys");
    let merchant = add(&data)["merchant"].as_str().unwrap().to_owned();
    let words = ["merchant", "add-api-key", &merchant];
    let limits = ["--scopes", "refunds:write,payments:read"];
    let days = ["--expires-in-days", "30"];
    let made = json(&run(&data, &[&words[..], &limits, &days].concat()));
    assert_eq!(made["scopes"], "payments:read,refunds:write");
    let ends = made["expires_at"].as_i64().unwrap();
    let old = made["api_key_id"].as_str().unwrap();
    let words = ["merchant", "rotate-api-key", old];
    let overlap = ["--overlap-seconds", "600"];
    let rotated = json(&run(&data, &[&words[..], &overlap].concat()));
    assert_eq!(rotated["scopes"], "payments:read,refunds:write");
    assert_eq!(
        rotated["expires_at"], ends,
        "it lives no longer than the old one would have"
    );
    assert_eq!(rotated["replaces"]["api_key_id"], old);
    let old_ends = rotated["replaces"]["expires_at"].as_i64().unwrap();
    assert!((29 * 86_400..30 * 86_400).contains(&(ends - old_ends)));

    let listed = run(&data, &["merchant", "list"]);
    for key in [&made, &rotated] {
        let key = key["api_key"].as_str().unwrap();
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(!text.contains(key), "a key is listed");
        assert!(text.contains(&key[..12]), "its beginning is not");
    }
    let listed = json(&listed)[0]["api_keys"].take();
    let rows: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["scopes"].as_str().unwrap(), key["expires_at"].as_i64()))
        .collect();
    let expected = [
        ("*", None),
        ("payments:read,refunds:write", Some(old_ends)),
        ("payments:read,refunds:write", Some(ends)),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn invalid_commands_explain_the_error() {
    let data = Folder::new("refusals");
    let merchant = add(&data)["merchant"].as_str().unwrap().to_owned();
    let nobody = "mer_01jd0000000000000000000000";
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    #[rustfmt::skip]
    let rows: [(&[&str], &str); 13] = [
        (&["merchant", "add-api-key", nobody], "there is no merchant mer_"),
        (
            &["merchant", "add-api-key", &merchant, "--scopes", "payments"],
            "there is no scope \"payments\"; the scopes are payments:read,",
        ),
        (&["merchant", "add-api-key", &merchant, "--expires-in-days", "0"], "an API key lives for 1 to 36500 days"),
        (&["merchant", "rotate-api-key", "key_01jd0000000000000000000000"], "no active API key"),
        (
            &["merchant", "add-key", &merchant, "--key-id", "2026-11", "--public-key", PUBLIC_KEY],
            "the merchant has, or had, a key 2026-11",
        ),
        (
            &["merchant", "add-key", &merchant, "--key-id", "weak", "--public-key", weak],
            "the public key is not an Ed25519 key",
        ),
        (&["merchant", "retire-key", &merchant, "--key-id", "none"], "has no active key none"),
        (&["merchant", "add-origin", &merchant, "https://Shop.example/"], "An origin ends behind the host"),
        (&["merchant", "add-origin", nobody, "https://a.example"], "there is no merchant mer_"),
        (&["merchant", "add-origin", "shop", "https://a.example"], "26 characters"),
        (&["merchant", "add-webhook", &merchant, "ftp://a.example"], "must start with https://"),
        (&["merchant", "add-webhook", &merchant, "https://user:word@a.example"], "must not hold a user name"),
        (&["merchant", "revoke-api-key", "key_01jd0000000000000000000000"], "no active API key"),
    ];
    for (words, sentence) in rows {
        let output = run(&data, words);
        assert!(!output.status.success(), "{words:?}");
        assert!(
            said(&output).contains(sentence),
            "{words:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn data_files_are_readable_only_by_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let data = Folder::new("private");
    let kept = Folder::new("private-parent");
    drop(data);
    let setup = Setup::on_sqlite(kept.path());
    let merchant = setup.add_merchant(Some("https://shop.example/webhooks"));
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&setup.data), 0o700);
    for entry in std::fs::read_dir(&setup.data).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        let bytes = std::fs::read(&path).expect("a file");
        let secrets = [
            merchant.api_key.as_bytes(),
            merchant.webhook_secret.as_ref().unwrap().as_bytes(),
        ];
        for secret in secrets {
            let stands_there = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!stands_there, "{} holds a secret as it is", path.display());
        }
    }
}

#[test]
fn wrong_master_key_is_detected_at_start() {
    let folder = Folder::new("master-key");
    let setup = Setup::on_sqlite(folder.path());
    drop(setup.add_merchant(None));
    let serve = |setup: &Setup| {
        let mut command = Command::new(program());
        command
            .args(["serve", "--test-mode", "--control-listen", "off"])
            .args(["--listen", &setup.listen.to_string(), "--data"])
            .arg(&setup.data);
        command
    };
    // The first start makes the keys; a second one under another master key cannot open them.
    let mut first = serve(&setup).spawn().expect("the program starts");
    let log = setup.data.join("sealpay.sqlite");
    assert!(log.exists());
    let deadline = 200;
    for _ in 0..deadline {
        if std::net::TcpStream::connect(setup.listen).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let output = serve(&setup)
        .env("SEALPAY_MASTER_KEY", other)
        .output()
        .expect("it starts");
    assert!(!output.status.success());
    assert!(
        said(&output).contains("does not open with this master key"),
        "{}",
        said(&output)
    );
    let output = serve(&setup)
        .env("SEALPAY_MASTER_KEY", "short")
        .output()
        .expect("it starts");
    assert!(
        said(&output).contains("SEALPAY_MASTER_KEY: the master key must be"),
        "{}",
        said(&output)
    );
}

#[test]
fn remote_database_requires_tls() {
    let data = Folder::new("plain");
    let rows = [
        ("postgres://u:secret@db.example/d", "allow_plain_database"),
        (
            "postgres://u:secret@db.example/d?sslmode=prefer",
            "allow_plain_database",
        ),
        (
            "postgres://u:secret@db.example/d?sslmode=require",
            "sslmode=verify-full",
        ),
    ];
    for (url, expected) in rows {
        for words in [
            ["merchant", "list"].as_slice(),
            &["serve", "--test-mode"],
            &["ledger"],
        ] {
            let refused = run(&data, &[words, &["--database", url]].concat());
            assert!(!refused.status.success(), "{words:?} {url}");
            let said = said(&refused);
            assert!(said.contains(expected), "{words:?} {url}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}

#[test]
fn stuck_operations_are_listed_and_an_unknown_one_is_rejected() {
    let data = Folder::new("modifications");
    add(&data);
    let listed = run(&data, &["modification", "list"]);
    assert!(listed.status.success(), "{}", said(&listed));
    assert!(listed.stdout.is_empty());
    let unknown = "mod_01m8jgas411t5hj7w0ncyykh3y";
    let refused = run(&data, &["modification", "end", unknown, "--as", "failed"]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("there is no modification"),
        "{}",
        said(&refused)
    );
}

//! The audit trail of commands, and the detection of an altered trail.

use harness::folder::Folder;
use harness::verifier_process::program;
use serde_json::Value;
use std::process::{Command, Output};

fn run(data: &Folder, words: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(words).arg("--data").arg(data.path());
    command.output().expect("the program starts")
}

fn rows(data: &Folder) -> Vec<Value> {
    let output = run(data, &["audit"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
}

fn verified(data: &Folder) -> Result<Value, String> {
    let output = run(data, &["audit", "--verify"]);
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn alter(data: &Folder, sql: &str) {
    let database = data.path().join("sealpay.sqlite");
    let database = rusqlite::Connection::open(database).expect("the database is a file");
    assert!(
        database.execute(sql, []).expect("it is altered") > 0,
        "{sql}"
    );
}

/// Action, subject and outcome.
fn row(row: Value) -> [String; 3] {
    let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    [text("action"), text("subject"), text("outcome")]
}

/// A new merchant and its API key's id.
fn merchant_of(data: &Folder) -> (String, String) {
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let words = [
        "merchant",
        "add",
        "--json",
        "--name",
        "Paper Lantern",
        "--key-id",
        "2026-11",
    ];
    let more = ["--public-key", key, "--origin", "https://shop.example"];
    let added = run(data, &[&words[..], &more[..]].concat());
    let added: Value = serde_json::from_slice(&added.stdout).expect("JSON");
    let text = |name: &str| added[name].as_str().expect("an id").to_owned();
    (text("merchant"), text("api_key_id"))
}

#[test]
fn changing_commands_are_audited_and_an_altered_trail_is_detected() {
    let data = Folder::new("audit");
    let (merchant, api_key) = merchant_of(&data);
    let origin = "https://www.shop.example";
    run(&data, &["merchant", "add-origin", &merchant, origin]);
    // What is refused is written down as well, and what only reads is not.
    run(&data, &["merchant", "add-origin", &merchant, origin]);
    run(&data, &["merchant", "list"]);
    run(&data, &["merchant", "revoke-api-key", &api_key]);
    let rows = rows(&data);
    for row in &rows {
        assert_eq!(row["merchant"], merchant.as_str(), "{row}");
        assert_eq!(
            (&row["actor"], &row["source"]),
            (&"operator".into(), &"command line".into())
        );
    }
    let told: Vec<_> = rows.into_iter().map(row).collect();
    let expected = [
        ["merchant add", "-", "done"],
        ["merchant add-origin", origin, "done"],
        ["merchant add-origin", origin, "failed"],
        ["merchant revoke-api-key", &api_key, "done"],
    ];
    assert_eq!(told, expected);
    let whole = verified(&data).expect("it is whole");
    assert_eq!(whole["rows"], 4);

    let altered = "UPDATE audit_log SET actor = 'somebody else' WHERE sequence = 2";
    alter(&data, altered);
    let said = verified(&data).expect_err("a row was changed");
    assert!(said.contains("from row 2 on"), "{said}");
    alter(
        &data,
        "UPDATE audit_log SET actor = 'operator' WHERE sequence = 2",
    );
    assert!(verified(&data).is_ok());
    alter(&data, "DELETE FROM audit_log WHERE sequence = 4");
    let said = verified(&data).expect_err("the end is missing");
    assert!(said.contains("its end is missing"), "{said}");
    alter(&data, "DELETE FROM audit_log WHERE sequence = 2");
    let said = verified(&data).expect_err("a row is missing");
    assert!(said.contains("from row 2 on"), "{said}");
}

/// Commands about money, and one that names a thing which is only made then.
#[test]
fn commands_that_move_money_or_create_keys_are_audited() {
    let data = Folder::new("audit-of-money");
    let (merchant, _) = merchant_of(&data);
    let made = run(&data, &["merchant", "add-api-key", &merchant]);
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let made = made["api_key_id"].as_str().expect("an id");
    let settled = run(&data, &["settle", "--until", "2026-12-10"]);
    assert!(settled.status.success(), "{settled:?}");
    let nothing = "mod_00000000000000000000000000";
    let ended = ["modification", "end", nothing, "--as", "failed", "--force"];
    assert!(!run(&data, &ended).status.success());
    run(&data, &["modification", "list"]);
    let told: Vec<_> = rows(&data).into_iter().skip(1).map(row).collect();
    let expected = [
        ["merchant add-api-key", made, "done"],
        ["settle --until 2026-12-10", "-", "done"],
        ["modification end --as failed --force", nothing, "failed"],
    ];
    assert_eq!(told, expected);
}

/// Write access to the database allows truncating the trail together with its head. A row that was
/// recorded elsewhere, as in the server's log, is then reported as missing.
#[test]
fn truncated_audit_trail_is_detected() {
    let data = Folder::new("audit-cut-off");
    let (merchant, _) = merchant_of(&data);
    let origin = |name: &str| format!("https://{name}.example");
    for name in ["one", "two"] {
        run(&data, &["merchant", "add-origin", &merchant, &origin(name)]);
    }
    let whole = verified(&data).expect("it is whole");
    let noted = format!("3:{}", whole["last_hash"].as_str().expect("a hash"));
    let expect = ["audit", "--verify", "--expect", &noted];
    assert!(run(&data, &expect).status.success());
    run(
        &data,
        &["merchant", "add-origin", &merchant, &origin("three")],
    );
    assert!(run(&data, &expect).status.success(), "it has grown since");
    for (anchor, is_read) in [("3", false), ("0:x", false), ("3:abc", false)] {
        let read = run(&data, &["audit", "--verify", "--expect", anchor]);
        assert_eq!(read.status.success(), is_read, "{anchor}");
    }
    alter(&data, "DELETE FROM audit_log WHERE sequence > 2");
    alter(
        &data,
        "UPDATE audit_head SET sequence = 2,
         hash = (SELECT hash FROM audit_log WHERE sequence = 2)",
    );
    assert_eq!(verified(&data).expect("it fits together")["rows"], 2);
    let said = run(&data, &expect);
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("does not have the expected row"), "{said}");
}

//! The audit trail of commands, and what becomes of a trail that somebody alters.

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

#[test]
fn every_command_that_changes_something_leaves_a_row_and_an_altered_trail_is_noticed() {
    let data = Folder::new("audit");
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
    let added = run(&data, &[&words[..], &more[..]].concat());
    let added: Value = serde_json::from_slice(&added.stdout).expect("JSON");
    let merchant = added["merchant"].as_str().expect("an id").to_owned();
    let api_key = added["api_key_id"].as_str().expect("an id").to_owned();
    let origin = "https://www.shop.example";
    run(&data, &["merchant", "add-origin", &merchant, origin]);
    // What is refused is written down as well, and what only reads is not.
    run(&data, &["merchant", "add-origin", &merchant, origin]);
    run(&data, &["merchant", "list"]);
    run(&data, &["merchant", "revoke-api-key", &api_key]);
    let told: Vec<_> = rows(&data)
        .into_iter()
        .map(|row| {
            assert_eq!(row["merchant"], merchant.as_str(), "{row}");
            assert_eq!(
                (&row["actor"], &row["source"]),
                (&"operator".into(), &"command line".into())
            );
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            [text("action"), text("subject"), text("outcome")]
        })
        .collect();
    let expected = [
        ["merchant add", "-", "done"],
        ["merchant add-origin", origin, "done"],
        ["merchant add-origin", origin, "failed"],
        ["merchant revoke-api-key", &api_key, "done"],
    ];
    assert_eq!(told, expected);
    assert_eq!(verified(&data).expect("it is whole")["rows"], 4);

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

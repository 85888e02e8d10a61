//! `docs/openapi.json` in tools of other people.

use super::accepted;
use super::peers::{Peer, said};
use harness::folder::Folder;
use harness::processes::is_long_run;
use harness::verifier_process::{Setup, control_of};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Seconds that the requests of `schemathesis` may take at each listener.
fn tried_for_seconds() -> &'static str {
    if is_long_run() { "120" } else { "25" }
}

static PYTHON_TOOLS: Peer = Peer {
    name: "Python tools",
    packages: &["openapi-spec-validator==0.9.0", "schemathesis==4.32.5"],
    script: ("validate.py", include_str!("validate.py")),
    needs: || said("python3", &["-m", "pip", "--version"]).map(drop),
    install: |folder, packages| {
        let mut command = Command::new("python3");
        command.args(["-m", "pip", "install", "--quiet"]);
        command.arg("--disable-pip-version-check");
        command.arg("--target").arg(folder).args(packages);
        command
    },
    run: |folder| {
        let mut command = Command::new("python3");
        command
            .arg(folder.join("validate.py"))
            .env("PYTHONPATH", folder);
        command
    },
    ready: OnceLock::new(),
};

/// openapi-typescript writes types alone, which the TypeScript compiler then holds against a client:
/// nothing of it has to run, and it is what merchants with a shop in JavaScript use.
static NODE_TOOLS: Peer = Peer {
    name: "Node.js tools",
    packages: &[
        "openapi-fetch@0.17.0",
        "openapi-typescript@7.13.0",
        "typescript@5.9.3",
    ],
    script: ("client.ts", include_str!("client.ts")),
    needs: || {
        said("node", &["--version"])?;
        said("npm", &["--version"]).map(drop)
    },
    install: |folder, packages| {
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
        command.arg("--save-exact");
        command.arg("--prefix").arg(folder).args(packages);
        command
    },
    run: |_| Command::new("node"),
    ready: OnceLock::new(),
};

fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

#[track_caller]
fn succeeds(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{what}:\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

#[test]
fn openapi_spec_validator_accepts_the_openapi_file() {
    let test = "openapi_spec_validator_accepts_the_openapi_file";
    let folder = Folder::new("contract");
    let broken = folder.path().join("broken.json");
    let text = fs::read_to_string(contract()).unwrap();
    let unresolved = text.replacen("#/components/schemas/Problem", "#/components/schemas/No", 1);
    fs::write(&broken, unresolved).unwrap();
    let questions = [json!({"file": contract()}), json!({"file": broken})];
    let Some(answers) = PYTHON_TOOLS.ask(test, &questions) else {
        return;
    };
    accepted(&answers[0]);
    assert!(answers[1].get("refused").is_some(), "{}", answers[1]);
}

#[test]
fn generated_client_compiles() {
    let Some(folder) = NODE_TOOLS.folder("generated_client_compiles") else {
        return;
    };
    let program = |name: &str| Command::new(folder.join("node_modules/.bin").join(name));
    let types = folder.join("contract.d.ts");
    let mut generate = program("openapi-typescript");
    generate.arg(contract()).arg("-o").arg(&types);
    succeeds(&mut generate, "the types are generated");
    let mut compile = program("tsc");
    compile.args(["--noEmit", "--strict", "--target", "es2022"]);
    compile.args(["--module", "esnext", "--moduleResolution", "bundler"]);
    compile.args(["--lib", "es2022,dom"]);
    compile.arg(folder.join("client.ts"));
    succeeds(&mut compile, "the client compiles");
}

/// Every operation is tried with data that the contract allows and that it does not: the verifier
/// answers as the contract says, refuses what the contract refuses, and takes what it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_contract_violation() {
    let test = "schemathesis_finds_no_contract_violation";
    let Some(tools) = PYTHON_TOOLS.folder(test) else {
        return;
    };
    let folder = Folder::new("contract");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None);
    let (process, _) = setup.started().await;
    fs::write(
        folder.path().join("schemathesis.toml"),
        include_str!("schemathesis.toml"),
    )
    .unwrap();
    fs::write(folder.path().join("hooks.py"), include_str!("hooks.py")).unwrap();
    let authorization = format!("Authorization: Bearer {}", merchant.api_key);
    let operators = format!("http://{}", control_of(setup.listen));
    let listeners = [
        (
            setup.origin.as_str(),
            "--exclude-path-regex",
            Some(authorization),
        ),
        (operators.as_str(), "--include-path-regex", None),
    ];
    for (url, choice, header) in listeners {
        let mut command = Command::new("python3");
        let python = [
            tools.display().to_string(),
            folder.path().display().to_string(),
        ];
        command.current_dir(folder.path());
        command.env("PYTHONPATH", python.join(":"));
        command.env("SCHEMATHESIS_HOOKS", "hooks");
        command.args(["-m", "schemathesis.cli", "run"]);
        command.arg(contract());
        command.args(["--url", url, choice, "^/sim"]);
        command.args(["--phases", "examples,coverage,fuzzing", "--workers", "1"]);
        command.args(["--max-examples", "10", "--seed", "20261129"]);
        command.args(["--max-time", tried_for_seconds(), "--request-timeout", "15"]);
        command.args(header.iter().flat_map(|header| ["--header", header]));
        let run = tokio::task::spawn_blocking(move || {
            succeeds(&mut command, "schemathesis finds nothing");
        });
        run.await.unwrap();
    }
    drop(process);
}

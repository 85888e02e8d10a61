//! The operator's listener of a real process: where it is, who may use it, and what a start without
//! it says.

use harness::client::origin;
use harness::folder::Folder;
use harness::verifier_process::{Setup, VerifierProcess, control_of, free_address, program};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const TOKEN: &str = "5a0e1c3f7b9d2468ace013579bdf0246";

fn secret_file(folder: &Path, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(format!("secret-{mode:o}"));
    std::fs::write(&path, text).expect("the folder takes a file");
    let rights = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&path, rights).expect("the file is ours");
    path
}

/// What a start that fails says.
fn said(folder: &Path, words: &[&str]) -> String {
    let mut serve = Command::new(program());
    serve.arg("serve").args(words);
    serve.arg("--data").arg(folder.join("data"));
    let output = serve.output().expect("the program starts");
    assert!(!output.status.success(), "{words:?} starts a server");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn status(url: &str, token: Option<&str>) -> u16 {
    let mut request = reqwest::Client::new().get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.expect("an answer").status().as_u16()
}

/// As the documents say it: a public name, behind a proxy.
async fn documented_start(folder: &Folder) -> (Setup, VerifierProcess) {
    let mut setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    setup.origin = origin("https://pay.example");
    let flags = ["--test-mode-in-public", "--trusted-proxy", "127.0.0.1"];
    setup.flags.extend(flags.map(str::to_owned));
    let (process, _) = setup.started().await;
    (setup, process)
}

#[tokio::test]
async fn a_stranger_reads_nothing_of_the_bank_at_the_documented_start() {
    let folder = Folder::new("stranger");
    let (setup, _process) = documented_start(&folder).await;
    let client = reqwest::Client::new();
    for path in [
        "/sim",
        "/sim/phone",
        "/sim/payments",
        "/sim/state",
        "/metrics",
        "/readyz",
    ] {
        let url = format!("http://{}{path}", setup.listen);
        for host in ["pay.example", "localhost"] {
            let answer = client.get(&url).header("host", host).send().await;
            assert_eq!(answer.expect("an answer").status(), 404, "{host} {path}");
        }
        let control = format!("http://{}{path}", control_of(setup.listen));
        assert_eq!(status(&control, None).await, 200, "{path}");
    }
    let log = std::fs::read_to_string(&setup.log).expect("there is a log");
    assert!(log.contains("test mode: payments are simulated"), "{log}");
    assert!(log.contains("test mode in public"), "{log}");
}

#[tokio::test]
async fn beyond_loopback_the_control_listener_asks_for_its_token() {
    let folder = Folder::new("token");
    let setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    let token = secret_file(folder.path(), TOKEN, 0o600);
    let control = free_address();
    let file = folder.path().join("verifier-server.toml");
    let text = format!(
        "allow_plain_http = true\ncontrol_listen = \"0.0.0.0:{}\"\ncontrol_token_file = \"{}\"\n",
        control.port(),
        token.display()
    );
    std::fs::write(&file, text).expect("the folder takes a file");
    let mut serve = setup.command(&["serve", "--test-mode"]);
    serve.args(["--listen", &setup.listen.to_string()]);
    serve.args(["--public-origin", setup.origin.as_str()]);
    serve.arg("--config").arg(&file);
    let mut child = serve.spawn().expect("the program starts");
    let url = |path: &str| format!("http://{control}{path}");
    for _ in 0..400 {
        if std::net::TcpStream::connect(setup.listen).is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    for path in ["/", "/sim", "/sim/clock", "/metrics", "/readyz", "/nothing"] {
        assert_eq!(status(&url(path), None).await, 401, "{path}");
        assert_eq!(status(&url(path), Some(&TOKEN[1..])).await, 401, "{path}");
    }
    for path in ["/sim", "/sim/clock", "/metrics", "/readyz"] {
        assert_eq!(status(&url(path), Some(TOKEN)).await, 200, "{path}");
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn a_start_without_test_mode_says_that_there_is_no_provider() {
    let folder = Folder::new("live");
    let said = said(folder.path(), &[]);
    assert!(
        said.contains("provider.kind = \"simulated\" and test_mode = false do not go together"),
        "{said}"
    );
    assert!(said.contains("--test-mode"), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[test]
fn secrets_that_others_may_read_are_refused() {
    let folder = Folder::new("rights");
    let words = ["--test-mode", "--control-listen", "off"];
    let key = secret_file(folder.path(), &"A".repeat(43), 0o644);
    let key = key.to_string_lossy();
    let with_key = [&words[..], &["--master-key-file", &key]].concat();
    let refused = said(folder.path(), &with_key);
    assert!(
        refused.contains("may be used by others (mode 0644)"),
        "{refused}"
    );
    assert!(refused.contains("chmod 600"), "{refused}");

    let token = secret_file(folder.path(), TOKEN, 0o640);
    let address = format!("127.0.0.2:{}", free_address().port());
    let token = token.to_string_lossy();
    let words = [
        "--test-mode",
        "--control-listen",
        &address,
        "--control-token-file",
        &token,
    ];
    let refused = said(folder.path(), &words);
    assert!(
        refused.contains("may be used by others (mode 0640)"),
        "{refused}"
    );
}

#[test]
fn a_short_token_is_refused() {
    let folder = Folder::new("short");
    let token = secret_file(folder.path(), "secret", 0o600);
    let token = token.to_string_lossy();
    let address = format!("127.0.0.2:{}", free_address().port());
    let words = [
        "--test-mode",
        "--control-listen",
        &address,
        "--control-token-file",
        &token,
    ];
    let refused = said(folder.path(), &words);
    assert!(
        refused.contains("at least 32 printable characters"),
        "{refused}"
    );
}

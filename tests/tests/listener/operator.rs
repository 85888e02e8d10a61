//! The operator's listener of a real process: address, token, and a start without it.

use super::http2::{headers_of, preface};
use harness::client::origin;
use harness::folder::Folder;
use harness::processes::free_address;
use harness::verifier_process::{Setup, VerifierProcess, control_of, program};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

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
    // One that starts after all is a failure too.
    let mut serve = Command::new("timeout");
    serve.arg("20").arg(program());
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
async fn documented_start_exposes_no_bank_data() {
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
async fn operator_listener_beyond_loopback_requires_its_token() {
    let folder = Folder::new("token");
    let setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    let token = secret_file(folder.path(), TOKEN, 0o600);
    let control = free_address();
    let file = folder.path().join("verifier-server.toml");
    let text = format!(
        "control_allow_plain_http = true\ncontrol_listen = \"0.0.0.0:{}\"\ncontrol_token_file = \"{}\"\n",
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
fn start_without_test_mode_reports_a_missing_provider() {
    let folder = Folder::new("live");
    let said = said(folder.path(), &[]);
    assert!(
        said.contains(
            "providers.simulated.kind = \"simulated\" and test_mode = false do not go together"
        ),
        "{said}"
    );
    assert!(said.contains("--test-mode"), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[test]
fn secret_files_readable_by_others_are_rejected() {
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
fn short_operator_token_is_rejected() {
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

/// The beginning of an answer, to a request that is written by hand.
async fn answered(control: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(control).await.expect("connected");
    stream.write_all(request).await.expect("written");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // HTTP/2 keeps its connection: what came within a second is the answer.
    while let Ok(Ok(count @ 1..)) = timeout(Duration::from_secs(1), stream.read(&mut buffer)).await
    {
        answer.extend(&buffer[..count]);
    }
    answer
}

#[tokio::test]
async fn dns_rebinding_to_the_operator_listener_is_rejected() {
    let folder = Folder::new("rebinding");
    let (setup, _process) = documented_start(&folder).await;
    let control = control_of(setup.listen);
    for path in [
        "/sim/phone",
        "/sim",
        "/metrics",
        "/readyz",
        "/healthz",
        "/nothing",
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nconnection: close\r\nhost: ");
        let refused = answered(control, format!("{head}evil.example\r\n\r\n").as_bytes()).await;
        let refused = String::from_utf8_lossy(&refused).into_owned();
        assert!(refused.starts_with("HTTP/1.1 403"), "{path}: {refused}");
        assert!(refused.contains("cross_site_refused"), "{path}: {refused}");
        let served = answered(control, format!("{head}{control}\r\n\r\n").as_bytes()).await;
        assert!(!served.starts_with(b"HTTP/1.1 403"), "{path}");
        // The whole address, as a proxy is asked.
        let whole = format!(
            "GET http://evil.example{path} HTTP/1.1\r\nhost: {control}\r\nconnection: close\r\n\r\n"
        );
        let refused = answered(control, whole.as_bytes()).await;
        assert!(refused.starts_with(b"HTTP/1.1 403"), "{path}");
        for (authority, is_served) in [("evil.example", false), ("localhost", true)] {
            let mut request = preface(&[]);
            request.extend(headers_of(authority, 1, "GET", path, true));
            let answer = answered(control, &request).await;
            let is_refused = contains(&answer, b"errors/cross_site_refused");
            assert_eq!(is_refused, !is_served, "{authority} {path} by HTTP/2");
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn plain_text_token_requires_an_explicit_setting() {
    let folder = Folder::new("plain-token");
    let token = secret_file(folder.path(), TOKEN, 0o600);
    let file = folder.path().join("verifier-server.toml");
    let text = format!(
        "allow_plain_http = true\ncontrol_listen = \"0.0.0.0:0\"\ncontrol_token_file = \"{}\"\n",
        token.display()
    );
    std::fs::write(&file, text).expect("the folder takes a file");
    let said = said(
        folder.path(),
        &["--test-mode", "--config", &file.to_string_lossy()],
    );
    assert!(said.contains("control_allow_plain_http = true"), "{said}");
}

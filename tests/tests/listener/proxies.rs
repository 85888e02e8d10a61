//! Trusted proxies: required settings, and the headers that are accepted from them.

use harness::client::Prepared;
use harness::folder::Folder;
use harness::gateway::TestGateway;
use harness::log;
use harness::verifier_process::{Setup, control_of, program};
use std::net::SocketAddr;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[test]
fn public_origin_without_tls_or_proxy_is_rejected_at_start() {
    let folder = Folder::new("proxy");
    let output = Command::new(program())
        .args(["serve", "--test-mode", "--test-mode-in-public"])
        .args(["--public-origin", "https://pay.example", "--data"])
        .arg(folder.path().join("data"))
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for named in [
        "listen = \"127.0.0.1:8787\"",
        "public_origin = \"https://pay.example\"",
        "neither [tls] nor trusted_proxies is set",
        "--trusted-proxy 127.0.0.1",
    ] {
        assert!(said.contains(named), "{named}: {said}");
    }
}

#[tokio::test]
async fn trusted_proxy_request_id_is_logged() {
    let gateway = TestGateway::with(|config| {
        config.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await;
    let rows = [
        ("10.0.0.1:4711", "edge-4711-a", true),
        ("198.51.100.1:4711", "edge-4711-b", false),
        ("10.0.0.1:4711", "edge-4711-c secret", false),
    ];
    for (from, id, is_logged) in rows {
        let from: SocketAddr = from.parse().unwrap();
        let mut request = Prepared::get_of("/v1/keys", None);
        request.set("x-request-id", id);
        let answer = gateway.send_from(from, request).await;
        let own = answer.header("x-request-id").unwrap_or_default();
        assert!(own.starts_with("req_"), "{own}");
        let lines = log::lines_about(own);
        let named = lines.iter().any(|line| line.contains(id));
        assert_eq!(named, is_logged, "{id}: {lines:?}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn connection_metrics_are_exported_and_operators_are_served_at_the_limit() {
    let folder = Folder::new("metrics");
    let file = folder.path().join("connections.toml");
    std::fs::write(&file, "[connections]\nmax = 8\n").expect("the file is written");
    let setup = Setup::on_sqlite(folder.path()).with("--config", &file.to_string_lossy());
    let (_process, _) = setup.started().await;
    let mut open = Vec::new();
    for _ in 0..12 {
        open.push(TcpStream::connect(setup.listen).await.expect("connected"));
    }
    // One network has a quarter of all; the others are closed at once.
    let mut closed = 0;
    for stream in &mut open {
        let mut byte = [0];
        let read = stream.read(&mut byte);
        let read = tokio::time::timeout(std::time::Duration::from_secs(1), read).await;
        closed += usize::from(read.is_ok_and(|read| !matches!(read, Ok(1..))));
    }
    assert!((10..=11).contains(&closed), "{closed}");
    let metrics = metrics(control_of(setup.listen)).await;
    let figure = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|value| value.trim().parse::<usize>().ok());
        value.unwrap_or_else(|| panic!("{name} is not in\n{metrics}"))
    };
    let refused = "sealpay_connections_refused_total{reason=\"network_limit\"} ";
    assert!(figure(refused) >= 10);
    assert!(figure("sealpay_connections_open ") >= 2);
}

async fn metrics(control: SocketAddr) -> String {
    let mut stream = TcpStream::connect(control).await.expect("connected");
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {control}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    text
}

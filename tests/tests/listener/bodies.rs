//! Stalled request bodies do not delay other requests.

use super::connections::{ELSEWHERE, HERE, Verifier};
use super::http2::{data, headers, preface};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// Networks of the attacker, connections of each, and requests on each connection: as many in all as
/// `connections.max_requests`.
const NETWORKS: u8 = 8;
const CONNECTIONS: usize = 8;
const STREAMS: u32 = 32;

const NO_RATE_LIMIT: &str = "[rate_limit]\nper_second = 0\n";

async fn status_of(verifier: &Verifier, source: IpAddr, request: &str) -> String {
    let mut stream = verifier.connect_from(source).await;
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = vec![0; 12];
    let read = timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await;
    read.expect("an answer").expect("an answer");
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

const LIST: &str = "GET /v1/payments HTTP/1.1\r\nhost: localhost\r\n\r\n";
const PAY: &str = "POST /v1/payments HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
    content-length: 2\r\n\r\n{}";

/// One byte of each body, and then nothing.
async fn unfinished_bodies(verifier: &Verifier) -> Vec<TcpStream> {
    let mut sockets = Vec::new();
    for network in 1..=NETWORKS {
        let source = Ipv4Addr::new(127, 0, 1, network).into();
        for _ in 0..CONNECTIONS {
            let mut socket = verifier.connect_from(source).await;
            socket.write_all(&preface(&[])).await.expect("written");
            for place in 0..STREAMS {
                let stream = 2 * place + 1;
                let mut request = headers(stream, "POST", "/v1/payments", false);
                request.extend(data(stream, b"{"));
                socket.write_all(&request).await.expect("written");
            }
            sockets.push(socket);
        }
    }
    sockets
}

#[tokio::test]
async fn two_thousand_stalled_bodies_do_not_block_requests() {
    let verifier = Verifier::start(NO_RATE_LIMIT, "http").await;
    let sockets = unfinished_bodies(&verifier).await;
    sleep(Duration::from_secs(1)).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(status_of(&verifier, ELSEWHERE, LIST).await);
    }
    assert_eq!(statuses, ["401"; 10], "requests without a body");
    // Its signature is missing, which is found out when the whole of it is there.
    statuses.clear();
    for _ in 0..10 {
        statuses.push(status_of(&verifier, ELSEWHERE, PAY).await);
    }
    assert_eq!(statuses, ["401"; 10], "requests with a body");
    drop(sockets);
}

#[tokio::test]
async fn stalled_body_is_aborted_before_the_request_timeout() {
    let verifier = Verifier::start(NO_RATE_LIMIT, "http").await;
    let mut slow = verifier.connect_from(HERE).await;
    let head = PAY.replace(
        "content-length: 2\r\n\r\n{}",
        "content-length: 3000\r\n\r\n{",
    );
    slow.write_all(head.as_bytes()).await.expect("written");
    let began = Instant::now();
    let mut answer = vec![0; 12];
    let read = timeout(Duration::from_secs(20), slow.read_exact(&mut answer)).await;
    read.expect("an answer").expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 408");
    assert!(
        began.elapsed() >= Duration::from_secs(5),
        "a phone may pause"
    );
}

#[tokio::test]
async fn oversized_content_length_is_rejected_before_the_body() {
    let verifier = Verifier::start(NO_RATE_LIMIT, "http").await;
    let form = PAY
        .replace("/v1/payments", "/test/wallet/unknown")
        .replace("application/json", "application/x-www-form-urlencoded");
    for whole in [PAY, &form] {
        let head = whole.replace(
            "content-length: 2\r\n\r\n{}",
            "content-length: 99999\r\n\r\n{",
        );
        assert_eq!(status_of(&verifier, HERE, &head).await, "413", "{head}");
    }
}

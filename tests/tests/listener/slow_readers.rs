//! Clients that do not read their responses, with HTTP/1.1, HTTP/2 and TLS.

use super::connections::{HERE, Verifier};
use super::http2::{INITIAL_WINDOW_SIZE, headers, ping, preface, window_update};
use harness::folder::Folder;
use harness::load::get;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep};

/// More than the buffers of two sockets hold.
const LOADER_BYTES: usize = 16 * 1024 * 1024;
/// How long a client may leave its response unread.
const RESPONSE: Duration = Duration::from_secs(3);

/// A verifier with a large file, that has one connection for each network.
async fn verifier_with_a_large_file(folder: &Folder, tls: &str) -> Verifier {
    let widget = folder.path().join("widget");
    std::fs::create_dir(&widget).expect("the folder is made");
    std::fs::write(widget.join("index.html"), "<p>").expect("written");
    std::fs::write(widget.join("checkout.js"), vec![b' '; LOADER_BYTES]).expect("written");
    let settings = format!(
        "widget = \"{}\"\n[connections]\nmax = 8\nmax_per_network = 1\nresponse_seconds = {}\n{tls}",
        widget.display(),
        RESPONSE.as_secs()
    );
    let scheme = if tls.is_empty() { "http" } else { "https" };
    Verifier::start(&settings, scheme).await
}

/// Whether a place becomes free for the next client of the network.
async fn is_closed_within(verifier: &Verifier, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if verifier.is_healthy_for(HERE).await {
            return true;
        }
        sleep(Duration::from_millis(200)).await;
    }
    false
}

/// Reads a little now and then while its connection is watched.
async fn read_slowly(verifier: &Verifier, mut stream: impl AsyncRead + Unpin) -> bool {
    let reading = async {
        let mut buffer = [0; 100];
        loop {
            // What the server has left in the buffers can be read for a while yet.
            let _read = stream.read(&mut buffer).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = reading => false,
        is_closed = is_closed_within(verifier, Duration::from_secs(20)) => is_closed,
    }
}

#[tokio::test]
async fn slowly_read_response_closes_its_connection() {
    let folder = Folder::new("slow-reader");
    let verifier = verifier_with_a_large_file(&folder, "").await;
    let mut stream = verifier.connect_from(HERE).await;
    let request = get("/checkout.js", verifier.address);
    stream.write_all(&request).await.expect("written");
    let began = Instant::now();
    let first = stream.read_u8().await;
    first.expect("the beginning of the response");
    let is_free = verifier.is_healthy_for(HERE).await;
    // A busy machine may have taken longer than the client has.
    assert!(
        !is_free || began.elapsed() >= RESPONSE,
        "the place is taken"
    );
    assert!(read_slowly(&verifier, stream).await);
}

#[tokio::test]
async fn steadily_read_response_arrives() {
    let folder = Folder::new("steady-reader");
    let verifier = verifier_with_a_large_file(&folder, "").await;
    let mut stream = verifier.connect_from(HERE).await;
    let request = get("/checkout.js", verifier.address);
    stream.write_all(&request).await.expect("written");
    let began = Instant::now();
    let (mut buffer, mut read) = (vec![0; 128 * 1024], 0);
    while read < LOADER_BYTES {
        let count = stream.read(&mut buffer).await.expect("the rest of it");
        assert!(count > 0, "it ended after {read} bytes");
        read += count;
        sleep(Duration::from_millis(40)).await;
    }
    assert!(
        began.elapsed() > Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

/// A client of HTTP/2 can keep a response back without filling a buffer: it gives no window for it,
/// and says again and again that it is there.
#[tokio::test]
async fn response_without_a_flow_control_window_closes_its_connection() {
    let folder = Folder::new("no-window");
    let verifier = verifier_with_a_large_file(&folder, "").await;
    let mut stream = verifier.connect_from(HERE).await;
    let mut request = preface(&[(INITIAL_WINDOW_SIZE, 0)]);
    request.extend(headers(1, "GET", "/checkout.js", true));
    stream.write_all(&request).await.expect("written");
    let began = Instant::now();
    let mut buffer = [0; 4096];
    while stream.write_all(&ping()).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20), "it stays open");
        let _read =
            tokio::time::timeout(Duration::from_millis(250), stream.read(&mut buffer)).await;
        sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "and not at once");
}

#[tokio::test]
async fn slowly_read_tls_response_closes_its_connection() {
    let folder = Folder::new("slow-reader-tls");
    let (settings, connector, name) = super::connections::with_tls(&folder);
    let verifier = verifier_with_a_large_file(&folder, &settings).await;
    let stream = verifier.connect_from(HERE).await;
    let stream = connector.connect(name.clone(), stream).await;
    let mut stream = stream.expect("a connection");
    const ALL: u32 = 0x7fff_ffff;
    let mut request = preface(&[(INITIAL_WINDOW_SIZE, ALL)]);
    request.extend(window_update(ALL - 65_535));
    request.extend(headers(1, "GET", "/checkout.js", true));
    stream.write_all(&request).await.expect("written");
    stream.flush().await.expect("written");
    // The next one is a client of TLS as well.
    let reading = hold(&mut stream);
    let watching = async {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let next = verifier.connect_from(HERE).await;
            if connector.connect(name.clone(), next).await.is_ok() {
                return true;
            }
            sleep(Duration::from_millis(200)).await;
        }
        false
    };
    tokio::select! {
        () = reading => panic!("it never ends"),
        is_closed = watching => assert!(is_closed),
    }
}

async fn hold(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut buffer = [0; 100];
    loop {
        let _read = stream.read(&mut buffer).await;
        sleep(Duration::from_millis(100)).await;
    }
}

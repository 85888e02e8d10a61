//! Idle and slow connections, with plain HTTP and TLS, HTTP/1.1 and HTTP/2.

use harness::client::{Browser, origin};
use harness::folder::{Folder, write_secret};
use harness::load::{KeepAlive, encode, get};
use harness::processes::free_address;
use harness::verifier_process::{Setup, program};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Another network on the same machine.
pub(crate) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// The network that finds out whether the verifier listens.
const PROBE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 10));
/// As many as the server may have files.
const SOCKETS: usize = 160;
const IDLE: Duration = Duration::from_secs(2);

/// A verifier under a limit on open files.
pub(crate) struct Verifier {
    process: Child,
    pub(crate) address: SocketAddr,
    _folder: Folder,
}

impl Drop for Verifier {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Verifier {
    /// With what stands in its configuration file besides.
    pub(crate) async fn start(settings: &str, scheme: &str) -> Self {
        let folder = Folder::new("connections");
        let address = free_address();
        let public = origin(&format!("{scheme}://localhost:{}", address.port()));
        let text = format!(
            "listen = \"{address}\"\npublic_origin = \"{public}\"\ndata = \"{}\"\n{settings}",
            folder.path().join("data").display()
        );
        let file = folder.path().join("verifier-server.toml");
        std::fs::write(&file, text).expect("the file is written");
        let process = started_with_files(SOCKETS, &file);
        let verifier = Self {
            process,
            address,
            _folder: folder,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        // Its place is given back at some time or other, so it must not be one of a test's networks.
        while verifier.try_connect_from(PROBE).await.is_err() {
            assert!(Instant::now() < deadline, "the verifier does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        verifier
    }

    async fn try_connect_from(&self, source: IpAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(self.address).await
    }

    pub(crate) async fn connect_from(&self, source: IpAddr) -> TcpStream {
        let connected = self.try_connect_from(source).await;
        connected.expect("a connection")
    }

    pub(crate) async fn is_healthy_for(&self, source: IpAddr) -> bool {
        let mut stream = self.connect_from(source).await;
        let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        let mut answer = [0; 15];
        let asked = async {
            stream.write_all(request.as_bytes()).await?;
            stream.read_exact(&mut answer).await
        };
        let asked = timeout(Duration::from_secs(5), asked).await;
        asked.is_ok_and(|asked| asked.is_ok()) && answer == *b"HTTP/1.1 200 OK"
    }
}

fn started_with_files(files: usize, configuration: &Path) -> Child {
    let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
    let mut serve = Command::new("sh");
    serve.arg("-c").arg(limited).arg(program());
    serve.args(["serve", "--test-mode", "--control-listen", "off"]);
    serve.arg("--config").arg(configuration);
    serve.stdin(Stdio::null()).stdout(Stdio::null());
    serve.spawn().expect("the program starts")
}

/// The beginning of an HTTP/2 connection (RFC 9113 section 3.4), empty settings, and `GET /healthz`
/// (RFC 7541 appendix A has the numbers of the header fields).
fn http2_request(scheme: u8) -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const END_STREAM_AND_HEADERS: u8 = 0x05;
    let mut block = vec![0x82, scheme, 0x44, 8];
    block.extend(b"/healthz");
    block.extend([0x41, 9]);
    block.extend(b"localhost");
    let length = u8::try_from(block.len()).expect("a short block");
    let head = [0, 0, length, 1, END_STREAM_AND_HEADERS, 0, 0, 0, 1];
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &SETTINGS[..],
        &head,
        &block,
    ]
    .concat()
}

const HTTP: u8 = 0x86;
const HTTPS: u8 = 0x87;

/// Reads until the server closes the connection: how much came, or nothing while it stays open.
async fn read_to_the_end(stream: &mut (impl AsyncRead + Unpin), within: Duration) -> Option<usize> {
    let reading = async {
        let (mut buffer, mut read) = (vec![0; 4096], 0);
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return read,
                Ok(count) => read += count,
            }
        }
    };
    timeout(within, reading).await.ok()
}

/// Sends one request over each and then nothing more: all are closed, and meanwhile another network
/// is served.
async fn idle_sockets_are_closed<S>(verifier: &Verifier, mut sockets: Vec<S>, request: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for socket in &mut sockets {
        // Those over the limit are closed already.
        let _closed = socket.write_all(request).await;
    }
    let began = Instant::now();
    assert!(verifier.is_healthy_for(ELSEWHERE).await, "another network");
    let mut answered = 0;
    for socket in &mut sockets {
        let within = IDLE * 4;
        let read = read_to_the_end(socket, within.saturating_sub(began.elapsed())).await;
        let read = read.expect("an idle connection is closed");
        // Settings, their acknowledgement, and the answer.
        answered += usize::from(read > 30);
    }
    assert!(answered > 0, "some were served before");
    assert!(began.elapsed() >= IDLE / 2, "and not closed at once");
    assert!(verifier.is_healthy_for(HERE).await, "a new client");
}

fn settings() -> String {
    format!("[connections]\nidle_seconds = {}\n", IDLE.as_secs())
}

#[tokio::test]
async fn idle_http2_connections_are_closed_and_a_new_client_is_served() {
    let verifier = Verifier::start(&settings(), "http").await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(verifier.connect_from(HERE).await);
    }
    idle_sockets_are_closed(&verifier, sockets, &http2_request(HTTP)).await;
}

#[tokio::test]
async fn idle_http2_connections_over_tls_are_closed_and_a_new_client_is_served() {
    let keys = Folder::new("connections-tls");
    let (tls, connector, name) = with_tls(&keys);
    let verifier = Verifier::start(&[settings(), tls].concat(), "https").await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let stream = verifier.connect_from(HERE).await;
        if let Ok(stream) = connector.connect(name.clone(), stream).await {
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            sockets.push(stream);
        }
    }
    // The share of one network: a quarter of half of the files.
    let share = SOCKETS / 8;
    assert!(
        (share - 2..=share).contains(&sockets.len()),
        "{}",
        sockets.len()
    );
    let began = Instant::now();
    for socket in &mut sockets {
        socket
            .write_all(&http2_request(HTTPS))
            .await
            .expect("written");
    }
    for socket in &mut sockets {
        let read = read_to_the_end(socket, IDLE * 4).await;
        assert!(read.expect("an idle connection is closed") > 30, "answered");
    }
    assert!(began.elapsed() >= IDLE / 2, "and not closed at once");
    let fresh = verifier.connect_from(HERE).await;
    let fresh = connector.connect(name, fresh).await;
    assert!(fresh.is_ok(), "a new client");
}

/// Settings of TLS with a certificate of its own, and a client of HTTP/2 that knows it.
pub(crate) fn with_tls(folder: &Folder) -> (String, TlsConnector, ServerName<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let files = [
        ("certificate", made.cert.pem()),
        ("key", made.signing_key.serialize_pem()),
    ];
    let mut settings = "[tls]\n".to_owned();
    for (name, text) in files {
        let path = folder.path().join([name, ".pem"].concat());
        write_secret(&path, &text);
        settings.push_str(&format!("{name} = \"{}\"\n", path.display()));
    }
    let name = ServerName::try_from("localhost").expect("a name");
    (settings, http2_client(made.cert.der()), name)
}

fn http2_client(certificate: &CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn connection_without_a_request_is_closed() {
    let verifier = Verifier::start(&settings(), "http").await;
    // Nothing at all, the beginning of HTTP/2, and one request of HTTP/1.1.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for sent in [&b""[..], preface, &get("/healthz", verifier.address)] {
        let began = Instant::now();
        let mut stream = verifier.connect_from(HERE).await;
        stream.write_all(sent).await.expect("written");
        let closed = read_to_the_end(&mut stream, IDLE * 3).await;
        assert!(closed.is_some(), "{sent:?}");
        assert!(began.elapsed() >= IDLE / 2, "{sent:?}");
    }
    // Bytes that never become a request, and pings that ask for nothing.
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let drops: [(&[u8], &[u8]); 2] = [(b"GET /healthz HTTP/1.1\r\n", b"a"), (preface, &ping)];
    for (begin, drop) in drops {
        let mut stream = verifier.connect_from(HERE).await;
        stream.write_all(begin).await.expect("written");
        let began = Instant::now();
        while stream.write_all(drop).await.is_ok() {
            assert!(began.elapsed() < IDLE * 6, "{drop:?} keeps it open");
            sleep(IDLE / 8).await;
        }
    }
}

#[tokio::test]
async fn late_body_is_rejected_and_delays_nobody() {
    let settings = "[connections]\nmax_requests = 2\nbody_seconds = 1\n";
    let verifier = Verifier::start(settings, "http").await;
    let head = "POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 1000\r\n\r\n{";
    let mut slow = verifier.connect_from(HERE).await;
    slow.write_all(head.as_bytes()).await.expect("written");
    let mut answer = vec![0; 4096];
    let read = timeout(Duration::from_secs(5), slow.read(&mut answer)).await;
    let read = read.expect("an answer").expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    assert!(verifier.is_healthy_for(HERE).await);
}

/// Everybody's connections come from there.
#[tokio::test]
async fn trusted_proxy_may_use_all_connections() {
    let settings = format!("trusted_proxies = [\"127.0.0.1\"]\n{}", settings());
    let verifier = Verifier::start(&settings, "http").await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS / 4 {
        sockets.push(verifier.connect_from(HERE).await);
    }
    for round in 0..2 {
        for socket in &mut sockets {
            let request = get("/healthz", verifier.address);
            socket.write_all(&request).await.expect("written");
            let mut answer = [0; 1024];
            let read = socket.read(&mut answer).await.expect("an answer");
            let answer = &answer[..read];
            assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "round {round}");
            assert!(answer.ends_with(b"ok\n"), "round {round}");
        }
        // Proxies keep connections for their next request.
        sleep(IDLE * 2).await;
    }
}

/// A phone with a weak signal: a kilobyte takes four seconds.
#[tokio::test]
async fn slow_client_is_served() {
    const AT_ONCE: usize = 64;
    let folder = Folder::new("slow");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None);
    let (_process, _) = setup.started().await;
    let browser = Browser::new(&setup.origin);
    let opening = browser.open_session(&merchant.order(&setup.origin, None));
    let request = encode(&opening, setup.origin.authority());
    assert!(request.len() > 1024, "it takes more than four seconds");
    let mut stream = TcpStream::connect(setup.listen).await.expect("connected");
    for bytes in request.chunks(AT_ONCE) {
        stream.write_all(bytes).await.expect("the server waits");
        sleep(Duration::from_millis(250)).await;
    }
    let mut status = [0; 12];
    let read = timeout(Duration::from_secs(10), stream.read_exact(&mut status)).await;
    read.expect("an answer").expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test]
async fn too_low_file_limit_is_reported() {
    let folder = Folder::new("files");
    let data = folder.path().join("data");
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 63 && exec \"$0\" \"$@\""])
        .arg(program())
        .args(["serve", "--test-mode", "--control-listen", "off", "--data"])
        .arg(data)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("the limit on open files is 63"), "{said}");
    assert!(said.contains("LimitNOFILE="), "{said}");
}

#[tokio::test]
async fn active_keep_alive_connection_stays_open() {
    let verifier = Verifier::start(&settings(), "http").await;
    let mut connection = KeepAlive::connect(verifier.address)
        .await
        .expect("connected");
    let began = Instant::now();
    while began.elapsed() < IDLE * 3 {
        let answer = connection
            .exchange(&get("/healthz", verifier.address))
            .await;
        assert_eq!(answer.expect("an answer").status, 200);
        sleep(IDLE / 2).await;
    }
}

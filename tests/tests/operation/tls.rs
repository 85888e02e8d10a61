//! TLS by files, and plain HTTP only on loopback.

use harness::client::origin;
use harness::folder::Folder;
use harness::verifier_process::{Setup, free_address, program};
use std::process::{Child, Command};
use std::time::Duration;

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn a_certificate_and_a_key_give_https() {
    let folder = Folder::new("tls");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let certificate = made.cert.pem();
    let files = [
        ("certificate.pem", &certificate),
        ("key.pem", &made.signing_key.serialize_pem()),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the file is written");
    }
    let listen = free_address();
    let public = origin(&format!("https://localhost:{}", listen.port()));
    let configuration = format!(
        "test_mode = true\ncontrol_listen = \"off\"\nlisten = \"{listen}\"\npublic_origin = \"{public}\"\ndata = \"{data}/data\"\n\
         [tls]\ncertificate = \"{data}/certificate.pem\"\nkey = \"{data}/key.pem\"\n",
        data = folder.path().display()
    );
    let file = folder.path().join("verifier-server.toml");
    std::fs::write(&file, configuration).expect("the file is written");
    let started = Command::new(program())
        .arg("serve")
        .arg("--config")
        .arg(&file)
        .spawn();
    let _process = Killed(started.expect("the program starts"));

    let trusted = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .build()
        .expect("a client");
    let url = format!("{public}/v1/keys");
    let mut answer = client.get(&url).send().await;
    for _ in 0..200 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = client.get(&url).send().await;
    }
    assert_eq!(answer.expect("an answer over TLS").status(), 200);
    let stranger = reqwest::Client::new().get(&url).send().await;
    assert!(
        stranger.is_err(),
        "a client that does not know the certificate is not answered"
    );
}

#[test]
fn plain_http_on_a_public_address_is_refused_unless_it_is_asked_for() {
    let folder = Folder::new("plain");
    let setup = Setup::on_sqlite(folder.path());
    let serve = Command::new(program())
        .args(["serve", "--listen", "0.0.0.0:0", "--data"])
        .arg(&setup.data)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&serve.stderr);
    assert!(!serve.status.success());
    assert!(
        said.contains("0.0.0.0:0 is not loopback and there is no [tls]"),
        "{said}"
    );
}

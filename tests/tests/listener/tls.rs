//! TLS certificates, and plain HTTP on loopback only.

use harness::client::origin;
use harness::folder::{Folder, write_secret};
use harness::processes::free_address;
use harness::verifier_process::{Setup, program};
use sealpay_protocol::origin::Origin;
use std::path::Path;
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

#[test]
fn world_readable_tls_key_is_rejected() {
    let folder = Folder::new("tls-key");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let certificate = folder.path().join("certificate.pem");
    write_secret(&certificate, &made.cert.pem());
    let key = folder.path().join("key.pem");
    write_secret(&key, &made.signing_key.serialize_pem());
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, readable).expect("its owner may");
    let listen = free_address();
    let configuration = format!(
        "test_mode = true\ncontrol_listen = \"off\"\nlisten = \"{listen}\"\n\
         public_origin = \"https://localhost:{}\"\ndata = \"{data}/data\"\n\
         [tls]\ncertificate = \"{data}/certificate.pem\"\nkey = \"{data}/key.pem\"\n",
        listen.port(),
        data = folder.path().display()
    );
    let file = folder.path().join("verifier-server.toml");
    std::fs::write(&file, configuration).expect("the file is written");
    let mut serve = Command::new(program());
    let ended = serve.arg("serve").arg("--config").arg(&file).output();
    let ended = ended.expect("the program starts");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success(), "{said}");
    assert!(said.contains("key.pem may be used by everybody"), "{said}");
}

#[tokio::test]
async fn certificate_and_key_enable_https() {
    let folder = Folder::new("tls");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let certificate = made.cert.pem();
    let files = [
        ("certificate.pem", &certificate),
        ("key.pem", &made.signing_key.serialize_pem()),
    ];
    for (name, text) in files {
        write_secret(&folder.path().join(name), text);
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

/// A verifier with TLS whose files a test replaces.
struct WithTls {
    folder: Folder,
    public: Origin,
    process: Killed,
}

impl WithTls {
    async fn start(settings: &str) -> (Self, rcgen::CertifiedKey<rcgen::KeyPair>) {
        let folder = Folder::new("tls-files");
        let certified = write_certificate(folder.path());
        let listen = free_address();
        let public = origin(&format!("https://localhost:{}", listen.port()));
        let configuration = format!(
            "test_mode = true\ncontrol_listen = \"off\"\nlisten = \"{listen}\"\n\
             public_origin = \"{public}\"\ndata = \"{data}/data\"\n\
             [tls]\ncertificate = \"{data}/certificate.pem\"\nkey = \"{data}/key.pem\"\n{settings}",
            data = folder.path().display()
        );
        let file = folder.path().join("verifier-server.toml");
        std::fs::write(&file, configuration).expect("the file is written");
        let started = Command::new(program())
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .spawn();
        let process = Killed(started.expect("the program starts"));
        let verifier = Self {
            folder,
            public,
            process,
        };
        for _ in 0..200 {
            if verifier
                .answers(&certified, reqwest::tls::Version::TLS_1_3)
                .await
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (verifier, certified)
    }

    /// Whether a client that trusts nothing but this certificate is answered.
    async fn answers(
        &self,
        certified: &rcgen::CertifiedKey<rcgen::KeyPair>,
        at_most: reqwest::tls::Version,
    ) -> bool {
        let trusted = reqwest::Certificate::from_pem(certified.cert.pem().as_bytes());
        let client = reqwest::Client::builder()
            .tls_certs_only([trusted.expect("a certificate")])
            .tls_version_max(at_most)
            .build()
            .expect("a client");
        let answer = client.get(format!("{}/healthz", self.public)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}

fn write_certificate(folder: &Path) -> rcgen::CertifiedKey<rcgen::KeyPair> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let files = [
        ("certificate.pem", made.cert.pem()),
        ("key.pem", made.signing_key.serialize_pem()),
    ];
    for (name, text) in files {
        write_secret(&folder.join(name), &text);
    }
    made
}

#[tokio::test]
async fn replaced_certificate_is_used_without_a_restart() {
    use reqwest::tls::Version;
    let (verifier, before) = WithTls::start("").await;
    assert!(verifier.answers(&before, Version::TLS_1_2).await);
    let hang_up = || {
        let process = verifier.process.0.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &process]).status();
        assert!(sent.expect("kill is there").success());
    };
    // Files that cannot be used change nothing.
    std::fs::write(verifier.folder.path().join("certificate.pem"), "none").expect("written");
    hang_up();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(verifier.answers(&before, Version::TLS_1_3).await);
    let after = write_certificate(verifier.folder.path());
    hang_up();
    let mut is_new = false;
    for _ in 0..100 {
        is_new = verifier.answers(&after, Version::TLS_1_3).await;
        if is_new {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_new);
    assert!(!verifier.answers(&before, Version::TLS_1_3).await);
}

#[tokio::test]
async fn minimum_tls_version_is_configurable() {
    use reqwest::tls::Version;
    let settings = "min_version = \"1.3\"\n[hsts]\ninclude_subdomains = true\n";
    let (verifier, certified) = WithTls::start(settings).await;
    assert!(verifier.answers(&certified, Version::TLS_1_3).await);
    assert!(!verifier.answers(&certified, Version::TLS_1_2).await);
}

#[test]
fn plain_http_on_a_public_address_requires_a_setting() {
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

//! Postgres over TLS: the certificate has to name the host of the URL.

use super::fixtures::registered;
use harness::folder::Folder;
use harness::postgres_of_its_own::OwnPostgres;
use verifier_server::store::{DatabaseError, Options, Store};

async fn refused(url: &str) -> String {
    match Store::open(url, &Options::default()).await {
        Err(DatabaseError::Unavailable(why)) => why,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tls_with_a_matching_certificate_connects() {
    let Some(mut server) = OwnPostgres::start("a database over TLS") else {
        return;
    };
    let root = server.use_tls("localhost");
    let parameters = format!("?sslmode=verify-full&sslrootcert={}", root.display());
    let store = Store::open(&server.url("localhost", &parameters), &Options::default()).await;
    let store = store.unwrap();
    registered(&store).await;
    let encrypted = "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'sealpay' AND ssl";
    let plain = "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'sealpay' AND NOT ssl";
    assert!(server.ask(encrypted).await > 0);
    assert_eq!(server.ask(plain).await, 0);

    // The same server by another name of this machine, which the certificate does not have.
    let why = refused(&server.url("127.0.0.1", &parameters)).await;
    assert!(why.contains("not valid for name"), "{why}");
    // Nobody vouches for it but the authority of the file.
    let why = refused(&server.url("localhost", "?sslmode=verify-full")).await;
    assert!(why.contains("certificate"), "{why}");
    // It asks for TLS itself.
    let why = refused(&server.url("localhost", "")).await;
    assert!(why.contains("no encryption"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn certificate_of_another_host_is_rejected() {
    let Some(mut server) = OwnPostgres::start("a certificate of another host") else {
        return;
    };
    let root = server.use_tls("db.example");
    let parameters = format!("?sslmode=verify-full&sslrootcert={}", root.display());
    let why = refused(&server.url("localhost", &parameters)).await;
    assert!(why.contains("not valid for name"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn verify_full_never_falls_back_to_plain_text() {
    let Some(server) = OwnPostgres::start("a server without TLS") else {
        return;
    };
    let why = refused(&server.url("localhost", "?sslmode=verify-full")).await;
    assert!(why.contains("does not support TLS"), "{why}");
}

#[tokio::test]
async fn unusable_ca_file_is_named() {
    let folder = Folder::new("authorities");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    for (file, expected) in [
        (empty.as_path(), "there is no certificate in it"),
        (&folder.path().join("absent.pem"), "absent.pem"),
    ] {
        let file = file.display();
        let url = format!("postgres://u@localhost:1/d?sslmode=verify-full&sslrootcert={file}");
        let why = refused(&url).await;
        assert!(why.contains(expected), "{why}");
        assert!(why.contains("sslrootcert"), "{why}");
    }
}

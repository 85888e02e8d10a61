//! Rolling updates: a browser may load the document of one build and its files from another
//! verifier.

use harness::folder::Folder;
use harness::gateway::TestGateway;
use harness::load::{KeepAlive, get};
use harness::postgres::fresh_database;
use harness::processes::free_address;
use harness::verifier_process::Setup;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

fn write_widget(folder: &Path, style: &str) {
    fs::create_dir_all(folder).expect("a folder");
    let document = "<link href=\"/assets/style.css\"><script src=\"/assets/boot.js\"></script>";
    let files = [
        ("index.html", document),
        ("boot.js", "boot"),
        ("checkout.js", "loader"),
        ("style.css", style),
        ("style.css.br", style),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content).expect("a file");
    }
}

/// The folder of the files that a document asks for.
fn assets_of(document: &str) -> String {
    let (_, rest) = document.split_once("/assets/").expect("it asks for files");
    let digest = rest.split('/').next().expect("they are in a folder");
    format!("/assets/{digest}")
}

#[tokio::test]
async fn files_and_pinned_loader_of_the_previous_build_are_served() {
    let mut gateway = TestGateway::with(|config| {
        config.widget = config.data.join("widget");
        write_widget(&config.widget, "a{}");
    })
    .await;
    let path = format!("/checkout/{}", gateway.merchant.id);
    let before = assets_of(&gateway.get(&path, None).await.text());
    write_widget(&gateway.folder.path().join("widget"), "b{}");
    gateway.restart().await;
    let after = assets_of(&gateway.get(&path, None).await.text());
    assert_ne!(before, after);
    for (folder, style) in [(&before, "a{}"), (&after, "b{}"), (&before, "a{}")] {
        let answer = gateway.get(&format!("{folder}/style.css"), None).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, style.into()));
        assert_eq!(
            answer.header("content-type"),
            Some("text/css; charset=utf-8")
        );
        let immutable = "public, max-age=31536000, immutable";
        assert_eq!(answer.header("cache-control"), Some(immutable));
        let loader = gateway.get(&format!("{folder}/checkout.js"), None).await;
        assert_eq!(loader.text(), "loader");
    }
    for path in [
        format!("{before}/none.js"),
        format!("{before}/index.html"),
        format!("/assets/{}/style.css", "0".repeat(32)),
        "/assets/0/style.css".into(),
        "/assets/..%2f/style.css".into(),
    ] {
        assert_eq!(gateway.get(&path, None).await.status, 404, "{path}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn altered_build_files_are_not_served() {
    let mut gateway = TestGateway::with(|config| {
        config.widget = config.data.join("widget");
        write_widget(&config.widget, "a{}");
    })
    .await;
    let path = format!("/checkout/{}", gateway.merchant.id);
    let before = assets_of(&gateway.get(&path, None).await.text());
    write_widget(&gateway.folder.path().join("widget"), "b{}");
    gateway.restart().await;
    let database = gateway.folder.path().join("sealpay.sqlite");
    let database = rusqlite::Connection::open(database).unwrap();
    let altered = "UPDATE widget_files SET content = 'AAAA' WHERE name = 'boot.js'";
    assert_eq!(database.execute(altered, []).unwrap(), 2);
    let answer = gateway.get(&format!("{before}/style.css"), None).await;
    assert_eq!(answer.status, 404);
    gateway.finish().await;
}

async fn text(address: SocketAddr, path: &str) -> (u16, String) {
    let connected = KeepAlive::connect(address).await;
    let mut connection = connected.expect("the verifier listens");
    let answer = connection.exchange(&get(path, address)).await;
    let answer = answer.expect("an answer");
    let text = String::from_utf8_lossy(answer.body).into_owned();
    (answer.status, text)
}

#[tokio::test]
async fn two_builds_behind_a_load_balancer_serve_each_others_files() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let folder = Folder::new("rolling");
    let mut setups = Vec::new();
    for (place, style) in ["a{}", "b{}"].into_iter().enumerate() {
        let widget = folder.path().join(format!("widget-{place}"));
        write_widget(&widget, style);
        let mut setup = Setup::on_sqlite(folder.path());
        database.url().clone_into(&mut setup.database);
        setup.listen = free_address();
        setup.log = folder.path().join(format!("verifier-{place}.log"));
        setups.push(setup.with("--widget-dir", &widget.to_string_lossy()));
    }
    let merchant = setups[0].add_merchant(None);
    let (_old, _) = setups[0].started().await;
    let (_new, _) = setups[1].started().await;
    let addresses = [setups[0].listen, setups[1].listen];
    let path = format!("/checkout/{}", merchant.id);
    let mut builds = BTreeSet::new();
    for round in 0..20 {
        let (status, document) = text(addresses[round % 2], &path).await;
        assert_eq!(status, 200);
        let folder = assets_of(&document);
        for (place, file) in ["boot.js", "style.css"].iter().enumerate() {
            let asked = addresses[(round + place + 1) % 2];
            let (status, _) = text(asked, &format!("{folder}/{file}")).await;
            assert_eq!(status, 200, "{file} of {folder}");
        }
        builds.insert(folder);
    }
    assert_eq!(builds.len(), 2);
}

//! Builds of the widget in the database.

use crate::databases::on_both_databases;
use crate::storage::fixtures::NOW_MS;
use crate::storage::test_database::TestDatabase;
use verifier_server::widget_builds::store::WidgetFile;

on_both_databases! {
    TestDatabase:
    build_file_is_stored_once_and_deleted_with_its_build,
}

fn file(name: &str, coding: &str, content: &str) -> WidgetFile {
    WidgetFile {
        name: name.into(),
        coding: coding.into(),
        content: content.into(),
    }
}

async fn build_file_is_stored_once_and_deleted_with_its_build(database: &TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.widget_builds.list().await, Ok(Vec::new()));
    store.widget_builds.record("old", NOW_MS).await.unwrap();
    store.widget_builds.record("new", NOW_MS + 5).await.unwrap();
    let files = [
        file("boot.js", "br", "YnI"),
        file("boot.js", "identity", "aWQ"),
        file("style.css", "identity", "Y3Nz"),
    ];
    for file in &files {
        store.widget_builds.add_file("old", file).await.unwrap();
        store.widget_builds.add_file("new", file).await.unwrap();
    }
    let other = file("boot.js", "br", "b3RoZXI");
    store.widget_builds.add_file("old", &other).await.unwrap();
    assert_eq!(store.widget_builds.files("old").await.unwrap(), files);
    assert_eq!(store.widget_builds.file_count("old").await, Ok(3));
    assert_eq!(store.widget_builds.file_count("none").await, Ok(0));
    // A build that is served again is seen later, and keeps its files.
    store.widget_builds.record("old", NOW_MS + 9).await.unwrap();
    store.widget_builds.purge(NOW_MS + 9).await.unwrap();
    assert_eq!(store.widget_builds.list().await, Ok(vec!["old".to_owned()]));
    assert_eq!(store.widget_builds.files("old").await.unwrap(), files);
    assert_eq!(store.widget_builds.files("new").await, Ok(Vec::new()));
    store.widget_builds.purge(NOW_MS + 10).await.unwrap();
    assert_eq!(store.widget_builds.list().await, Ok(Vec::new()));
    assert_eq!(store.widget_builds.file_count("old").await, Ok(0));
}

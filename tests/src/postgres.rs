//! A real Postgres for tests: one server for the whole test process, and a fresh database for each
//! test.
//!
//! `SEALPAY_TEST_POSTGRES_URL` names a server that runs already; its user may create databases.
//! Otherwise one is started from installed binaries (`SEALPAY_TEST_POSTGRES_BIN`, `PATH`, or where
//! Debian puts them) on a socket in a temporary folder. It ends with the test process, however
//! that ends. Without either, tests say loudly that they were skipped.

use crate::processes::{Running, setting};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// A database of its own.
#[derive(Debug)]
pub struct Database {
    url: String,
    name: String,
    server: &'static Server,
}

impl Database {
    /// The folder and the port of the server's socket, and this database's name; nothing when the
    /// server is not our own.
    #[must_use]
    pub fn socket(&self) -> Option<(PathBuf, u16, String)> {
        self.server.process.as_ref()?;
        let rest = self.server.url.strip_prefix("postgres://sealpay@")?;
        let (socket, _) = rest.split_once('/')?;
        let folder = socket.replace("%2F", "/");
        Some((folder.into(), 5432, self.name.clone()))
    }

    /// A copy of it, which nobody may be using.
    pub(crate) async fn copied(&self) -> Option<Self> {
        create(&format!(" TEMPLATE {}", self.name)).await
    }

    /// Ends all connections to it, which those who hold them may not have closed yet.
    pub(crate) async fn disconnect_all(&self) {
        let client = connect(&self.server.url).await;
        let client = client.expect("the test server takes connections");
        let ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        while client
            .query(ending, &[&self.name])
            .await
            .is_ok_and(|ended| !ended.is_empty())
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `postgres://…`
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.server.process.is_some() {
            // It goes away with its server; dropping it would cost a checkpoint.
            return;
        }
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let url = &self.server.url;
        // The test's own runtime may be going down, and cannot be waited for from here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let client = connect(url).await.map_err(std::io::Error::other)?;
                client
                    .batch_execute(&sql)
                    .await
                    .map_err(std::io::Error::other)
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("The test database {} could not be dropped.", self.name);
        }
    }
}

/// A fresh database, or none when there is no Postgres, which is said on standard error.
pub async fn fresh_database() -> Option<Database> {
    create("").await
}

async fn create(like: &str) -> Option<Database> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("sealpay_test_{}_{number}", std::process::id());
    let client = connect(&server.url)
        .await
        .expect("the test server takes connections");
    let creating = client
        .batch_execute(&format!("CREATE DATABASE {name}{like}"))
        .await;
    creating.expect("the test user may create databases");
    let url = with_database(&server.url, &name);
    Some(Database { url, name, server })
}

/// Connects to a database.
///
/// # Errors
/// Nobody listens there, or connections are refused.
pub async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The URL with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let (base, parameters) = url
        .split_once('?')
        .map_or((url, None), |(a, b)| (a, Some(b)));
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    let parameters = parameters
        .map(|text| format!("?{text}"))
        .unwrap_or_default();
    format!("{}/{name}{parameters}", &base[..end])
}

/// The server, started at the first call.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if let Some(url) = setting("SEALPAY_TEST_POSTGRES_URL") {
            return Some(Server { url, process: None });
        }
        let Some(binaries) = find_binaries() else {
            eprintln!(
                "\n*** SKIPPED: no Postgres. Install it, or set SEALPAY_TEST_POSTGRES_BIN to the \
                 folder of its binaries or SEALPAY_TEST_POSTGRES_URL to a server. ***\n"
            );
            return None;
        };
        Some(Server::start(&binaries))
    });
    server.as_ref()
}

/// The folder with `initdb` and `postgres`.
pub(crate) fn find_binaries() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = setting("SEALPAY_TEST_POSTGRES_BIN")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    let path = setting("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<_> = versions
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    folders.into_iter().find(|folder| {
        ["initdb", "postgres"]
            .iter()
            .all(|name| folder.join(name).is_file())
    })
}

/// The machine that runs the tests does not crash, and a connection should cost little memory.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "shared_buffers=32MB",
];

#[derive(Debug)]
struct Server {
    url: String,
    /// Ours, when it is.
    process: Option<Running>,
}

impl Server {
    fn start(binaries: &Path) -> Self {
        let folder = std::env::temp_dir().join(format!("sealpay-postgres-{}", std::process::id()));
        let data = folder.join("data");
        // The id of a process may come again; what an earlier one left is in the way.
        fs::remove_dir_all(&folder).ok();
        fs::create_dir(&folder).expect("the temporary folder can be written");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("own folder");
        let user = ordinary_user_if_root();
        chown_to(&folder, user);
        initialize(binaries, &data, user);

        let mut server = as_user(user, &binaries.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        server.args(["-c", "listen_addresses=", "-c", "max_connections=300"]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let log = folder.join("log");
        let process = Running::start_with_signal("QUIT", &server, &log, Some(&folder));
        let socket = folder.to_string_lossy().replace('/', "%2F");
        let url = format!("postgres://sealpay@{socket}/postgres");
        wait_for(&log, "ready to accept connections");
        Self {
            url,
            process: Some(process),
        }
    }
}

/// Makes the files of a server.
pub(crate) fn initialize(binaries: &Path, data: &Path, user: Option<(u32, u32)>) {
    let mut initdb = as_user(user, &binaries.join("initdb"));
    initdb.arg("--pgdata").arg(data);
    initdb.args([
        "--username=sealpay",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
    ]);
    initdb.args(["--no-sync", "--no-instructions"]);
    let made = initdb.output().expect("initdb starts");
    assert!(made.status.success(), "initdb: {}", said(&made));
}

/// Whom the programs run as when this process is root.
pub(crate) fn ordinary_user_if_root() -> Option<(u32, u32)> {
    (own_id("-u") == 0).then(ordinary_user)
}

pub(crate) fn chown_to(path: &Path, user: Option<(u32, u32)>) {
    if let Some((user, group)) = user {
        chown(path, Some(user), Some(group)).expect("root may give files away");
    }
}

/// Waits until a log has these words; a socket may be there a little earlier.
pub(crate) fn wait_for(log: &Path, words: &str) {
    for _ in 0..600 {
        let text = fs::read_to_string(log).unwrap_or_default();
        if text.contains(words) {
            return;
        }
        // A connection during the start is rejected with the same word.
        let is_broken = text.contains("FATAL") && !text.contains("starting up");
        assert!(!is_broken, "it did not start: {text}");
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not ready: {}", fs::read_to_string(log).unwrap_or_default());
}

/// Postgres refuses to run as root, so it runs as its own user or as nobody.
fn ordinary_user() -> (u32, u32) {
    let known = ["postgres", "nobody"].into_iter().find_map(|name| {
        let id = |flag| number(&Command::new("id").args([flag, name]).output().ok()?);
        Some((id("-u")?, id("-g")?))
    });
    known.expect("there is a user called postgres or nobody")
}

fn own_id(flag: &str) -> u32 {
    let output = Command::new("id").arg(flag).output().expect("id starts");
    number(&output).expect("id prints a number")
}

fn number(output: &Output) -> Option<u32> {
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// A program that runs as somebody, in a folder that everybody may enter.
pub(crate) fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command = Command::new("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={group}")]);
        command.arg("--clear-groups").arg(program);
    }
    command.current_dir("/");
    command
}

fn said(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_in_a_url_is_replaced() {
        let rows = [
            ("postgres://u@h", "postgres://u@h/t"),
            ("postgres://u:p@h:5432/a", "postgres://u:p@h:5432/t"),
            (
                "postgres://u@%2Ftmp%2Fx/a?connect_timeout=3",
                "postgres://u@%2Ftmp%2Fx/t?connect_timeout=3",
            ),
            ("postgres://h?user=u", "postgres://h/t?user=u"),
        ];
        for (url, expected) in rows {
            assert_eq!(with_database(url, "t"), expected);
        }
    }
}

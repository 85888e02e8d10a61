//! A Postgres server that one test has to itself: it may be stopped, started again and given a
//! certificate. And PgBouncer before any server.

use crate::folder::Folder;
use crate::postgres::{
    as_user, chown_to, connect, find_binaries, initialize, ordinary_user_if_root, wait_for,
};
use crate::processes::{Running, free_address, setting};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A server of its own, on a port of 127.0.0.1 and on a socket.
#[derive(Debug)]
pub struct OwnPostgres {
    // Before the folder that it works in.
    process: Option<Running>,
    binaries: PathBuf,
    port: u16,
    folder: Folder,
}

impl OwnPostgres {
    /// A server, or none where there is no Postgres, which is said on standard error.
    #[must_use]
    pub fn start(test: &str) -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            eprintln!("\n*** SKIPPED: no programs of Postgres: {test} ***\n");
            return None;
        };
        let folder = Folder::new("own-postgres");
        let user = ordinary_user_if_root();
        chown_to(folder.path(), user);
        initialize(&binaries, &folder.path().join("data"), user);
        let mut server = Self {
            process: None,
            binaries,
            port: free_address().port(),
            folder,
        };
        server.start_again();
        Some(server)
    }

    /// Starts it after a stop, on the same data and port.
    pub fn start_again(&mut self) {
        let mut program = as_user(ordinary_user_if_root(), &self.binaries.join("postgres"));
        program.arg("-D").arg(self.folder.path().join("data"));
        program.arg("-k").arg(self.folder.path());
        program.arg("-p").arg(self.port.to_string());
        program.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        let log = self.folder.path().join("log");
        self.process = Some(Running::start_with_signal("INT", &program, &log, None));
        wait_for(&log, "ready to accept connections");
    }

    /// Stops it and closes its connections.
    pub fn stop(&mut self) {
        drop(self.process.take());
    }

    /// Gives it a certificate for a name, made by an authority of its own. Connections over TCP
    /// have to use TLS from then on. Answers with the authority's file.
    #[must_use]
    pub fn use_tls(&mut self, name: &str) -> PathBuf {
        let authority_key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = authority.self_signed(&authority_key).expect("an authority");
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let server = server.signed_by(&key, &issuer).expect("a certificate");
        let data = self.folder.path().join("data");
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        for (file, text) in [
            ("server.crt", server.pem()),
            ("server.key", key.serialize_pem()),
            ("pg_hba.conf", rules.to_owned()),
        ] {
            let path = data.join(file);
            fs::write(&path, text).expect("own folder");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("own file");
            chown_to(&path, ordinary_user_if_root());
        }
        let settings = data.join("postgresql.auto.conf");
        fs::write(&settings, "ssl = on\n").expect("own folder");
        let root = self.folder.path().join("authority.pem");
        fs::write(&root, made.pem()).expect("own folder");
        self.stop();
        self.start_again();
        root
    }

    /// Its address by a name or number of this machine.
    #[must_use]
    pub fn url(&self, host: &str, parameters: &str) -> String {
        let port = self.port;
        format!("postgres://sealpay@{host}:{port}/postgres{parameters}")
    }

    /// The folder of its socket, and the port.
    #[must_use]
    pub fn socket(&self) -> (PathBuf, u16) {
        (self.folder.path().to_owned(), self.port)
    }

    /// Runs statements by the socket and answers with the first number, past the pool of a store.
    pub async fn ask(&self, sql: &str) -> i64 {
        let folder = self.folder.path().to_string_lossy().replace('/', "%2F");
        let writes = "options=-c%20default_transaction_read_only%3Doff";
        let url = format!(
            "postgres://sealpay@{folder}:{}/postgres?{writes}",
            self.port
        );
        let client = connect(&url).await.expect("it takes connections");
        let row = client.query_opt(sql, &[]).await.expect("it answers");
        row.map_or(0, |row| row.get(0))
    }
}

/// PgBouncer before a server.
#[derive(Debug)]
pub struct PgBouncer {
    _process: Running,
    _folder: Folder,
    port: u16,
}

impl PgBouncer {
    /// One before a server's socket, or none where it is not installed, which is said on standard
    /// error.
    #[must_use]
    pub fn start(test: &str, socket: (PathBuf, u16), mode: &str, connections: u16) -> Option<Self> {
        let Some(program) = find_pgbouncer() else {
            eprintln!("\n*** SKIPPED: pgbouncer is not installed: {test} ***\n");
            return None;
        };
        let folder = Folder::new("pgbouncer");
        let user = ordinary_user_if_root();
        let port = free_address().port();
        let (host, server_port) = socket;
        let configuration = format!(
            "[databases]\n* = host={} port={server_port} user=sealpay\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             admin_users = sealpay\npool_mode = {mode}\ndefault_pool_size = {connections}\n\
             max_client_conn = 200\n",
            host.display()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, configuration).expect("own folder");
        chown_to(folder.path(), user);
        chown_to(&file, user);
        let mut program = as_user(user, &program);
        program.arg(&file);
        let log = folder.path().join("log");
        let process = Running::start_with_signal("INT", &program, &log, None);
        wait_for(&log, "process up");
        Some(Self {
            _process: process,
            _folder: folder,
            port,
        })
    }

    /// The address of a database behind it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://sealpay@127.0.0.1:{}/{database}", self.port)
    }

    /// Gives it another command at its console.
    pub async fn command(&self, command: &str) {
        let console = connect(&self.url("pgbouncer")).await;
        let console = console.expect("it takes connections");
        let done = console.simple_query(command).await;
        done.expect("the console obeys");
    }
}

fn find_pgbouncer() -> Option<PathBuf> {
    let path = setting("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let mut programs = folders.into_iter().map(|folder| folder.join("pgbouncer"));
    programs.find(|program| program.is_file())
}

//! Command-line flags, which override the configuration file.

use super::ControlListen;
use clap::Args;
use sealpay_protocol::origin::Origin;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Flags that win over the file.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// The configuration file; `verifier-server config` prints one with every default.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder for what the server keeps.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// `sqlite`, or postgres://user:password@host/name
    /// Every user of this machine can read a password here; prefer --database-file or PGPASSFILE.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "database_file"
    )]
    pub database: Option<String>,
    /// The file with the Postgres URL, readable only by its owner.
    #[arg(long, global = true, value_name = "FILE")]
    pub database_file: Option<PathBuf>,
    /// The master key's file.
    #[arg(long, global = true, value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
}

/// Flags of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeFlags {
    /// Where the server listens, such as 127.0.0.1:8787
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The origin at which browsers and merchants reach the server.
    #[arg(long, value_name = "ORIGIN")]
    pub public_origin: Option<Origin>,
    /// Run in test mode: simulated bank, simulated outcomes, /sim on the control listener.
    #[arg(long)]
    pub test_mode: bool,
    /// Allow test mode under a public origin that other machines reach.
    #[arg(long)]
    pub test_mode_in_public: bool,
    /// Address of the control listener, such as 127.0.0.1:8788, or off.
    #[arg(long, value_name = "ADDRESS")]
    pub control_listen: Option<ControlListen>,
    /// The file with the bearer token for the control listener.
    #[arg(long, value_name = "FILE")]
    pub control_token_file: Option<PathBuf>,
    /// The folder with the widget's files.
    #[arg(long, value_name = "DIR")]
    pub widget_dir: Option<PathBuf>,
    /// Network of proxies whose X-Forwarded-For is trusted, such as 127.0.0.1/32
    #[arg(long, value_name = "NETWORK")]
    pub trusted_proxy: Vec<String>,
    /// Non-public network that webhooks may reach, such as 127.0.0.0/8
    #[arg(long, value_name = "NETWORK")]
    pub webhook_allow: Vec<String>,
    /// Allow webhooks over plain HTTP.
    #[arg(long)]
    pub webhook_allow_http: bool,
    /// How long the provider may take, milliseconds.
    #[arg(long, value_name = "MILLISECONDS")]
    pub provider_timeout_ms: Option<u64>,
    /// Requests a second from one address; 0 for no limit.
    #[arg(long, value_name = "REQUESTS")]
    pub rate_limit_per_second: Option<u32>,
    /// What to log, such as info or warn.
    #[arg(long, value_name = "FILTER")]
    pub log_filter: Option<String>,
}

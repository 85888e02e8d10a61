//! Paper Lantern, a small merchant on its own origin: it signs orders, takes webhooks and marks
//! orders Paid.

mod app;
mod desk;
mod edge;
mod integration;
mod order_key;
mod orders;
mod pages;
mod personas;
mod products;
#[cfg(test)]
mod router_tests;
#[cfg(test)]
mod scratch;
mod verifier;
mod when;

use app::{Shop, app};
use clap::{Args, Parser, Subcommand};
use desk::Desk;
use edge::Edge;
use integration::Integration;
use orders::OrderFile;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::webhook::EndpointSecret;
use serde::Deserialize;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use verifier::Verifier;

/// How long requests under way may still take after the signal to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// A small shop that is paid through Sealpay.
#[derive(Parser)]
#[command(name = "shop", version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Makes the key that signs orders, unless there is one, and prints its public half.
    Keygen {
        /// The folder that holds the key and the orders.
        #[arg(long)]
        data: PathBuf,
    },
    /// Opens the shop.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// The folder that holds the key and the orders.
    #[arg(long)]
    data: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:4242")]
    listen: SocketAddr,
    /// The origin under which shoppers see the shop.
    #[arg(long, default_value = "http://127.0.0.1:4242")]
    public_origin: Origin,
    /// The verifier's origin.
    #[arg(long, default_value = "http://localhost:8787")]
    verifier: Origin,
    /// The origin of the verifier's control listener, where test cards and test controls are; without
    /// it the shop sells as if nothing were a test.
    #[arg(long)]
    verifier_control: Option<Origin>,
    /// What the verifier told when the merchant was registered, as JSON.
    #[arg(long)]
    merchant_file: PathBuf,
}

/// The members of the merchant file that a shop needs.
#[derive(Deserialize)]
struct MerchantFile {
    merchant: MerchantId,
    /// Whether real money moves. A file that does not say so is of a live merchant, which refuses a
    /// test's events.
    #[serde(default = "live")]
    livemode: bool,
    key_id: String,
    webhook_secret: String,
    /// For what follows a payment; without it the shop only sells.
    api_key: Option<String>,
}

const fn live() -> bool {
    true
}

#[tokio::main]
async fn main() -> ExitCode {
    let edge = Edge::of_this_machine();
    let done = match Command::parse().action {
        Action::Keygen { data } => keygen(&data, &edge),
        Action::Serve(options) => serve(options, edge).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn keygen(data: &Path, edge: &Edge) -> Result<(), Box<dyn Error>> {
    let registration = order_key::create(data, edge)?;
    let line = serde_json::to_string(&registration)?;
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}

async fn serve(options: Serve, edge: Edge) -> Result<(), Box<dyn Error>> {
    let shop = open(&options, edge)?;
    let listener = tokio::net::TcpListener::bind(options.listen)
        .await
        .map_err(|error| {
            let advice = "Choose another address with --listen.";
            format!("Cannot listen on {}: {error}. {advice}", options.listen)
        })?;
    eprintln!("shop: open at {}", options.public_origin);
    let served = axum::serve(listener, app(Arc::new(shop))).with_graceful_shutdown(told_to_stop());
    tokio::select! {
        done = served => done?,
        () = async { told_to_stop().await; tokio::time::sleep(LAST_REQUESTS).await } => {}
    }
    eprintln!("shop: closed");
    Ok(())
}

fn open(options: &Serve, edge: Edge) -> Result<Shop, Box<dyn Error>> {
    let path = options.merchant_file.display();
    let text = fs::read_to_string(&options.merchant_file)
        .map_err(|error| format!("Cannot read the merchant file {path}: {error}."))?;
    let registered: MerchantFile = serde_json::from_str(&text)
        .map_err(|error| format!("The merchant file {path} is not as expected: {error}."))?;
    let webhook_secret = EndpointSecret::parse(&registered.webhook_secret)
        .ok_or_else(|| format!("The webhook secret in {path} is not `whsec_` and 32 bytes."))?;
    let order_key = order_key::read(&options.data)?;
    let file = options.data.join("orders.sqlite");
    let orders = OrderFile::open(&file)
        .map_err(|error| format!("Cannot open {}: {error}.", file.display()))?;
    let integration = Integration {
        merchant: registered.merchant,
        livemode: registered.livemode,
        key_id: registered.key_id,
        order_key,
        webhook_secret,
        verifier: options.verifier.clone(),
        shop: options.public_origin.clone(),
    };
    let verifier = Verifier::new(options.verifier.clone(), options.verifier_control.clone())?;
    let desk = registered.api_key;
    let desk = desk.map(|api_key| Desk::new(options.verifier.clone(), api_key));
    Ok(Shop {
        integration,
        orders,
        verifier,
        desk: desk.transpose()?,
        edge,
    })
}

/// Returns at the first SIGINT or SIGTERM; requests under way are then finished.
async fn told_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

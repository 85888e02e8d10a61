//! The command line. Secrets are shown once, on standard output; messages go to standard error.

mod api_keys;
mod audit;
mod keys;
mod listen;
mod modifications;
mod settle;
mod world;

use crate::app::Parts;
use crate::config::{Config, DEFAULT_FILE, Flags, ServeFlags};
use crate::merchants::register::{
    MerchantAdmin, MerchantCredentials, NewMerchant, check_webhook_url,
};
use crate::serve;
use crate::store::{DatabaseError, Store};
use api_keys::ApiKeyCommand;
use audit::Change;
use clap::{Args, Parser, Subcommand};
use keys::KeysCommand;
use modifications::ModificationCommand;
use sealpay_protocol::ids::{EndpointId, MerchantId};
use serde::Serialize;
use serde_json::json;
use settle::{SetCreditorIdentifier, SetPayoutAccount, SetReserve, SettleCommand};
use std::io::Write;

/// A small payment gateway with a simulated bank behind it.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(Box<ServeFlags>),
    /// Registers merchants, their keys, origins and webhook endpoints.
    #[command(subcommand)]
    Merchant(Merchant),
    /// Closes the settlements due up to a date, prints them, and pays out.
    Settle(SettleCommand),
    /// Lists pending captures, voids and refunds, and ends those whose provider does not answer.
    #[command(subcommand)]
    Modification(ModificationCommand),
    /// Prints the trial balance; fails when the ledger does not balance.
    Ledger,
    /// Lists and rotates the server's own keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Takes, restores, forks and deletes snapshots of the whole state, in test mode.
    #[command(subcommand)]
    World(world::WorldCommand),
    /// Prints the audit trail, and verifies that no row was altered, added or removed.
    Audit(audit::AuditCommand),
    /// Prints a merchant's events as they happen and forwards them, for development.
    Listen(listen::Listen),
    /// Prints a configuration file with every default and a comment for each.
    Config,
    /// Prints the machine-readable contract of the HTTP interface.
    Openapi,
}

#[derive(Debug, Subcommand)]
enum Merchant {
    /// Registers a merchant; prints its credentials once.
    Add(AddMerchant),
    /// Lists the merchants.
    List,
    /// Sets a merchant's reserve: the share of each settlement that is held back, and for how long.
    SetReserve(SetReserve),
    /// Sets the account that a merchant's payouts go to. Payouts that were sent already stay there.
    SetPayoutAccount(SetPayoutAccount),
    /// Sets a merchant's SEPA creditor identifier, which direct debits need. Mandates keep the one
    /// that they were signed for.
    SetCreditorIdentifier(SetCreditorIdentifier),
    /// Adds an order key, beside those that are active.
    AddKey {
        /// ID of the merchant, `mer_…`.
        merchant: MerchantId,
        /// ID of the order key, as `kid` in orders.
        #[arg(long)]
        key_id: String,
        /// The Ed25519 key, 32 bytes in base64url.
        #[arg(long, allow_hyphen_values = true)]
        public_key: String,
        /// Comma-separated API scopes of requests signed with the key; none when left out.
        #[arg(long, default_value = "")]
        scopes: String,
    },
    /// Retires an order key: orders signed with it are rejected from now on.
    RetireKey {
        /// ID of the merchant, `mer_…`.
        merchant: MerchantId,
        /// ID of the order key.
        #[arg(long)]
        key_id: String,
    },
    /// Adds an origin allowed to embed the widget.
    AddOrigin {
        /// ID of the merchant, `mer_…`.
        merchant: MerchantId,
        /// Scheme, host and port, such as https://shop.example.
        origin: String,
    },
    /// Removes an origin.
    RemoveOrigin {
        /// ID of the merchant, `mer_…`.
        merchant: MerchantId,
        /// Scheme, host and port, such as https://shop.example.
        origin: String,
    },
    #[command(flatten)]
    ApiKeys(ApiKeyCommand),
    /// Adds a webhook endpoint; prints its secret once.
    AddWebhook {
        /// ID of the merchant, `mer_…`.
        merchant: MerchantId,
        /// URL that webhooks are sent to.
        url: String,
    },
    /// Disables a webhook endpoint.
    DisableWebhook {
        /// ID of the endpoint, `whe_…`.
        endpoint: EndpointId,
    },
}

#[derive(Debug, Clone, Args)]
struct AddMerchant {
    /// Name shown to shoppers.
    #[arg(long)]
    name: String,
    /// ID of the first order key, as `kid` in orders.
    #[arg(long)]
    key_id: String,
    /// The Ed25519 key, 32 bytes in base64url.
    #[arg(long, allow_hyphen_values = true)]
    public_key: String,
    /// Comma-separated API scopes of requests signed with the key; none when left out.
    #[arg(long, default_value = "")]
    key_scopes: String,
    /// Origin allowed to embed the widget; may be given several times.
    #[arg(long)]
    origin: Vec<String>,
    /// URL that webhooks are sent to.
    #[arg(long)]
    webhook_url: Option<String>,
    /// SEPA creditor identifier, which direct debits need.
    #[arg(long, value_parser = settle::read_creditor_identifier)]
    creditor_identifier: Option<String>,
    /// Print JSON on one line.
    #[arg(long)]
    json: bool,
}

/// Runs a command.
pub async fn run(cli: Cli) -> Result<(), String> {
    let config = Config::load(&cli.flags)?;
    match cli.command {
        Command::Serve(flags) => serve::serve(config.for_serving(*flags)?).await,
        Command::Merchant(command) => merchant(config, command).await,
        Command::Settle(command) => settle::run(&config.for_command(), &command).await,
        Command::Modification(command) => modifications::run(&config.for_command(), command).await,
        Command::Ledger => settle::ledger(&config).await,
        Command::Keys(command) => keys::run(&config, command).await,
        Command::World(command) => world::run(&config.for_command(), command).await,
        Command::Audit(command) => audit::run(&config, &command).await,
        Command::Listen(listen) => listen::run(&config, listen).await,
        Command::Config => print(DEFAULT_FILE),
        Command::Openapi => {
            print(&crate::http::openapi::document().map_err(|error| error.to_string())?)
        }
    }
}

fn print(text: &str) -> Result<(), String> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| format!("cannot print: {error}"))
}

fn print_json(value: &impl Serialize, on_one_line: bool) -> Result<(), String> {
    let written = if on_one_line {
        serde_json::to_string(value)
    } else {
        serde_json::to_string_pretty(value)
    };
    print(&(written.map_err(|error| error.to_string())? + "\n"))
}

async fn merchant(config: Config, command: Merchant) -> Result<(), String> {
    let parts = match &command {
        Merchant::Add(add) => {
            // Validated first, so that an error creates no data folder.
            NewMerchant::from(add).check(config.livemode())?;
            warn_of_address(&config, add.webhook_url.as_deref())?;
            Parts::open(&config).await?
        }
        Merchant::AddWebhook { url, .. } => {
            warn_of_address(&config, Some(url))?;
            Parts::open_existing(&config).await?
        }
        _ => Parts::open_existing(&config).await?,
    };
    let change = Change::from_command(&command, &parts).await;
    let outcome = run_merchant(&parts, command).await;
    let noted = match change {
        Some(change) => {
            let made = outcome.as_ref().ok().and_then(Option::as_ref);
            change.of_made(made).note(&parts, &outcome).await
        }
        None => Ok(()),
    };
    parts.store.close().await;
    outcome.and(noted)
}

/// Warns if this configuration does not permit the webhook address; the flags of `serve` may permit
/// it.
fn warn_of_address(config: &Config, url: Option<&str>) -> Result<(), String> {
    let Some(url) = url else { return Ok(()) };
    let url = check_webhook_url(url)?;
    if let Err(refused) = config.address_policy()?.check(&url) {
        eprintln!(
            "verifier-server: warning: {refused}, so {url} gets webhooks only from a server that is \
             started with --webhook-allow-http for http, and --webhook-allow for a private address"
        );
    }
    Ok(())
}

/// Runs a command; returns the id of the created resource, if it was not named before.
async fn run_merchant(parts: &Parts, command: Merchant) -> Result<Option<String>, String> {
    let (store, livemode) = (&parts.store, parts.livemode);
    let admin = MerchantAdmin {
        store,
        encryption: &parts.encryption,
        clock: &parts.clock,
        rng: &parts.rng,
        livemode,
    };
    let now_ms = parts.clock.now_ms_i64();
    let inside = |error: DatabaseError| error.to_string();
    let done = match command {
        Merchant::ApiKeys(command) => return api_keys::run(&admin, command).await,
        Merchant::Add(add) => {
            let made = admin.add_merchant(NewMerchant::from(&add)).await?;
            let merchant = made.merchant.parse().ok();
            let change = Change::new("merchant add", merchant, None);
            change.note(parts, &Ok(())).await?;
            print_json(&made_merchant(&made, livemode), add.json)
        }
        Merchant::List => print_json(&list(store).await.map_err(inside)?, false),
        Merchant::SetReserve(command) => settle::set_reserve(store, &command).await,
        Merchant::SetPayoutAccount(command) => settle::set_payout_account(store, &command).await,
        Merchant::SetCreditorIdentifier(command) => command.run(store).await,
        Merchant::AddKey {
            merchant,
            key_id,
            public_key,
            scopes,
        } => {
            admin
                .add_order_key(merchant, &key_id, &public_key, &scopes)
                .await
        }
        Merchant::RetireKey { merchant, key_id } => {
            let retired = store
                .merchants
                .retire_order_key(merchant, &key_id, now_ms)
                .await
                .map_err(inside)?;
            found(retired, &format!("{merchant} has no active key {key_id}"))
        }
        Merchant::AddOrigin { merchant, origin } => admin.add_origin(merchant, &origin).await,
        Merchant::RemoveOrigin { merchant, origin } => {
            let removed = store
                .merchants
                .remove_origin(merchant, &origin)
                .await
                .map_err(inside)?;
            found(removed, &format!("{merchant} has no origin {origin}"))
        }
        Merchant::AddWebhook { merchant, url } => {
            let made = admin.add_endpoint(merchant, &url).await?;
            let secret = made.webhook_secret.as_str();
            print_json(
                &json!({"endpoint": made.endpoint, "webhook_secret": secret,
                       "state": PENDING_VERIFICATION}),
                false,
            )
        }
        Merchant::DisableWebhook { endpoint } => {
            let disabled = store
                .endpoints
                .disable(endpoint, now_ms)
                .await
                .map_err(inside)?;
            found(
                disabled,
                &format!("there is no active webhook endpoint {endpoint}"),
            )
        }
    };
    done.map(|()| None)
}

/// The credentials of a new merchant, shown once.
fn made_merchant(made: &MerchantCredentials, livemode: bool) -> serde_json::Value {
    json!({
        "merchant": made.merchant,
        "livemode": livemode,
        "key_id": made.key_id,
        "api_key_id": made.api_key_id,
        "api_key": made.api_key.as_str(),
        "endpoint": made.endpoint,
        "webhook_secret": made.webhook_secret.as_ref().map(|secret| secret.as_str()),
    })
}

/// The state of a new endpoint: it gets no events until the server has verified it.
const PENDING_VERIFICATION: &str = "pending_verification";

/// Every merchant with the ids for other commands; without secrets.
async fn list(store: &Store) -> Result<Vec<serde_json::Value>, DatabaseError> {
    let mut rows = Vec::new();
    for merchant in store.merchants.list().await? {
        let order_keys: Vec<_> = merchant.order_keys.iter().map(|key| &key.key_id).collect();
        let api_keys = store.api_keys.list(merchant.id).await?;
        let api_keys: Vec<_> = api_keys.iter().map(api_keys::listed).collect();
        let endpoints = store.endpoints.list(merchant.id).await?;
        let endpoints: Vec<_> = endpoints
            .iter()
            .map(|endpoint| {
                let disabled = endpoint.disabled_at_ms.is_some();
                let verified = endpoint.verified_at_ms.is_some();
                json!({"endpoint": endpoint.id.to_string(), "url": endpoint.url,
                       "disabled": disabled, "verified": verified})
            })
            .collect();
        rows.push(json!({
            "merchant": merchant.id.to_string(),
            "name": merchant.name,
            "order_keys": order_keys,
            "origins": merchant.origins,
            "api_keys": api_keys,
            "endpoints": endpoints,
        }));
    }
    Ok(rows)
}

fn found(changed: bool, otherwise: &str) -> Result<(), String> {
    if changed {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

impl From<&AddMerchant> for NewMerchant {
    fn from(add: &AddMerchant) -> Self {
        let add = add.clone();
        Self {
            name: add.name,
            key_id: add.key_id,
            public_key: add.public_key,
            key_scopes: add.key_scopes,
            origins: add.origin,
            webhook_url: add.webhook_url,
            creditor_identifier: add.creditor_identifier,
        }
    }
}

//! Paper Lantern, a small shop that is paid through Sealpay. `integration` is what a merchant
//! copies; everything else is a shop for the demo and for tests in browsers.

mod app;
mod basket;
mod config;
mod database;
mod integration;
mod pages;
mod products;
mod system;
mod test_cards;
#[cfg(test)]
mod tests;
mod time_text;
mod visitor;

use app::{Shop, app};
use clap::{Args, Parser};
use config::Config;
use sealpay_protocol::origin::Origin;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// A small shop that is paid through Sealpay.
#[derive(Parser)]
#[command(name = "shop", version)]
enum Command {
    /// Makes the key that signs orders, unless there is one, and prints its public half.
    Keygen {
        /// The folder that holds the order key and the orders.
        #[arg(long)]
        data: PathBuf,
    },
    /// Opens the shop.
    Serve(Serve),
    /// Refunds an order, or part of it, with the merchant API.
    Refund(Refund),
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    config: Config,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:4242")]
    listen: SocketAddr,
    /// The origin of the control listener of a verifier in test mode: with it the checkout offers
    /// the wallet, test cards and test settings.
    #[arg(long)]
    verifier_control: Option<Origin>,
}

#[derive(Args)]
struct Refund {
    #[command(flatten)]
    config: Config,
    /// The order's reference, `PL-…`.
    #[arg(long)]
    order: String,
    /// Minor units; all that can be refunded when left out.
    #[arg(long)]
    amount: Option<i64>,
    /// Your name for the refund: the same name is refunded once.
    #[arg(long)]
    reference: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Keygen { data } => config::create_order_key(&data)
            .map_err(Box::from)
            .and_then(|key| print(&serde_json::to_string(&key)?)),
        Command::Serve(serve) => serve.run().await,
        Command::Refund(refund) => refund.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(line: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

impl Refund {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let merchant = self.config.merchant()?;
        let order = merchant.orders.find(&self.order)?;
        let order = order.ok_or("This shop has no such order.")?;
        let payment = order.payment().ok_or("The order has no payment.")?;
        let refund = merchant.refund(&payment.id, self.amount, &self.reference);
        print(&serde_json::json!({ "state": refund.await? }).to_string())
    }
}

impl Serve {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let shop = Shop {
            merchant: Arc::new(self.config.merchant()?),
            control: self.verifier_control,
        };
        let origin = shop.merchant.shop.clone();
        let listener = tokio::net::TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|error| {
            let advice = "Choose another address with --listen.";
            format!("Cannot listen on {}: {error}. {advice}", self.listen)
        })?;
        eprintln!("shop: open at {origin}");
        axum::serve(listener, app(Arc::new(shop))).await?;
        Ok(())
    }
}

//! The commands for closing settlements and for auditing the ledger.

use super::audit::Change;
use super::{found, print_json};
use crate::app::{Parts, Server};
use crate::balance;
use crate::config::Config;
use crate::error::ApiError;
use crate::merchants::model::Reserve;
use crate::payouts::service::pay_out;
use crate::settlements::close::{Cutoff, left, settle};
use crate::settlements::view::SettlementRecord;
use crate::store::Store;
use clap::Args;
use jiff::civil::Date;
use sealpay_protocol::creditor_identifier;
use sealpay_protocol::iban;
use sealpay_protocol::ids::MerchantId;

#[derive(Debug, Args)]
pub(super) struct SettleCommand {
    /// Close settlements dated up to and including this date (YYYY-MM-DD). May be in the future, up
    /// to the settlement date of payments captured now.
    #[arg(long, value_name = "DATE")]
    until: Date,
}

#[derive(Debug, Args)]
pub(super) struct SetReserve {
    merchant: MerchantId,
    /// Reserve in basis points of each settlement's net (0 = none).
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    basis_points: u32,
    /// Business days until it is released.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=365))]
    days: u32,
}

#[derive(Debug, Args)]
pub(super) struct SetPayoutAccount {
    merchant: MerchantId,
    /// The account's IBAN.
    #[arg(long, value_parser = read_iban)]
    iban: String,
}

#[derive(Debug, Args)]
pub(super) struct SetCreditorIdentifier {
    merchant: MerchantId,
    /// The SEPA creditor identifier.
    #[arg(long, value_parser = read_creditor_identifier)]
    identifier: String,
}

impl SetCreditorIdentifier {
    pub(super) const fn merchant(&self) -> MerchantId {
        self.merchant
    }

    pub(super) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Sets the creditor identifier of future direct debits. Mandates keep the one that they were
    /// signed for.
    pub(super) async fn run(&self, store: &Store) -> Result<(), String> {
        let merchants = &store.merchants;
        let set = merchants.set_creditor_identifier(self.merchant, &self.identifier);
        let set = set.await.map_err(|error| error.to_string())?;
        found(set, &format!("there is no merchant {}", self.merchant))
    }
}

pub(super) fn read_creditor_identifier(text: &str) -> Result<String, String> {
    creditor_identifier::parse(text).map_err(|error| error.to_string())
}

fn read_iban(text: &str) -> Result<String, String> {
    iban::parse(text).map_err(|error| error.to_string())
}

impl SetPayoutAccount {
    pub(super) const fn merchant(&self) -> MerchantId {
        self.merchant
    }

    pub(super) fn iban(&self) -> &str {
        &self.iban
    }
}

impl SetReserve {
    pub(super) const fn merchant(&self) -> MerchantId {
        self.merchant
    }
}

/// The error for operators.
fn sentence(error: ApiError) -> String {
    let inside = error.internal;
    inside.unwrap_or_else(|| error.code.detail().to_owned())
}

/// Closes settlements due up to a date, prints each on a line, and pays out.
pub(super) async fn run(config: &Config, command: &SettleCommand) -> Result<(), String> {
    let parts = Parts::open_existing(config).await?;
    let server = Server::new(config, parts).await?;
    let gateway = &server.state.gateway;
    let outcome = async {
        let until = Cutoff::Date(command.until);
        for settlement in settle(gateway, until).await.map_err(sentence)? {
            print_json(
                &SettlementRecord::new(&settlement, gateway.livemode()),
                true,
            )?;
        }
        for group in left(gateway, until).await.map_err(sentence)? {
            eprintln!(
                "{} has {} transactions dated {} or later that stay open: settlements close no \
                 later than that of payments captured now.",
                group.merchant, group.currency, group.settlement_date
            );
        }
        pay_out(gateway).await.map_err(sentence)
    };
    let outcome = outcome.await;
    let change = Change::new(&format!("settle --until {}", command.until), None, None);
    let noted = change.note_in(gateway, &outcome).await;
    gateway.close().await;
    outcome.and(noted)
}

/// Prints every account on a line; an error if the ledger is inconsistent.
pub(super) async fn ledger(config: &Config) -> Result<(), String> {
    let parts = Parts::open_existing(config).await?;
    let outcome = balance::service::audit(&parts.store).await;
    parts.store.close().await;
    let audit = outcome.map_err(sentence)?;
    for line in &audit.trial_balance {
        print_json(line, true)?;
    }
    if audit.violations.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "the ledger does not balance:\n{}",
            audit.violations.join("\n")
        ))
    }
}

/// Sets the account of payouts that are not sent yet.
pub(super) async fn set_payout_account(
    store: &Store,
    command: &SetPayoutAccount,
) -> Result<(), String> {
    let set = store
        .merchants
        .set_payout_account(command.merchant, &command.iban)
        .await;
    let set = set.map_err(|error| error.to_string())?;
    found(set, &format!("there is no merchant {}", command.merchant))
}

/// Sets the reserve of future settlements.
pub(super) async fn set_reserve(store: &Store, command: &SetReserve) -> Result<(), String> {
    let reserve = Reserve {
        basis_points: command.basis_points,
        days: command.days,
    };
    let set = store.merchants.set_reserve(command.merchant, reserve).await;
    let set = set.map_err(|error| error.to_string())?;
    found(set, &format!("there is no merchant {}", command.merchant))
}

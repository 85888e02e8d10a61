//! Retrieves settlements and their reports.

use super::model::Settlement;
use super::report::{Statement, camt053, csv, json};
pub use super::store::SettlementFilter;
use super::view::SettlementRecord;
use crate::balance::model::BalanceTransaction;
use crate::balance::store::TransactionFilter;
use crate::balance::view::BalanceTransactionRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page, PageRequest};
use crate::payouts::account::account_of;
use crate::payouts::model::Payout;
use crate::store::Store;
use sealpay_protocol::ids::{MerchantId, TransactionId};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

pub use super::sending::Sending;
use super::spool;

/// Maximum balance transactions of a report: it is generated in memory, in less than 32 MiB, and
/// then written to a file.
pub const REPORT_LINES_MOST: i64 = 8_000;

/// Balance transactions read in one query for a report.
const REPORT_PAGE: u32 = 1000;

/// Time limit for reading them.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// JSON.
    Json,
    /// A bank statement in XML (ISO 20022 camt.053.001.08).
    Camt053,
}

sealpay_protocol::names! {
    Format {
        Csv = "csv",
        Json = "json",
        Camt053 = "camt053",
    }
}

impl Format {
    /// The `Content-Type`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Camt053 => "application/xml",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Camt053 => "camt053.xml",
        }
    }

    fn write(self, statement: &Statement<'_>) -> String {
        match self {
            Self::Csv => csv::write(statement),
            Self::Json => json::write(statement),
            Self::Camt053 => camt053::write(statement),
        }
    }
}

/// A report as a file.
#[derive(Debug)]
pub struct Report {
    /// The file name: letters, digits, dots, underscores and hyphens.
    pub file_name: String,
    /// The file.
    pub text: Sending,
}

/// Settlements of the merchant, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: SettlementFilter,
) -> Result<Page<SettlementRecord>, ApiError> {
    let scans = filter.currency.is_some();
    let rows =
        move |store: Store, filter| async move { store.settlements.list(merchant, &filter).await };
    let record = |row| SettlementRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

async fn get_owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<Settlement, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let settlement = gateway.store.settlements.get(merchant, id).await?;
    settlement.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// A settlement of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's settlement.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<SettlementRecord, ApiError> {
    let settlement = get_owned(gateway, merchant, id).await?;
    Ok(SettlementRecord::new(&settlement, gateway.livemode()))
}

/// The balance transactions of a merchant's settlement, newest first.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's settlement.
pub async fn lines(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
    page: PageRequest<TransactionId>,
) -> Result<Page<BalanceTransactionRecord>, ApiError> {
    let settlement = get_owned(gateway, merchant, id).await?.id;
    let filter = TransactionFilter {
        settlement: Some(settlement),
        after: page.after,
        limit: page.limit,
        ..TransactionFilter::default()
    };
    let rows =
        move |store: Store, filter| async move { store.balance.list(merchant, &filter).await };
    paging::read(
        gateway,
        (merchant, false),
        filter,
        rows,
        BalanceTransactionRecord::new,
    )
    .await
}

/// The report of a merchant's settlement.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's settlement; [`ErrorCode::ReportTooLarge`];
/// [`ErrorCode::Overloaded`] if the merchant's slot is not free in time, other reports of the
/// merchant are being downloaded, or the database is slow.
pub async fn report(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
    format: Format,
) -> Result<Report, ApiError> {
    let settlement = get_owned(gateway, merchant, id).await?;
    if settlement.lines > REPORT_LINES_MOST {
        let (found, most) = (settlement.lines, REPORT_LINES_MOST);
        let detail = format!(
            "The settlement has {found} lines, and a report at most {most}; read its lines in pages."
        );
        return Err(ApiError::new(ErrorCode::ReportTooLarge).explained(detail));
    }
    let sending = gateway.merchant_queues.sending(merchant)?;
    let turn = gateway.merchant_queues.report(merchant).await?;
    let reading = tokio::time::timeout(READ_WITHIN, contents(gateway, settlement));
    let late = |_| ApiError::because(ErrorCode::Overloaded, "a report was not read in time");
    let contents = reading.await.map_err(late)??;
    let file_name = format!(
        "settlement-{}-{}.{}",
        contents.settlement.currency,
        contents.settlement.settlement_date,
        format.extension()
    );
    // Generating and hashing some megabytes would block other requests, so it runs on a separate
    // thread. It continues if the client disconnects, so it owns the merchant's slot, and releases it
    // once the file is written: a slow download then occupies no memory.
    let folder = gateway.settings.spool.clone();
    let name = gateway.rng.bytes();
    let writing = tokio::task::spawn_blocking(move || {
        let text = format.write(&contents.statement());
        let written = spool::write(&folder, name, text.as_bytes());
        drop((text, turn));
        written
    });
    let (file, bytes) = writing.await.map_err(broken)?.map_err(broken)?;
    Ok(Report {
        file_name,
        text: Sending::new(file, bytes, sending),
    })
}

fn broken(error: impl std::fmt::Display) -> ApiError {
    ApiError::because(ErrorCode::Internal, error)
}

/// The content of a report.
struct Contents {
    livemode: bool,
    settlement: Settlement,
    payout: Option<Payout>,
    lines: Vec<BalanceTransaction>,
    merchant_name: String,
    account: String,
}

impl Contents {
    fn statement(&self) -> Statement<'_> {
        Statement {
            livemode: self.livemode,
            settlement: &self.settlement,
            payout: self.payout.as_ref(),
            lines: &self.lines,
            merchant_name: &self.merchant_name,
            account: &self.account,
        }
    }
}

async fn contents(gateway: &Gateway, settlement: Settlement) -> Result<Contents, ApiError> {
    let merchant = gateway.store.merchants.get(settlement.merchant).await?;
    let payout = match settlement.payout {
        Some(payout) => {
            gateway
                .store
                .payouts
                .get_owned(settlement.merchant, payout)
                .await?
        }
        None => None,
    };
    let mut lines: Vec<BalanceTransaction> = Vec::new();
    loop {
        let after = lines.last().map(|line| line.id);
        let store = &gateway.store;
        let page = store
            .balance
            .of_settlement(settlement.id, after, REPORT_PAGE);
        let page = page.await?;
        if page.is_empty() {
            break;
        }
        lines.extend(page);
    }
    let account = merchant
        .as_ref()
        .and_then(|merchant| account_of(gateway, merchant));
    Ok(Contents {
        livemode: gateway.livemode(),
        payout,
        lines,
        merchant_name: merchant.map(|merchant| merchant.name).unwrap_or_default(),
        account: account.unwrap_or_default(),
        settlement,
    })
}

#[cfg(test)]
mod tests;

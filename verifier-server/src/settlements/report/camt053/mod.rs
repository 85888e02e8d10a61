//! The report as an XML bank statement: ISO 20022 camt.053.001.08.
//!
//! The account is the balance owed to the merchant, and its id is the merchant's: with an account
//! of the merchant's bank, that bank's own statements would be posted twice. The payout account is
//! the related account.
//!
//! An entry's amount is net, because the balances change by net. Its charges are marked as
//! included, and the gross is the instructed amount: gross = ± net + charges. The payout is a debit
//! entry, the last one. So OPBD + Σ entries = CLBD, where OPBD is brought forward and CLBD carried
//! forward. The last element contains the SHA-256 of everything before it.

mod code;
mod xml;

use super::{Statement, checksum, moment};
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::settlements::schedule;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::PayoutId;
use xml::{Xml, decimal, decimal_of};

const NAMESPACE: &str = " xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"";

/// Replaces an order reference that cannot be an end-to-end reference.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// The issuer of codes that are not from ISO 20022.
const ISSUER: &str = "Sealpay";

/// The note at the top of a test mode statement.
const TEST: &str = "Test: no money has moved.";

/// The report.
#[must_use]
pub fn write(statement: &Statement<'_>) -> String {
    let settlement = statement.settlement;
    let (id, closed_at) = (settlement.id.to_string(), moment(settlement.closed_at_ms));
    let mut xml = Xml::new();
    xml.element_with("Document", NAMESPACE, |xml| {
        xml.element("BkToCstmrStmt", |xml| {
            xml.element("GrpHdr", |xml| {
                xml.leaf("MsgId", &id);
                xml.leaf("CreDtTm", &closed_at);
                if !statement.livemode {
                    xml.leaf("AddtlInf", TEST);
                }
            });
            xml.element("Stmt", |xml| {
                xml.leaf("Id", &id);
                xml.leaf("ElctrncSeqNb", &settlement.number.to_string());
                xml.leaf("CreDtTm", &closed_at);
                period(xml, statement);
                accounts(xml, statement);
                balance(xml, statement, "OPBD", settlement.brought_forward_minor);
                balance(xml, statement, "CLBD", settlement.carried_forward_minor);
                summary(xml, statement);
                for line in statement.lines() {
                    entry(xml, statement, line);
                }
                if let Some(payout) = settlement.payout {
                    payout_entry(xml, statement, payout);
                }
                let checksum = checksum(xml.text());
                let says = format!("SHA-256 of all that stands before this element: {checksum}");
                xml.leaf("AddtlStmtInf", &says);
            });
        });
    });
    xml.into_text()
}

/// From the closing time of the previous business day to that of this one.
fn period(xml: &mut Xml, statement: &Statement<'_>) {
    let settlement = statement.settlement;
    let currency = settlement.currency;
    let before = schedule::business_day_before(currency, settlement.settlement_date);
    xml.element("FrToDt", |xml| {
        let from_ms = schedule::closes_at_ms(currency, before);
        xml.leaf("FrDtTm", &moment(from_ms.min(settlement.closed_at_ms)));
        xml.leaf("ToDtTm", &moment(settlement.closed_at_ms));
    });
}

fn accounts(xml: &mut Xml, statement: &Statement<'_>) {
    let currency = statement.settlement.currency.code();
    xml.element("Acct", |xml| {
        let merchant = statement.settlement.merchant.to_string();
        xml.path(&["Id", "Othr", "Id"], &merchant);
        xml.leaf("Ccy", currency);
        if let Some(name) = shortened(statement.merchant_name, 140) {
            xml.path(&["Ownr", "Nm"], &name);
        }
    });
    if !statement.account().is_empty() {
        xml.element("RltdAcct", |xml| {
            bank_account(xml, statement.account());
            xml.leaf("Ccy", currency);
        });
    }
}

/// An IBAN if it looks like one, otherwise another id of at most 34 characters.
fn bank_account(xml: &mut Xml, account: &str) {
    let bytes = account.as_bytes();
    let is_iban = (5..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(u8::is_ascii_alphanumeric);
    if is_iban {
        xml.path(&["Id", "IBAN"], account);
    } else if let Some(account) = shortened(account, 34) {
        xml.path(&["Id", "Othr", "Id"], &account);
    }
}

/// Truncates a text; none if it is empty, because elements may not be empty.
fn shortened(text: &str, characters: usize) -> Option<String> {
    let text: String = text.chars().take(characters).collect();
    (!text.is_empty()).then_some(text)
}

fn balance(xml: &mut Xml, statement: &Statement<'_>, code: &str, minor: i64) {
    let settlement = statement.settlement;
    xml.element("Bal", |xml| {
        xml.path(&["Tp", "CdOrPrtry", "Cd"], code);
        xml.amount("Amt", settlement.currency, minor);
        xml.direction(minor);
        xml.path(&["Dt", "Dt"], &settlement.settlement_date.to_string());
    });
}

/// The number of entries and the sum of their unsigned amounts.
#[derive(Default)]
struct Total {
    entries: u64,
    sum_minor: u128,
}

impl Total {
    fn add(&mut self, minor: i64) {
        self.entries += 1;
        self.sum_minor += u128::from(minor.unsigned_abs());
    }

    fn write(&self, xml: &mut Xml, currency: Currency) {
        xml.leaf("NbOfNtries", &self.entries.to_string());
        xml.leaf("Sum", &decimal_of(currency, self.sum_minor));
    }
}

fn summary(xml: &mut Xml, statement: &Statement<'_>) {
    let settlement = statement.settlement;
    let (mut all, mut credits, mut debits) = <(Total, Total, Total)>::default();
    let lines = statement.lines.iter().map(|line| line.net_minor);
    let payout = settlement
        .payout
        .map(|_| settlement.payout_minor.saturating_neg());
    for minor in lines.chain(payout) {
        all.add(minor);
        let side = if minor < 0 { &mut debits } else { &mut credits };
        side.add(minor);
    }
    let moved = settlement.net_minor.saturating_sub(settlement.payout_minor);
    xml.element("TxsSummry", |xml| {
        xml.element("TtlNtries", |xml| {
            all.write(xml, settlement.currency);
            xml.element("TtlNetNtry", |xml| {
                xml.leaf("Amt", &decimal(settlement.currency, moved));
                xml.direction(moved);
            });
        });
        xml.element("TtlCdtNtries", |xml| {
            credits.write(xml, settlement.currency)
        });
        xml.element("TtlDbtNtries", |xml| debits.write(xml, settlement.currency));
    });
}

fn booked_and_valued(xml: &mut Xml, statement: &Statement<'_>) {
    let date = statement.settlement.settlement_date.to_string();
    xml.path(&["Sts", "Cd"], "BOOK");
    xml.path(&["BookgDt", "Dt"], &date);
    xml.path(&["ValDt", "Dt"], &date);
}

fn entry(xml: &mut Xml, statement: &Statement<'_>, line: &BalanceTransaction) {
    let id = line.id.to_string();
    xml.element("Ntry", |xml| {
        xml.leaf("NtryRef", &id);
        xml.amount("Amt", line.currency, line.net_minor);
        xml.direction(line.net_minor);
        if undoes(line) {
            xml.leaf("RvslInd", "true");
        }
        booked_and_valued(xml, statement);
        xml.leaf("AcctSvcrRef", &id);
        code::of_line(line).write(xml, line.kind.name());
        xml.element("NtryDtls", |xml| {
            xml.element("TxDtls", |xml| {
                references(xml, line);
                xml.amount("Amt", line.currency, line.net_minor);
                xml.direction(line.net_minor);
                xml.element("AmtDtls", |xml| {
                    xml.element("InstdAmt", |xml| {
                        xml.amount("Amt", line.currency, line.gross_minor);
                    });
                });
                charges(xml, line);
                let order_ref = line.order_ref.as_deref().unwrap_or_default();
                if let Some(order_ref) = shortened(order_ref, 140) {
                    xml.path(&["RmtInf", "Ustrd"], &order_ref);
                }
            });
        });
    });
}

/// Whether an entry reverses one of the other direction. A refund does not: it is a payment of its
/// own.
fn undoes(line: &BalanceTransaction) -> bool {
    match line.kind {
        TransactionKind::Dispute | TransactionKind::DirectDebitReturn => line.net_minor < 0,
        TransactionKind::DisputeWon | TransactionKind::PayoutReturn => line.net_minor >= 0,
        TransactionKind::Capture
        | TransactionKind::Refund
        | TransactionKind::ReserveHold
        | TransactionKind::ReserveRelease => false,
    }
}

fn references(xml: &mut Xml, line: &BalanceTransaction) {
    let order_ref = line.order_ref.as_deref().filter(|text| is_end_to_end(text));
    xml.element("Refs", |xml| {
        xml.leaf("AcctSvcrRef", &line.id.to_string());
        xml.leaf("EndToEndId", order_ref.unwrap_or(NOT_PROVIDED));
        if let Some(payment) = line.payment {
            xml.leaf("TxId", &payment.to_string());
        }
        if let Some(source) = shortened(&line.source, 35) {
            xml.element("Prtry", |xml| {
                xml.leaf("Tp", "source");
                xml.leaf("Ref", &source);
            });
        }
    });
}

/// Whether an order reference is valid as an end-to-end reference between banks: at most 35
/// characters of the Latin set, no slash at the ends and no two in a row. It is never truncated,
/// because long references may differ only at the end; the remittance information has the whole
/// reference.
fn is_end_to_end(text: &str) -> bool {
    let latin = |c: u8| c.is_ascii_alphanumeric() || b"/-?:().,'+ ".contains(&c);
    (1..=35).contains(&text.len())
        && text.bytes().all(latin)
        && text.trim() == text
        && !text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("//")
}

fn charges(xml: &mut Xml, line: &BalanceTransaction) {
    let fees = line.fees;
    if fees.total_minor() == 0 {
        return;
    }
    let records = [
        ("interchange", fees.interchange_minor),
        ("scheme", fees.scheme_minor),
        ("processor", fees.processor_minor),
    ];
    xml.element("Chrgs", |xml| {
        xml.amount("TtlChrgsAndTaxAmt", line.currency, fees.total_minor());
        for (name, minor) in records.into_iter().filter(|(_, minor)| *minor != 0) {
            xml.element("Rcrd", |xml| {
                xml.amount("Amt", line.currency, minor);
                xml.leaf("CdtDbtInd", "DBIT");
                xml.leaf("ChrgInclInd", "true");
                xml.element("Tp", |xml| {
                    xml.element("Prtry", |xml| {
                        xml.leaf("Id", name);
                        xml.leaf("Issr", ISSUER);
                    });
                });
            });
        }
    });
}

fn payout_entry(xml: &mut Xml, statement: &Statement<'_>, payout: PayoutId) {
    let settlement = statement.settlement;
    let (currency, payout) = (settlement.currency, payout.to_string());
    let minor = settlement.payout_minor.saturating_neg();
    xml.element("Ntry", |xml| {
        xml.leaf("NtryRef", &payout);
        xml.amount("Amt", currency, minor);
        xml.direction(minor);
        booked_and_valued(xml, statement);
        xml.leaf("AcctSvcrRef", &payout);
        code::of_payout(currency).write(xml, "payout");
        xml.element("NtryDtls", |xml| {
            xml.element("TxDtls", |xml| {
                xml.element("Refs", |xml| {
                    xml.leaf("AcctSvcrRef", &payout);
                    xml.leaf("EndToEndId", &payout);
                });
                xml.amount("Amt", currency, minor);
                xml.direction(minor);
                if !statement.account().is_empty() {
                    xml.element("RltdPties", |xml| {
                        xml.element("CdtrAcct", |xml| bank_account(xml, statement.account()));
                    });
                }
                xml.path(&["RmtInf", "Ustrd"], &settlement.id.to_string());
            });
        });
    });
}

//! Bank transaction codes (ISO 20022, external code sets): domain, family and sub-family.

use super::ISSUER;
use super::xml::Xml;
use crate::balance::model::{BalanceTransaction, TransactionKind};
use sealpay_protocol::currency::Currency;

/// A family and a sub-family of the domain PMNT, payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BankTransactionCode(&'static str, &'static str);

/// Merchants' card transactions and direct debits have families of their own; other methods are
/// credit transfers.
pub(super) fn of_line(line: &BalanceTransaction) -> BankTransactionCode {
    let method = line.method.as_deref();
    let is_card = method == Some("card");
    let (family, sub_family) = match (line.kind, is_card) {
        // Issued direct debits: SEPA Core, and the reversal of one by a return.
        (TransactionKind::Capture, false) if method == Some("sepa_debit") => ("IDDT", "ESDD"),
        (TransactionKind::DirectDebitReturn, _) => ("IDDT", "UPDD"),
        (TransactionKind::Capture, true) => ("MCRD", "POSC"),
        (TransactionKind::Capture, false) => ("RCDT", "OTHR"),
        (TransactionKind::Refund, true) => ("MCRD", "RIMB"),
        (TransactionKind::Refund, false) => ("ICDT", "OTHR"),
        (TransactionKind::Dispute, true) => ("MCRD", "UPCT"),
        (TransactionKind::Dispute, false) => ("MDOP", "ADJT"),
        (TransactionKind::DisputeWon, true) => ("MCRD", "CAJT"),
        (TransactionKind::DisputeWon, false) => ("MCOP", "ADJT"),
        (TransactionKind::PayoutReturn, _) => ("ICDT", "RRTN"),
        (TransactionKind::ReserveHold, _) => ("MDOP", "OTHR"),
        (TransactionKind::ReserveRelease, _) => ("MCOP", "OTHR"),
    };
    BankTransactionCode(family, sub_family)
}

/// A credit transfer to the merchant; in euros a SEPA transfer.
pub(super) fn of_payout(currency: Currency) -> BankTransactionCode {
    let is_sepa = currency.code() == "EUR";
    BankTransactionCode("ICDT", if is_sepa { "ESCT" } else { "OTHR" })
}

impl BankTransactionCode {
    /// Writes the code, and our own name of the transaction type.
    pub(super) fn write(self, xml: &mut Xml, name: &str) {
        xml.element("BkTxCd", |xml| {
            xml.element("Domn", |xml| {
                xml.leaf("Cd", "PMNT");
                xml.element("Fmly", |xml| {
                    xml.leaf("Cd", self.0);
                    xml.leaf("SubFmlyCd", self.1);
                });
            });
            xml.element("Prtry", |xml| {
                xml.leaf("Cd", name);
                xml.leaf("Issr", ISSUER);
            });
        });
    }
}

use super::xml::{Element, read};
use super::{ACCOUNT, HOSTILE, hostile, line, schema, settle, story};
use crate::balance::model::TransactionKind;
use crate::settlements::fees::Fees;
use crate::settlements::report::camt053::write;
use std::collections::HashSet;

fn statement(text: &str) -> Element {
    let mut document = read(text);
    let mut report = document.children.remove(0);
    report.children.remove(1)
}

/// Minor units of an unsigned amount: removes the decimal point.
fn unsigned(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

/// Minor units of an element with an amount and a direction.
fn signed(element: &Element) -> i64 {
    let amount = unsigned(element.text_at(&["Amt"]));
    if element.text_at(&["CdtDbtInd"]) == "DBIT" {
        -amount
    } else {
        amount
    }
}

#[test]
fn documents_match_the_schema() {
    for seed in 0..60 {
        let text = write(&story(seed).statement());
        assert_eq!(schema::walk(&read(&text)), Ok(()), "seed {seed}");
    }
    assert_eq!(schema::walk(&read(&write(&hostile().statement()))), Ok(()));
}

#[test]
fn the_schema_check_detects_errors() {
    let text = write(&story(3).statement());
    let rows = [
        (
            "camt.053.001.08",
            "camt.053.001.02",
            "is not camt.053.001.08",
        ),
        ("<ElctrncSeqNb>7</ElctrncSeqNb>\n", "", ""),
        ("<Id>set_", "<Id>too_long_for_a_name_set_", "no Max35Text"),
        (
            "<Ccy>USD</Ccy>\n",
            "<Nm>x</Nm>\n<Ccy>USD</Ccy>\n",
            "Ccy at a wrong place",
        ),
        (
            "<Cd>OPBD</Cd>",
            "<Cd>OPEN</Cd>",
            "no ExternalBalanceType1Code",
        ),
        (
            "<CdtDbtInd>CRDT</CdtDbtInd>",
            "<CdtDbtInd>CREDIT</CdtDbtInd>",
            "no CreditDebitCode",
        ),
        ("<BookgDt>\n<Dt>2", "<BookgDt>\n<Dt>", "no ISODate"),
        ("<ToDtTm>", "<ToDtTm>x", "no ISODateTime"),
        ("<Sts>\n<Cd>BOOK</Cd>\n</Sts>\n", "", "has 0 Sts"),
        (
            "<Sts>\n<Cd>BOOK</Cd>",
            "<Sts>\n<Cd>BOOK</Cd>\n<Prtry>x</Prtry>",
            "2 choices",
        ),
        ("<Sum>", "<Sum>-", "no DecimalNumber"),
        (
            "<Amt Ccy=\"USD\">",
            "<Amt Ccy=\"USD\">-",
            "no ActiveOrHistoricCurrencyAndAmount",
        ),
        (
            "<Amt Ccy=\"USD\">",
            "<Amt Ccy=\"JPY\">",
            "no ActiveOrHistoricCurrencyAndAmount",
        ),
        ("<NtryDtls>", "<NtryDtls>\n<Btch>x</Btch>", "never written"),
        ("<IBAN>DE", "<IBAN>de", "no IBAN2007Identifier"),
    ];
    for (from, to, says) in rows {
        assert!(text.contains(from), "{from}");
        let found = schema::walk(&read(&text.replacen(from, to, 1)));
        match found {
            Ok(()) => assert_eq!(says, "", "{from}"),
            Err(error) => assert!(!says.is_empty() && error.contains(says), "{error}"),
        }
    }
}

#[test]
fn opening_balance_plus_entries_equals_closing_balance() {
    for seed in 0..60 {
        let story = story(seed);
        let statement = statement(&write(&story.statement()));
        let balances: Vec<_> = statement.all("Bal").map(signed).collect();
        let entries: Vec<_> = statement.all("Ntry").map(signed).collect();
        let settlement = &story.settlement;
        let carried_forward = [
            settlement.brought_forward_minor,
            settlement.carried_forward_minor,
        ];
        assert_eq!(balances, carried_forward, "seed {seed}");
        assert_eq!(
            balances[0] + entries.iter().sum::<i64>(),
            balances[1],
            "seed {seed}"
        );
        let payouts = usize::from(settlement.payout_minor > 0);
        assert_eq!(entries.len(), story.lines.len() + payouts);
        let totals = [
            ("TtlNtries", entries.clone()),
            (
                "TtlCdtNtries",
                entries
                    .iter()
                    .copied()
                    .filter(|minor| *minor >= 0)
                    .collect(),
            ),
            (
                "TtlDbtNtries",
                entries.iter().copied().filter(|minor| *minor < 0).collect(),
            ),
        ];
        for (name, of) in totals {
            let total = statement.at(&["TxsSummry", name]).unwrap();
            assert_eq!(total.text_at(&["NbOfNtries"]), of.len().to_string());
            let sum = of.iter().map(|minor| minor.abs()).sum::<i64>();
            assert_eq!(
                unsigned(total.text_at(&["Sum"])),
                sum,
                "seed {seed}, {name}"
            );
        }
        let moved = statement
            .at(&["TxsSummry", "TtlNtries", "TtlNetNtry"])
            .unwrap();
        assert_eq!(signed(moved), entries.iter().sum::<i64>());
    }
}

#[test]
fn gross_of_an_entry_equals_net_plus_charges() {
    for seed in 0..60 {
        let story = story(seed);
        let statement = statement(&write(&story.statement()));
        for (entry, line) in statement.all("Ntry").zip(&story.lines) {
            let details = entry.at(&["NtryDtls", "TxDtls"]).unwrap();
            assert_eq!(
                (signed(entry), signed(details)),
                (line.net_minor, line.net_minor)
            );
            let gross = unsigned(details.text_at(&["AmtDtls", "InstdAmt", "Amt"]));
            let charges = details.at(&["Chrgs"]).map_or(0, |charges| {
                let records = charges.all("Rcrd");
                let sum: i64 = records.map(|record| -signed(record)).sum();
                assert_eq!(unsigned(charges.text_at(&["TtlChrgsAndTaxAmt"])), sum);
                sum
            });
            assert_eq!(gross, line.gross_minor.abs());
            assert_eq!(line.gross_minor, line.net_minor + charges, "seed {seed}");
        }
    }
}

#[test]
fn hostile_references_are_preserved_but_not_end_to_end_references() {
    let statement = statement(&write(&hostile().statement()));
    let mut given = HashSet::new();
    for (entry, expected) in statement.all("Ntry").zip(HOSTILE) {
        let details = entry.at(&["NtryDtls", "TxDtls"]).unwrap();
        let whole = details
            .at(&["RmtInf", "Ustrd"])
            .map_or("", |element| &element.text);
        assert_eq!(whole, expected);
        let reference = details.text_at(&["Refs", "EndToEndId"]);
        assert!(
            reference == expected || reference == "NOTPROVIDED",
            "{reference}"
        );
        if reference == expected {
            given.insert(expected);
        }
    }
    let fit = ["A-1", "+49 30 1234", "-2+3", "a,b", "''", "'quoted"];
    let fit = fit
        .into_iter()
        .chain(["AbCdEfGhIjKlMnOpQrStUvWxYz-12345678"]);
    assert_eq!(given, fit.collect());
}

#[test]
fn characters_invalid_in_xml_are_replaced() {
    let euro = "EUR".parse().unwrap();
    let card = (TransactionKind::Capture, "card");
    let bad = "a\0b\u{1}c\u{1f}d\u{ffff}e\u{7f}f\u{85}g\u{2028}h";
    let line = line(1, euro, card, 100, Fees::default(), bad);
    let statement = statement(&write(&settle(euro, vec![line], 0).statement()));
    let entry = statement.at(&["Ntry", "NtryDtls", "TxDtls"]).unwrap();
    let expected = "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{7f}f\u{85}g\u{2028}h";
    assert_eq!(entry.text_at(&["RmtInf", "Ustrd"]), expected);
}

#[test]
fn entries_have_the_code_of_their_transaction_type() {
    let euro = "EUR".parse().unwrap();
    let rows = [
        (TransactionKind::Capture, "card", 900, "MCRD POSC", None),
        (TransactionKind::Capture, "wallet", 900, "RCDT OTHR", None),
        (
            TransactionKind::Capture,
            "bank_transfer",
            900,
            "RCDT OTHR",
            None,
        ),
        (TransactionKind::Refund, "card", -900, "MCRD RIMB", None),
        (
            TransactionKind::Capture,
            "sepa_debit",
            900,
            "IDDT ESDD",
            None,
        ),
        (
            TransactionKind::DirectDebitReturn,
            "sepa_debit",
            -900,
            "IDDT UPDD",
            Some("true"),
        ),
        (TransactionKind::Refund, "wallet", -900, "ICDT OTHR", None),
        (
            TransactionKind::Dispute,
            "card",
            -900,
            "MCRD UPCT",
            Some("true"),
        ),
        (
            TransactionKind::Dispute,
            "wallet",
            -900,
            "MDOP ADJT",
            Some("true"),
        ),
        (
            TransactionKind::DisputeWon,
            "card",
            900,
            "MCRD CAJT",
            Some("true"),
        ),
        (
            TransactionKind::DisputeWon,
            "wallet",
            900,
            "MCOP ADJT",
            Some("true"),
        ),
        (
            TransactionKind::PayoutReturn,
            "",
            900,
            "ICDT RRTN",
            Some("true"),
        ),
        (TransactionKind::ReserveHold, "", -900, "MDOP OTHR", None),
        (TransactionKind::ReserveRelease, "", 900, "MCOP OTHR", None),
    ];
    let lines = (0..).zip(&rows).map(|(number, (kind, method, gross, ..))| {
        line(
            number,
            euro,
            (*kind, method),
            *gross,
            Fees::default(),
            "A-1",
        )
    });
    let statement = statement(&write(&settle(euro, lines.collect(), 0).statement()));
    for (entry, (kind, .., code, reversal)) in statement.all("Ntry").zip(&rows) {
        let family = entry.at(&["BkTxCd", "Domn", "Fmly"]).unwrap();
        let found = [family.text_at(&["Cd"]), family.text_at(&["SubFmlyCd"])].join(" ");
        assert_eq!(
            (found.as_str(), kind.name()),
            (*code, entry.text_at(&["BkTxCd", "Prtry", "Cd"]))
        );
        let found = entry.at(&["RvslInd"]).map(|element| element.text.as_str());
        assert_eq!(found, *reversal, "{kind:?}");
    }
}

#[test]
fn the_payout_is_the_last_entry_with_its_account() {
    let story = hostile();
    let statement = statement(&write(&story.statement()));
    let payout = statement.all("Ntry").last().unwrap();
    assert_eq!(signed(payout), -story.settlement.payout_minor);
    assert_eq!(
        payout.text_at(&["BkTxCd", "Domn", "Fmly", "SubFmlyCd"]),
        "ESCT"
    );
    let details = payout.at(&["NtryDtls", "TxDtls"]).unwrap();
    assert_eq!(
        details.text_at(&["RltdPties", "CdtrAcct", "Id", "IBAN"]),
        ACCOUNT
    );
    let id = story.settlement.payout.unwrap().to_string();
    assert_eq!(details.text_at(&["Refs", "EndToEndId"]), id);
    assert_eq!(statement.text_at(&["RltdAcct", "Id", "IBAN"]), ACCOUNT);
    let merchant = story.settlement.merchant.to_string();
    assert_eq!(statement.text_at(&["Acct", "Id", "Othr", "Id"]), merchant);
    assert_eq!(
        statement.text_at(&["Acct", "Ownr", "Nm"]),
        story.merchant_name
    );
    assert_eq!(statement.text_at(&["ElctrncSeqNb"]), "7");
}

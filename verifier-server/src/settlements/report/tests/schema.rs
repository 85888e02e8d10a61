//! The used part of the schema camt.053.001.08, and a check against it.

use super::xml::Element;
use jiff::Timestamp;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A type in each paragraph: `=` a sequence, `|` a choice; `?` at most once, `*` any number of
/// times, `+` at least once. All children are listed in the order of the schema, including unused
/// ones; their type is `-`.
const TYPES: &str = "\
Document = BkToCstmrStmt:BankToCustomerStatementV08
BankToCustomerStatementV08 = GrpHdr:GroupHeader81 Stmt+:AccountStatement9 SplmtryData*:-
GroupHeader81 = MsgId:Max35Text CreDtTm:ISODateTime MsgRcpt?:PartyIdentification135 MsgPgntn?:-
   OrgnlBizQry?:- AddtlInf?:Max500Text
AccountStatement9 = Id:Max35Text StmtPgntn?:- ElctrncSeqNb?:Number RptgSeq?:- LglSeqNb?:Number
   CreDtTm?:ISODateTime FrToDt?:DateTimePeriod1 CpyDplctInd?:- RptgSrc?:- Acct:CashAccount39
   RltdAcct?:CashAccount38 Intrst*:- Bal+:CashBalance8 TxsSummry?:TotalTransactions6
   Ntry*:ReportEntry10 AddtlStmtInf?:Max500Text
DateTimePeriod1 = FrDtTm:ISODateTime ToDtTm:ISODateTime
CashAccount39 = Id:AccountIdentification4Choice Tp?:- Ccy?:ActiveOrHistoricCurrencyCode
   Nm?:Max70Text Prxy?:- Ownr?:PartyIdentification135 Svcr?:-
CashAccount38 = Id:AccountIdentification4Choice Tp?:- Ccy?:ActiveOrHistoricCurrencyCode
   Nm?:Max70Text Prxy?:-
AccountIdentification4Choice | IBAN:IBAN2007Identifier Othr:GenericAccountIdentification1
GenericAccountIdentification1 = Id:Max34Text SchmeNm?:- Issr?:Max35Text
PartyIdentification135 = Nm?:Max140Text PstlAdr?:- Id?:- CtryOfRes?:- CtctDtls?:-
CashBalance8 = Tp:BalanceType13 CdtLine*:- Amt:ActiveOrHistoricCurrencyAndAmount
   CdtDbtInd:CreditDebitCode Dt:DateAndDateTime2Choice Avlbty*:-
BalanceType13 = CdOrPrtry:BalanceType10Choice SubTp?:-
BalanceType10Choice | Cd:ExternalBalanceType1Code Prtry:Max35Text
DateAndDateTime2Choice | Dt:ISODate DtTm:ISODateTime
TotalTransactions6 = TtlNtries?:NumberAndSumOfTransactions4
   TtlCdtNtries?:NumberAndSumOfTransactions1 TtlDbtNtries?:NumberAndSumOfTransactions1
   TtlNtriesPerBkTxCd*:-
NumberAndSumOfTransactions4 = NbOfNtries?:Max15NumericText Sum?:DecimalNumber
   TtlNetNtry?:AmountAndDirection35
NumberAndSumOfTransactions1 = NbOfNtries?:Max15NumericText Sum?:DecimalNumber
AmountAndDirection35 = Amt:NonNegativeDecimalNumber CdtDbtInd:CreditDebitCode
ReportEntry10 = NtryRef?:Max35Text Amt:ActiveOrHistoricCurrencyAndAmount
   CdtDbtInd:CreditDebitCode RvslInd?:TrueFalseIndicator Sts:EntryStatus1Choice
   BookgDt?:DateAndDateTime2Choice ValDt?:DateAndDateTime2Choice AcctSvcrRef?:Max35Text Avlbty*:-
   BkTxCd:BankTransactionCodeStructure4 ComssnWvrInd?:- AddtlInfInd?:-
   AmtDtls?:AmountAndCurrencyExchange3 Chrgs?:Charges6 TechInptChanl?:- Intrst?:- CardTx?:-
   NtryDtls*:EntryDetails9 AddtlNtryInf?:Max500Text
EntryStatus1Choice | Cd:ExternalEntryStatus1Code Prtry:Max35Text
BankTransactionCodeStructure4 = Domn?:BankTransactionCodeStructure5
   Prtry?:ProprietaryBankTransactionCodeStructure1
BankTransactionCodeStructure5 = Cd:ExternalBankTransactionDomain1Code
   Fmly:BankTransactionCodeStructure6
BankTransactionCodeStructure6 = Cd:ExternalBankTransactionFamily1Code
   SubFmlyCd:ExternalBankTransactionSubFamily1Code
ProprietaryBankTransactionCodeStructure1 = Cd:Max35Text Issr?:Max35Text
AmountAndCurrencyExchange3 = InstdAmt?:AmountAndCurrencyExchangeDetails3
   TxAmt?:AmountAndCurrencyExchangeDetails3 CntrValAmt?:AmountAndCurrencyExchangeDetails3
   AnncdPstngAmt?:AmountAndCurrencyExchangeDetails3 PrtryAmt*:-
AmountAndCurrencyExchangeDetails3 = Amt:ActiveOrHistoricCurrencyAndAmount CcyXchg?:-
Charges6 = TtlChrgsAndTaxAmt?:ActiveOrHistoricCurrencyAndAmount Rcrd*:ChargesRecord3
ChargesRecord3 = Amt:ActiveOrHistoricCurrencyAndAmount CdtDbtInd?:CreditDebitCode
   ChrgInclInd?:ChargeIncludedIndicator Tp?:ChargeType3Choice Rate?:- Br?:- Agt?:- Tax?:-
ChargeType3Choice | Cd:- Prtry:GenericIdentification3
GenericIdentification3 = Id:Max35Text Issr?:Max35Text
EntryDetails9 = Btch?:- TxDtls*:EntryTransaction10
EntryTransaction10 = Refs?:TransactionReferences6 Amt?:ActiveOrHistoricCurrencyAndAmount
   CdtDbtInd?:CreditDebitCode AmtDtls?:AmountAndCurrencyExchange3 Avlbty*:-
   BkTxCd?:BankTransactionCodeStructure4 Chrgs?:Charges6 Intrst?:- RltdPties?:TransactionParties6
   RltdAgts?:- LclInstrm?:- Purp?:- RltdRmtInf*:- RmtInf?:RemittanceInformation16 RltdDts?:-
   RltdPric?:- RltdQties*:- FinInstrmId?:- Tax?:- RtrInf?:- CorpActn?:- SfkpgAcct?:- CshDpst*:-
   CardTx?:- AddtlTxInf?:Max500Text SplmtryData*:-
TransactionReferences6 = MsgId?:Max35Text AcctSvcrRef?:Max35Text PmtInfId?:Max35Text
   InstrId?:Max35Text EndToEndId?:Max35Text UETR?:- TxId?:Max35Text MndtId?:Max35Text
   ChqNb?:Max35Text ClrSysRef?:Max35Text AcctOwnrTxId?:Max35Text AcctSvcrTxId?:Max35Text
   MktInfrstrctrTxId?:Max35Text PrcgId?:Max35Text Prtry*:ProprietaryReference1
ProprietaryReference1 = Tp:Max35Text Ref:Max35Text
TransactionParties6 = InitgPty?:- Dbtr?:- DbtrAcct?:CashAccount38 UltmtDbtr?:- Cdtr?:-
   CdtrAcct?:CashAccount38 UltmtCdtr?:- TradgPty?:- Prtry*:-
RemittanceInformation16 = Ustrd*:Max140Text Strd*:-";

/// A permitted child of a type.
struct Particle<'a> {
    name: &'a str,
    least: usize,
    most: usize,
    kind: &'a str,
}

fn particle(word: &str) -> Particle<'_> {
    let (name, kind) = word.split_once(':').unwrap();
    let bare = name.trim_end_matches(['?', '*', '+']);
    let (least, most) = match &name[bare.len()..] {
        "?" => (0, 1),
        "*" => (0, usize::MAX),
        "+" => (1, usize::MAX),
        _ => (1, 1),
    };
    Particle {
        name: bare,
        least,
        most,
        kind,
    }
}

/// The children of a type, and whether they are a choice.
type Content = (Vec<Particle<'static>>, bool);

static CONTENTS: LazyLock<HashMap<&str, Content>> = LazyLock::new(|| {
    let mut contents = HashMap::new();
    let mut words: Vec<&str> = Vec::new();
    for line in TYPES.lines().chain(["end"]) {
        if !line.starts_with(' ')
            && let [kind, sign, particles @ ..] = words.as_slice()
        {
            let particles = particles.iter().map(|word| particle(word)).collect();
            contents.insert(*kind, (particles, *sign == "|"));
            words.clear();
        }
        words.extend(line.split_whitespace());
    }
    contents
});

/// Checks a document against the schema; returns the fault.
pub(super) fn walk(root: &Element) -> Result<(), String> {
    let namespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";
    let is_named = root.attributes == [("xmlns".to_owned(), namespace.to_owned())];
    if root.name != "Document" || !is_named {
        return Err("the document is not camt.053.001.08".to_owned());
    }
    element(root, "Document")
}

fn element(found: &Element, kind: &str) -> Result<(), String> {
    let Some((particles, is_choice)) = CONTENTS.get(kind) else {
        return simple(found, kind);
    };
    if !found.text.is_empty() || (found.name != "Document" && !found.attributes.is_empty()) {
        return Err(format!("{} has text or attributes", found.name));
    }
    let mut children = found.children.iter().peekable();
    let mut kinds = 0;
    for particle in particles {
        let mut count = 0;
        while let Some(child) = children.next_if(|child| child.name == particle.name) {
            element(child, particle.kind)?;
            count += 1;
        }
        kinds += usize::from(count > 0);
        let least = if *is_choice { 0 } else { particle.least };
        if !(least..=particle.most).contains(&count) {
            return Err(format!("{} has {count} {}", found.name, particle.name));
        }
    }
    match children.next() {
        Some(child) => Err(format!(
            "{} has {} at a wrong place",
            found.name, child.name
        )),
        None if *is_choice && kinds != 1 => Err(format!("{} has {kinds} choices", found.name)),
        None => Ok(()),
    }
}

/// The simple types, and amounts.
fn simple(found: &Element, kind: &str) -> Result<(), String> {
    let text = found.text.as_str();
    let has = |range: std::ops::RangeInclusive<usize>| range.contains(&text.chars().count());
    let is_good = match kind {
        "Max34Text" => has(1..=34),
        "Max35Text" => has(1..=35),
        "Max70Text" => has(1..=70),
        "Max140Text" => has(1..=140),
        "Max500Text" => has(1..=500),
        "Max15NumericText" => has(1..=15) && text.bytes().all(|c| c.is_ascii_digit()),
        "Number" => is_decimal(text, 0),
        "DecimalNumber" | "NonNegativeDecimalNumber" => is_decimal(text, 17),
        "ActiveOrHistoricCurrencyAndAmount" => is_amount(found),
        "ActiveOrHistoricCurrencyCode" => text.parse::<Currency>().is_ok(),
        "IBAN2007Identifier" => is_iban(text),
        "ISODateTime" => text.ends_with('Z') && text.parse::<Timestamp>().is_ok(),
        "ISODate" => has(10..=10) && text.parse::<Date>().is_ok(),
        "CreditDebitCode" => ["CRDT", "DBIT"].contains(&text),
        "TrueFalseIndicator" | "ChargeIncludedIndicator" => ["true", "false"].contains(&text),
        "ExternalEntryStatus1Code" => text == "BOOK",
        "ExternalBalanceType1Code" => ["OPBD", "CLBD"].contains(&text),
        "ExternalBankTransactionDomain1Code" => text == "PMNT",
        "ExternalBankTransactionFamily1Code" => {
            ["MCRD", "RCDT", "ICDT", "IDDT", "MCOP", "MDOP"].contains(&text)
        }
        "ExternalBankTransactionSubFamily1Code" => {
            let codes = [
                "POSC", "RIMB", "UPCT", "CAJT", "ADJT", "OTHR", "RRTN", "ESCT", "ESDD", "UPDD",
            ];
            codes.contains(&text)
        }
        _ => {
            return Err(format!(
                "{} is of the type {kind}, which is never written",
                found.name
            ));
        }
    };
    let is_bare = found.attributes.is_empty() || kind == "ActiveOrHistoricCurrencyAndAmount";
    if is_good && is_bare && found.children.is_empty() {
        Ok(())
    } else {
        Err(format!("{} is no {kind}: {text:?}", found.name))
    }
}

/// Unsigned, at most 18 digits, with this maximum of decimals.
fn is_decimal(text: &str, most_decimals: usize) -> bool {
    let (units, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    !units.is_empty()
        && digits(units)
        && digits(decimals)
        && decimals.len() <= most_decimals
        && units.len() + decimals.len() <= 18
        && text.contains('.') != decimals.is_empty()
}

/// A decimal with exactly the currency's number of decimals, which is stricter than the schema.
fn is_amount(found: &Element) -> bool {
    let [(name, code)] = found.attributes.as_slice() else {
        return false;
    };
    let Ok(currency) = code.parse::<Currency>() else {
        return false;
    };
    let decimals = found
        .text
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    name == "Ccy" && is_decimal(&found.text, 5) && decimals == usize::from(currency.exponent())
}

fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    (5..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(u8::is_ascii_alphanumeric)
}

//! What a tester sees and changes, and that the bank follows.

mod modifications;

use super::{AccountRequest, ControlError, FaultRequest};
use crate::SimulatedBank;
use crate::account::{AccountStatus, Enrolment};
use crate::persona;
use crate::world::tests::{NOON_MS, TestFolder, counting};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_protocol::secret::Secret;
use sealpay_provider::{
    AuthorizationRequest, BinLookup, Inquiry, PaymentProvider, ProviderDecision, ProviderError,
    TestScenarios,
};
use sealpay_system::Clock;
use std::sync::Arc;
use std::time::Duration;

async fn bank(folder: &TestFolder) -> Arc<SimulatedBank> {
    SimulatedBank::open(
        &folder.path(),
        Secret::new([9; 32]),
        "http://127.0.0.1:8787".parse().unwrap(),
        Clock::new(|| NOON_MS),
        counting(),
        true,
    )
    .await
    .unwrap()
}

fn acquirer(bank: &SimulatedBank, name: &str) -> Arc<dyn PaymentProvider> {
    let mut all = bank.acquirers().into_iter();
    all.find(|acquirer| acquirer.name() == name).unwrap()
}

fn card(number: &str) -> Card {
    let number = CardNumber::parse(number).unwrap();
    let brand = number.brand();
    let today = YearMonth::new(2026, 6).unwrap();
    Card {
        expiry: Expiry::parse("12 / 30", today).unwrap(),
        security_code: SecurityCode::parse("1234", brand)
            .or_else(|_| SecurityCode::parse("123", brand))
            .unwrap(),
        holder: None,
        number,
    }
}

fn reference(number: u64) -> PaymentId {
    PaymentId::new(number, [3; 10])
}

fn number_of(name: &str) -> &'static str {
    &persona::named(name).unwrap().number
}

struct Payment<'a> {
    number: &'a str,
    amount_minor: i64,
    currency: &'a str,
    simulate: Option<&'a str>,
}

impl Payment<'_> {
    async fn at(
        &self,
        bank: &SimulatedBank,
        name: &str,
        id: u64,
    ) -> Result<ProviderDecision, ProviderError> {
        let card = card(self.number);
        let acquirers = match self.simulate {
            Some(outcome) => bank.directed(outcome).acquirers,
            None => bank.acquirers(),
        };
        let mut acquirers = acquirers.into_iter();
        let acquirer = acquirers.find(|acquirer| acquirer.name() == name).unwrap();
        let asking = acquirer.authorize(AuthorizationRequest {
            reference: reference(id),
            money: Money::new(self.amount_minor, self.currency.parse().unwrap()),
            capture: Capture::Automatic,
            card: &card,
            authentication: None,
        });
        let waiting = tokio::time::timeout(Duration::from_secs(1), asking).await;
        waiting.unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown("too late".into())))
    }
}

fn payment(number: &str) -> Payment<'_> {
    Payment {
        number,
        amount_minor: 2_490,
        currency: "EUR",
        simulate: None,
    }
}

fn declined(key: &str) -> Result<ProviderDecision, ProviderError> {
    Ok(ProviderDecision::Declined(key.into()))
}

#[tokio::test]
async fn the_order_goes_before_the_persona_the_persona_before_the_amount_and_then_the_account() {
    let folder = TestFolder::new("precedence");
    let bank = bank(&folder).await;
    let lost = number_of("lars_lost_card");
    let poor = number_of("ben_balance");
    let ada = number_of("ada_approved");
    let closed = number_of("cora_closed");
    let meaning = 990_005;
    let rows = [
        (
            lost,
            meaning,
            Some("approved"),
            Ok(ProviderDecision::Approved),
        ),
        (lost, meaning, None, declined("lost_card")),
        (ada, meaning, None, Ok(ProviderDecision::Approved)),
        (
            ada,
            meaning,
            Some("no_such_issuer"),
            declined("no_such_issuer"),
        ),
        (poor, meaning, None, declined("do_not_honor")),
        (poor, 990_006, None, declined("insufficient_funds")),
        (poor, 10_000, None, Ok(ProviderDecision::Approved)),
        (poor, 1, None, declined("insufficient_funds")),
        (closed, meaning, None, declined("do_not_honor")),
        (closed, 1, None, declined("closed_account")),
        ("4111111111111111", 990_043, None, declined("stolen_card")),
        (
            "4111111111111111",
            2_490,
            None,
            Ok(ProviderDecision::Approved),
        ),
    ];
    for (id, (number, amount_minor, simulate, expected)) in (1..).zip(rows) {
        let payment = Payment {
            amount_minor,
            simulate,
            ..payment(number)
        };
        let answer = payment.at(&bank, "harbor", id).await;
        assert_eq!(answer, expected, "{number} {amount_minor} {simulate:?}");
    }
}

#[tokio::test]
async fn an_acquirer_takes_what_it_takes() {
    let folder = TestFolder::new("takes");
    let bank = bank(&folder).await;
    let amex = payment(number_of("amy_approved"));
    let yen = Payment {
        currency: "JPY",
        ..payment(number_of("ada_approved"))
    };
    let ordered = Payment {
        simulate: Some("approved"),
        ..payment(number_of("amy_approved"))
    };
    let by_amount = Payment {
        amount_minor: 990_000,
        currency: "USD",
        ..payment("4111111111111111")
    };
    for (id, payment) in (1..).zip([amex, yen, ordered, by_amount]) {
        let refused = declined("not_permitted_terminal");
        assert_eq!(payment.at(&bank, "harbor", id).await, refused);
        assert_eq!(
            payment.at(&bank, "meridian", id).await,
            Ok(ProviderDecision::Approved)
        );
    }
}

#[tokio::test]
async fn every_persona_is_known_and_its_authentication_staged_where_its_name_says_so() {
    let folder = TestFolder::new("rehearsal");
    let bank = bank(&folder).await;
    for persona in persona::all() {
        let number = CardNumber::parse(&persona.number).unwrap();
        assert!(bank.is_persona(&number), "{}", persona.name);
        let staged = crate::outcome::AUTHENTICATION
            .iter()
            .any(|(name, _)| *name == persona.outcome);
        assert_eq!(
            bank.stages_authentication(&number, None),
            staged,
            "{}",
            persona.name
        );
        assert!(bank.stages_authentication(&number, Some("rejected")));
        assert!(!bank.stages_authentication(&number, Some("lost_card")));
        let by_outcome = bank.knows_outcome(&persona.outcome);
        assert_eq!(by_outcome, persona.outcome != persona::BY_ACCOUNT);
    }
    let other = CardNumber::parse("4111111111111111").unwrap();
    assert!(!bank.is_persona(&other) && !bank.stages_authentication(&other, None));
    assert_eq!(bank.country_of(&other), Some("NL"));
    assert!(bank.knows_outcome("transfer_late") && !bank.knows_outcome("nonsense"));
}

#[tokio::test]
async fn a_changed_account_answers_as_it_was_changed() {
    let folder = TestFolder::new("changed");
    let bank = bank(&folder).await;
    let ada = payment(number_of("ada_approved"));
    assert_eq!(
        ada.at(&bank, "harbor", 1).await,
        Ok(ProviderDecision::Approved)
    );
    let steps = [
        (r#"{"status":"stolen"}"#, declined("stolen_card")),
        (r#"{"status":"active"}"#, Ok(ProviderDecision::Approved)),
        (
            r#"{"credit_limit_minor":2489}"#,
            declined("insufficient_funds"),
        ),
        (
            r#"{"credit_limit_minor":2490}"#,
            Ok(ProviderDecision::Approved),
        ),
        (
            r#"{"balance_minor":0,"daily_count_limit":1}"#,
            declined("count_limit_exceeded"),
        ),
        (
            r#"{"daily_count_limit":null,"per_transaction_limit_minor":1}"#,
            declined("amount_limit_exceeded"),
        ),
        (
            r#"{"per_transaction_limit_minor":null,"wrong_codes":5}"#,
            declined("pin_tries_exceeded"),
        ),
        (
            r#"{"wrong_codes":0,"credit_limit_minor":null}"#,
            Ok(ProviderDecision::Approved),
        ),
    ];
    for (id, (json, expected)) in (2..).zip(steps) {
        let order: AccountRequest = serde_json::from_str(json).unwrap();
        let changed = bank.change_account("ada_approved", order).await.unwrap();
        let seen = bank.account("ada_approved").await.unwrap();
        assert_eq!(changed, seen, "{json}");
        assert_eq!(ada.at(&bank, "harbor", id).await, expected, "{json}");
    }
    let order = AccountRequest {
        enrolment: Some(Enrolment::Passkey),
        phone: Some("+99912345678".into()),
        ..AccountRequest::default()
    };
    let changed = bank.change_account("lars_lost_card", order).await.unwrap();
    let told = (changed.enrolment, changed.phone.as_str());
    assert_eq!(told, (Enrolment::Passkey, "+99912345678"));
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused() {
    let folder = TestFolder::new("unchangeable");
    let bank = bank(&folder).await;
    let status = AccountRequest {
        status: Some(AccountStatus::Active),
        ..AccountRequest::default()
    };
    let unknown = bank.change_account("nobody", status.clone()).await;
    assert_eq!(unknown, Err(ControlError::NotFound));
    assert_eq!(bank.account("nobody").await, Err(ControlError::NotFound));
    let promised = bank.change_account("lars_lost_card", status).await;
    let reason =
        "The outcome of this persona is always lost_card; its account has no say in it.".into();
    let field = "status";
    assert_eq!(promised, Err(ControlError::Invalid { field, reason }));
    let negative = AccountRequest {
        balance_minor: Some(-1),
        ..AccountRequest::default()
    };
    let refused = bank.change_account("ben_balance", negative).await;
    assert!(matches!(
        refused,
        Err(ControlError::Invalid {
            field: "balance_minor",
            ..
        })
    ));
}

#[tokio::test]
async fn a_tester_sees_accounts_and_authorizations_without_a_number() {
    let folder = TestFolder::new("seen");
    let bank = bank(&folder).await;
    let harbor = acquirer(&bank, "harbor");
    let numbers = [
        number_of("ada_approved"),
        number_of("lars_lost_card"),
        "4111111111111111",
    ];
    for (id, number) in (1..).zip(numbers) {
        let answer = payment(number).at(&bank, "harbor", id).await;
        assert!(answer.is_ok(), "{number}");
    }
    let asked = harbor.inquire(reference(9)).await;
    assert_eq!(asked, Ok(Inquiry::NeverReceived));
    let accounts = bank.accounts(10).await.unwrap();
    assert_eq!(accounts.len(), persona::all().len() + 1);
    let derived = &accounts[accounts.len() - 1];
    assert_eq!(
        (derived.last4.as_str(), derived.balance_minor),
        ("1111", -2_490)
    );
    assert_eq!(bank.account(&derived.id).await.as_ref(), Ok(derived));
    let seen = bank.authorizations(10).await.unwrap();
    let told: Vec<_> = seen
        .iter()
        .map(|one| (one.state, one.persona.as_deref(), one.last4.as_deref()))
        .collect();
    let expected = [
        ("struck_out", None, None),
        ("booked", None, Some("1111")),
        ("declined", Some("lars_lost_card"), Some("9987")),
        ("booked", Some("ada_approved"), Some("4242")),
    ];
    assert_eq!(told, expected);
    assert_eq!(bank.authorizations(1).await.unwrap().len(), 1);
    let text = serde_json::to_string(&(seen, accounts)).unwrap();
    for number in numbers {
        assert!(!text.contains(&number[..12]), "{number}");
    }
}

#[tokio::test]
async fn ordered_faults_strike_and_then_everything_is_as_before() {
    let folder = TestFolder::new("struck");
    let bank = bank(&folder).await;
    let harbor = acquirer(&bank, "harbor");
    let ada = payment(number_of("ada_approved"));
    let order = async |json: &str| {
        let order: FaultRequest = serde_json::from_str(json).unwrap();
        bank.add_fault(order).await.unwrap()
    };
    let silent = Err(ProviderError::OutcomeUnknown("too late".into()));
    let down = Err(ProviderError::NotSent("harbor cannot be reached".into()));

    order(r#"{"kind":"acquirer_down","target":"harbor","next":2}"#).await;
    assert_eq!(ada.at(&bank, "harbor", 1).await, down);
    assert_eq!(
        ada.at(&bank, "meridian", 1).await,
        Ok(ProviderDecision::Approved)
    );
    let asked = harbor.inquire(reference(1)).await;
    assert_eq!(
        asked,
        Err(ProviderError::NotSent("harbor cannot be reached".into()))
    );
    assert_eq!(
        harbor.inquire(reference(1)).await,
        Ok(Inquiry::NeverReceived)
    );

    order(r#"{"kind":"response_lost","next":1}"#).await;
    assert_eq!(ada.at(&bank, "harbor", 2).await, silent);
    let approved = Ok(Inquiry::Answered(ProviderDecision::Approved));
    assert_eq!(harbor.inquire(reference(2)).await, approved);

    order(r#"{"kind":"request_lost","target":"issuer","next":1}"#).await;
    assert_eq!(ada.at(&bank, "harbor", 3).await, silent);
    assert_eq!(
        harbor.inquire(reference(3)).await,
        Ok(Inquiry::NeverReceived)
    );

    order(r#"{"kind":"issuer_down","next":1}"#).await;
    assert_eq!(
        ada.at(&bank, "harbor", 4).await,
        declined("issuer_unavailable")
    );
    assert_eq!(
        ada.at(&bank, "harbor", 5).await,
        Ok(ProviderDecision::Approved)
    );

    let slow = order(r#"{"kind":"latency","min_ms":5000,"share_per_mille":1000}"#).await;
    assert_eq!(ada.at(&bank, "harbor", 6).await, silent);
    assert_eq!(bank.faults().await.unwrap(), std::slice::from_ref(&slow));
    bank.remove_fault(&slow.id).await.unwrap();
    assert_eq!(
        bank.remove_fault(&slow.id).await,
        Err(ControlError::NotFound)
    );
    assert_eq!(
        ada.at(&bank, "harbor", 7).await,
        Ok(ProviderDecision::Approved)
    );

    order(r#"{"kind":"acquirer_down","share_per_mille":1000}"#).await;
    assert_eq!(ada.at(&bank, "harbor", 8).await, down);
    bank.remove_faults().await.unwrap();
    assert_eq!(
        ada.at(&bank, "harbor", 8).await,
        Ok(ProviderDecision::Approved)
    );
    for _ in 0..super::FAULTS {
        order(r#"{"kind":"request_lost","target":"meridian","share_per_mille":1}"#).await;
    }
    let order = serde_json::from_str(r#"{"kind":"request_lost","next":1}"#).unwrap();
    let refused = bank.add_fault(order).await;
    assert!(
        matches!(refused, Err(ControlError::Invalid { .. })),
        "{refused:?}"
    );
}

//! Testers read and change the bank, and its decisions follow.

mod modifications;

use super::{AccountRequest, ControlError};
use crate::account::{AccountStatus, Enrolment};
use crate::persona;
use crate::simulation::tests::{APPROVED, TestBank, card, money, response, without_codes};
use crate::{AuthorizationState, SimulatedBank};
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use sealpay_provider::{AuthorizationRequest, BinLookup, CardSource, Inquiry, PaymentProvider};
use sealpay_provider::{ProviderDecision, ProviderError, TestScenarios};
use std::sync::Arc;

type Response = Result<ProviderDecision, ProviderError>;

fn acquirer(bank: &SimulatedBank, name: &str) -> Arc<dyn PaymentProvider> {
    let mut all = bank.acquirers().into_iter();
    all.find(|acquirer| acquirer.name() == name).unwrap()
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
    async fn at(&self, bank: &SimulatedBank, name: &str, id: u64) -> Response {
        let card = card(self.number);
        let acquirers = match self.simulate {
            Some(outcome) => bank.directed(outcome).acquirers,
            None => bank.acquirers(),
        };
        let mut acquirers = acquirers.into_iter();
        let acquirer = acquirers.find(|acquirer| acquirer.name() == name).unwrap();
        let authorized = acquirer.authorize(AuthorizationRequest {
            reference: reference(id),
            money: money(self.amount_minor, self.currency),
            capture: Capture::Automatic,
            source: CardSource::Card(&card),
            authentication: None,
            stored_credential: None,
        });
        response(authorized).await.map(without_codes)
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

const YES: Response = Ok(APPROVED);

fn declined(key: &str) -> Response {
    Ok(ProviderDecision::declined(key))
}

#[tokio::test]
async fn order_persona_amount_and_account_decide_in_this_order() {
    let test = TestBank::new("precedence").await;
    let bank = &test.bank;
    let lost = number_of("lars_lost_card");
    let poor = number_of("ben_balance");
    let ada = number_of("ada_approved");
    let closed = number_of("cora_closed");
    let derived = "4111111111111111";
    let amount = 990_005;
    let rows = [
        (lost, amount, Some("approved"), YES),
        (lost, amount, None, declined("lost_card")),
        (ada, amount, None, YES),
        (
            ada,
            amount,
            Some("no_such_issuer"),
            declined("no_such_issuer"),
        ),
        (poor, amount, None, declined("do_not_honor")),
        (poor, 990_006, None, declined("insufficient_funds")),
        (poor, 10_000, None, YES),
        (poor, 1, None, declined("insufficient_funds")),
        (closed, amount, None, declined("do_not_honor")),
        (closed, 1, None, declined("closed_account")),
        (derived, 990_043, None, declined("stolen_card")),
        (derived, 2_490, None, YES),
    ];
    for (id, (number, amount_minor, simulate, expected)) in (1..).zip(rows) {
        let payment = Payment {
            amount_minor,
            simulate,
            ..payment(number)
        };
        let decision = payment.at(bank, "harbor", id).await;
        assert_eq!(decision, expected, "{number} {amount_minor} {simulate:?}");
    }
}

#[tokio::test]
async fn an_acquirer_declines_what_its_terms_exclude() {
    let test = TestBank::new("takes").await;
    let bank = &test.bank;
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
        assert_eq!(payment.at(bank, "harbor", id).await, refused);
        assert_eq!(payment.at(bank, "meridian", id).await, YES);
    }
}

#[tokio::test]
async fn personas_and_their_outcomes_are_known() {
    let test = TestBank::new("rehearsal").await;
    let bank = &test.bank;
    for persona in persona::all() {
        let number = CardNumber::parse(&persona.number).unwrap();
        assert!(bank.is_persona(&number), "{}", persona.name);
        let mut authentications = crate::outcome::AUTHENTICATION.iter();
        let staged = authentications.any(|(name, ..)| *name == persona.outcome);
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
async fn a_changed_account_decides_as_changed() {
    let test = TestBank::new("changed").await;
    let bank = &test.bank;
    let ada = payment(number_of("ada_approved"));
    assert_eq!(ada.at(bank, "harbor", 1).await, YES);
    let steps = [
        (r#""status":"stolen""#, declined("stolen_card")),
        (r#""status":"active""#, YES),
        (
            r#""credit_limit_minor":2489"#,
            declined("insufficient_funds"),
        ),
        (r#""credit_limit_minor":2490"#, YES),
        (
            r#""balance_minor":0,"daily_count_limit":1"#,
            declined("count_limit_exceeded"),
        ),
        (
            r#""daily_count_limit":null,"per_transaction_limit_minor":1"#,
            declined("amount_limit_exceeded"),
        ),
        (
            r#""per_transaction_limit_minor":null,"wrong_codes":5"#,
            declined("pin_tries_exceeded"),
        ),
        (r#""wrong_codes":0,"credit_limit_minor":null"#, YES),
    ];
    for (id, (members, expected)) in (2..).zip(steps) {
        let request: AccountRequest = serde_json::from_str(&format!("{{{members}}}")).unwrap();
        let changed = bank.change_account("ada_approved", request).await.unwrap();
        let found = bank.account("ada_approved").await.unwrap();
        assert_eq!(changed, found, "{members}");
        assert_eq!(ada.at(bank, "harbor", id).await, expected, "{members}");
    }
    let request = AccountRequest {
        enrolment: Some(Enrolment::Passkey),
        phone: Some("+99912345678".into()),
        ..AccountRequest::default()
    };
    let changed = bank
        .change_account("lars_lost_card", request)
        .await
        .unwrap();
    let stored = (changed.enrolment, changed.phone.as_str());
    assert_eq!(stored, (Enrolment::Passkey, "+99912345678"));
}

#[tokio::test]
async fn invalid_changes_are_refused() {
    let test = TestBank::new("unchangeable").await;
    let bank = &test.bank;
    let status = AccountRequest {
        status: Some(AccountStatus::Active),
        ..AccountRequest::default()
    };
    let unknown = bank.change_account("nobody", status.clone()).await;
    assert_eq!(unknown, Err(ControlError::NotFound));
    assert_eq!(bank.account("nobody").await, Err(ControlError::NotFound));
    let fixed = bank.change_account("lars_lost_card", status).await;
    let reason =
        "The outcome of this persona is always lost_card; its account has no say in it.".into();
    let field = "status";
    assert_eq!(fixed, Err(ControlError::Invalid { field, reason }));
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
async fn accounts_and_authorizations_have_no_card_number() {
    let test = TestBank::new("seen").await;
    let bank = &test.bank;
    let harbor = acquirer(bank, "harbor");
    let numbers = [
        number_of("ada_approved"),
        number_of("lars_lost_card"),
        "4111111111111111",
    ];
    for (id, number) in (1..).zip(numbers) {
        let decision = payment(number).at(bank, "harbor", id).await;
        assert!(decision.is_ok(), "{number}");
    }
    let inquired = harbor.inquire(reference(9)).await;
    assert_eq!(inquired, Ok(Inquiry::NeverReceived));
    let accounts = bank.accounts(10).await.unwrap();
    assert_eq!(accounts.len(), persona::all().len() + 1);
    let derived = &accounts[accounts.len() - 1];
    assert_eq!(
        (derived.last4.as_str(), derived.balance_minor),
        ("1111", -2_490)
    );
    assert_eq!(bank.account(&derived.id).await.as_ref(), Ok(derived));
    let listed = bank.authorizations(10).await.unwrap();
    let found: Vec<_> = listed
        .iter()
        .map(|listed| (listed.state, listed.account.as_str()))
        .collect();
    use AuthorizationState::{Captured, Declined, Tombstoned};
    let expected = [
        (Tombstoned, ""),
        (Captured, derived.id.as_str()),
        (Declined, "persona:lars_lost_card"),
        (Captured, "persona:ada_approved"),
    ];
    assert_eq!(found, expected);
    assert_eq!(bank.authorizations(1).await.unwrap().len(), 1);
    let text = format!("{listed:?} {accounts:?}");
    for number in numbers {
        assert!(!text.contains(&number[..12]), "{number}");
    }
}

#[tokio::test]
async fn faults_apply_as_requested_and_no_longer() {
    let test = TestBank::new("faults-applied").await;
    let bank = &test.bank;
    let harbor = acquirer(bank, "harbor");
    let ada = payment(number_of("ada_approved"));
    let no_response = Err(ProviderError::OutcomeUnknown("too late".into()));
    let not_sent = || ProviderError::NotSent("harbor cannot be reached".into());
    let never_received = Ok(Inquiry::NeverReceived);

    let down = r#"{"kind":"acquirer_down","target":"harbor","next":2}"#;
    test.add_fault(down).await;
    assert_eq!(ada.at(bank, "harbor", 1).await, Err(not_sent()));
    assert_eq!(ada.at(bank, "meridian", 1).await, YES);
    assert_eq!(harbor.inquire(reference(1)).await, Err(not_sent()));
    assert_eq!(harbor.inquire(reference(1)).await, never_received);

    test.add_fault(r#"{"kind":"response_lost","next":1}"#).await;
    assert_eq!(ada.at(bank, "harbor", 2).await, no_response);
    let Ok(Inquiry::Answered(decision)) = harbor.inquire(reference(2)).await else {
        panic!("the request has arrived");
    };
    assert_eq!(without_codes(decision), APPROVED);

    let lost = r#"{"kind":"request_lost","target":"issuer","next":1}"#;
    test.add_fault(lost).await;
    assert_eq!(ada.at(bank, "harbor", 3).await, no_response);
    assert_eq!(harbor.inquire(reference(3)).await, never_received);

    test.add_fault(r#"{"kind":"issuer_down","next":1}"#).await;
    let unavailable = declined("issuer_unavailable");
    assert_eq!(ada.at(bank, "harbor", 4).await, unavailable);
    assert_eq!(ada.at(bank, "harbor", 5).await, YES);

    let slow = r#"{"kind":"latency","min_ms":5000,"share_per_mille":1000}"#;
    let slow = test.add_fault(slow).await;
    assert_eq!(ada.at(bank, "harbor", 6).await, no_response);
    assert_eq!(bank.faults().await.unwrap(), std::slice::from_ref(&slow));
    bank.remove_fault(&slow.id).await.unwrap();
    let removed = bank.remove_fault(&slow.id).await;
    assert_eq!(removed, Err(ControlError::NotFound));
    assert_eq!(ada.at(bank, "harbor", 7).await, YES);

    let down = r#"{"kind":"acquirer_down","share_per_mille":1000}"#;
    test.add_fault(down).await;
    assert_eq!(ada.at(bank, "harbor", 8).await, Err(not_sent()));
    bank.remove_faults().await.unwrap();
    assert_eq!(ada.at(bank, "harbor", 8).await, YES);
    for _ in 0..super::FAULTS {
        let rare = r#"{"kind":"request_lost","target":"meridian","share_per_mille":1}"#;
        test.add_fault(rare).await;
    }
    let request = serde_json::from_str(r#"{"kind":"request_lost","next":1}"#).unwrap();
    let refused = bank.add_fault(request).await;
    let is_invalid = matches!(refused, Err(ControlError::Invalid { .. }));
    assert!(is_invalid, "{refused:?}");
}

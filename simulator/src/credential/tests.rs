//! The lives of stored cards.

use super::CardUpdate;
use crate::control::ControlError;
use crate::persona;
use crate::simulation::tests::{TestBank, card, declined, euros, response, without_codes};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus, ChallengeKind};
use sealpay_provider::credential::{CredentialStatus, Initiator};
use sealpay_provider::{
    Approval, AuthorizationRequest, CardSource, CredentialReference, CredentialUse, Inquiry,
    PaymentProvider, ProviderDecision, Rejection,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Not a persona's card.
const PLAIN: &str = "4111111111111111";

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The cards of the tests expire in December 2030.
const DECEMBER_2030_MS: u64 = 1_922_313_600_000;

fn number_of(name: &str) -> &'static str {
    &persona::named(name).unwrap().number
}

fn reference() -> PaymentId {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let [a, b, c, d, e, f, g, h] = DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    PaymentId::new(1_780_315_200_000, [5, 6, a, b, c, d, e, f, g, h])
}

fn acquirer(test: &TestBank, name: &str) -> Arc<dyn PaymentProvider> {
    let mut acquirers = test.bank.acquirers().into_iter();
    acquirers.find(|acquirer| acquirer.name() == name).unwrap()
}

fn authenticated() -> Authentication {
    Authentication {
        status: AuthenticationStatus::Authenticated,
        eci: "05".into(),
        value: None,
        challenge: Some(ChallengeKind::Code),
        reasons: Vec::new(),
    }
}

/// A stored card at an acquirer.
struct Series {
    acquirer: Arc<dyn PaymentProvider>,
    credential: CredentialReference,
    network_transaction_id: String,
}

impl Series {
    async fn new(test: &TestBank, number: &str) -> Self {
        let acquirer = acquirer(test, "harbor");
        let card = card(number);
        let authentication = authenticated();
        let request = AuthorizationRequest {
            reference: reference(),
            money: euros(2_490),
            capture: Capture::Automatic,
            source: CardSource::Card(&card),
            authentication: Some(&authentication),
            stored_credential: Some(CredentialUse {
                kind: AgreementKind::Subscription,
                initiator: Initiator::Customer,
                store: true,
                network_transaction_id: None,
            }),
        };
        let decision = response(acquirer.authorize(request)).await.unwrap();
        let ProviderDecision::Approved(Approval {
            credential: Some(credential),
            network_transaction_id: Some(network_transaction_id),
            ..
        }) = decision
        else {
            panic!("{decision:?}");
        };
        Self {
            acquirer,
            credential,
            network_transaction_id,
        }
    }

    fn request(&self, reference: PaymentId) -> AuthorizationRequest<'_> {
        AuthorizationRequest {
            reference,
            money: euros(990),
            capture: Capture::Automatic,
            source: CardSource::Credential(&self.credential),
            authentication: None,
            stored_credential: Some(CredentialUse {
                kind: AgreementKind::Subscription,
                initiator: Initiator::Merchant,
                store: false,
                network_transaction_id: Some(&self.network_transaction_id),
            }),
        }
    }

    /// The merchant charges the card.
    async fn charge(&self) -> ProviderDecision {
        let request = self.request(reference());
        response(self.acquirer.authorize(request)).await.unwrap()
    }

    /// The shopper pays with the card.
    async fn pay(&self, authentication: Option<&Authentication>) -> ProviderDecision {
        let request = AuthorizationRequest {
            authentication,
            stored_credential: Some(CredentialUse {
                kind: AgreementKind::CardOnFile,
                initiator: Initiator::Customer,
                store: false,
                network_transaction_id: None,
            }),
            ..self.request(reference())
        };
        response(self.acquirer.authorize(request)).await.unwrap()
    }

    async fn status(&self) -> CredentialStatus {
        let vault = self.acquirer.credentials().unwrap();
        vault.status(&self.credential).await.unwrap()
    }

    async fn news(&self, by_ms: i64) -> Vec<(String, CredentialStatus)> {
        let vault = self.acquirer.credentials().unwrap();
        let updates = vault.updates(by_ms, 10).await.unwrap().into_iter();
        updates.map(|update| (update.id, update.status)).collect()
    }
}

#[tokio::test]
async fn personas_decline_the_renewals_that_they_promise() {
    let test = TestBank::new("renewals").await;
    let no = |reason: &'static str, advice: Option<&'static str>| Some((reason, advice));
    let rows = [
        ("ada_approved", [None; 4]),
        (
            "renewal_declines_2",
            [None, no("insufficient_funds", None), None, None],
        ),
        ("renewal_replaced", [None; 4]),
        (
            "renewal_sca_3",
            [
                None,
                None,
                no("sca_required", None),
                no("sca_required", None),
            ],
        ),
        (
            "renewal_revoked_2",
            [
                None,
                no("revocation_one", None),
                no("revocation_one", None),
                no("revocation_one", None),
            ],
        ),
        ("renewal_closed", [no("closed_account", Some("03")); 4]),
        (
            "renewal_retry_1h",
            [no("insufficient_funds", Some("24")), None, None, None],
        ),
        (
            "renewal_retry_later",
            [no("mc_policy", Some("02")), None, None, None],
        ),
    ];
    for (name, expected) in rows {
        let series = Series::new(&test, number_of(name)).await;
        for (place, expected) in expected.into_iter().enumerate() {
            let reference = reference();
            let charge = || series.acquirer.authorize(series.request(reference));
            let decision = response(charge()).await.unwrap();
            let found = match &decision {
                ProviderDecision::Approved(_) => None,
                ProviderDecision::Declined(Rejection {
                    reason,
                    advice_code,
                }) => Some((reason.as_str(), advice_code.as_deref())),
            };
            assert_eq!(found, expected, "{name}, charge {}", place + 1);
            // A repeated request is no other charge, and has the same advice.
            assert_eq!(response(charge()).await.unwrap(), decision);
            let inquiry = series.acquirer.inquire(reference).await;
            assert_eq!(inquiry, Ok(Inquiry::Answered(decision)));
        }
    }
    let promised = persona::all()
        .iter()
        .filter(|persona| persona.renewals.is_some());
    assert_eq!(promised.count(), rows.len() - 1);
}

#[tokio::test]
async fn the_shopper_authenticates_and_renewals_continue() {
    let test = TestBank::new("renewal-sca").await;
    let series = Series::new(&test, number_of("renewal_sca_3")).await;
    let required = declined("sca_required");
    // Authenticating early does not help.
    assert!(series.pay(Some(&authenticated())).await.is_approved());
    assert!(series.charge().await.is_approved());
    assert!(series.charge().await.is_approved());
    assert_eq!(series.charge().await, required);
    assert!(series.pay(None).await.is_approved());
    assert_eq!(series.charge().await, required);
    assert!(series.pay(Some(&authenticated())).await.is_approved());
    assert!(series.charge().await.is_approved());
}

#[tokio::test]
async fn the_account_updater_replaces_a_card_in_the_month_of_its_expiry() {
    let test = TestBank::new("renewal-replaced").await;
    let replaced = Series::new(&test, number_of("renewal_replaced")).await;
    let plain = Series::new(&test, PLAIN).await;
    let december_ms = DECEMBER_2030_MS.cast_signed();
    let CredentialStatus::Current(old) = replaced.status().await else {
        panic!("the card is current");
    };
    assert_eq!(old.expiry.to_string(), "2030-12");
    test.advance(DECEMBER_2030_MS - test.now_ms().unsigned_abs() - 1);
    assert!(replaced.news(test.now_ms()).await.is_empty());
    assert_eq!(
        replaced.status().await,
        CredentialStatus::Current(old.clone())
    );
    test.advance(1);
    let news = replaced.news(december_ms).await;
    let [(id, CredentialStatus::Replaced(new))] = &news[..] else {
        panic!("{news:?}");
    };
    assert!(new.last4 != old.last4 && new.account != old.account);
    assert_eq!(new.expiry.to_string(), "2033-12");
    assert!(plain.charge().await.is_approved());
    // January 2031: the old cards have expired.
    test.advance(31 * DAY_MS);
    assert!(replaced.charge().await.is_approved());
    assert_eq!(plain.charge().await, declined("expired_card"));
    let vault = replaced.acquirer.credentials().unwrap();
    vault.acknowledge(id).await.unwrap();
    assert!(replaced.news(test.now_ms()).await.is_empty());
    let status = replaced.status().await;
    assert_eq!(status, CredentialStatus::Current(new.clone()));
}

#[tokio::test]
async fn a_closed_persona_is_reported_with_its_first_decline() {
    let test = TestBank::new("renewal-closed").await;
    let series = Series::new(&test, number_of("renewal_closed")).await;
    assert!(series.news(test.now_ms()).await.is_empty());
    for _ in 0..2 {
        assert!(!series.charge().await.is_approved());
        let news = series.news(test.now_ms()).await;
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].1, CredentialStatus::Closed);
        assert_eq!(series.status().await, CredentialStatus::Closed);
    }
    let vault = series.acquirer.credentials().unwrap();
    vault.revoke(&series.credential).await.unwrap();
    assert!(series.news(test.now_ms()).await.is_empty());
}

#[tokio::test]
async fn a_credential_is_unknown_at_another_acquirer() {
    let test = TestBank::new("other-acquirer").await;
    let series = Series::new(&test, PLAIN).await;
    let meridian = acquirer(&test, "meridian");
    let vault = meridian.credentials().unwrap();
    let reference = reference();
    let charge = || meridian.authorize(series.request(reference));
    let refused = response(charge()).await.unwrap();
    assert_eq!(refused, declined("invalid_number"));
    assert_eq!(response(charge()).await.unwrap(), refused);
    let inquiry = meridian.inquire(reference).await;
    assert_eq!(inquiry, Ok(Inquiry::Answered(refused)));
    let status = vault.status(&series.credential).await.unwrap();
    assert_eq!(status, CredentialStatus::Unknown);
    vault.revoke(&series.credential).await.unwrap();
    assert!(series.charge().await.is_approved());
}

#[tokio::test]
async fn a_tester_changes_the_card_of_an_account() {
    let test = TestBank::new("by-hand").await;
    let series = Series::new(&test, PLAIN).await;
    let [first, second] = [
        Series::new(&test, PLAIN).await,
        Series::new(&test, PLAIN).await,
    ];
    let accounts = test.bank.accounts(10).await.unwrap();
    let mut accounts = accounts.into_iter();
    let account = accounts.find(|account| !account.credentials.is_empty());
    let account = account.unwrap();
    assert_eq!(account.credentials.len(), 3);
    let shown = &account.credentials[0];
    assert_eq!(
        (shown.status, shown.charges, shown.kind),
        ("current", 0, "subscription")
    );
    let vault = second.acquirer.credentials().unwrap();
    vault.revoke(&second.credential).await.unwrap();
    assert!(series.charge().await.is_approved());
    let replaced = test
        .bank
        .update_card(&account.id, CardUpdate::Replaced)
        .await;
    let replaced = replaced.unwrap();
    assert_ne!(replaced.last4, account.last4);
    let mut statuses: Vec<_> = replaced
        .credentials
        .iter()
        .map(|stored| (stored.status, stored.charges, stored.last4.clone()))
        .collect();
    statuses.sort();
    let expected = [
        ("replaced", 0, replaced.last4.clone()),
        ("replaced", 1, replaced.last4.clone()),
        ("revoked", 0, account.last4.clone()),
    ];
    assert_eq!(statuses, expected);
    assert!(series.charge().await.is_approved());
    test.advance(1);
    let closed = test.bank.update_card(&account.id, CardUpdate::Closed).await;
    assert_eq!(closed.unwrap().status.name(), "closed");
    assert_eq!(series.charge().await, declined("closed_account"));
    assert_eq!(first.status().await, CredentialStatus::Closed);
    assert_eq!(series.news(test.now_ms()).await.len(), 4);
    let unknown = test.bank.update_card("nobody", CardUpdate::Closed);
    assert_eq!(unknown.await, Err(ControlError::NotFound));
}

#[tokio::test]
async fn an_authorization_and_its_captures_have_one_acquirer_reference() {
    let test = TestBank::new("acquirer-reference").await;
    let series = Series::new(&test, PLAIN).await;
    let reference = reference();
    let request = || AuthorizationRequest {
        capture: Capture::Manual,
        ..series.request(reference)
    };
    let authorized = response(series.acquirer.authorize(request()))
        .await
        .unwrap();
    let ProviderDecision::Approved(codes) = &authorized else {
        panic!("{authorized:?}");
    };
    assert_eq!(codes.acquirer_reference, None);
    let mut references = Vec::new();
    for number in [1, 2, 1] {
        use sealpay_provider::modification::ModificationKind::Capture as Part;
        let part = crate::simulation::tests::modification(number, reference, Part, euros(100));
        let ProviderDecision::Approved(codes) = series.acquirer.modify(part).await.unwrap() else {
            panic!("the capture is approved");
        };
        references.push(codes.acquirer_reference.unwrap());
    }
    references.dedup();
    assert_eq!(references.len(), 1);
    let again = response(series.acquirer.authorize(request()))
        .await
        .unwrap();
    assert_eq!(again, authorized);
    assert_eq!(without_codes(again), ProviderDecision::approved());
}

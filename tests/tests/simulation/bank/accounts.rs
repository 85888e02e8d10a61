//! Accounts of one bank that two servers share, on SQLite and on Postgres.

use super::servers::{APPROVED, TwoServers, declined, harbor, new_reference, number_of, pay};
use crate::databases::on_both_databases;
use sealpay_protocol::order::Capture;
use sealpay_provider::{Inquiry, ProviderDecision, ProviderError};
use sealpay_simulator::AuthorizationState;
use sealpay_simulator::account::{AccountStatus, Enrolment};
use sealpay_simulator::control::{AccountRequest, AccountView};
use std::sync::Arc;

/// What a tester changes about an account.
type Change = fn(&mut AccountView);

on_both_databases! {
    TwoServers:
    a_hundred_of_two_hundred_concurrent_payments_are_approved,
    one_reference_at_two_servers_is_authorized_once,
    account_changes_only_the_given_members,
    fault_applies_to_the_requested_number_of_calls,
    unknown_card_gets_one_account_and_an_unlimited_persona_none,
}

fn order(json: &str) -> AccountRequest {
    serde_json::from_str(json).expect("the order is well formed")
}

async fn a_hundred_of_two_hundred_concurrent_payments_are_approved(bank: &TwoServers) {
    let rows = [
        (r#"{"balance_minor":249000}"#, "insufficient_funds"),
        (
            r#"{"balance_minor":9000000,"daily_count_limit":100}"#,
            "count_limit_exceeded",
        ),
        (
            r#"{"daily_count_limit":null,"daily_sum_limit_minor":249000}"#,
            "amount_limit_exceeded",
        ),
    ];
    for (json, reason) in rows {
        // Another day, on which nothing was counted yet.
        bank.clock.move_by(24 * 60 * 60);
        let server = &bank.servers[0];
        let before = server.change_account("ben_balance", order(json)).await;
        let before = before.unwrap();
        let payments = (0..200).map(|place| {
            let server = Arc::clone(&bank.servers[place % 2]);
            let number = number_of("ben_balance");
            let capture = [Capture::Automatic, Capture::Manual][place / 2 % 2];
            tokio::spawn(async move { pay(&server, number, new_reference(), 2_490, capture).await })
        });
        let (mut yes, mut no) = (0, 0);
        for payment in payments.collect::<Vec<_>>() {
            match payment.await.unwrap().expect("the bank answers") {
                ProviderDecision::Approved(_) => yes += 1,
                ProviderDecision::Declined(rejection) => {
                    assert_eq!(rejection.reason, reason);
                    no += 1;
                }
            }
        }
        assert_eq!((yes, no), (100, 100), "{json}");
        let after = bank.account("ben_balance").await;
        assert_eq!(
            (after.day_count, after.day_sum_minor),
            (100, 249_000),
            "{json}"
        );
        let taken = before.balance_minor - after.balance_minor;
        let held = after.held_minor - before.held_minor;
        assert_eq!(taken + held, 249_000, "{json}");
        assert!(after.available_minor.unwrap() >= 0, "{json}");
    }
}

async fn one_reference_at_two_servers_is_authorized_once(bank: &TwoServers) {
    for name in ["ben_balance", "ada_approved"] {
        let reference = new_reference();
        let payments = (0..20).map(|place| {
            let server = Arc::clone(&bank.servers[place % 2]);
            let number = number_of(name);
            tokio::spawn(
                async move { pay(&server, number, reference, 6_000, Capture::Automatic).await },
            )
        });
        for payment in payments.collect::<Vec<_>>() {
            assert_eq!(payment.await.unwrap(), Ok(APPROVED), "{name}");
        }
    }
    let account = bank.account("ben_balance").await;
    assert_eq!((account.balance_minor, account.day_count), (4_000, 1));
    // The first inquiry about an unknown reference makes it a tombstone.
    let unknown = new_reference();
    for server in &bank.servers {
        let asked = harbor(server).inquire(unknown).await;
        assert_eq!(asked, Ok(Inquiry::NeverReceived));
        for name in ["ben_balance", "ada_approved"] {
            let late = pay(server, number_of(name), unknown, 1, Capture::Automatic).await;
            assert_eq!(late, Ok(declined("duplicate_transaction")), "{name}");
        }
    }
    let account = bank.account("ben_balance").await;
    assert_eq!((account.balance_minor, account.day_count), (4_000, 1));
}

async fn account_changes_only_the_given_members(bank: &TwoServers) {
    let mut expected = bank.account("cleo_credit_limit").await;
    assert_eq!(expected.credit_limit_minor, Some(50_000));
    #[rustfmt::skip]
    let changes: [(&str, Change); 10] = [
        (r#"{"status":"blocked"}"#, |a| a.status = AccountStatus::Blocked),
        (r#"{"balance_minor":-7}"#, |a| a.balance_minor = -7),
        (r#"{"credit_limit_minor":9}"#, |a| a.credit_limit_minor = Some(9)),
        (r#"{"credit_limit_minor":null}"#, |a| a.credit_limit_minor = None),
        (r#"{"per_transaction_limit_minor":3}"#, |a| {
            a.per_transaction_limit_minor = Some(3);
        }),
        (r#"{"daily_count_limit":4}"#, |a| a.daily_count_limit = Some(4)),
        (r#"{"daily_sum_limit_minor":5}"#, |a| a.daily_sum_limit_minor = Some(5)),
        (r#"{"enrolment":"rejected"}"#, |a| a.enrolment = Enrolment::Rejected),
        (r#"{"phone":"+99955555555"}"#, |a| a.phone = "+99955555555".into()),
        (r#"{"wrong_codes":5}"#, |a| (a.wrong_codes, a.locked) = (5, true)),
    ];
    for (json, change) in changes {
        let changed = bank.servers[0].change_account("cleo_credit_limit", order(json));
        change(&mut expected);
        expected.available_minor = expected
            .credit_limit_minor
            .map(|limit| expected.balance_minor + limit);
        assert_eq!(changed.await.unwrap(), expected, "{json}");
        assert_eq!(bank.account("cleo_credit_limit").await, expected, "{json}");
    }
    let everybody = bank.servers[1].accounts(10).await.unwrap();
    assert!(everybody.contains(&expected));
}

async fn fault_applies_to_the_requested_number_of_calls(bank: &TwoServers) {
    let [one, other] = [&bank.servers[0], &bank.servers[1]];
    let json = r#"{"kind":"issuer_down","next":7}"#;
    let fault = one.add_fault(serde_json::from_str(json).unwrap()).await;
    let fault = fault.unwrap();
    assert_eq!(other.faults().await.unwrap(), [fault]);
    let mut struck = 0;
    for place in 0..20 {
        let server = &bank.servers[place % 2];
        let number = number_of("ada_approved");
        let answer = pay(server, number, new_reference(), 5, Capture::Automatic).await;
        match answer.unwrap() {
            ProviderDecision::Approved(_) => assert!(place >= 7, "{place}"),
            answer => {
                assert_eq!(answer, declined("issuer_unavailable"));
                struck += 1;
            }
        }
    }
    assert_eq!(struck, 7);
    assert!(one.faults().await.unwrap().is_empty());
    let json = r#"{"kind":"acquirer_down","share_per_mille":1000,"seed":4294967295}"#;
    let fault = one.add_fault(serde_json::from_str(json).unwrap()).await;
    let fault = fault.unwrap();
    assert_eq!(other.faults().await.unwrap(), std::slice::from_ref(&fault));
    let number = number_of("ada_approved");
    let answer = pay(other, number, new_reference(), 5, Capture::Automatic).await;
    assert!(
        matches!(answer, Err(ProviderError::NotSent(_))),
        "{answer:?}"
    );
    other.remove_fault(&fault.id).await.unwrap();
    assert!(one.faults().await.unwrap().is_empty());
}

async fn unknown_card_gets_one_account_and_an_unlimited_persona_none(bank: &TwoServers) {
    let payments = (0..40).map(|place| {
        let server = Arc::clone(&bank.servers[place % 2]);
        tokio::spawn(async move {
            let capture = Capture::Automatic;
            pay(&server, "4111111111111111", new_reference(), 100, capture).await
        })
    });
    for payment in payments.collect::<Vec<_>>() {
        assert_eq!(payment.await.unwrap(), Ok(APPROVED));
    }
    for _ in 0..5 {
        let capture = Capture::Manual;
        let number = number_of("ada_approved");
        let paid = pay(&bank.servers[0], number, new_reference(), 100, capture).await;
        assert_eq!(paid, Ok(APPROVED));
    }
    let accounts = bank.servers[1].accounts(10).await.unwrap();
    let others: Vec<_> = accounts
        .iter()
        .filter(|account| account.persona.is_none())
        .collect();
    assert_eq!(others.len(), 1);
    let counted = (
        others[0].balance_minor,
        others[0].day_count,
        others[0].day_sum_minor,
    );
    assert_eq!(counted, (-4_000, 40, 4_000));
    let ada = bank.account("ada_approved").await;
    assert_eq!(
        (ada.balance_minor, ada.held_minor, ada.day_count),
        (0, 0, 0)
    );
    let newest = bank.servers[1].authorizations(100).await.unwrap();
    assert_eq!(newest.len(), 45);
    let held: Vec<_> = newest
        .iter()
        .filter(|authorization| authorization.state == AuthorizationState::Authorized)
        .map(|authorization| authorization.account.as_str())
        .collect();
    assert_eq!(held, ["persona:ada_approved"; 5]);
    // An authorization that was not counted is voided without a trace.
    bank.clock.move_by(8 * 24 * 60 * 60);
    let now_ms = i64::try_from(bank.clock.now_ms()).unwrap();
    assert_eq!(bank.servers[0].expire_holds(now_ms, 3).await, Ok(3));
    assert_eq!(bank.servers[0].expire_holds(now_ms, 3).await, Ok(2));
    let ada = bank.account("ada_approved").await;
    assert_eq!((ada.balance_minor, ada.held_minor), (0, 0));
}

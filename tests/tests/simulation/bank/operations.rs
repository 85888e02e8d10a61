//! Operations of two servers at one bank are executed once and never exceed the total.

use super::servers::{
    APPROVED, TwoServers, declined, euros, harbor, modify, new_reference, number_of, pay,
};
use crate::databases::on_both_databases;
use harness::time::random;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId, PayoutId};
use sealpay_protocol::limits;
use sealpay_protocol::order::Capture;
use sealpay_provider::payout::PayoutRequest;
use sealpay_provider::transfer::TransferRequest;
use sealpay_provider::{
    ModificationRequest, PaymentOperations, PayoutProvider, ProviderDecision, TestScenarios,
    TransferProvider,
};
use sealpay_simulator::payout::ReturnReason;
use std::sync::Arc;
use verifier_server::modifications::model::ModificationKind;

on_both_databases! {
    TwoServers:
    authorization_is_captured_voided_or_expires,
    concurrent_partial_operations_at_two_servers_never_exceed_the_total,
    incoming_transfer_is_returned_once_by_two_servers,
    payout_is_sent_and_returned_once_by_two_servers,
}

/// A modification that was not there before.
fn modification(
    kind: ModificationKind,
    payment: PaymentId,
    amount_minor: i64,
) -> ModificationRequest {
    ModificationRequest {
        modification: ModificationId::new(1_780_000_000_000, random()),
        payment,
        kind,
        money: euros(amount_minor),
        is_final: false,
    }
}

async fn authorization_is_captured_voided_or_expires(bank: &TwoServers) {
    use ModificationKind::{Capture as Take, Refund, Void};
    let [one, other] = [&bank.servers[0], &bank.servers[1]];
    let number = number_of("ben_balance");
    let mut references = Vec::new();
    for _ in 0..4 {
        let reference = new_reference();
        let answer = pay(one, number, reference, 2_500, Capture::Manual).await;
        assert_eq!(answer, Ok(APPROVED));
        references.push(reference);
    }
    let sums = async || {
        let account = bank.account("ben_balance").await;
        (account.balance_minor, account.held_minor)
    };
    assert_eq!(sums().await, (10_000, 10_000));
    let part = modification(Take, references[0], 1_000);
    for server in [one, other, one] {
        let taken = modify(server, part).await;
        assert_eq!(taken, Ok(APPROVED));
        assert_eq!(sums().await, (9_000, 9_000));
    }
    let too_much = modification(Take, references[0], 1_501);
    let refused = modify(other, too_much).await;
    assert_eq!(refused, Ok(declined("invalid_amount")));
    let last = ModificationRequest {
        is_final: true,
        ..modification(Take, references[0], 500)
    };
    assert_eq!(modify(other, last).await, Ok(APPROVED));
    assert_eq!(sums().await, (8_500, 7_500));
    let back = modification(Refund, references[0], 1_500);
    assert_eq!(modify(one, back).await, Ok(APPROVED));
    assert_eq!(sums().await, (10_000, 7_500));
    for server in [one, other] {
        let gone = modification(Void, references[1], 2_500);
        assert_eq!(modify(server, gone).await, Ok(APPROVED));
        assert_eq!(sums().await, (10_000, 5_000));
    }
    // Both ends of one hold at once: one of them is right.
    let (acquirer, another) = (harbor(one), harbor(other));
    let (taken, gone) = tokio::join!(
        acquirer.modify(modification(Take, references[2], 2_500)),
        another.modify(modification(Void, references[2], 2_500))
    );
    let (expected, left) = match (taken.unwrap(), gone.unwrap()) {
        (ProviderDecision::Approved(_), ProviderDecision::Declined(_)) => (7_500, 2_500),
        (ProviderDecision::Declined(_), ProviderDecision::Approved(_)) => (10_000, 2_500),
        both => panic!("{both:?}"),
    };
    assert_eq!(sums().await, (expected, left));
    // Of the last a part is taken, and the rest runs out.
    let part = modification(Take, references[3], 100);
    assert_eq!(modify(one, part).await, Ok(APPROVED));
    let seconds = i64::try_from(limits::HOLD_LIFETIME_SECONDS).unwrap();
    bank.clock.move_by(seconds + 1);
    let now_ms = i64::try_from(bank.clock.now_ms()).unwrap();
    let (first, second) = tokio::join!(
        one.expire_holds(now_ms, 100),
        other.expire_holds(now_ms, 100)
    );
    assert_eq!(first.unwrap() + second.unwrap(), 1);
    assert_eq!(sums().await, (expected - 100, 0));
    let late = modification(Take, references[3], 2_400);
    let late = modify(one, late).await;
    assert_eq!(late, Ok(declined("invalid_transaction")));
}

async fn concurrent_partial_operations_at_two_servers_never_exceed_the_total(bank: &TwoServers) {
    let number = number_of("ben_balance");
    let reference = new_reference();
    let held = pay(&bank.servers[0], number, reference, 7_000, Capture::Manual).await;
    assert_eq!(held, Ok(APPROVED));
    let rows = [
        (ModificationKind::Capture, (3_000, 0)),
        (ModificationKind::Refund, (10_000, 0)),
    ];
    for (kind, sums) in rows {
        // Ten fit; each is asked for at both servers, and then again.
        let parts: Vec<_> = (0..20)
            .map(|_| modification(kind, reference, 700))
            .collect();
        let mut answers = Vec::new();
        for _ in 0..2 {
            let asked = parts.iter().flat_map(|part| {
                let servers = bank.servers.clone().map(|server| (server, *part));
                servers
                    .map(|(server, part)| tokio::spawn(async move { modify(&server, part).await }))
            });
            for asked in asked.collect::<Vec<_>>() {
                answers.push(asked.await.unwrap().expect("the bank answers"));
            }
        }
        let (first, again) = answers.split_at(40);
        assert_eq!(first, again, "{kind:?}");
        let pairs: Vec<_> = first.chunks(2).collect();
        assert!(pairs.iter().all(|pair| pair[0] == pair[1]), "{kind:?}");
        let done = pairs.iter().filter(|pair| pair[0] == APPROVED);
        assert_eq!(done.count(), 10, "{kind:?}");
        let account = bank.account("ben_balance").await;
        assert_eq!(
            (account.balance_minor, account.held_minor),
            sums,
            "{kind:?}"
        );
    }
}

async fn incoming_transfer_is_returned_once_by_two_servers(bank: &TwoServers) {
    let transfers = bank.servers.clone().map(|server| server.transfers());
    let reference = new_reference();
    let request = TransferRequest {
        reference,
        money: euros(5_000),
    };
    let unpaid = bank.servers[0].directed("transfer_never").transfers;
    let collection = unpaid.unwrap().start(request).await.unwrap();
    let now_ms = i64::try_from(bank.clock.now_ms()).unwrap();
    let written = collection.reference.to_lowercase();
    let sent = transfers[1].send(&written, euros(5_000), now_ms).await;
    let sent = sent.unwrap().expect("it can be sent");
    transfers[1].acknowledge(&sent, false).await.unwrap();
    let parts = (0..20).map(|place| {
        let transfers = Arc::clone(&transfers[place % 2]);
        let part = modification(ModificationKind::Refund, reference, 700);
        tokio::spawn(async move { transfers.modify(part).await })
    });
    let mut done = 0;
    for part in parts.collect::<Vec<_>>() {
        match part.await.unwrap().expect("the bank answers") {
            ProviderDecision::Approved(_) => done += 1,
            refused => assert_eq!(refused, declined("invalid_amount")),
        }
    }
    assert_eq!(done, 7);
}

async fn payout_is_sent_and_returned_once_by_two_servers(bank: &TwoServers) {
    let merchant = MerchantId::new(1_780_000_000_000, random());
    let payout = PayoutId::new(1_780_000_000_000, random());
    let request = PayoutRequest {
        payout,
        merchant,
        account: bank.servers[0].payouts().default_account(merchant).unwrap(),
        money: euros(12_345),
    };
    let sent = (0..20).map(|place| {
        let payouts = bank.servers[place % 2].payouts();
        let request = request.clone();
        tokio::spawn(async move { payouts.pay(request).await })
    });
    for sent in sent.collect::<Vec<_>>() {
        assert_eq!(sent.await.unwrap(), Ok(APPROVED));
    }
    assert_eq!(bank.servers[1].sent_payouts(9).await.unwrap().len(), 1);
    let [one, other] = &bank.servers;
    let (first, second) = tokio::join!(
        one.return_payout(payout, ReturnReason::AccountClosed),
        other.return_payout(payout, ReturnReason::AccountUnknown)
    );
    assert_eq!(first.unwrap().reason, second.unwrap().reason);
    let now_ms = i64::try_from(bank.clock.now_ms()).unwrap();
    let returned = other.payouts().returned(now_ms, 9).await.unwrap();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].payout, payout);
    one.payouts().acknowledge_return(payout).await.unwrap();
    assert_eq!(other.payouts().returned(now_ms, 9).await, Ok(Vec::new()));
}

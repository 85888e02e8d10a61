//! Payout checks: each payout is sent once, and a return is reported until it is acknowledged.

use super::Transmission;
use super::run::{AMOUNT, CheckRun, DUPLICATES};
use crate::PayoutProvider;
use crate::payout::{PayoutRequest, ReturnedPayout};
use sealpay_protocol::iban;
use sealpay_protocol::ids::{MerchantId, PayoutId};

/// Maximum number of returned payouts that a check reads at once.
const LIMIT: u32 = 100;

fn request(run: &CheckRun<'_>, merchant: MerchantId) -> PayoutRequest {
    PayoutRequest {
        payout: run.payout(),
        merchant,
        account: run.harness.payout_account().to_owned(),
        money: run.money(AMOUNT),
    }
}

/// Checks the total that was sent to a merchant.
async fn sent(run: &CheckRun<'_>, what: &str, merchant: MerchantId, amount_minor: i64) {
    if let Some(found) = run.harness.paid_out_minor(merchant).await {
        run.same(
            format!("{what}, in the merchant's account"),
            &found,
            &amount_minor,
        );
    }
}

pub(super) async fn default_account_is_valid_and_stays_the_same(run: &CheckRun<'_>) {
    let payouts = run.payouts().await;
    let (merchant, other) = (run.merchant(), run.merchant());
    let account = payouts.default_account(merchant);
    if let Some(account) = &account {
        let is_valid = iban::parse(account).as_ref() == Ok(account);
        run.ensure(is_valid, format!("{account} is not an IBAN"));
        let differ = payouts.default_account(other).as_ref() != Some(account);
        run.ensure(differ, "two merchants share one account");
    }
    drop(payouts);
    let payouts = run.payouts().await;
    let again = payouts.default_account(merchant);
    run.same("the account after a restart", &again, &account);
}

pub(super) async fn repeated_payout_is_sent_once(run: &CheckRun<'_>) {
    let merchant = run.merchant();
    let request = request(run, merchant);
    for _ in 0..3 {
        let payouts = run.payouts().await;
        let call = payouts.pay(request.clone());
        run.approved("the payout", call).await;
        sent(run, "one payout three times", merchant, AMOUNT).await;
    }
}

pub(super) async fn concurrent_duplicate_payouts_are_sent_once(run: &CheckRun<'_>) {
    let merchant = run.merchant();
    let payouts = run.payouts().await;
    let request = request(run, merchant);
    let calls = (0..DUPLICATES).map(|_| payouts.pay(request.clone()));
    let decisions = run
        .together("one payout many times at once", calls.collect())
        .await;
    run.all_approved("a duplicate", &decisions);
    sent(run, "one payout many times at once", merchant, AMOUNT).await;
}

pub(super) async fn another_amount_under_the_same_payout_sends_nothing(run: &CheckRun<'_>) {
    let merchant = run.merchant();
    let payouts = run.payouts().await;
    let first = request(run, merchant);
    run.approved("the payout", payouts.pay(first.clone())).await;
    let more = PayoutRequest {
        money: run.money(AMOUNT * 2),
        ..first
    };
    // The provider may repeat the approval or decline the second request.
    run.decision("another amount", payouts.pay(more)).await;
    sent(run, "another amount", merchant, AMOUNT).await;
}

pub(super) async fn payout_that_cannot_be_made_is_declined(run: &CheckRun<'_>) {
    let merchant = run.merchant();
    let payouts = run.payouts().await;
    let account = run.harness.payout_account();
    let rows = [
        ("a mistyped account", "DE89370400440532013001", AMOUNT),
        ("no account", "", AMOUNT),
        ("a payout of nothing", account, 0),
        ("a negative payout", account, -1),
    ];
    for (what, account, amount_minor) in rows {
        let request = PayoutRequest {
            account: account.into(),
            money: run.money(amount_minor),
            ..request(run, merchant)
        };
        run.declined(what, payouts.pay(request)).await;
    }
    sent(run, "payouts that were declined", merchant, 0).await;
}

pub(super) async fn lost_payout_is_sent_once(run: &CheckRun<'_>) {
    for (transmission, lost_minor) in [
        (Transmission::RequestLost, 0),
        (Transmission::ResponseLost, AMOUNT),
    ] {
        let merchant = run.merchant();
        let payouts = run.payouts().await;
        let request = request(run, merchant);
        let what = format!("a payout that meets {transmission:?}");
        run.next_message(transmission).await;
        run.unanswered(&what, payouts.pay(request.clone())).await;
        sent(run, &what, merchant, lost_minor).await;
        let payouts = run.payouts().await;
        for _ in 0..2 {
            run.approved(&what, payouts.pay(request.clone())).await;
            sent(run, &what, merchant, AMOUNT).await;
        }
    }
}

pub(super) async fn overtaken_payout_sends_nothing_more(run: &CheckRun<'_>) {
    let merchant = run.merchant();
    let payouts = run.payouts().await;
    let request = request(run, merchant);
    run.next_message(Transmission::Late).await;
    let late = run.late(payouts.pay(request.clone())).await;
    let first = run
        .approved("the repeated payout", payouts.pay(request))
        .await;
    if let Ok(decision) = run.result("the late payout", late).await {
        run.same("the late payout", &decision, &first);
    }
    sent(run, "a payout that was overtaken", merchant, AMOUNT).await;
}

async fn find_returned(
    run: &CheckRun<'_>,
    payouts: &dyn PayoutProvider,
    by_ms: i64,
    payout: PayoutId,
) -> Vec<ReturnedPayout> {
    let found = payouts.returned(by_ms, LIMIT);
    let mut returned = run.answer("the returned payouts", found).await;
    returned.retain(|returned| returned.payout == payout);
    returned
}

pub(super) async fn returned_payout_is_reported_until_it_is_acknowledged(run: &CheckRun<'_>) {
    let merchant = run.merchant();
    let payouts = run.payouts().await;
    let request = request(run, merchant);
    let payout = request.payout;
    run.approved("the payout", payouts.pay(request.clone()))
        .await;
    let now_ms = run.harness.now_ms();
    let none = find_returned(run, &*payouts, now_ms, payout).await;
    run.same("what is returned before it was", &none, &Vec::new());
    run.harness.advance_clock(1_000);
    run.harness.return_payout(payout).await;
    let early = find_returned(run, &*payouts, now_ms, payout).await;
    run.same(
        "what was returned by an earlier moment",
        &early,
        &Vec::new(),
    );
    let mut first = None;
    for _ in 0..2 {
        let payouts = run.payouts().await;
        let found = find_returned(run, &*payouts, run.harness.now_ms(), payout).await;
        let [returned] = &found[..] else {
            run.fail(format!(
                "one payout was returned, and these are reported: {found:?}"
            ));
        };
        run.ensure(
            !returned.reason.is_empty(),
            "the returned payout has no reason",
        );
        let first = first.get_or_insert_with(|| returned.clone());
        run.same("the returned payout", returned, first);
        // The payout is not sent again after its return.
        run.approved("the repeated payout", payouts.pay(request.clone()))
            .await;
        sent(run, "a returned payout", merchant, AMOUNT).await;
    }
    let payouts = run.payouts().await;
    for _ in 0..2 {
        let call = payouts.acknowledge_return(payout);
        run.answer("the acknowledgement", call).await;
        let found = find_returned(run, &*payouts, run.harness.now_ms(), payout).await;
        run.same(
            "what is returned after the acknowledgement",
            &found,
            &Vec::new(),
        );
    }
    let payouts = run.payouts().await;
    let found = find_returned(run, &*payouts, run.harness.now_ms(), payout).await;
    run.same("what is returned after a restart", &found, &Vec::new());
    run.approved("the repeated payout", payouts.pay(request))
        .await;
    sent(run, "an acknowledged return", merchant, AMOUNT).await;
    let unknown = payouts.acknowledge_return(run.payout());
    run.answer("the acknowledgement of an unknown payout", unknown)
        .await;
}

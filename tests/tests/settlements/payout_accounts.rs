//! The account that a merchant's payouts go to, and payouts that wait until there is one.

use super::{DAY_MS, at, closed, inside, on_a_monday, payouts, sell};
use harness::gateway::TestGateway;
use sealpay_protocol::ids::PayoutId;
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::{Capabilities, PayoutProvider, ProviderDecision, ProviderFuture};
use std::sync::Arc;
use verifier_server::payouts::service::pay_out;

const FIRST: &str = "DE89370400440532013000";
const SECOND: &str = "NL91ABNA0417164300";

/// A bank that has no account for merchants of its own, as a real one.
struct WithoutAccounts(Arc<dyn PayoutProvider>);

impl PayoutProvider for WithoutAccounts {
    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        self.0.pay(request)
    }

    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        self.0.returned(by_ms, limit)
    }

    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()> {
        self.0.acknowledge_return(payout)
    }
}

async fn name_account(gateway: &TestGateway, iban: &str) {
    let merchants = &inside(gateway).store().merchants;
    let named = merchants.set_payout_account(gateway.merchant.id, iban);
    assert!(named.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payouts_wait_until_an_account_is_set_and_stay_with_it() {
    let gateway = TestGateway::extended(|bank| Capabilities {
        payouts: bank.payouts.map(|bank| {
            let bank: Arc<dyn PayoutProvider> = Arc::new(WithoutAccounts(bank));
            bank
        }),
        ..bank
    })
    .await;
    let monday = on_a_monday(&gateway).await;
    sell(&gateway, 5_000).await;
    at(&gateway, monday + 10 * DAY_MS).await;
    assert_eq!(closed(&gateway).await.len(), 1);
    assert_eq!(pay_out(inside(&gateway)).await.unwrap(), 0);
    let waiting = payouts(&gateway).await;
    assert_eq!(
        (&waiting[0]["state"], &waiting[0]["account"]),
        (&"pending".into(), &"".into())
    );

    name_account(&gateway, FIRST).await;
    at(&gateway, monday + 11 * DAY_MS).await;
    assert_eq!(pay_out(inside(&gateway)).await.unwrap(), 1);
    sell(&gateway, 3_000).await;
    name_account(&gateway, SECOND).await;
    at(&gateway, monday + 20 * DAY_MS).await;
    assert_eq!(closed(&gateway).await.len(), 1);
    assert_eq!(pay_out(inside(&gateway)).await.unwrap(), 1);
    let paid = payouts(&gateway).await;
    let accounts: Vec<_> = paid.iter().map(|payout| &payout["account"]).collect();
    assert_eq!(accounts, [FIRST, SECOND]);
    let sent = "SELECT account FROM bank_payouts ORDER BY id";
    assert_eq!(gateway.bank_rows(sent).await, [[FIRST], [SECOND]]);
    gateway.finish().await;
}

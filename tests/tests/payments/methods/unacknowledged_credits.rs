//! Credits that the bank reports and whose acknowledgement fails.

use harness::gateway::TestGateway;
use harness::time::now_ms;
use sealpay_protocol::money::Money;
use sealpay_provider::transfer::{
    CollectionAccount, IncomingCredit, TransferProvider, TransferRequest,
};
use sealpay_provider::{
    Capabilities, ModificationRequest, PaymentOperations, ProviderDecision, ProviderError,
    ProviderFuture,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use verifier_server::error::ErrorCode;
use verifier_server::payments::methods::bank_transfer::incoming::collect;

/// As many as the verifier reads at once.
const CREDITS: usize = 64;

/// A bank with credits that no payment expects. The first ones cannot be acknowledged: it is down,
/// or does not respond.
#[derive(Default)]
struct Bank<const FAILING: usize, const HANGS: bool> {
    acknowledged: Mutex<BTreeSet<usize>>,
}

fn down<T>() -> ProviderFuture<'static, T> {
    Box::pin(async { Err(ProviderError::NotSent("the bank is down".into())) })
}

impl<const FAILING: usize, const HANGS: bool> PaymentOperations for Bank<FAILING, HANGS> {
    fn modify(&self, _: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        down()
    }
}

impl<const FAILING: usize, const HANGS: bool> TransferProvider for Bank<FAILING, HANGS> {
    fn name(&self) -> &str {
        "bank"
    }

    fn start(&self, _: TransferRequest) -> ProviderFuture<'_, CollectionAccount> {
        down()
    }

    fn arrivals(&self, by_ms: i64, _: u32) -> ProviderFuture<'_, Vec<IncomingCredit>> {
        let acknowledged = self.acknowledged.lock().unwrap();
        let open = (0..CREDITS).filter(|number| !acknowledged.contains(number));
        let credits = open.map(|number| IncomingCredit {
            id: number.to_string(),
            reference: "no reference".into(),
            money: Money::new(100, "EUR".parse().unwrap()),
            arrived_at_ms: by_ms,
        });
        let credits = credits.collect();
        Box::pin(async { Ok(credits) })
    }

    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()> {
        assert!(returned, "no payment expects it");
        let number: usize = id.parse().unwrap();
        if number < FAILING && HANGS {
            return Box::pin(std::future::pending());
        }
        if number < FAILING {
            return down();
        }
        self.acknowledged.lock().unwrap().insert(number);
        Box::pin(async { Ok(()) })
    }
}

fn with_bank<const FAILING: usize, const HANGS: bool>(capabilities: Capabilities) -> Capabilities {
    Capabilities {
        transfers: Some(Arc::new(Bank::<FAILING, HANGS>::default())),
        ..capabilities
    }
}

#[tokio::test]
async fn credit_that_cannot_be_acknowledged_does_not_block_the_others() {
    let gateway = TestGateway::extended(with_bank::<1, false>).await;
    let collected = collect(&gateway.server.state.gateway).await;
    assert_eq!(collected.map_err(|error| error.code), Ok(CREDITS - 1));
    gateway.finish().await;
}

/// Later credits are hidden behind such a batch, so no payment may be cancelled or expire meanwhile.
#[tokio::test]
async fn batch_full_of_credits_that_cannot_be_acknowledged_is_an_error() {
    let gateway = TestGateway::extended(with_bank::<CREDITS, false>).await;
    let collected = collect(&gateway.server.state.gateway).await;
    assert_eq!(
        collected.map_err(|error| error.code),
        Err(ErrorCode::Overloaded)
    );
    gateway.finish().await;
}

/// The time limit of a request to the bank is 500 ms.
#[tokio::test]
async fn acknowledgements_that_hang_do_not_add_up() {
    let gateway = TestGateway::extended(with_bank::<12, true>).await;
    let started_ms = now_ms();
    let collected = collect(&gateway.server.state.gateway).await;
    // The batch was full, so there may be later credits.
    assert_eq!(
        collected.map_err(|error| error.code),
        Err(ErrorCode::Overloaded)
    );
    let collected = collect(&gateway.server.state.gateway).await;
    assert_eq!(collected.map_err(|error| error.code), Ok(0));
    let took_ms = now_ms() - started_ms;
    assert!(took_ms < 3_000, "{took_ms} ms");
    gateway.finish().await;
}

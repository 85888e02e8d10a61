//! A database as it is after many payments: filled by the store itself, row for row as the server
//! would have written them.

use harness::client::{Merchant, SHOP_ORIGIN, attempt};
use harness::time::{now, now_ms, random};
use harness::verifier_process::Setup;
use sealpay_protocol::encoding::{base64url, hex};
use sealpay_protocol::ids::{EventId, PaymentId, SessionId};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use std::cell::Cell;
use std::rc::Rc;
use tokio::task::LocalSet;
use verifier_server::auth::nonces::Nonce;
use verifier_server::instruments::model::StoredCard;
use verifier_server::payments::methods::card::model::CardDetails;
use verifier_server::payments::methods::details::PaymentDetails;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::claim::Claim;
use verifier_server::payments::store::outcome::{OutcomeEffects, Recorded};
use verifier_server::sessions::model::Session;
use verifier_server::sessions::store::SessionOpened;
use verifier_server::store::{Options, Store};
use verifier_server::webhooks::events::model::Event;

/// As many at once as share a commit on SQLite.
const AT_ONCE: usize = 256;

/// A body has about so many bytes.
const BODY: &str = r#"{"type":"payment.captured","timestamp":"2026-11-22T10:00:42Z","data":{"sequence":1,"payment":{"id":"pay_01jd0000000000000000000000","session":"chk_01jd0000000000000000000000","attempt":"att_01jd0000000000000000000000","merchant":"mer_01jd0000000000000000000000","order_ref":"A-1001","amount":2490,"currency":"EUR","capture":"automatic","method":"card","state":"captured","card":{"brand":"visa","last4":"4242","expiry":"2029-12"},"decline":null,"provider":"simulated","created_at":1763800042,"updated_at":1763800042}}}"#;

/// Stores so many captured payments, each with its session and its event.
pub(crate) async fn fill(setup: &Setup, merchant: &Merchant, count: u64) {
    if count == 0 {
        return;
    }
    let url = match setup.database.as_str() {
        "sqlite" => format!("sqlite:{}", setup.data.join("sealpay.sqlite").display()),
        url => url.to_owned(),
    };
    let store = Store::open(&url, &Options::default())
        .await
        .expect("the store opens");
    let left = Rc::new(Cell::new(count));
    let local = LocalSet::new();
    for _ in 0..AT_ONCE {
        let (store, merchant, left) = (store.clone(), merchant.clone(), Rc::clone(&left));
        local.spawn_local(async move {
            while let Some(rest) = left.get().checked_sub(1) {
                left.set(rest);
                store_one(&store, &merchant).await;
            }
        });
    }
    local.await;
    store.close().await;
}

async fn store_one(store: &Store, merchant: &Merchant) {
    let session = session(merchant);
    let opened = store
        .sessions
        .open(&session, &nonce())
        .await
        .expect("the store works");
    assert!(matches!(opened, SessionOpened::New(_)), "the order is new");
    let payment = payment(&session);
    let claimed = store
        .payments
        .claim(&payment, &nonce(), 10)
        .await
        .expect("the store works");
    assert!(matches!(claimed, Claim::Claimed), "the attempt is new");
    let event = Event {
        id: EventId::new(now_ms(), random()),
        merchant: payment.merchant,
        subject: payment.id.to_string(),
        kind: "payment.captured".into(),
        sequence: 1,
        body: BODY.into(),
        created_at_ms: payment.created_at_ms,
    };
    let captured = Payment {
        state: PaymentState::Captured,
        sequence: 1,
        ..payment.clone()
    };
    let settled = store
        .payments
        .record_outcome(&payment, &captured, OutcomeEffects::new(Some(&event), None))
        .await;
    assert!(
        matches!(settled, Ok(Recorded::Done(_))),
        "the payment is there"
    );
}

/// Its time is over, as that of most nonces a moment later; the server forgets it.
fn nonce() -> Nonce {
    Nonce {
        expires_at: now() - 1,
        value: base64url(&random::<16>()),
        thumbprint: base64url(&random::<32>()),
    }
}

fn milliseconds() -> i64 {
    i64::try_from(now_ms()).unwrap_or(i64::MAX)
}

fn session(merchant: &Merchant) -> Session {
    Session {
        id: SessionId::new(now_ms(), random()),
        merchant: merchant.id,
        jti: format!("order-{}", hex(&random::<12>())),
        order_digest: random(),
        order_ref: "A-1001".into(),
        money: Money::new(2490, "EUR".parse().expect("a currency")),
        capture: Capture::Automatic,
        description: None,
        items: None,
        customer: None,
        agreement: None,
        simulate: None,
        invoice: None,
        methods: vec![Method::Card],
        billing_country: None,
        requires_authentication: false,
        parent_origin: SHOP_ORIGIN.into(),
        order_origins: vec![SHOP_ORIGIN.into()],
        public_key: random(),
        key_rebind_count: 0,
        attempts: 0,
        active_attempt: None,
        expires_at: now() + 1800,
        created_at_ms: milliseconds(),
    }
}

fn payment(session: &Session) -> Payment {
    Payment {
        id: PaymentId::new(now_ms(), random()),
        session: Some(session.id),
        agreement: None,
        invoice: None,
        merchant: session.merchant,
        attempt: attempt(),
        owner: base64url(&random::<32>()),
        body_digest: base64url(&random::<32>()),
        order_ref: session.order_ref.clone(),
        money: session.money,
        capture: session.capture,
        details: PaymentDetails::Card(Box::new(CardDetails::new(StoredCard {
            brand: "visa".into(),
            last4: "4242".into(),
            expiry: "2029-12".into(),
            fingerprint: base64url(&random::<32>()),
            country: Some("DE".into()),
        }))),
        state: PaymentState::Authorizing,
        decline: None,
        provider: "harbor".into(),
        route_reason: "european_cards".into(),
        captured_minor: 0,
        refunded_minor: 0,
        disputed_minor: 0,
        returned_minor: 0,
        modification: None,
        simulate: None,
        sequence: 0,
        created_at_ms: milliseconds(),
        updated_at_ms: milliseconds(),
        lease_until_ms: milliseconds() + 11_000,
    }
}

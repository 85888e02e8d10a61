//! Somebody who pays, and what the fraud rules said of it.

use harness::checkout::{Attempt, Checkout, simulate, view};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, ShopperState};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

/// A payment to come.
pub(super) struct Suspect<'a> {
    pub(super) card: String,
    pub(super) amount: i64,
    /// The country of the billing address.
    pub(super) country: Option<&'a str>,
    pub(super) outcome: Option<&'a str>,
    /// The address that the request comes from; one that nobody else has when it is left out.
    pub(super) from: Option<&'a str>,
}

/// A payment that was tried.
pub(super) struct Tried<'g> {
    pub(super) checkout: Checkout<'g>,
    pub(super) attempt: Attempt,
    pub(super) view: PaymentView,
    /// As the merchant sees it.
    pub(super) payment: Value,
}

/// A connection from an address.
pub(super) fn address(text: &str) -> SocketAddr {
    let address: IpAddr = text.parse().unwrap();
    SocketAddr::new(address, 4711)
}

fn unused_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let place = NEXT.fetch_add(1, Ordering::Relaxed);
    // 10.0.0.0/8
    SocketAddr::new(Ipv4Addr::from_bits((10 << 24) + place).into(), 4711)
}

impl Suspect<'_> {
    pub(super) fn card(card: &str) -> Self {
        Self {
            card: card.into(),
            amount: 2490,
            country: None,
            outcome: None,
            from: None,
        }
    }

    pub(super) async fn pay<'g>(&self, gateway: &'g TestGateway) -> Tried<'g> {
        let checkout = gateway
            .checkout(|claims| {
                claims.amount = self.amount;
                claims.billing_country = self.country.map(str::to_owned);
                if let Some(outcome) = self.outcome {
                    simulate(claims, outcome);
                }
            })
            .await;
        let attempt = checkout.by_card(&self.card);
        let request = checkout.request(&attempt);
        let from = self.from.map_or_else(unused_address, address);
        let answer = gateway.send_from(from, request).await;
        let view = view(&answer);
        let payment = gateway.payment(view.payment).await;
        Tried {
            checkout,
            attempt,
            view,
            payment,
        }
    }
}

impl Tried<'_> {
    /// What became of it, and what the rules said.
    #[track_caller]
    pub(super) fn is(&self, state: ShopperState, outcome: &str, score: i64, reasons: &[&str]) {
        let risk = json!({"outcome": outcome, "score": score, "reasons": reasons});
        assert_eq!(
            (self.view.state, &self.payment["risk"]),
            (state, &risk),
            "{}",
            self.payment
        );
    }
}

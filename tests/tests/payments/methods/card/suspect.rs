//! A card payment and the risk result of it.

use harness::checkout::{Attempt, Checkout, simulate, view};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, ShopperState};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

/// A payment to come.
pub(crate) struct Suspect<'a> {
    pub(crate) card: String,
    pub(crate) amount: i64,
    /// The country of the billing address.
    pub(crate) country: Option<&'a str>,
    pub(crate) outcome: Option<&'a str>,
    /// The address that the request comes from; one that nobody else has when it is left out.
    pub(crate) from: Option<&'a str>,
}

/// A payment that was tried.
pub(crate) struct Tried<'g> {
    pub(crate) checkout: Checkout<'g>,
    pub(crate) attempt: Attempt,
    pub(crate) view: PaymentView,
    /// As the merchant sees it.
    pub(crate) payment: Value,
}

/// A connection from an address.
pub(crate) fn address(text: &str) -> SocketAddr {
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
    pub(crate) fn card(card: &str) -> Self {
        Self {
            card: card.into(),
            amount: 2490,
            country: None,
            outcome: None,
            from: None,
        }
    }

    pub(crate) async fn pay<'g>(&self, gateway: &'g TestGateway) -> Tried<'g> {
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
    pub(crate) fn is(&self, state: ShopperState, outcome: &str, score: i64, reasons: &[&str]) {
        let risk = json!({"outcome": outcome, "score": score, "reasons": reasons});
        assert_eq!(
            (self.view.state, &self.payment["risk"]),
            (state, &risk),
            "{}",
            self.payment
        );
    }
}

//! The client address that the fraud rules use.

use super::number;
use super::suspect::address;
use harness::gateway::TestGateway;
use sealpay_protocol::api::ShopperState;
use serde_json::json;

/// Two requests, each by the connection that it comes over and what `X-Forwarded-For` says.
type From<'a> = (&'a str, Option<&'a str>);

/// An address is that of the connection; a trusted proxy says whose connection it was itself, and
/// everybody of one household is one.
#[tokio::test]
async fn clients_are_identified_by_network_and_cannot_spoof_it() {
    const NONE: &[&str] = &[];
    const PROXY: &[&str] = &["10.0.0.0/8"];
    const NETWORK_AND_PROXY: &[&str] = &["198.51.100.0/24", "10.0.0.1"];
    let proxied = |forwarded| ("10.0.0.1", Some(forwarded));
    #[rustfmt::skip]
    let rows: [(&[&str], From<'_>, From<'_>, bool); 16] = [
        (NONE, ("198.51.100.1", Some("203.0.113.9")), ("198.51.100.1", None), true),
        (PROXY, proxied("203.0.113.9"), proxied("203.0.113.9"), true),
        (PROXY, proxied("203.0.113.9"), proxied("203.0.113.10"), false),
        // What the client wrote itself stands before what the proxy adds.
        (PROXY, proxied("6.6.6.6, 203.0.113.9"), proxied("7.7.7.7, 203.0.113.9"), true),
        // Not even when it is no text.
        (PROXY, proxied("203.0.113.9"), proxied("\u{ff}, 203.0.113.9"), true),
        // A peer that is no proxy of the operator's says nothing.
        (PROXY, ("192.0.2.1", Some("203.0.113.9")), ("192.0.2.1", Some("203.0.113.10")), true),
        // Some proxies write a port, brackets or quotes.
        (PROXY, proxied("203.0.113.9:51234"), proxied("203.0.113.9:51235"), true),
        (PROXY, proxied("203.0.113.9:51234"), proxied("203.0.113.10:51234"), false),
        (PROXY, proxied("[2001:db8:0:100::9]:443"), proxied("\"[2001:db8:0:200::9]\""), false),
        // A content delivery network in front of a balancer.
        (NETWORK_AND_PROXY, proxied("203.0.113.9, 198.51.100.1"), proxied("203.0.113.10, 198.51.100.1"), false),
        (NETWORK_AND_PROXY, proxied("203.0.113.9, 198.51.100.1"), proxied("203.0.113.9, 198.51.100.2"), true),
        // A client inside of a trusted network hides behind nothing that it writes itself.
        (NETWORK_AND_PROXY, proxied("198.51.100.9"), proxied("\u{ff}, 198.51.100.9"), true),
        (NONE, ("2001:db8::1", None), ("2001:db8::ffff", None), true),
        // A household has many networks.
        (NONE, ("2001:db8::1", None), ("2001:db8:0:ff::1", None), true),
        (NONE, ("2001:db8::1", None), ("2001:db8:0:100::1", None), false),
        (NONE, ("::ffff:198.51.100.1", None), ("198.51.100.1", None), true),
    ];
    for (trusted, first, second, is_same) in rows {
        let what = format!("{first:?}, then {second:?}");
        let gateway = TestGateway::with(|config| {
            config.trusted_proxies = trusted.iter().map(|text| (*text).to_owned()).collect();
        })
        .await;
        let pay = async |place, (from, forwarded): From<'_>| {
            let checkout = gateway.checkout(|_| {}).await;
            let attempt = checkout.by_card(&number("41", place));
            let mut request = checkout.request(&attempt);
            if let Some(forwarded) = forwarded {
                request.set("x-forwarded-for", forwarded);
            }
            let answer = gateway.send_from(address(from), request).await;
            let view = harness::checkout::view(&answer);
            gateway.payment(view.payment).await["risk"]["reasons"].clone()
        };
        for place in 0..6 {
            assert_eq!(pay(place, first).await, json!([]), "{what}");
        }
        let reasons = pay(6, second).await;
        let expected = if is_same {
            json!(["card_testing"])
        } else {
            json!([])
        };
        assert_eq!(reasons, expected, "{what}");
        gateway.finish().await;
    }
}

/// Whom the proxy does not name are not one household; none of them goes unasked.
#[tokio::test]
async fn clients_without_an_address_are_challenged() {
    let gateway = TestGateway::with(|config| {
        config.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await;
    for place in 0..8 {
        let checkout = gateway.checkout(|_| {}).await;
        let mut request = checkout.request(&checkout.by_card(&number("41", place)));
        request.set("x-forwarded-for", "203.0.113.9, unknown");
        let answer = gateway.send_from(address("10.0.0.1"), request).await;
        let view = harness::checkout::view(&answer);
        assert_eq!(view.state, ShopperState::RequiresAction, "{place}");
        let risk = &gateway.payment(view.payment).await["risk"];
        assert_eq!(risk["outcome"], "step_up", "{place}");
        assert_eq!(risk["reasons"], json!(["address_unknown"]), "{place}");
    }
    gateway.finish().await;
}

/// A card that is used repeatedly is noticed whichever addresses the proxy reports.
#[tokio::test]
async fn card_velocity_counts_across_addresses() {
    let gateway = TestGateway::with(|config| {
        config.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await;
    let pay = async || {
        let checkout = gateway.checkout(|_| {}).await;
        let mut request = checkout.request(&checkout.by_card(&number("41", 1)));
        request.set("x-forwarded-for", "unknown");
        let answer = gateway.send_from(address("10.0.0.1"), request).await;
        let view = harness::checkout::view(&answer);
        gateway.payment(view.payment).await["risk"]["reasons"].clone()
    };
    for _ in 0..6 {
        assert_eq!(pay().await, json!(["address_unknown"]));
    }
    let expected = json!(["card_velocity_hour", "address_unknown"]);
    assert_eq!(pay().await, expected);
    gateway.finish().await;
}

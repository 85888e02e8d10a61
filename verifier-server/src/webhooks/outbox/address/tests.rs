use super::{AddressPolicy, Network, Refused};
use std::net::IpAddr;
use url::Url;

#[test]
fn only_public_addresses_are_allowed() {
    let rows = [
        ("93.184.216.34", true),
        ("1.1.1.1", true),
        ("2606:4700::1111", true),
        ("2a00:1450::1", true),
        ("0.0.0.0", false),
        ("0.1.2.3", false),
        ("10.1.2.3", false),
        ("100.64.0.1", false),
        ("100.127.255.255", false),
        ("100.128.0.1", true),
        ("127.0.0.1", false),
        ("127.255.255.254", false),
        ("169.254.169.254", false),
        ("172.15.255.255", true),
        ("172.16.0.1", false),
        ("172.31.255.255", false),
        ("172.32.0.1", true),
        ("192.168.1.1", false),
        ("198.18.0.1", false),
        ("198.20.0.1", true),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:93.184.216.34", true),
        ("::127.0.0.1", false),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b::a00:1", false),
        ("64:ff9b::5db8:d822", true),
        ("64:ff9b::1:5db8:d822", false),
        ("64:ff9b:0:0:0:1:5db8:d822", false),
        ("168.63.129.16", false),
        ("168.63.129.17", true),
        ("64:ff9b::a83f:8110", false),
        ("64:ff9b:1::1", false),
        ("2001::1", false),
        ("2001:db8::1", false),
        ("2002:7f00:1::", false),
        ("fc00::1", false),
        ("fd12::1", false),
        ("fe80::1", false),
        ("ff02::1", false),
    ];
    let policy = AddressPolicy::default();
    for (address, allowed) in rows {
        assert_eq!(
            policy.allows(address.parse().unwrap()),
            allowed,
            "{address}"
        );
    }
}

#[test]
fn an_operator_can_allow_networks() {
    let policy = AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], true);
    assert!(policy.allows("127.0.0.1".parse().unwrap()));
    assert!(policy.allows("::ffff:127.0.0.1".parse().unwrap()));
    assert!(!policy.allows("10.0.0.1".parse().unwrap()));
    for text in [
        "",
        "127.0.0.1",
        "127.0.0.0/33",
        "::1/129",
        "x/8",
        "127.0.0.0/-1",
    ] {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
}

#[test]
fn a_prefix_of_zero_matches_everything() {
    let everything: Network = "0.0.0.0/0".parse().unwrap();
    assert!(everything.contains("10.0.0.1".parse().unwrap()));
    assert!(!everything.contains("::1".parse().unwrap()));
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn denied_networks_take_precedence() {
    let policy = AddressPolicy::new(networks(&["10.0.0.0/8", "203.0.113.0/24"]), false).denying(
        networks(&["10.1.0.0/16", "93.184.216.0/24", "2a01:4f8::/32"]),
    );
    let rows = [
        ("10.0.0.1", true),
        ("10.1.0.1", false),
        ("::ffff:10.1.0.1", false),
        ("64:ff9b::a01:1", false),
        ("64:ff9b::a00:1", true),
        ("93.184.216.34", false),
        ("64:ff9b::5db8:d822", false),
        ("93.184.217.34", true),
        ("2a01:4f8::1", false),
        ("203.0.113.7", true),
    ];
    for (text, allowed) in rows {
        assert_eq!(policy.allows(address(text)), allowed, "{text}");
    }
    let nat64 = AddressPolicy::default().denying(networks(&["64:ff9b::/96"]));
    assert!(
        !nat64.allows(address("64:ff9b::5db8:d822")),
        "a prefix can be denied as such"
    );
    // Allowing the prefix does not allow the embedded addresses.
    let named = AddressPolicy::new(networks(&["64:ff9b::/96"]), false);
    assert!(!named.allows(address("64:ff9b::a00:1")));
}

#[test]
fn https_ports_and_configured_ports_are_permitted() {
    let public = AddressPolicy::default();
    let more = AddressPolicy::new(Vec::new(), true).with_ports(vec![9443]);
    let development = AddressPolicy::new(networks(&["127.0.0.0/8"]), true);
    let rows = [
        ("https://shop.example/", [Ok(()), Ok(()), Ok(())]),
        ("https://shop.example:8443/", [Ok(()), Ok(()), Ok(())]),
        (
            "https://shop.example:9443/",
            [Err(Refused::Port), Ok(()), Ok(())],
        ),
        (
            "https://93.184.216.34:22/",
            [Err(Refused::Port), Err(Refused::Port), Err(Refused::Port)],
        ),
        ("http://shop.example/", [Err(Refused::Http), Ok(()), Ok(())]),
        (
            "http://127.0.0.1:4242/",
            [Err(Refused::Http), Err(Refused::Address), Ok(())],
        ),
    ];
    for (url, expected) in rows {
        let url = Url::parse(url).unwrap();
        let checked = [&public, &more, &development].map(|policy| policy.check(&url));
        assert_eq!(checked, expected, "{url}");
    }
    let found = [address("93.184.216.34")];
    assert_eq!(development.check_addresses(&found, 22), Err(Refused::Port));
    assert_eq!(development.check_addresses(&found, 443), Ok(()));
    assert_eq!(
        development.check_addresses(&[address("127.0.0.1")], 22),
        Ok(())
    );
    assert_eq!(development.check_addresses(&[], 443), Err(Refused::Name));
    let both = [address("93.184.216.34"), address("10.0.0.1")];
    assert_eq!(development.check_addresses(&both, 443), Err(Refused::Name));
}

#[test]
fn addresses_in_allowed_networks_need_no_verification_and_their_responses_are_not_stored() {
    let policy = AddressPolicy::new(networks(&["127.0.0.0/8"]), true);
    for (url, vouched) in [
        ("http://127.0.0.1:1/", true),
        ("https://localhost/", false),
        ("https://93.184.216.34/", false),
    ] {
        assert_eq!(
            policy.vouches_for(&Url::parse(url).unwrap()),
            vouched,
            "{url}"
        );
    }
    let (inside, outside) = (address("127.0.0.1"), address("93.184.216.34"));
    assert!(policy.vouches_for_all(&[inside]) && !policy.vouches_for_all(&[]));
    assert!(!policy.vouches_for_all(&[inside, outside]));
    let strict = policy.clone().verifying_allowed(true);
    assert!(!strict.vouches_for_all(&[inside]));
    assert!(!policy.stores_responses_of(&[outside, inside]));
    assert!(policy.stores_responses_of(&[outside]));
    assert!(
        policy
            .storing_responses(true)
            .stores_responses_of(&[inside])
    );
}

use super::{EEA, Price, Query, ROWS, of_capture, of_dispute, of_refund};
use sealpay_protocol::card::Brand;
use sealpay_protocol::method::Method;
use std::collections::HashSet;

fn query<'a>(method: &'a str, brand: Option<&'a str>, issuer: &'a str) -> Query<'a> {
    Query {
        method,
        brand,
        issuer_country: Some(issuer),
        acquirer_country: Some("DE"),
    }
}

#[test]
fn fees_follow_method_brand_and_region() {
    let rows = [
        // Method, brand, issuer, acquirer; interchange, scheme, processor of 100.00; region.
        "card visa DE DE 20 12 33 domestic",
        "card visa GB GB 20 12 33 domestic",
        "card visa FR DE 30 17 33 eea",
        "card visa NO DE 30 17 33 eea",
        "card visa CH DE 115 70 43 international",
        "card visa DE GB 115 70 43 international",
        "card visa - DE 115 70 43 international",
        "card mastercard DE DE 20 13 33 domestic",
        "card american-express US GB 180 30 40 international",
        "card american-express GB GB 180 30 40 domestic",
        "card maestro US DE 160 85 50 international",
        "card unknown DE DE 90 23 40 domestic",
        "card - - DE 160 85 50 international",
        "card visa DE - 115 70 43 international",
        "wallet - - DE 0 0 165 international",
        "bank_transfer - - DE 0 0 20 international",
        "barter - - DE 0 0 175 international",
    ];
    for row in rows {
        let words: Vec<_> = row.split(' ').collect();
        let known = |place: usize| Some(words[place]).filter(|word| *word != "-");
        let query = Query {
            method: words[0],
            brand: known(1),
            issuer_country: known(2),
            acquirer_country: known(3),
        };
        let (fees, region) = of_capture(&query, 10_000);
        let parts = [
            fees.interchange_minor,
            fees.scheme_minor,
            fees.processor_minor,
        ];
        let expected = [4, 5, 6].map(|place| words[place].parse::<i64>().unwrap());
        assert_eq!((parts, region), (expected, words[7]), "{row}");
        assert_eq!(fees.total_minor(), expected.iter().sum::<i64>());
    }
}

#[test]
fn shares_are_rounded_half_up_and_never_negative() {
    let rows = [
        (Price(100, 0), 49, 0),
        (Price(100, 0), 50, 1),
        (Price(100, 0), 149, 1),
        (Price(100, 0), 150, 2),
        (Price(1, 0), 4_999, 0),
        (Price(1, 0), 5_000, 1),
        (Price(0, 7), 1, 7),
        (Price(100, 7), -500, 7),
        (Price(10_000, 0), i64::MAX, i64::MAX),
        (Price(u16::MAX, u32::MAX), i64::MAX, i64::MAX),
        (
            Price(250, 3),
            1_000_000_000_000_000_000,
            25_000_000_000_000_003,
        ),
    ];
    for (price, amount, expected) in rows {
        assert_eq!(price.charge(amount), expected, "{price:?} of {amount}");
    }
}

#[test]
fn zero_amounts_have_no_fees_but_a_region() {
    let query = query("card", Some("visa"), "FR");
    for amount in [0, -1, i64::MIN] {
        let (fees, region) = of_capture(&query, amount);
        assert_eq!((fees.total_minor(), region), (0, "eea"));
    }
}

#[test]
fn refunds_and_disputes_cost_the_processor_fee() {
    let rows = [
        ("card", Some("visa"), 10, 1_500),
        ("card", Some("american-express"), 10, 2_000),
        ("wallet", None, 10, 1_500),
        ("bank_transfer", None, 20, 0),
    ];
    for (method, brand, refund, dispute) in rows {
        let query = query(method, brand, "DE");
        for amount in [1, 5_000, i64::MAX] {
            let (given_back, taken) = (of_refund(&query, amount), of_dispute(&query, amount));
            assert_eq!(
                (given_back.processor_minor, given_back.total_minor()),
                (refund, refund)
            );
            assert_eq!(
                (taken.processor_minor, taken.total_minor()),
                (dispute, dispute)
            );
        }
    }
}

#[test]
fn every_row_is_valid_and_reachable() {
    let brands: HashSet<_> = Brand::ALL
        .iter()
        .map(|brand| brand.slug())
        .chain(["*"])
        .collect();
    let methods: HashSet<_> = Method::ALL
        .iter()
        .map(|method| method.name())
        .chain(["*"])
        .collect();
    assert_eq!(ROWS.len(), 16);
    for (place, row) in ROWS.iter().enumerate() {
        assert!(brands.contains(row.brand.as_str()), "{row:?}");
        assert!(methods.contains(row.method.as_str()), "{row:?}");
        assert!(["domestic", "eea", "international", "*"].contains(&row.region.as_str()));
        let hides = |before: &&super::Row| {
            let covers = |a: &str, b: &str| a == "*" || a == b;
            covers(&before.method, &row.method)
                && covers(&before.brand, &row.brand)
                && covers(&before.region, &row.region)
        };
        assert!(
            ROWS[..place].iter().find(hides).is_none(),
            "{row:?} is never reached"
        );
    }
    assert!(EEA.is_sorted() && !EEA.contains(&"GB") && !EEA.contains(&"CH"));
}

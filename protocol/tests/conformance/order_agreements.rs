//! The agreement that an order offers or requires.

use crate::order_claims::{check, with};
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::limits;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderError::Malformed;

#[test]
fn agreements_need_a_customer_and_a_card() {
    let agreeing = |kind, maximum_amount| {
        with(|claims| {
            claims.customer = Some("customer 7".into());
            claims.agreement = Some(AgreementTerms {
                kind,
                maximum_amount,
            });
        })
    };
    let (subscribing, refused) = (AgreementKind::Subscription, Err(Malformed("agreement")));
    let mut nobody = agreeing(subscribing, None);
    nobody.customer = None;
    let by = |methods: &[Method]| {
        let mut claims = agreeing(subscribing, None);
        claims.methods = Some(methods.to_vec());
        claims
    };
    check([
        (
            "card on file",
            agreeing(AgreementKind::CardOnFile, None),
            Ok(()),
        ),
        ("subscription", agreeing(subscribing, None), Ok(())),
        ("a maximum of 1", agreeing(subscribing, Some(1)), Ok(())),
        ("a maximum of 0", agreeing(subscribing, Some(0)), refused),
        (
            "a negative maximum",
            agreeing(subscribing, Some(-1)),
            refused,
        ),
        (
            "the largest maximum",
            agreeing(subscribing, Some(limits::AMOUNT_MINOR)),
            Ok(()),
        ),
        (
            "a larger maximum",
            agreeing(subscribing, Some(limits::AMOUNT_MINOR + 1)),
            refused,
        ),
        (
            "a maximum of card on file",
            agreeing(AgreementKind::CardOnFile, Some(1)),
            refused,
        ),
        ("no customer", nobody, refused),
        ("a wallet only", by(&[Method::Wallet]), refused),
        (
            "a card among others",
            by(&[Method::Wallet, Method::Card]),
            Ok(()),
        ),
    ]);
}

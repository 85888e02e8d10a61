//! Checks of an acquirer's terms: which payments it accepts, and that it never approves others.

use super::run::{AMOUNT, CheckRun};
use super::source::{PaymentSource, authorize};
use super::{CardKind, Payer, card, describe};
use crate::acquirer::UNKNOWN_BRAND;
use crate::{AcquirerTerms, Inquiry, ProviderDecision, ProviderError};
use sealpay_protocol::card::{Brand, Card};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// A test number of each brand that some acquirers exclude.
const NUMBERS: [&str; 7] = [
    "4242424242424242",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "3566002020360505",
    "30569309025904",
    "6200000000000005",
];

fn slug(card: &Card) -> &'static str {
    card.number.brand().map_or(UNKNOWN_BRAND, Brand::slug)
}

fn is_listed(listed: &[String], is_known: impl Fn(&str) -> bool) -> bool {
    let mut names = listed.iter();
    !listed.is_empty() && names.all(|name| name == "*" || is_known(name))
}

pub(super) async fn terms_are_well_formed(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let terms = acquirer.terms();
    run.same("the name", &acquirer.name(), &terms.name.as_str());
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let is_named = !terms.name.is_empty() && terms.name.chars().all(is_name);
    run.ensure(is_named, format!("the name {:?} is not stable", terms.name));
    run.ensure(!terms.title.is_empty(), "there is no title");
    let country = terms.country.as_bytes();
    let is_country = country.len() == 2 && country.iter().all(u8::is_ascii_uppercase);
    run.ensure(is_country, "the country is not of ISO 3166-1");
    let brands = is_listed(&terms.brands, |slug| {
        slug == UNKNOWN_BRAND || Brand::from_slug(slug).is_some()
    });
    run.ensure(brands, "a brand is none that there is, or there are none");
    let currencies = is_listed(&terms.currencies, |code| code.parse::<Currency>().is_ok());
    run.ensure(
        currencies,
        "a currency is not of ISO 4217, or there are none",
    );
    let takes = terms.takes(slug(&run.card(CardKind::Approved)), run.money(1).currency());
    run.ensure(takes, "the approved card is outside the terms");
    let terms = terms.clone();
    drop(acquirer);
    let reopened = run.acquirer().await;
    run.same("the terms after a restart", reopened.terms(), &terms);
}

/// Cards and amounts that the terms exclude, at most one of each kind.
fn excluded(run: &CheckRun<'_>, terms: &AcquirerTerms) -> Vec<(Card, Money)> {
    let currency = run.money(AMOUNT).currency();
    let now_ms = run.harness.now_ms();
    let mut cards = NUMBERS.iter().map(|number| card(number, now_ms));
    let brand = cards.find(|card| !terms.takes(slug(card), currency));
    let approved = run.card(CardKind::Approved);
    let slug = slug(&approved);
    let other = Currency::all().find(|currency| !terms.takes(slug, *currency));
    let by_brand = brand.map(|card| (card, run.money(AMOUNT)));
    let by_currency = other.map(|currency| (approved, Money::new(AMOUNT, currency)));
    by_brand.into_iter().chain(by_currency).collect()
}

pub(super) async fn what_the_terms_exclude_is_not_approved(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    for (card, money) in excluded(run, acquirer.terms()) {
        let what = format!("{} in {}", slug(&card), money.currency());
        let source = PaymentSource::Card(card);
        let before = run.balance(Payer::Card).await;
        let reference = run.payment();
        for _ in 0..2 {
            let call = authorize(&*acquirer, reference, money, Capture::Automatic, &source);
            match run.result(&what, call).await {
                Ok(ProviderDecision::Approved(_)) => run.fail(format!("{what}: approved")),
                Ok(decision) => run.check_decision(&what, &decision),
                Err(ProviderError::NotSent(_)) => {}
                Err(error) => run.fail(format!("{what}: {}", describe(&error))),
            }
        }
        let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
        let is_approved = matches!(&inquiry, Inquiry::Answered(decision) if decision.is_approved());
        run.ensure(!is_approved, format!("{what}: the inquiry says approved"));
        run.moved(what, Payer::Card, before, [0, 0]).await;
    }
}

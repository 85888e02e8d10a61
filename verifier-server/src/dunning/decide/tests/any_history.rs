//! Whole lives of a card: invoices that are declined until a decision ends them.

use super::super::super::history::{
    CardAttempt, CardCredential, CardDecline, History, PastAttempt,
};
use super::super::super::policy::{DelaysHours, DunningPolicy, EndAction, Payday, PolicyData};
use super::super::super::scheme_limits::SchemeLimits;
use super::super::{Next, decide, decide_first};
use super::{at, hours, read_decline};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sealpay_protocol::card::Brand;
use sealpay_protocol::money::Money;
use sealpay_provider::decline::DeclineClass;

const REASONS: [&str; 16] = [
    "do_not_honor",
    "do_not_honor",
    "insufficient_funds",
    "insufficient_funds",
    "system_malfunction",
    "issuer_unavailable",
    "issuer_unavailable",
    "sca_required",
    "response_timeout",
    "expired_card",
    "lost_card",
    "revocation_one",
    "invalid_number",
    "do_not_honor/02",
    "do_not_honor/27",
    "mc_lifecycle/01",
];

/// Mostly a single reason, so that lists of delays and windows of limits are filled.
fn reasons() -> impl Strategy<Value = Vec<&'static str>> {
    let one = prop::sample::select(REASONS[..7].to_vec());
    let mixed = prop::collection::vec(prop::sample::select(REASONS.to_vec()), 1..40);
    prop_oneof![one.prop_map(|reason| vec![reason]), mixed]
}

fn policies() -> impl Strategy<Value = DunningPolicy> {
    let delays = || {
        let hours = prop_oneof![1_u16..4, 1_u16..200];
        prop::collection::vec(hours, 0..=20)
    };
    let days = prop::option::of(prop::collection::vec(1_i8..=31, 1..3));
    (delays(), delays(), days, 1_u16..=90).prop_map(|(later, back_off, days, horizon_days)| {
        let data = PolicyData {
            delays_hours: DelaysHours {
                later,
                back_off,
                ..DelaysHours::default()
            },
            payday: days.map(|on_days| Payday {
                reasons: vec!["insufficient_funds".into()],
                on_days,
            }),
            horizon_days,
            end: EndAction::Cancel,
        };
        data.try_into().unwrap()
    })
}

/// Every instant at which a window of so many hours is too full, counted once more.
fn is_full(tries: &[Timestamp], window_hours: i64, most: usize) -> bool {
    tries.iter().any(|end| {
        let is_in_window = |at: &&Timestamp| *at <= end && **at > *end - hours(window_hours);
        tries.iter().filter(is_in_window).count() > most
    })
}

fn assert_within_scheme_limits(brand: Brand, tries: &[PastAttempt<'_>]) {
    let times = |amount_minor: Option<i64>| -> Vec<_> {
        let is_same = |past: &&PastAttempt<'_>| {
            amount_minor.is_none_or(|minor| past.attempt.amount.amount_minor() == minor)
        };
        tries
            .iter()
            .filter(is_same)
            .map(|past| past.attempt.at)
            .collect()
    };
    match brand {
        Brand::Visa => {
            let change = at("2025-05-19T00:00");
            for amount_minor in [100, 200] {
                let tries = times(Some(amount_minor));
                let old: Vec<_> = tries.iter().copied().filter(|at| *at < change).collect();
                assert!(!is_full(&old, 720, 15), "{old:?}");
                assert!(!is_full(&tries, 720, 20), "{tries:?}");
            }
        }
        _ => {
            assert!(!is_full(&times(None), 24, 10));
            assert!(!is_full(&times(None), 720, 35));
        }
    }
}

struct Life<'a> {
    policy: &'a DunningPolicy,
    brand: Brand,
    zone: &'a TimeZone,
    tries: Vec<PastAttempt<'static>>,
    updates: usize,
    is_updater_asked: bool,
    since: Timestamp,
}

const REFERENCES: [&str; 4] = ["cred_0", "cred_1", "cred_2", "cred_3"];
const INVOICES: [&str; 4] = ["inv_0", "inv_1", "inv_2", "inv_3"];

impl Life<'_> {
    /// The updater's news change the expiry only, so that limits of the number still apply.
    fn credential(&self) -> CardCredential<'static> {
        CardCredential {
            reference: REFERENCES[self.updates],
            fingerprint: "card",
            brand: Some(self.brand),
        }
    }

    fn history<'a>(&'a self, tries: &'a [PastAttempt<'a>]) -> History<'a> {
        History {
            attempts: tries,
            credential: self.credential(),
            credential_since: self.since,
            is_updater_asked: self.is_updater_asked,
            zone: self.zone,
        }
    }

    fn ask_updater(&mut self, now: Timestamp, has_news: bool) {
        assert!(!self.is_updater_asked, "the updater was asked twice");
        self.is_updater_asked = true;
        if has_news && self.updates + 1 < REFERENCES.len() {
            self.updates += 1;
            self.is_updater_asked = false;
            self.since = now;
        }
    }

    /// Tries an invoice until a decision ends it. Returns the instant of the last try.
    fn live_through(
        &mut self,
        invoice_id: &'static str,
        amount: Money,
        wanted: Timestamp,
        next_reason: &mut dyn FnMut() -> (CardDecline<'static>, bool),
    ) -> Timestamp {
        let limits = SchemeLimits::built_in();
        let mut next = decide_first(limits, &self.history(&self.tries), amount, wanted);
        let mut now = wanted;
        let mut allowance = 1_usize;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 500, "no end");
            match next {
                Next::Exhausted | Next::Never | Next::AskOutcome | Next::WaitForShopper => {
                    return now;
                }
                Next::AskUpdater => {
                    let before = self.updates;
                    let (_, has_news) = next_reason();
                    self.ask_updater(now, has_news);
                    allowance += self.updates - before;
                    let declined = self
                        .tries
                        .iter()
                        .rev()
                        .find(|past| past.attempt.invoice_id == invoice_id);
                    next = match declined.copied() {
                        Some(last) => {
                            let earlier = self
                                .tries
                                .iter()
                                .filter(|past| past.attempt.at != last.attempt.at);
                            let earlier: Vec<_> = earlier.copied().collect();
                            let decline = last.decline.unwrap();
                            decide(
                                self.policy,
                                limits,
                                &self.history(&earlier),
                                &last.attempt,
                                &decline,
                            )
                        }
                        None => decide_first(limits, &self.history(&self.tries), amount, now),
                    };
                    continue;
                }
                Next::RetryAt(at) => {
                    assert!(at >= now, "a try in the past");
                    now = at;
                }
            }
            self.assert_not_stopped();
            let credential = self.credential();
            let attempt = CardAttempt {
                at: now,
                credential,
                amount,
                invoice_id,
            };
            let (decline, _) = next_reason();
            let earlier = self.tries.clone();
            next = decide(
                self.policy,
                limits,
                &self.history(&earlier),
                &attempt,
                &decline,
            );
            self.tries.push(PastAttempt {
                attempt,
                decline: Some(decline),
            });
            let of_invoice: Vec<_> = self
                .tries
                .iter()
                .filter(|past| past.attempt.invoice_id == invoice_id)
                .collect();
            let horizon =
                of_invoice[0].attempt.at + hours(24 * i64::from(self.policy.horizon_days()));
            assert!(now <= horizon, "a try beyond the horizon");
            let delays = |class| {
                (0..)
                    .map_while(|n| self.policy.delay_hours(class, n))
                    .count()
            };
            let most = allowance + delays(DeclineClass::Later) + delays(DeclineClass::BackOff);
            assert!(of_invoice.len() <= most, "more tries than the policy has");
        }
    }

    /// No try follows a decline that ended the use of its credential.
    fn assert_not_stopped(&self) {
        let reference = self.credential().reference;
        for past in self
            .tries
            .iter()
            .filter(|past| past.attempt.credential.reference == reference)
        {
            let decline = past.decline.unwrap();
            let class = decline.reason().class;
            let is_stopped = matches!(class, DeclineClass::NeverRetry | DeclineClass::FixData);
            assert!(!is_stopped, "a try after {}", decline.reason().key);
            if self.brand == Brand::Mastercard {
                assert_ne!(decline.advice_code(), Some("01"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn tries_are_within_the_policy_and_the_scheme(
        policy in policies(),
        reasons in reasons(),
        is_visa in any::<bool>(),
        start_day in 0_i64..60,
        gaps in prop::collection::vec(0_i64..200, INVOICES.len()),
        news in any::<u64>(),
        is_one_amount in any::<bool>(),
    ) {
        let zone = TimeZone::get("Australia/Lord_Howe").unwrap();
        let start = at("2025-04-10T00:00") + hours(24 * start_day);
        let brand = if is_visa { Brand::Visa } else { Brand::Mastercard };
        let mut life = Life {
            policy: &policy,
            brand,
            zone: &zone,
            tries: Vec::new(),
            updates: 0,
            is_updater_asked: false,
            since: start,
        };
        let mut place = 0_usize;
        let mut next_reason = || {
            let reason = reasons[place % reasons.len()];
            let has_news = news >> (place % 64) & 1 == 1;
            place += 1;
            (read_decline(reason), has_news)
        };
        let mut now = start;
        for (invoice, gap) in INVOICES.into_iter().zip(gaps) {
            let minor = if is_one_amount || invoice.ends_with('0') { 100 } else { 200 };
            let amount = Money::new(minor, "EUR".parse().unwrap());
            now = life.live_through(invoice, amount, now + hours(gap), &mut next_reason);
        }
        assert_within_scheme_limits(brand, &life.tries);
    }
}

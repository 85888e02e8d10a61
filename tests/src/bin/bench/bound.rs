//! How many payments the cryptography alone would allow: opening a sealed card and verifying a
//! request signature, with the calls that the server makes, on all cores, and nothing else.

use crate::blast::per_second;
use crate::machine::{Ticks, cores};
use crate::shopping::on_all_cores;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use harness::client::{APPROVED, attempt, card};
use harness::time::{now, now_ms, os_random, random};
use sealpay_protocol::card::{Card, YearMonth};
use sealpay_protocol::envelope::{SealContext, SealedCard};
use sealpay_protocol::ids::{AttemptId, MerchantId, SessionId};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::seal::{self, SealingPrivateKey, SealingPublicKey};
use sealpay_protocol::secret::Secret;
use sealpay_protocol::sign::{RequestParts, SignatureParameters, sign};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;
use tokio::time::Instant;
use verifier_server::keys::decapsulation_key::DecapsulationKey;

/// How long each bound is measured.
const LONG_ENOUGH: Duration = Duration::from_millis(700);
/// Different payments, so that nothing is answered from a cache.
const PAYMENTS: usize = 64;
/// A signature base of the protocol has about so many bytes.
const BASE_BYTES: usize = 720;
/// How often seal and sign are timed.
const TIMES: usize = 500;

struct Payment {
    key: VerifyingKey,
    base: Vec<u8>,
    signature: Signature,
    sealed: SealedCard,
    attempt: AttemptId,
    thumbprint: Thumbprint,
}

/// What the cryptography alone allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// Payments on all cores.
    pub(crate) per_second: u64,
    /// Processor time of one payment, µs.
    pub(crate) cpu_us: u64,
}

struct Bench {
    stock_key: SealingPrivateKey,
    key: DecapsulationKey,
    origin: Origin,
    merchant: MerchantId,
    session: SessionId,
    money: Money,
    payments: Vec<Payment>,
}

impl Bench {
    fn new(payments: usize) -> Self {
        let seed = Secret::new(random());
        let mut bench = Self {
            stock_key: SealingPrivateKey::from_seed(&seed).expect("a seed is a key"),
            key: DecapsulationKey::from_seed(&seed).expect("a seed is a key"),
            origin: "https://pay.example".parse().expect("an origin"),
            merchant: MerchantId::new(now_ms(), random()),
            session: SessionId::new(now_ms(), random()),
            money: Money::new(2490, "EUR".parse().expect("a currency")),
            payments: Vec::new(),
        };
        let public = bench.stock_key.public_key();
        bench.payments = (0..payments)
            .map(|_| bench.payment(&public, &card(APPROVED)))
            .collect();
        bench
    }

    fn payment(&self, public: &SealingPublicKey, card: &Card) -> Payment {
        let key = SigningKey::from_bytes(&random());
        let (attempt, thumbprint) = (attempt(), Thumbprint::from_key(&key.verifying_key()));
        let context = self.context(attempt, &thumbprint);
        let sealed = seal::seal(card, public, &context, &mut os_random()).expect("a key seals");
        let base: [u8; BASE_BYTES] = random();
        Payment {
            signature: key.sign(&base),
            base: base.to_vec(),
            key: key.verifying_key(),
            sealed,
            attempt,
            thumbprint,
        }
    }

    fn context<'a>(&'a self, attempt: AttemptId, thumbprint: &'a Thumbprint) -> SealContext<'a> {
        SealContext {
            verifier_origin: &self.origin,
            merchant: self.merchant,
            session: self.session,
            money: self.money,
            session_expires_at: 1_763_801_800,
            attempt,
            thumbprint,
            order_digest: &[7; 32],
        }
    }

    fn verify(&self, payment: &Payment) {
        let verified = payment.key.verify_strict(&payment.base, &payment.signature);
        verified.expect("the signature is good");
    }

    fn open(&self, payment: &Payment, today: YearMonth) {
        let context = self.context(payment.attempt, &payment.thumbprint);
        let opened = self.key.open(&payment.sealed, &context, today);
        black_box(opened.expect("the card opens"));
    }

    fn open_with_stock_crates(&self, payment: &Payment, today: YearMonth) {
        let context = self.context(payment.attempt, &payment.thumbprint);
        let opened = seal::open(&payment.sealed, &self.stock_key, &context, today);
        black_box(opened.expect("the card opens"));
    }

    fn measure(&self, work: impl Fn(&Self, &Payment) + Sync) -> Bound {
        let before = Ticks::now(std::process::id());
        let started = Instant::now();
        let done = on_all_cores((0..cores()).collect(), |_| {
            let mut done = 0;
            while started.elapsed() < LONG_ENOUGH {
                for payment in &self.payments {
                    work(self, payment);
                }
                done += self.payments.len();
            }
            done
        });
        let (done, took) = (done.into_iter().sum(), started.elapsed());
        let mut spent = Ticks::default();
        spent.add_since(before, Ticks::now(std::process::id()));
        Bound {
            per_second: per_second(done, took),
            cpu_us: spent.own_us_per(u64::try_from(done).unwrap_or(u64::MAX)),
        }
    }
}

/// With the calls that the server makes.
pub(crate) fn of_server() -> Bound {
    let today = YearMonth::from_unix_seconds(now());
    Bench::new(PAYMENTS).measure(|bench, payment| {
        bench.verify(payment);
        bench.open(payment, today);
    })
}

/// With the crates that the protocol is written with, as another implementer would take them.
pub(crate) fn of_stock_crates() -> Bound {
    let today = YearMonth::from_unix_seconds(now());
    Bench::new(PAYMENTS).measure(|bench, payment| {
        bench.verify(payment);
        bench.open_with_stock_crates(payment, today);
    })
}

/// What a client's processor does for one payment, natively, on one core.
pub(crate) fn client() -> Value {
    let bench = Bench::new(1);
    let (public, card) = (bench.stock_key.public_key(), card(APPROVED));
    let key = SigningKey::from_bytes(&random());
    let thumbprint = Thumbprint::from_key(&key.verifying_key());
    let body = vec![b'x'; 2000];
    let (attempt, session) = (attempt().to_string(), bench.session.to_string());
    let parts = RequestParts {
        method: "POST",
        authority: bench.origin.authority(),
        path: "/v1/payments",
        query: None,
        content_type: "application/json",
        idempotency_key: &attempt,
        session: &session,
        body: &body,
    };
    let context = bench.context(bench.payments[0].attempt, &thumbprint);
    json!({
        "seal_us": median_us(|| {
            let sealed = seal::seal(&card, &public, &context, &mut os_random());
            black_box(sealed.expect("a key seals"));
        }),
        "sign_us": median_us(|| {
            let parameters = SignatureParameters { created: now(), nonce: random() };
            black_box(sign(&parts, &parameters, &key));
        }),
    })
}

fn median_us(work: impl Fn()) -> u64 {
    let mut times: Vec<u64> = (0..TIMES)
        .map(|_| {
            let started = Instant::now();
            work();
            u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
        })
        .collect();
    crate::blast::percentile(&mut times, 50)
}

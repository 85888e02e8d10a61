//! One run of a check: ids, requests, timeouts, and failures that name the check.

use super::{
    Balance, Capability, CardKind, HarnessFuture, Payer, ProviderHarness, ProviderUnderTest,
    Transmission, codes, describe,
};
use crate::decline::{self, DeclineClass};
use crate::modification::ModificationKind;
use crate::{
    Authenticator, DirectDebitProvider, ModificationRequest, NotificationReader, PaymentProvider,
    PayoutProvider, ProviderDecision, ProviderError, ProviderFuture, Rejection, TransferProvider,
    WalletProvider,
};
use sealpay_protocol::card::Card;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{AttemptId, MerchantId, ModificationId, PaymentId, PayoutId};
use sealpay_protocol::money::Money;
use std::fmt::{Debug, Display};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// The amount of the suite's payments, minor units.
pub(super) const AMOUNT: i64 = 10_000;

/// How many timeouts to wait for a response that must arrive, so that a slow machine fails no
/// check.
const PATIENCE: usize = 60;

/// Number of duplicates that are sent concurrently.
pub(super) const DUPLICATES: usize = 8;

static DRAWN: AtomicU64 = AtomicU64::new(0);

/// One run of one check.
pub struct CheckRun<'a> {
    pub(super) harness: &'a dyn ProviderHarness,
    capability: Capability,
    name: &'static str,
}

impl<'a> CheckRun<'a> {
    pub(super) const fn new(
        harness: &'a dyn ProviderHarness,
        capability: Capability,
        name: &'static str,
    ) -> Self {
        Self {
            harness,
            capability,
            name,
        }
    }

    /// Fails the check.
    pub(super) fn fail(&self, sentence: impl Display) -> ! {
        panic!("{}, {}: {sentence}", self.capability.name(), self.name)
    }

    pub(super) fn ensure(&self, holds: bool, sentence: impl Display) {
        if !holds {
            self.fail(sentence);
        }
    }

    pub(super) fn same<T: PartialEq + Debug>(&self, what: impl Display, found: &T, expected: &T) {
        if found != expected {
            self.fail(format!("{what}: {found:?} in place of {expected:?}"));
        }
    }

    fn missing<T>(&self, found: Option<T>) -> T {
        found.unwrap_or_else(|| self.fail("the capability is gone after a restart"))
    }

    /// Restarts the provider.
    pub(super) async fn open(&self) -> ProviderUnderTest {
        self.harness.open().await
    }

    pub(super) async fn acquirer(&self) -> Arc<dyn PaymentProvider> {
        self.missing(self.open().await.acquirer)
    }

    pub(super) async fn authenticator(&self) -> Arc<dyn Authenticator> {
        self.missing(self.open().await.authenticator)
    }

    pub(super) async fn wallet(&self) -> Arc<dyn WalletProvider> {
        self.missing(self.open().await.wallet)
    }

    pub(super) async fn transfers(&self) -> Arc<dyn TransferProvider> {
        self.missing(self.open().await.transfers)
    }

    pub(super) async fn direct_debits(&self) -> Arc<dyn DirectDebitProvider> {
        self.missing(self.open().await.direct_debits)
    }

    pub(super) async fn notifications(&self) -> Arc<dyn NotificationReader> {
        self.missing(self.open().await.notifications)
    }

    pub(super) async fn payouts(&self) -> Arc<dyn PayoutProvider> {
        self.missing(self.open().await.payouts)
    }

    fn id(&self) -> (u64, [u8; 10]) {
        let [a, b, c, d, e, f, g, h] = DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let now_ms = u64::try_from(self.harness.now_ms()).unwrap_or(0);
        (now_ms, [0xc0, 0xde, a, b, c, d, e, f, g, h])
    }

    pub(super) fn payment(&self) -> PaymentId {
        let (now_ms, rest) = self.id();
        PaymentId::new(now_ms, rest)
    }

    pub(super) fn attempt(&self) -> AttemptId {
        let (now_ms, rest) = self.id();
        AttemptId::new(now_ms, rest)
    }

    pub(super) fn payout(&self) -> PayoutId {
        let (now_ms, rest) = self.id();
        PayoutId::new(now_ms, rest)
    }

    pub(super) fn merchant(&self) -> MerchantId {
        let (now_ms, rest) = self.id();
        MerchantId::new(now_ms, rest)
    }

    /// A new operation on a payment.
    pub(super) fn operation(
        &self,
        payment: PaymentId,
        kind: ModificationKind,
        amount_minor: i64,
    ) -> ModificationRequest {
        let (now_ms, rest) = self.id();
        ModificationRequest {
            modification: ModificationId::new(now_ms, rest),
            payment,
            kind,
            money: self.money(amount_minor),
            is_final: false,
        }
    }

    pub(super) fn money(&self, amount_minor: i64) -> Money {
        let code = self.harness.currency();
        let currency: Option<Currency> = code.parse().ok();
        let known = currency.unwrap_or_else(|| self.fail(format!("{code} is not a currency")));
        Money::new(amount_minor, known)
    }

    /// The same amount in a currency that no payment of the suite has.
    pub(super) fn other_money(&self, amount_minor: i64) -> Money {
        let currency = self.money(amount_minor).currency();
        let other = Currency::all().find(|other| *other != currency);
        Money::new(amount_minor, other.unwrap_or(currency))
    }

    pub(super) fn card(&self, kind: CardKind) -> Card {
        let card = self.harness.card(kind);
        card.unwrap_or_else(|| self.fail(format!("the harness has no card that is {kind:?}")))
    }

    /// Sets how the next message of this capability is delivered.
    pub(super) async fn next_message(&self, transmission: Transmission) {
        self.harness
            .next_message(self.capability, transmission)
            .await;
    }

    /// Waits for a response until the caller's timeout; none after that.
    pub(super) async fn wait<T>(
        &self,
        call: &mut ProviderFuture<'_, T>,
    ) -> Option<Result<T, ProviderError>> {
        let mut patience: HarnessFuture<'_, ()> = self.harness.give_up();
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => patience.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// The result of a call without message loss.
    pub(super) async fn result<T>(
        &self,
        what: impl Display,
        call: ProviderFuture<'_, T>,
    ) -> Result<T, ProviderError> {
        let mut call = call;
        for _ in 0..PATIENCE {
            if let Some(result) = self.wait(&mut call).await {
                return result;
            }
        }
        self.fail(format!("{what}: no answer in time"))
    }

    /// The response to a call without message loss.
    pub(super) async fn answer<T>(&self, what: impl Display, call: ProviderFuture<'_, T>) -> T {
        match self.result(&what, call).await {
            Ok(answer) => answer,
            Err(error) => self.fail(format!("{what}: {}", describe(&error))),
        }
    }

    /// Checks a call whose request or response is lost: the provider may not claim to know the
    /// outcome.
    pub(super) async fn unanswered<T: Debug>(
        &self,
        what: impl Display,
        call: ProviderFuture<'_, T>,
    ) {
        let mut call = call;
        match self.wait(&mut call).await {
            None | Some(Err(ProviderError::OutcomeUnknown(_))) => {}
            Some(Err(ProviderError::NotSent(_))) => self.fail(format!(
                "{what}: NotSent, though the request may have reached the provider"
            )),
            Some(Ok(answer)) => self.fail(format!("{what}: {answer:?}, though it was lost")),
        }
    }

    /// Sends a request that arrives only after the caller's timeout.
    pub(super) async fn late<'c, T: Debug>(
        &self,
        call: ProviderFuture<'c, T>,
    ) -> ProviderFuture<'c, T> {
        let mut call = call;
        if let Some(early) = self.wait(&mut call).await {
            self.fail(format!("the harness must make the request late: {early:?}"));
        }
        call
    }

    /// The responses to concurrent calls.
    pub(super) async fn together<T: Send>(
        &self,
        what: impl Display,
        calls: Vec<ProviderFuture<'_, T>>,
    ) -> Vec<T> {
        let mut calls: Vec<_> = calls.into_iter().map(|call| (call, None)).collect();
        let both: ProviderFuture<'_, Vec<T>> = {
            let joined = poll_fn(move |context| {
                for (call, answer) in &mut calls {
                    if answer.is_none()
                        && let Poll::Ready(ready) = call.as_mut().poll(context)
                    {
                        *answer = Some(ready);
                    }
                }
                if calls.iter().any(|(_, answer)| answer.is_none()) {
                    return Poll::Pending;
                }
                Poll::Ready(calls.drain(..).filter_map(|(_, answer)| answer).collect())
            });
            Box::pin(joined)
        };
        self.answer(what, both).await
    }

    /// Checks a decision and its codes.
    pub(super) async fn decision(
        &self,
        what: impl Display,
        call: ProviderFuture<'_, ProviderDecision>,
    ) -> ProviderDecision {
        let decision = self.answer(&what, call).await;
        self.check_decision(what, &decision);
        decision
    }

    /// Checks that a decline has a reason of the decline table, and never the one of an approval,
    /// and that codes are well formed.
    pub(super) fn check_decision(&self, what: impl Display, decision: &ProviderDecision) {
        match decision {
            ProviderDecision::Approved(approval) => {
                if let Some(code) = codes::malformed(approval) {
                    self.fail(format!("{what}: {code} in {approval:?}"));
                }
            }
            ProviderDecision::Declined(Rejection {
                reason,
                advice_code,
            }) => {
                let known = decline::find(reason);
                if known.is_none_or(|known| known.class == DeclineClass::Approve) {
                    self.fail(format!(
                        "{what}: declined for {reason:?}, which is no reason of the table"
                    ));
                }
                let is_advice = advice_code.as_deref().is_none_or(codes::is_advice);
                self.ensure(is_advice, format!("{what}: advice {advice_code:?}"));
            }
        }
    }

    pub(super) async fn approved(
        &self,
        what: impl Display,
        call: ProviderFuture<'_, ProviderDecision>,
    ) -> ProviderDecision {
        let decision = self.decision(&what, call).await;
        self.is_approved(what, &decision);
        decision
    }

    fn is_approved(&self, what: impl Display, decision: &ProviderDecision) {
        self.ensure(decision.is_approved(), format!("{what}: {decision:?}"));
    }

    /// Checks that concurrent requests have one approval in common.
    pub(super) fn all_approved(&self, what: &str, decisions: &[ProviderDecision]) {
        let Some(first) = decisions.first() else {
            return;
        };
        self.is_approved(what, first);
        for decision in decisions {
            self.same(what, decision, first);
        }
    }

    pub(super) async fn declined(
        &self,
        what: impl Display,
        call: ProviderFuture<'_, ProviderDecision>,
    ) -> ProviderDecision {
        let decision = self.decision(&what, call).await;
        self.ensure(!decision.is_approved(), format!("{what}: approved"));
        decision
    }

    pub(super) async fn balance(&self, payer: Payer) -> Option<Balance> {
        self.harness.balance(payer).await
    }

    /// The authorized and captured amounts since a balance was read.
    pub(super) async fn moved(
        &self,
        what: impl Display,
        payer: Payer,
        before: Option<Balance>,
        [authorized_minor, captured_minor]: [i64; 2],
    ) {
        let (Some(before), Some(now)) = (before, self.balance(payer).await) else {
            return;
        };
        let found = Balance {
            authorized_minor: now.authorized_minor - before.authorized_minor,
            captured_minor: now.captured_minor - before.captured_minor,
        };
        let expected = Balance {
            authorized_minor,
            captured_minor,
        };
        self.same(format!("{what}, on the payer's account"), &found, &expected);
    }
}

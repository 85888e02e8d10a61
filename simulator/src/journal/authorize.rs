//! Recording an authorization: its row and the account's in one transaction, or its row alone where
//! the decision does not depend on the account.

use super::authorization::{ADD, Authorization, AuthorizationState, BY_KEY, find, key};
use super::{HOLD_MS, Journal, accounts};
use crate::account::{Account, Verdict, day_of};
use crate::exchange::exchange;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::{Approval, ProviderDecision, ProviderError};
use sealpay_storage::{DatabaseError, Entity, Fault, Projection, Tx, Value, sql, values};

/// A request to authorize an amount.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationInput {
    /// Who passes it on: references of one provider are not those of another.
    pub(crate) provider: String,
    pub(crate) reference: PaymentId,
    /// The account as it is when it is new; once it is stored, the stored one decides.
    pub(crate) account: Account,
    pub(crate) money: Money,
    pub(crate) capture: Capture,
    /// The decision, where it does not depend on the account.
    pub(crate) decision: Option<ProviderDecision>,
    /// The codes of an approval.
    pub(crate) codes: Approval,
    pub(crate) now_ms: i64,
}

impl AuthorizationInput {
    fn approval(&self) -> ProviderDecision {
        ProviderDecision::Approved(self.codes.clone())
    }
}

/// Records an approval on an account that nothing limits. The account is only read, so that many
/// servers can use it at once; an account that a tester has limited prevents the insertion.
const ADD_UNLIMITED: &str = sql!(
    "INSERT INTO bank_authorizations (",
    Authorization::COLUMNS,
    ") SELECT $1, $2, $3, CAST($4 AS BIGINT), $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT), $8, \
     CAST($9 AS TEXT), CAST($10 AS TEXT), CAST($11 AS TEXT), CAST($12 AS TEXT), \
     CAST($13 AS TEXT), CAST($14 AS TEXT), \
     CAST($15 AS BIGINT), CAST($16 AS BIGINT), CAST($17 AS BIGINT), CAST($18 AS BIGINT), \
     CAST($19 AS BIGINT), CAST($20 AS BIGINT), CAST($21 AS BIGINT) \
     WHERE NOT EXISTS (SELECT 1 FROM bank_accounts WHERE id = $3 \
     AND (status <> 'active' OR (wrong_codes >= $22 AND codes_refused_until_ms = 0) \
     OR credit_limit_minor IS NOT NULL \
     OR per_transaction_limit_minor IS NOT NULL OR daily_count_limit IS NOT NULL \
     OR daily_sum_limit_minor IS NOT NULL)) \
     ON CONFLICT (reference, provider) DO NOTHING"
);

const DECLINE: &str = "UPDATE bank_authorizations SET state = 'declined', decline = $3,
    account_minor = 0, counted = 0, booked_minor = 0, booked_account_minor = 0,
    authorization_code = NULL, acquirer_reference = NULL, network_transaction_id = NULL,
    hold_until_ms = NULL WHERE reference = $1 AND provider = $2";

const CORRECT: &str = "UPDATE bank_authorizations SET account_minor = $3,
    booked_account_minor = $4 WHERE reference = $1 AND provider = $2";

/// The values of the statements, prepared outside of the transaction: there is one writer.
pub(super) struct Prepared {
    input: AuthorizationInput,
    unlimited: Option<Vec<Value>>,
    row: <Authorization as Entity>::Values,
    reservation: Option<Reservation>,
}

/// An amount on the account.
struct Reservation {
    held: i64,
    booked: i64,
    /// The arguments of [`accounts::RESERVE`].
    values: [Value; 7],
}

impl Reservation {
    fn new(input: &AuthorizationInput, account: &Account, amount_minor: i64) -> Self {
        let (held, booked) = match input.capture {
            Capture::Automatic => (0, amount_minor),
            Capture::Manual => (amount_minor, 0),
        };
        let values = values![
            &account.id,
            amount_minor,
            day_of(input.now_ms),
            held,
            booked,
            account.currency,
            limits::ONE_TIME_CODE_ATTEMPTS,
        ];
        Self {
            held,
            booked,
            values,
        }
    }

    /// The arguments of [`accounts::UNDO_RESERVE`].
    fn undo(&self, account: &str) -> [Value; 4] {
        let amount_minor = self.held.saturating_add(self.booked);
        values![account.to_owned(), amount_minor, self.held, self.booked]
    }
}

/// The row of a decision; `counted` is its amount in the account's totals.
fn authorization(
    input: &AuthorizationInput,
    decision: &ProviderDecision,
    counted: Option<i64>,
) -> Authorization {
    let state = match (decision, input.capture) {
        (ProviderDecision::Approved(_), Capture::Automatic) => AuthorizationState::Captured,
        (ProviderDecision::Approved(_), Capture::Manual) => AuthorizationState::Authorized,
        (ProviderDecision::Declined(_), _) => AuthorizationState::Declined,
    };
    let (codes, rejection) = match decision {
        ProviderDecision::Approved(_) => (input.codes.clone(), None),
        ProviderDecision::Declined(rejection) => (Approval::NONE, Some(rejection.clone())),
    };
    let if_captured = |amount: i64| match state {
        AuthorizationState::Captured => amount,
        _ => 0,
    };
    let hold_until_ms = input.now_ms.saturating_add(HOLD_MS);
    Authorization {
        account: input.account.id.clone(),
        amount_minor: input.money.amount_minor(),
        currency: input.money.currency().code().to_owned(),
        account_minor: counted.unwrap_or(0),
        counted: counted.is_some(),
        state,
        advice_code: rejection
            .as_ref()
            .and_then(|rejection| rejection.advice_code.clone()),
        decline: rejection.map(|rejection| rejection.reason),
        authorization_code: codes.authorization_code,
        acquirer_reference: codes.acquirer_reference,
        network_transaction_id: codes.network_transaction_id,
        booked_minor: if_captured(input.money.amount_minor()),
        booked_account_minor: if_captured(counted.unwrap_or(0)),
        hold_until_ms: (state == AuthorizationState::Authorized).then_some(hold_until_ms),
        ..Authorization::tombstone(input.reference, &input.provider, input.now_ms)
    }
}

pub(super) fn prepare(input: AuthorizationInput) -> Result<Prepared, DatabaseError> {
    let approved = ProviderDecision::approved();
    let is_open = input.decision.is_none();
    let unlimited = if is_open && input.account.is_unlimited() {
        let mut values = authorization(&input, &approved, None).to_row()?.to_vec();
        values.push(limits::ONE_TIME_CODE_ATTEMPTS.into());
        Some(values)
    } else {
        None
    };
    let exchanged = exchange(input.money, input.account.currency);
    let amount = match input.account.decide(exchanged, 0) {
        Verdict::Approved(amount) if is_open => Some(amount),
        // The stored account may allow what a new one declines, so it is looked at as well.
        _ => None,
    };
    let counted = is_open.then_some(amount.unwrap_or(0));
    let decision = input.decision.as_ref().unwrap_or(&approved);
    Ok(Prepared {
        unlimited,
        row: authorization(&input, decision, counted).to_row()?,
        reservation: amount.map(|amount| Reservation::new(&input, &input.account, amount)),
        input,
    })
}

/// Records it unless the reference is known; gives the decision, or none for a tombstone.
pub(super) async fn authorize(
    tx: &mut Tx<'_>,
    prepared: &Prepared,
) -> Result<Option<ProviderDecision>, Fault> {
    let input = &prepared.input;
    if let Some(unlimited) = &prepared.unlimited {
        if tx.execute(ADD_UNLIMITED, unlimited).await? == 1 {
            return Ok(Some(input.approval()));
        }
        if let Some(stored) = find(tx, input.reference, &input.provider).await? {
            return Ok(stored.decision());
        }
    }
    let Some(reservation) = &prepared.reservation else {
        return match (tx.execute(ADD, &prepared.row).await?, &input.decision) {
            (1, Some(ProviderDecision::Approved(_))) => Ok(Some(input.approval())),
            (1, Some(declined)) => Ok(Some(declined.clone())),
            (1, None) => decide_by_account(tx, input).await.map(Some),
            _ => stored_decision(tx, input).await,
        };
    };
    // Both statements travel together, because most requests are new and approved. Otherwise the
    // one that was too much is undone.
    let statements = [
        (ADD, prepared.row.as_slice()),
        (accounts::RESERVE, reservation.values.as_slice()),
    ];
    match tx.execute_together(&statements).await?[..] {
        [1, 1] => Ok(Some(input.approval())),
        [1, _] => decide_by_account(tx, input).await.map(Some),
        [_, reserved] => {
            if reserved == 1 {
                let undo = reservation.undo(&input.account.id);
                tx.execute(accounts::UNDO_RESERVE, &undo).await?;
            }
            stored_decision(tx, input).await
        }
        _ => Err(DatabaseError::Corrupt("two statements have two counts".into()).into()),
    }
}

/// The row is inserted and the account unchanged: the account is new, is not as it was expected, or
/// declines.
async fn decide_by_account(
    tx: &mut Tx<'_>,
    input: &AuthorizationInput,
) -> Result<ProviderDecision, Fault> {
    let account = accounts::get_or_insert(tx, &input.account).await?;
    let amount = exchange(input.money, account.currency);
    match account.decide(amount, day_of(input.now_ms)) {
        Verdict::Declined(reason) => {
            let decline = values![input.reference, input.provider.clone(), reason];
            tx.execute(DECLINE, &decline).await?;
            Ok(ProviderDecision::declined(reason))
        }
        Verdict::Approved(amount) => {
            let reservation = Reservation::new(input, &account, amount);
            if tx.execute(accounts::RESERVE, &reservation.values).await? == 0 {
                return Err(Fault::Retry("an account changed meanwhile".into()));
            }
            let correct = values![
                input.reference,
                input.provider.clone(),
                amount,
                reservation.booked,
            ];
            tx.execute(CORRECT, &correct).await?;
            Ok(input.approval())
        }
    }
}

async fn stored_decision(
    tx: &mut Tx<'_>,
    input: &AuthorizationInput,
) -> Result<Option<ProviderDecision>, Fault> {
    let stored = find(tx, input.reference, &input.provider).await?;
    let stored = stored.ok_or_else(|| Fault::Retry("an authorization is gone".into()))?;
    Ok(stored.decision())
}

struct InquiryInput {
    tombstone: <Authorization as Entity>::Values,
    key: [Value; 2],
}

async fn inquire(
    tx: &mut Tx<'_>,
    inquiry: &InquiryInput,
) -> Result<Option<ProviderDecision>, Fault> {
    if tx.execute(ADD, &inquiry.tombstone).await? == 1 {
        return Ok(None);
    }
    let stored: Option<Authorization> = tx.get(BY_KEY, &inquiry.key).await?;
    let stored = stored.ok_or_else(|| Fault::Retry("an authorization is gone".into()))?;
    Ok(stored.decision())
}

impl Journal {
    /// Records an authorization unless the reference is known; gives the decision that stands, or
    /// none where the reference is tombstoned.
    pub(crate) async fn authorize(
        &self,
        input: AuthorizationInput,
    ) -> Result<Option<ProviderDecision>, ProviderError> {
        let prepared = prepare(input).map_err(super::outcome_unknown)?;
        self.write(prepared, |tx, prepared| Box::pin(authorize(tx, prepared)))
            .await
    }

    /// The decision about a reference. An unknown one is tombstoned, so that it is declined if it
    /// still arrives, and has none.
    pub(crate) async fn inquire(
        &self,
        provider: &str,
        reference: PaymentId,
        now_ms: i64,
    ) -> Result<Option<ProviderDecision>, ProviderError> {
        let tombstone = Authorization::tombstone(reference, provider, now_ms).to_row();
        let inquiry = InquiryInput {
            tombstone: tombstone.map_err(super::outcome_unknown)?,
            key: key(reference, provider),
        };
        self.write(inquiry, |tx, inquiry| Box::pin(inquire(tx, inquiry)))
            .await
    }
}

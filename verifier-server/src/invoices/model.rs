//! A stored invoice.

use sealpay_protocol::ids::{
    CreditNoteId, CustomerId, InvoiceId, MerchantId, PaymentId, PriceId, SubscriptionId,
};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// It has no number yet, and nothing is charged.
    Draft,
    /// It is to be paid.
    Open,
    /// Nothing is due any more.
    Paid,
    /// It was issued by mistake.
    Void,
    /// It will probably not be paid.
    Uncollectible,
}

use InvoiceState::{Draft, Open, Paid, Uncollectible, Void};

sealpay_protocol::names! {
    InvoiceState {
        Draft = "draft",
        Open = "open",
        Paid = "paid",
        Void = "void",
        Uncollectible = "uncollectible",
    }
}

impl InvoiceState {
    /// The permitted next states; all others are impossible.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Draft => &[Open, Paid, Void],
            Open => &[Paid, Void, Uncollectible],
            Uncollectible => &[Paid, Void],
            // A direct debit that paid it was taken back.
            Paid => &[Open],
            Void => &[],
        }
    }

    /// Whether the transition to `next` is permitted.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether the customer may still pay.
    #[must_use]
    pub const fn is_payable(self) -> bool {
        matches!(self, Open | Uncollectible)
    }
}

/// Why an invoice was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceReason {
    /// The first period of a subscription.
    SubscriptionStart,
    /// A later period.
    SubscriptionRenewal,
    /// A change within a period.
    SubscriptionChange,
}

sealpay_protocol::names! {
    InvoiceReason {
        SubscriptionStart = "subscription_start",
        SubscriptionRenewal = "subscription_renewal",
        SubscriptionChange = "subscription_change",
    }
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// An item of a subscription.
    Plan,
    /// Unused time of an item that was removed; negative.
    Credit,
    /// Remaining time of an item that was added.
    Charge,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// What it is for.
    pub kind: LineKind,
    /// The name of the price.
    pub description: String,
    /// The price.
    pub price: Option<PriceId>,
    /// How many units.
    pub quantity: u32,
    /// The amount, minor units; negative for a credit.
    pub amount_minor: i64,
    /// Whether it is for a part of a period.
    pub is_prorated: bool,
    /// The start of the time that it pays for, milliseconds since 1970.
    pub period_start_ms: Option<i64>,
    /// Its end, milliseconds since 1970.
    pub period_end_ms: Option<i64>,
}

/// What the customer has to do before an invoice can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerAction {
    /// Confirm the payment with the bank.
    Authenticate,
    /// Pay with another card, or with new data of this one.
    NewInstrument,
    /// Pay for the first period, and agree to later payments.
    FirstPayment,
}

impl CustomerAction {
    /// Whether the merchant can charge again with another agreement.
    #[must_use]
    pub const fn needs_agreement(self) -> bool {
        matches!(self, Self::NewInstrument | Self::FirstPayment)
    }
}

/// The tries to charge an invoice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Collection {
    /// Whether it is charged by itself.
    pub is_automatic: bool,
    /// The latest payment.
    pub payment: Option<PaymentId>,
    /// Whether the outcome of that payment is not known yet.
    pub is_pending: bool,
    /// The number of payments that the merchant started.
    pub tries: u32,
    /// When a direct debit that had paid it was taken back, milliseconds since 1970.
    pub reopened_at_ms: Option<i64>,
    /// When the first was started, milliseconds since 1970.
    pub first_try_at_ms: Option<i64>,
    /// Why the latest failed: a decline reason, or an error code.
    pub failure: Option<String>,
    /// What the customer has to do.
    pub action: Option<CustomerAction>,
    /// The card whose new data the account updater was asked for.
    pub updated_card: Option<String>,
    /// What was planned when the customer began to pay; it goes on if the payment ends unpaid.
    pub postponed: Option<Postponed>,
}

/// What is planned for an invoice while a payment of the customer's is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponed {
    /// What happens.
    pub due: InvoiceDue,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// What happens to an invoice next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceDue {
    /// It is charged.
    Charge,
    /// The account updater is asked for new data of the card.
    AskUpdater,
    /// The dunning policy's end action is carried out.
    GiveUp,
}

sealpay_protocol::names! {
    InvoiceDue {
        Charge = "charge",
        AskUpdater = "ask_updater",
        GiveUp = "give_up",
    }
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// The invoice.
    pub id: InvoiceId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The customer.
    pub customer: CustomerId,
    /// The subscription that it is for.
    pub subscription: Option<SubscriptionId>,
    /// The number of the subscription's period, if the invoice is for one.
    pub period_number: Option<i64>,
    /// Its number in the merchant's series, once it is not a draft.
    pub number: Option<String>,
    /// Why it was made.
    pub reason: InvoiceReason,
    /// The current state.
    pub state: InvoiceState,
    /// The lines.
    pub lines: Vec<InvoiceLine>,
    /// The sum of the lines.
    pub total: Money,
    /// What was taken from the customer's credit, minor units; negative if the total was, and became
    /// credit.
    pub applied_minor: i64,
    /// Paid, minor units.
    pub paid_minor: i64,
    /// Credited by credit notes before it was paid, minor units.
    pub credited_minor: i64,
    /// The tries to charge it.
    pub collection: Collection,
    /// What happens next.
    pub due: Option<InvoiceDue>,
    /// When that happens, milliseconds since 1970.
    pub due_at_ms: i64,
    /// The same, or the end of the lease of the server that is doing it.
    pub lease_until_ms: i64,
    /// When it got its number, milliseconds since 1970.
    pub finalized_at_ms: Option<i64>,
    /// When it was paid, voided or given up, milliseconds since 1970.
    pub closed_at_ms: Option<i64>,
    /// Counts every change; also the number of the last event.
    pub sequence: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
}

impl Invoice {
    /// What is still to be paid, minor units: the total without what was applied, paid and credited.
    #[must_use]
    pub const fn due_minor(&self) -> i64 {
        self.total
            .amount_minor()
            .saturating_sub(self.applied_minor)
            .saturating_sub(self.paid_minor)
            .saturating_sub(self.credited_minor)
    }

    /// What is still to be paid.
    #[must_use]
    pub const fn due_money(&self) -> Money {
        Money::new(self.due_minor(), self.total.currency())
    }

    /// Schedules what happens next.
    pub fn schedule(&mut self, next: Option<(InvoiceDue, i64)>) {
        self.due = next.map(|(due, _)| due);
        self.due_at_ms = next.map_or(0, |(_, at_ms)| at_ms);
        self.lease_until_ms = self.due_at_ms;
    }

    /// Whether the customer can pay it now, on its page.
    #[must_use]
    pub fn awaits_payment(&self) -> bool {
        self.state == InvoiceState::Open && self.due_minor() > 0
    }

    /// Waits for the outcome of a payment of the customer's. What is planned is postponed, so that
    /// nothing is charged twice.
    pub fn wait_for_payment(&mut self, payment: PaymentId) {
        self.collection.payment = Some(payment);
        self.collection.is_pending = true;
        let at_ms = self.due_at_ms;
        self.collection.postponed = self.due.map(|due| Postponed { due, at_ms });
        self.schedule(None);
    }

    /// Waits as before: a payment of the customer's has ended unpaid. What was to happen meanwhile
    /// happens now.
    pub fn resume(&mut self, now_ms: i64, is_collecting: bool) {
        self.collection.is_pending = false;
        let postponed = self.collection.postponed.take();
        if let Some(Postponed { due, at_ms }) = postponed.filter(|_| is_collecting) {
            self.schedule(Some((due, at_ms.max(now_ms))));
        }
    }

    /// Schedules a charge if the invoice waits for another card, or for the first; returns whether it
    /// did.
    pub fn charge_with_new_agreement(&mut self, now_ms: i64) -> bool {
        let needs = self
            .collection
            .action
            .is_some_and(CustomerAction::needs_agreement);
        if self.state != InvoiceState::Open || !needs {
            return false;
        }
        self.collection.action = None;
        if self.collection.is_pending {
            // The customer is paying on the page; if that comes to nothing, it is charged.
            let (due, at_ms) = (InvoiceDue::Charge, now_ms);
            self.collection.postponed = Some(Postponed { due, at_ms });
        } else {
            self.schedule(Some((InvoiceDue::Charge, now_ms)));
        }
        true
    }

    /// Closes it: nothing is charged any more.
    pub fn close(&mut self, state: InvoiceState, at_ms: i64) {
        self.state = state;
        self.closed_at_ms = Some(at_ms);
        self.collection.action = None;
        self.collection.postponed = None;
        self.schedule(None);
    }

    /// Takes back what a payment has paid, minor units: a paid invoice is open again.
    pub const fn reopen(&mut self, returned_minor: i64, at_ms: i64) {
        self.paid_minor -= returned_minor;
        self.collection.reopened_at_ms = Some(at_ms);
        if matches!(self.state, Paid) {
            self.state = Open;
            self.closed_at_ms = None;
        }
    }

    /// Counts a change.
    pub const fn touch(&mut self, at_ms: i64) {
        self.sequence += 1;
        self.updated_at_ms = at_ms;
    }
}

/// A credit note: it lowers what is due, or becomes credit of the customer if nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNote {
    /// The credit note.
    pub id: CreditNoteId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The invoice that it corrects.
    pub invoice: InvoiceId,
    /// Its number in the merchant's series.
    pub number: String,
    /// The amount.
    pub money: Money,
    /// The part of it that became credit of the customer, minor units.
    pub to_balance_minor: i64,
    /// Why.
    pub reason: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::InvoiceState;

    /// Rows: from; columns: to; in the order of `ALL`.
    const TABLE: [&str; 5] = [
        // d o p v u
        ". X X X .", // draft
        ". . X X X", // open
        ". X . . .", // paid
        ". . . . .", // void
        ". . X X .", // uncollectible
    ];

    #[test]
    fn transitions_follow_the_table() {
        for (from, row) in InvoiceState::ALL.into_iter().zip(TABLE) {
            for (to, cell) in InvoiceState::ALL.into_iter().zip(row.split(' ')) {
                assert_eq!(from.may_become(to), cell == "X", "{from:?} -> {to:?}");
            }
        }
    }
}

//! The messages of the component, and where it moves the focus.

use super::connection::Connection;
use crate::browser::field::Typed;
use crate::browser::host::HostRequest;
use crate::form::{Field, RemovalStep};
use crate::payment::{ApiResponse, PaymentEvent, ShopperAction};
use sealpay_protocol::api::{InstrumentsView, Method};
use sealpay_protocol::ids::{AttemptId, InstrumentId};
use std::rc::Rc;

/// A message to the component.
pub enum Msg {
    /// The shopper edited a field.
    Edited(Field, Typed),
    /// A field lost focus.
    Blurred(Field),
    /// The shopper chose a payment method.
    MethodChosen(Method),
    /// The shopper chose a saved card, or another card with `None`.
    CardChosen(Option<InstrumentId>),
    /// The shopper wants to enter another card, after a decline of a saved one.
    AnotherCardRequested,
    /// The shopper ticked or unticked the box that saves the card entered.
    SavingToggled,
    /// The shopper wants to remove a saved card, or keeps it.
    Removal(RemovalStep),
    /// The response to this removal.
    RemovalFinished(AttemptId, ApiResponse<Box<InstrumentsView>>),
    /// The shopper submitted the form.
    Submitted,
    /// The shopper edited the one-time code.
    CodeEdited,
    /// The shopper acted on a challenge or an offer.
    Action(ShopperAction),
    /// The shopper asked for the wallet's page.
    WalletRequested,
    /// The shopper returned to this document, or the network is back.
    Resumed,
    /// The shopper leaves this document, which the browser may restore as it is.
    PageHidden,
    /// The payment with this number takes long.
    StillProcessing(u32),
    /// The session of this order has ended by the clock.
    SessionExpired(Rc<Connection>),
    /// The shopper wants to leave a checkout that is over: `renew` or `return`.
    ExitRequested(&'static str),
    /// A second passed that is counted on the screen.
    Tick,
    /// The session is about to end.
    SessionEndsSoon,
    /// The shopper wants to copy a value of a bank transfer: its name and the value.
    CopyRequested(&'static str, String),
    /// Copying succeeded or failed: the sentence to announce.
    CopyFinished(String),
    /// Something happened to the payment.
    Payment(PaymentEvent),
    /// The host page requests something.
    Host(HostRequest),
}

/// Where the focus goes after the next rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    Field(Field),
    Heading,
    Notice,
    Offer,
    Code,
    Pay,
    /// The first element of a selector.
    Element(&'static str),
}

//! What the shop knows about an order besides its payments, and how a tester wants it signed.

use crate::integration::Merchant;
use crate::integration::state::Order;
use crate::integration::subscription::{METHODS, OrderedSubscription};
use crate::products::{self, Product};
use crate::system;
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::{Capture, OrderClaims, OrderItem, Simulate};
use serde::{Deserialize, Serialize};
use std::io;

/// Letters and digits that are not mistaken for one another when read aloud: five bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The shop's reference of the only customer who has an account here.
const CUSTOMER: &str = "customer-1";

/// The shop's part of an order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Basket {
    pub(crate) product: &'static Product,
    pub(crate) pieces: u32,
    /// Seconds since 1970.
    pub(crate) created_at: u64,
    /// When the payment form said that the order is paid, seconds since 1970.
    pub(crate) returned_at: Option<u64>,
    pub(crate) settings: TestSettings,
}

/// What a tester may choose about an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TestSettings {
    pub(crate) capture: Capture,
    pub(crate) methods: Vec<Method>,
    /// The outcome of the simulated bank; empty when the card decides.
    pub(crate) simulate: String,
    /// Whether the shopper is a customer who has logged in: the form saves and shows cards.
    #[serde(default)]
    pub(crate) is_returning: bool,
}

impl Default for TestSettings {
    fn default() -> Self {
        Self {
            capture: Capture::Automatic,
            methods: Method::ALL.to_vec(),
            simulate: String::new(),
            is_returning: false,
        }
    }
}

impl Basket {
    /// A new order; `None` for what the shop does not sell.
    pub(crate) fn order(product: &str, pieces: u32, now: u64) -> io::Result<Option<Order>> {
        let product = products::find(product);
        let total = product.and_then(|product| product.total(pieces));
        let Some((product, total)) = product.zip(total) else {
            return Ok(None);
        };
        let basket = Self {
            product,
            pieces,
            created_at: now,
            returned_at: None,
            settings: TestSettings::default(),
        };
        Ok(Some(Order {
            reference: new_reference(system::random()?),
            total,
            payments: Vec::new(),
            signed: String::new(),
            signed_until: 0,
            subscription: None,
            details: serde_json::to_value(basket)?,
        }))
    }

    /// The basket in an order.
    pub(crate) fn read(order: &Order) -> serde_json::Result<Self> {
        Self::deserialize(&order.details)
    }

    /// The subscription that the order starts for a customer, if the product is sold so.
    pub(crate) fn subscription(&self, customer: String) -> Option<OrderedSubscription> {
        let product = self.product;
        let price = product.total(1).filter(|_| product.is_monthly)?;
        Some(OrderedSubscription {
            customer,
            name: product.name.to_owned(),
            price,
            pieces: self.pieces,
            id: None,
        })
    }

    /// The methods that the order can have. Direct debits are in euros.
    pub(crate) fn possible_methods(order: &Order) -> Vec<Method> {
        let is_euro = order.total.currency().code() == "EUR";
        let is_once = order.subscription.is_none();
        let mut methods = Method::ALL.to_vec();
        methods.retain(|method| is_euro || *method != Method::SepaDebit);
        methods.retain(|method| is_once || METHODS.contains(method));
        methods
    }

    /// Those of them that the tester chose.
    fn methods(&self, order: &Order) -> Vec<Method> {
        let mut methods = Self::possible_methods(order);
        methods.retain(|method| self.settings.methods.contains(method));
        methods
    }

    /// The claims of the order. The simulated wallet and outcomes exist in test mode only.
    pub(crate) fn claims(
        &self,
        merchant: &Merchant,
        order: &Order,
        is_test: bool,
        now: u64,
    ) -> io::Result<OrderClaims> {
        let items = vec![OrderItem {
            name: self.product.name.to_owned(),
            quantity: self.pieces,
            amount: order.total.amount_minor(),
        }];
        let unique = base64url(&system::random::<16>()?);
        let mut claims = merchant.claims(order, items, unique, now);
        if is_test {
            claims.capture = self.settings.capture;
            claims.methods = Some(self.methods(order));
            let outcome = self.settings.simulate.clone();
            claims.simulate = (!outcome.is_empty()).then_some(Simulate { outcome });
            let pays_by_card = self.settings.methods.contains(&Method::Card);
            if self.settings.is_returning && pays_by_card && order.subscription.is_none() {
                claims.customer = Some(CUSTOMER.to_owned());
                claims.agreement = Some(AgreementTerms {
                    kind: AgreementKind::CardOnFile,
                    maximum_amount: None,
                });
            }
        }
        Ok(claims)
    }
}

/// `PL-` and ten characters, which are 50 random bits: nobody guesses the page of another order.
fn new_reference(random: [u8; 10]) -> String {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    let (head, tail) = random.split_at(5);
    let word = |bytes: &[u8]| bytes.iter().map(letter).collect::<String>();
    format!("PL-{}-{}", word(head), word(tail))
}

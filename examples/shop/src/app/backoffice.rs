//! What the shop's people do about the money of an order: they take it, let it go or give it back.
//!
//! A real shop keeps this behind a login. What it needs besides is here: nothing is done for a
//! request that another site made the browser send, and nothing is done twice.

use super::{Shop, Trouble, payment};
use crate::desk::{Deed, Said, Wish};
use crate::orders::Order;
use crate::pages;
use crate::products::typed_price;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use sealpay_protocol::encoding::{base64url, from_base64url};
use serde::Deserialize;
use std::sync::Arc;

/// Holds what the forms of this browser have to repeat. Scripts cannot read it, and other sites
/// cannot make the browser send it along with a form.
const COOKIE: &str = "paper_lantern_desk";

/// The longest name of a request that is passed on, characters; ours have 58 at most.
const KEY_CHARACTERS: usize = 64;

/// A form of the order page.
#[derive(Deserialize)]
pub(super) struct Sent {
    token: String,
    key: String,
    payment: String,
    deed: Deed,
    #[serde(default)]
    amount: String,
    /// `yes` when what cannot be undone was asked about.
    #[serde(default)]
    confirmed: String,
}

/// What a browser's forms repeat, so that only its own pages can send them.
pub(super) struct Token {
    pub(super) value: String,
    /// The header that gives it to a browser that has none.
    pub(super) cookie: Option<String>,
}

impl Token {
    /// The browser's own, or a new one.
    pub(super) fn of(shop: &Shop, headers: &HeaderMap) -> Result<Self, Trouble> {
        if let Some(value) = kept(headers) {
            return Ok(Self {
                value,
                cookie: None,
            });
        }
        let value = base64url(&shop.edge.random::<16>()?);
        let is_secure = shop.integration.shop.to_string().starts_with("https:");
        let secure = if is_secure { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={value}; Path=/orders; HttpOnly; SameSite=Lax{secure}");
        Ok(Self {
            value,
            cookie: Some(cookie),
        })
    }
}

/// The token that the browser keeps, if it is one.
fn kept(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    let is_one = from_base64url(value).is_some_and(|bytes| bytes.len() == 16);
    is_one.then(|| value.to_owned())
}

/// A browser says which origin a form comes from, and only this shop's page knows the token.
pub(super) fn is_own(shop: &Shop, headers: &HeaderMap, token: &str) -> bool {
    let origin = headers.get(header::ORIGIN).map(|origin| origin.as_bytes());
    let own = shop.integration.shop.to_string();
    origin == Some(own.as_bytes()) && kept(headers).is_some_and(|kept| kept == token)
}

/// Whether a text may name a request.
pub(super) fn is_key(text: &str) -> bool {
    let printable = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    (1..=KEY_CHARACTERS).contains(&text.len()) && text.bytes().all(printable)
}

/// `POST /orders/{reference}/desk`
pub(super) async fn act(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(sent) = sent.map_err(|_| {
        Trouble::Form("That form couldn’t be read. Reload the order and try again.")
    })?;
    if !is_own(&shop, &headers, &sent.token) {
        return Err(Trouble::Stranger);
    }
    let desk = shop.desk.as_ref().ok_or(Trouble::NotFound)?;
    let order = payment::find(&shop, reference).await?;
    let is_confirmed = sent.confirmed == "yes";
    let wish = match sent.into_wish(&order) {
        Ok(wish) => wish,
        Err(sentence) => return Ok(unusable(&order, &sentence)),
    };
    let token = kept(&headers).unwrap_or_default();
    if wish.deed.is_final() && !is_confirmed {
        return Ok(pages::confirmation(&order, &wish, &token).into_response());
    }
    let said = desk.ask(&wish).await;
    let status = match &said {
        // The webhook tells the order; its page shows that by itself.
        Said::Done => return Ok(done(&order, wish.deed).into_response()),
        Said::Pending => StatusCode::ACCEPTED,
        Said::Failed(_) | Said::Refused(_) => StatusCode::CONFLICT,
        Said::Nothing => StatusCode::BAD_GATEWAY,
    };
    let page = pages::desk_answer(&order, &wish, &said, &token);
    Ok((status, page).into_response())
}

fn done(order: &Order, deed: Deed) -> Redirect {
    Redirect::to(&format!("/orders/{}?done={}", order.reference, deed.name()))
}

/// What was typed cannot be used; the way back leads to the order and not to the front page.
fn unusable(order: &Order, sentence: &str) -> Response {
    let back = format!("/orders/{}", order.reference);
    let page = pages::notice_with_way_back("Please check what you entered", sentence, &back);
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

impl Sent {
    fn into_wish(self, order: &Order) -> Result<Wish, String> {
        if !is_key(&self.key) {
            return Err("That form couldn’t be read. Reload the order and try again.".into());
        }
        let is_of_the_order = |payment: &str| {
            let mut attempts = order.attempts.iter();
            attempts.any(|attempt| attempt.payment == payment)
        };
        if !is_of_the_order(&self.payment) {
            return Err("This order has no such payment.".into());
        }
        let amount = match self.amount.trim() {
            // All there is.
            "" => None,
            text => {
                let typed = typed_price(text, order.total.currency());
                let example = order.total.decimal();
                let sentence = format!("Enter an amount such as {example}.");
                Some(typed.ok_or(sentence)?)
            }
        };
        Ok(Wish {
            payment: self.payment,
            deed: self.deed,
            amount_minor: amount.map(|amount| amount.amount_minor()),
            key: self.key,
        })
    }
}

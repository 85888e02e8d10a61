//! The shelf, and taking an order from it.

use super::{Shop, Trouble};
use crate::orders::{Order, Terms};
use crate::{pages, products};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use std::sync::Arc;

/// Letters and digits that are not taken for one another when read aloud: five bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a form on the shelf sends.
#[derive(Deserialize)]
pub(super) struct Wish {
    product: String,
    pieces: u32,
}

/// `GET /`
pub(super) async fn page() -> Markup {
    pages::home()
}

/// `POST /checkout`
pub(super) async fn order(
    State(shop): State<Arc<Shop>>,
    wish: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let Form(wish) = wish.map_err(|_| Trouble::Form("The shop could not read that order."))?;
    let product =
        products::find(&wish.product).ok_or(Trouble::Form("The shop does not sell that."))?;
    let total = product
        .total(wish.pieces)
        .ok_or(Trouble::Form("Please order one to nine pieces."))?;
    let order = Order {
        reference: new_reference(shop.edge.random()?),
        product,
        pieces: wish.pieces,
        total,
        terms: Terms::default(),
        created_at: shop.edge.now(),
        signed_until: 0,
        attempts: Vec::new(),
    };
    let address = format!("/checkout/{}", order.reference);
    shop.orders(move |orders| orders.place(&order)).await?;
    Ok(Redirect::to(&address))
}

/// `PL-` and ten characters, which are 50 random bits: nobody guesses another one's order page.
fn new_reference(random: [u8; 10]) -> String {
    let letter = |byte: u8| {
        ALPHABET
            .get(usize::from(byte & 31))
            .copied()
            .map_or('0', char::from)
    };
    let (head, tail) = random.split_at(5);
    let word = |bytes: &[u8]| bytes.iter().copied().map(letter).collect::<String>();
    format!("PL-{}-{}", word(head), word(tail))
}

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Trouble> {
    let (kind, body) = match name.as_str() {
        "shop.css" => (
            "text/css; charset=utf-8",
            include_str!("../../assets/shop.css"),
        ),
        "shop.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../assets/shop.js"),
        ),
        "favicon.svg" => ("image/svg+xml", include_str!("../../assets/favicon.svg")),
        _ => return Err(Trouble::NotFound),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, body).into_response())
}

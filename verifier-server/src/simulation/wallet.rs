//! `/test/wallet/{token}`: the simulated wallet's own page. It works without a script.

use super::text;
use super::wallet_page;
use super::wallet_page::{Standing, WalletAction, WalletScreen};
use crate::error::{ApiError, ErrorCode};
use crate::http::media_type::{self, FORM};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use std::sync::Arc;
use url::form_urlencoded;

/// Largest form body, bytes: two short fields.
const FORM_BYTES: usize = 1024;

pub(super) async fn open(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let screen = wallet_page::open(&state.gateway, &token).await?;
    Ok(text::window(text::page(page(&screen))))
}

/// Processes the decision, then redirects to the page, so that reloading does not submit it again.
pub(super) async fn decide(
    State(state): State<AppState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    media_type::expect(&headers, FORM)?;
    let body = to_bytes(body, FORM_BYTES).await;
    let body = body.map_err(|error| ApiError::because(ErrorCode::PayloadTooLarge, error))?;
    let action = action(&body)?;
    let gateway = Arc::clone(&state.gateway);
    let path = format!("/test/wallet/{token}");
    // A separate task, so that a closed window cannot interrupt a payment.
    let task = tokio::spawn(async move { wallet_page::decide(&gateway, &token, action).await });
    task.await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    // The token exists, so it consists of letters and digits.
    let shown_anew = (StatusCode::SEE_OTHER, [(header::LOCATION, path)]);
    Ok(text::window(shown_anew.into_response()))
}

fn action(body: &[u8]) -> Result<WalletAction, ApiError> {
    let (mut action, mut account) = (None, None);
    for (name, value) in form_urlencoded::parse(body) {
        let field = match name.as_ref() {
            "action" => &mut action,
            "account" => &mut account,
            _ => {
                let detail =
                    "The form has a field that is not known; known are action and account.";
                return Err(ApiError::new(ErrorCode::MalformedRequest).explained(detail));
            }
        };
        if field.replace(value.into_owned()).is_some() {
            let detail = "The form has a field that is given twice.";
            return Err(ApiError::new(ErrorCode::MalformedRequest).explained(detail));
        }
    }
    match (action.as_deref(), account) {
        (Some("confirm"), Some(account)) => Ok(WalletAction::Confirm(account)),
        (Some("confirm"), None) => Err(ApiError::invalid(
            "account",
            "account must name one of the accounts of the page.",
        )),
        // The form sends the selected account with either button.
        (Some("refuse"), _) => Ok(WalletAction::Refuse),
        _ => Err(ApiError::invalid(
            "action",
            "action must be confirm or refuse.",
        )),
    }
}

fn page(screen: &WalletScreen) -> Markup {
    let is_open = screen.standing == Standing::Open;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title(screen.standing)) " · Simulated wallet" }
                link rel="icon" href=(text::WALLET_ICON);
                link rel="stylesheet" href="/test/wallet.css";
                @if !is_open { script src="/test/wallet.js" defer {} }
            }
            body {
                main {
                    p .brand { span .mark aria-hidden="true" {} "Simulated wallet" }
                    (summary(screen))
                    @if is_open { (form(screen)) } @else { (result(screen.standing)) }
                    p .note { "Test mode: no money moves." }
                }
            }
        }
    }
}

fn summary(screen: &WalletScreen) -> Markup {
    html! {
        h1 { (title(screen.standing)) }
        dl .summary {
            div { dt { "To" } dd { (screen.payee) } }
            div .amount { dt { "Amount" } dd { (screen.amount) } }
        }
    }
}

/// A form without an action is submitted to the page's own address.
fn form(screen: &WalletScreen) -> Markup {
    html! {
        form method="post" {
            fieldset {
                legend { "Pay from" }
                @for (place, (id, name)) in screen.accounts.iter().enumerate() {
                    label .account {
                        input type="radio" name="account" value=(id) required checked[place == 0];
                        span { (name) }
                    }
                }
            }
            button .confirm name="action" value="confirm" { "Confirm and pay " (screen.amount) }
            button .refuse name="action" value="refuse" formnovalidate { "Decline" }
        }
    }
}

fn result(standing: Standing) -> Markup {
    html! {
        div .result .(class(standing)) role="status" {
            p { (sentence(standing)) }
        }
        button .close type="button" hidden data-close[standing != Standing::Processing] {
            "Close this window"
        }
    }
}

const fn title(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "Confirm this payment",
        Standing::Processing => "Waiting for your bank",
        Standing::Paid => "Paid",
        Standing::Refused => "You declined this payment",
        Standing::Declined => "Payment failed",
        Standing::Closed => "This request has expired",
    }
}

const fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Paid => "good",
        Standing::Open | Standing::Processing => "wait",
        Standing::Refused | Standing::Declined | Standing::Closed => "bad",
    }
}

const fn sentence(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "This payment is waiting for you.",
        Standing::Processing => {
            "You’ve confirmed the payment. We’re waiting for the bank. You can close this window."
        }
        Standing::Paid => "You’ve paid. You can close this window and go back to the shop.",
        Standing::Refused => {
            "You haven’t been charged. Close this window to choose another payment method in the shop."
        }
        Standing::Declined => {
            "Your account couldn’t cover this. You haven’t been charged. Close this window to choose \
             another payment method in the shop."
        }
        Standing::Closed => {
            "This payment can no longer be confirmed. You haven’t been charged. You can close this \
             window and go back to the shop."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{WalletAction, action, page};
    use crate::simulation::wallet_page::{Standing, WalletScreen};

    #[test]
    fn forms_have_exactly_one_decision() {
        let confirmed = WalletAction::Confirm("wallet:everyday".into());
        assert_eq!(
            action(b"account=wallet%3Aeveryday&action=confirm"),
            Ok(confirmed)
        );
        assert_eq!(
            action(b"account=wallet%3Aeveryday&action=refuse"),
            Ok(WalletAction::Refuse)
        );
        assert_eq!(action(b"action=refuse"), Ok(WalletAction::Refuse));
        let refused = [
            ("", Some("action")),
            ("action=", Some("action")),
            ("action=pay&account=x", Some("action")),
            ("action=confirm", Some("account")),
            ("account=x", Some("action")),
            ("action=refuse&action=confirm&account=x", None),
            ("action=confirm&account=x&account=y", None),
            ("action=confirm&account=x&amount=1", None),
            ("\u{0}", None),
        ];
        for (body, param) in refused {
            let error = action(body.as_bytes()).unwrap_err();
            assert_eq!(error.param.as_deref(), param, "{body}");
        }
    }

    #[test]
    fn merchant_names_are_escaped() {
        let screen = WalletScreen {
            payee: "<script>alert(1)</script>".into(),
            amount: "24.90 EUR".into(),
            expires_at: 0,
            accounts: vec![("wallet:everyday", "Everyday account")],
            standing: Standing::Open,
        };
        let text = page(&screen).into_string();
        assert!(
            text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{text}"
        );
        assert!(!text.contains("<script"), "{text}");
    }
}

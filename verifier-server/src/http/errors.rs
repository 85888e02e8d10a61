//! `/errors` and `/errors/{code}`: the documentation pages that problem details link to.

use super::problem::Problem;
use super::state::AppState;
use crate::error::{ApiError, ErrorCode};
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, header};
use axum::routing::get;
use std::fmt::Write;

type Page = ([(HeaderName, &'static str); 2], String);

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/errors", get(index))
        .route("/errors/{code}", get(one))
}

/// Builds a page from constant texts only; nothing of the request is in it.
fn page(title: &str, body: &str) -> Page {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    (headers, html)
}

async fn index() -> Page {
    let mut list = String::from("<dl>");
    for code in ErrorCode::ALL {
        let (name, sentence) = (code.name(), code.detail());
        // Writing into a string does not fail.
        let _ = write!(
            list,
            "<dt><a href=\"/errors/{name}\">{name}</a></dt><dd>{sentence}</dd>"
        );
    }
    list.push_str("</dl>");
    page("Error codes", &list)
}

async fn one(Path(name): Path<String>) -> Result<Page, Problem> {
    let code = ErrorCode::ALL.iter().find(|code| code.name() == name);
    let code = code.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    let body = format!(
        "<p>{}</p><p>Code <code>{}</code>, HTTP status {}.</p><p><a href=\"/errors\">All codes</a></p>",
        code.detail(),
        code.name(),
        code.status()
    );
    Ok(page(code.title(), &body))
}

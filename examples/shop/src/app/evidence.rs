//! What the shop says to a dispute.

use super::backoffice::{is_key, is_own};
use super::{Shop, Trouble, payment};
use crate::desk::{Evidence, Said};
use crate::orders::Order;
use crate::pages;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// The form beside a dispute.
#[derive(Deserialize)]
pub(super) struct EvidenceForm {
    token: String,
    key: String,
    dispute: String,
    evidence: String,
}

/// `POST /orders/{reference}/evidence`
pub(super) async fn submit(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    form: Result<Form<EvidenceForm>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(form) = form.map_err(|_| Trouble::Form("That evidence couldn’t be read."))?;
    if !is_own(&shop, &headers, &form.token) {
        return Err(Trouble::Stranger);
    }
    let desk = shop.desk.as_ref().ok_or(Trouble::NotFound)?;
    let order = payment::find(&shop, reference).await?;
    let evidence = form.into_evidence(&order)?;
    let said = desk.submit(&evidence).await;
    let (status, title, sentence) = match said {
        Said::Done | Said::Pending => {
            let address = format!("/orders/{}?done=evidence", order.reference);
            return Ok(Redirect::to(&address).into_response());
        }
        Said::Failed(sentence) | Said::Refused(sentence) => {
            (StatusCode::CONFLICT, "Not allowed", sentence)
        }
        Said::Nothing => (
            StatusCode::BAD_GATEWAY,
            "Outcome unknown",
            "We don’t know yet whether the evidence arrived. The order shows it when it has; if it \
             doesn’t, send it again."
                .to_owned(),
        ),
    };
    let back = format!("/orders/{}", order.reference);
    let page = pages::notice_with_way_back(title, &sentence, &back);
    Ok((status, page).into_response())
}

impl EvidenceForm {
    fn into_evidence(self, order: &Order) -> Result<Evidence, Trouble> {
        let mut news = order.attempts.iter().flat_map(|attempt| &attempt.news);
        if !news.any(|news| news.told.dispute.as_ref() == Some(&self.dispute)) {
            return Err(Trouble::Form("This order has no such dispute."));
        }
        if !is_key(&self.key) {
            return Err(Trouble::Form("That evidence couldn’t be read."));
        }
        // Browsers end the lines of a text by two characters.
        let text = self.evidence.replace('\r', "");
        if !(1..=pages::EVIDENCE_CHARACTERS).contains(&text.trim().chars().count()) {
            return Err(Trouble::Form("Enter 1 to 4000 characters of evidence."));
        }
        Ok(Evidence {
            dispute: self.dispute,
            text: text.trim().to_owned(),
            key: self.key,
        })
    }
}

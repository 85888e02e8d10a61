//! The commands for captures, voids and refunds that are stuck.

use super::audit::Change;
use super::print_json;
use crate::app::{Parts, Server};
use crate::config::Config;
use crate::error::ApiError;
use crate::modifications;
use crate::modifications::by_hand::{NEEDS_ATTENTION_MS, NotEnded};
use crate::modifications::model::Modification;
use clap::{Args, Subcommand, ValueEnum};
use sealpay_protocol::ids::ModificationId;
use sealpay_provider::ProviderDecision;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum ModificationCommand {
    /// Lists pending modifications, oldest first.
    List,
    /// Ends a pending modification with the outcome that its provider reports; ask there first.
    End(End),
}

#[derive(Debug, Args)]
pub(super) struct End {
    modification: ModificationId,
    /// Outcome that the provider reports.
    #[arg(long = "as", value_name = "OUTCOME")]
    outcome: Outcome,
    /// End it even though its provider is configured and the server would ask it again.
    #[arg(long)]
    force: bool,
}

impl End {
    fn answer(&self) -> ProviderDecision {
        match self.outcome {
            Outcome::Succeeded => ProviderDecision::approved(),
            Outcome::Failed => ProviderDecision::declined(ENDED_BY_HAND),
        }
    }

    /// The audited command, including the reported outcome.
    fn action(&self) -> String {
        let outcome = match self.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
        };
        let force = if self.force { " --force" } else { "" };
        format!("modification end --as {outcome}{force}")
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    /// The capture, void or refund was done.
    Succeeded,
    /// It was not done.
    Failed,
}

/// Failure key that the merchant sees.
const ENDED_BY_HAND: &str = "not_processed";

pub(super) async fn run(config: &Config, command: ModificationCommand) -> Result<(), String> {
    let parts = Parts::open_existing(config).await?;
    let server = Server::new(config, parts).await?;
    let gateway = &server.state.gateway;
    let outcome = async {
        match command {
            ModificationCommand::List => {
                let now_ms = gateway.clock().now_ms_i64();
                for pending in modifications::by_hand::pending(gateway)
                    .await
                    .map_err(sentence)?
                {
                    print_json(&listed(&pending, now_ms), true)?;
                }
                Ok(())
            }
            ModificationCommand::End(end) => {
                let id = end.modification;
                let ended =
                    modifications::by_hand::end_by_hand(gateway, id, end.answer(), end.force).await;
                let ended = ended.map_err(|why| refused(id, why));
                let merchant = ended.as_ref().ok().map(|ended| ended.merchant);
                let change = Change::new(&end.action(), merchant, Some(id.to_string()));
                let noted = change.note_in(gateway, &ended).await;
                print_json(&listed(&ended?, gateway.clock().now_ms_i64()), true)?;
                noted
            }
        }
    };
    let outcome = outcome.await;
    gateway.close().await;
    outcome
}

fn listed(modification: &Modification, now_ms: i64) -> Value {
    let age_ms = now_ms.saturating_sub(modification.created_at_ms);
    json!({
        "id": modification.id.to_string(),
        "merchant": modification.merchant.to_string(),
        "payment": modification.payment.to_string(),
        "kind": modification.kind,
        "amount": modification.money.amount_minor(),
        "currency": modification.money.currency().to_string(),
        "state": modification.state,
        "age_seconds": age_ms / 1000,
        "needs_attention": age_ms >= NEEDS_ATTENTION_MS,
    })
}

fn refused(id: ModificationId, why: NotEnded) -> String {
    match why {
        NotEnded::Unknown => format!("there is no modification {id}"),
        NotEnded::Ended(state) => format!("{id} has {} already", state.name()),
        NotEnded::ProviderIsThere(provider) => format!(
            "{id} is not ended: the server asks {provider} about it by itself; give --force when \
             {provider} has confirmed that it will never respond"
        ),
        NotEnded::Refused(error) => sentence(error),
    }
}

fn sentence(error: ApiError) -> String {
    let inside = error.internal;
    inside.unwrap_or_else(|| error.code.detail().to_owned())
}

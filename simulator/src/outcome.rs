//! The names of outcomes, and the bank's behaviour for each.

use super::account::Enrolment;
use sealpay_provider::ProviderDecision;
use sealpay_provider::decline;
use serde::Serialize;
use utoipa::ToSchema;

/// How a request and its response travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transit {
    /// Both arrive.
    Arrives,
    /// The request is recorded, and its response is lost.
    ResponseLost,
    /// The request is lost.
    Lost,
}

/// What a shopper sends who pays by bank transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransferScenario {
    /// The amount due.
    Paid,
    /// Too little.
    Short,
    /// Too much.
    Over,
    /// The amount due, after the payment has expired.
    Late,
    /// The amount due, with another reference.
    WrongReference,
    /// Nothing.
    Never,
}

/// What becomes of an accepted direct debit; `data/direct_debit.json` says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DebitScenario {
    /// It is rejected before its settlement.
    Rejected,
    /// It is returned for want of funds.
    Unfunded,
    /// The debtor asks for a refund.
    Refunded,
    /// The debtor claims that there was no mandate.
    Unauthorized,
}

sealpay_protocol::names! {
    DebitScenario {
        Rejected = "debit_rejected",
        Unfunded = "debit_unfunded",
        Refunded = "debit_refunded",
        Unauthorized = "debit_unauthorized",
    }
}

/// The bank's behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimulatedOutcome {
    pub(crate) decision: ProviderDecision,
    pub(crate) transit: Transit,
    pub(crate) slow: bool,
    /// What the issuer does when it authenticates the shopper.
    pub(crate) enrolment: Option<Enrolment>,
    /// What the shopper transfers.
    pub(crate) transfer: Option<TransferScenario>,
    /// What becomes of an accepted direct debit, besides its settlement.
    pub(crate) debit: Option<DebitScenario>,
}

impl SimulatedOutcome {
    /// Approved, at once.
    pub(crate) const fn approved() -> Self {
        Self {
            decision: ProviderDecision::approved(),
            transit: Transit::Arrives,
            slow: false,
            enrolment: None,
            transfer: None,
            debit: None,
        }
    }

    fn declined(key: &str) -> Self {
        Self {
            decision: ProviderDecision::declined(key),
            ..Self::approved()
        }
    }

    fn enrolled(enrolment: Enrolment) -> Self {
        // Without an authentication the issuer declines the payment of a shopper whom it refuses.
        let refused = matches!(enrolment, Enrolment::NotAuthenticated | Enrolment::Rejected);
        let outcome = if refused {
            Self::declined("threeds_failed")
        } else {
            Self::approved()
        };
        Self {
            enrolment: Some(enrolment),
            ..outcome
        }
    }

    fn debit(scenario: DebitScenario) -> Self {
        Self {
            debit: Some(scenario),
            ..Self::approved()
        }
    }

    fn transfer(scenario: TransferScenario) -> Self {
        Self {
            transfer: Some(scenario),
            ..Self::approved()
        }
    }
}

/// The outcome that an order asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// The stable name.
    pub(crate) name: String,
    /// The bank's behaviour.
    pub(crate) outcome: SimulatedOutcome,
}

impl Directive {
    /// None where no outcome has this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(Self {
            outcome: find(name)?,
            name: name.to_owned(),
        })
    }
}

/// The subject of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The bank's answer when it is asked for money.
    Authorization,
    /// The issuer's answer when it is asked who the shopper is.
    Authentication,
    /// What arrives on the account after the shopper chose to send money.
    Transfer,
    /// What becomes of a direct debit that the bank has accepted.
    DirectDebit,
}

/// A named outcome that an order may request in `simulate`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedOutcome {
    /// The stable name.
    pub name: &'static str,
    /// Its subject.
    pub kind: OutcomeKind,
    /// The outcome at the bank.
    pub description: &'static str,
}

/// Every name that an order may ask for.
#[must_use]
pub fn all() -> Vec<NamedOutcome> {
    let reasons = decline::all()
        .iter()
        .filter(|decline| find(&decline.key).is_some());
    let reasons = reasons.map(|decline| (decline.key.as_str(), decline.detail.as_str()));
    let authorizations = SPECIAL.into_iter().chain(reasons);
    let outcome = |kind, name, description| NamedOutcome {
        name,
        kind,
        description,
    };
    let authorizations = authorizations
        .map(|(name, description)| outcome(OutcomeKind::Authorization, name, description));
    let authentications = AUTHENTICATION
        .map(|(name, _, description)| outcome(OutcomeKind::Authentication, name, description));
    let transfers =
        TRANSFER.map(|(name, _, description)| outcome(OutcomeKind::Transfer, name, description));
    let debits = DebitScenario::ALL.map(|scenario| {
        let description = match scenario {
            DebitScenario::Rejected => "The debtor's bank rejects the collection on its date.",
            DebitScenario::Unfunded => "It settles, and is returned for want of funds.",
            DebitScenario::Refunded => "It settles, and the debtor asks for a refund.",
            DebitScenario::Unauthorized => "It settles, and the debtor denies the mandate.",
        };
        outcome(OutcomeKind::DirectDebit, scenario.name(), description)
    });
    authorizations
        .chain(authentications)
        .chain(transfers)
        .chain(debits)
        .collect()
}

/// Outcomes of an authorization that are not in the decline table, with descriptions.
pub(crate) const SPECIAL: [(&str, &str); 5] = [
    ("slow", "Takes three seconds, then approves."),
    (
        "response_lost",
        "Approves, and the answer is lost: unknown until the bank is asked.",
    ),
    (
        "response_lost_declined",
        "Declines, and the answer is lost: unknown until the bank is asked.",
    ),
    (
        "never_received",
        "The request is lost: unknown, and declined when the bank is asked.",
    ),
    ("error", "The bank's system fails before it books anything."),
];

/// Outcomes of an authentication: the name, the issuer's enrolment, and a description.
pub(crate) const AUTHENTICATION: [(&str, Enrolment, &str); 7] = [
    (
        "challenge_code",
        Enrolment::Code,
        "The issuer sends a one-time code; approved once it is right.",
    ),
    (
        "challenge_passkey",
        Enrolment::Passkey,
        "The issuer asks for a passkey, or a code while there is none; approved once it is right.",
    ),
    (
        "frictionless",
        Enrolment::Frictionless,
        "The issuer is sure without asking the shopper; approved.",
    ),
    (
        "attempted",
        Enrolment::Attempted,
        "The issuer cannot say, and stands for the attempt; approved.",
    ),
    (
        "not_authenticated",
        Enrolment::NotAuthenticated,
        "The issuer says that the shopper is somebody else; declined.",
    ),
    (
        "rejected",
        Enrolment::Rejected,
        "The issuer refuses the shopper; declined.",
    ),
    (
        "authentication_unavailable",
        Enrolment::Unavailable,
        "The issuer cannot be asked who the shopper is; approved without.",
    ),
];

/// Outcomes of a bank transfer: the name, the scenario, and a description.
pub(crate) const TRANSFER: [(&str, TransferScenario, &str); 6] = [
    (
        "transfer_paid",
        TransferScenario::Paid,
        "The money arrives.",
    ),
    (
        "transfer_short",
        TransferScenario::Short,
        "Less money arrives than is due.",
    ),
    (
        "transfer_over",
        TransferScenario::Over,
        "More money arrives than is due.",
    ),
    (
        "transfer_late",
        TransferScenario::Late,
        "The money arrives when nobody waits for it any more.",
    ),
    (
        "transfer_wrong_reference",
        TransferScenario::WrongReference,
        "The money arrives under a reference that nobody knows.",
    ),
    (
        "transfer_never",
        TransferScenario::Never,
        "No money arrives.",
    ),
];

/// Reasons that the verifier gives and the bank does not.
pub(crate) const GATEWAY_REASONS: [&str; 3] =
    ["not_processed", "payment_abandoned", "wallet_refused"];

/// The outcome of a name: one of the special ones, or a key of the decline table.
pub(crate) fn find(name: &str) -> Option<SimulatedOutcome> {
    let approved = SimulatedOutcome::approved();
    Some(match name {
        "approved" => approved,
        "slow" => SimulatedOutcome {
            slow: true,
            ..approved
        },
        "response_lost" => SimulatedOutcome {
            transit: Transit::ResponseLost,
            ..approved
        },
        "response_lost_declined" => SimulatedOutcome {
            transit: Transit::ResponseLost,
            ..SimulatedOutcome::declined("do_not_honor")
        },
        "never_received" => SimulatedOutcome {
            transit: Transit::Lost,
            ..approved
        },
        "error" => SimulatedOutcome::declined("system_malfunction"),
        name if GATEWAY_REASONS.contains(&name) => return None,
        name => {
            let mut enrolments = AUTHENTICATION.into_iter();
            let mut scenarios = TRANSFER.into_iter();
            if let Some((_, enrolment, _)) = enrolments.find(|(listed, ..)| *listed == name) {
                SimulatedOutcome::enrolled(enrolment)
            } else if let Some((_, scenario, _)) = scenarios.find(|(listed, ..)| *listed == name) {
                SimulatedOutcome::transfer(scenario)
            } else if let Some(scenario) = DebitScenario::from_name(name) {
                SimulatedOutcome::debit(scenario)
            } else {
                SimulatedOutcome::declined(&decline::find(name)?.key)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{AUTHENTICATION, DebitScenario, GATEWAY_REASONS, SPECIAL, TRANSFER, all, find};
    use sealpay_provider::decline;
    use std::collections::HashSet;

    #[test]
    fn every_reason_and_every_special_name_is_an_outcome() {
        for decline in decline::all() {
            let key = decline.key.as_str();
            let is_of_the_bank = !GATEWAY_REASONS.contains(&key);
            assert_eq!(find(key).is_some(), is_of_the_bank, "{key}");
        }
        for name in GATEWAY_REASONS {
            assert!(decline::find(name).is_some(), "{name}");
        }
        for (name, _) in SPECIAL {
            assert!(find(name).is_some(), "{name}");
        }
        assert_eq!(find("nonsense"), None);
    }

    #[test]
    fn outcomes_of_authentications_and_transfers_are_of_their_kind() {
        for (name, ..) in AUTHENTICATION {
            let outcome = find(name).unwrap();
            assert!(outcome.enrolment.is_some() && outcome.transfer.is_none());
            assert!(decline::find(name).is_none(), "{name} is a reason as well");
        }
        for (name, ..) in TRANSFER {
            let outcome = find(name).unwrap();
            assert!(outcome.transfer.is_some() && outcome.enrolment.is_none());
            assert!(decline::find(name).is_none(), "{name} is a reason as well");
        }
    }

    #[test]
    fn outcomes_of_direct_debits_are_of_their_kind() {
        for scenario in DebitScenario::ALL {
            let outcome = find(scenario.name()).unwrap();
            assert_eq!(outcome.debit, Some(scenario));
            assert!(outcome.decision.is_approved() && outcome.transfer.is_none());
            assert!(decline::find(scenario.name()).is_none(), "{scenario:?}");
        }
    }

    #[test]
    fn every_outcome_is_listed_once() {
        let listed = all();
        let names: HashSet<_> = listed.iter().map(|outcome| outcome.name).collect();
        assert_eq!(names.len(), listed.len());
        assert!(listed.iter().all(|outcome| find(outcome.name).is_some()));
    }
}

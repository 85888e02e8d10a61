//! A tester's request for a fault.

use super::{ControlError, invalid};
use crate::acquirer;
use crate::fault::{ANY, Fault, FaultKind, ISSUER, PAYOUTS};
use crate::{direct_debit, transfer, wallet};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A fault to add: for the next few requests, or for a share of all payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRequest {
    /// What it applies to: the name of an acquirer, `simulated_debit`, `simulated_wallet` or
    /// `simulated_transfer` for modifications of their payments, `payouts`, `issuer` or `any`, which
    /// means all except the payouts.
    #[serde(default = "any")]
    pub target: String,
    /// The kind of fault.
    pub kind: FaultKind,
    /// The shortest latency, milliseconds. Latency only.
    #[serde(default)]
    pub min_ms: Option<u32>,
    /// The longest latency, milliseconds. Latency only; `min_ms` if omitted.
    #[serde(default)]
    pub max_ms: Option<u32>,
    /// How many requests it applies to.
    #[serde(default)]
    pub next: Option<u32>,
    /// The share of payments, modifications and payouts that it applies to, thousandths.
    #[serde(default)]
    pub share_per_mille: Option<u32>,
    /// The seed that selects them: the same seed selects the same payments. Zero when missing.
    #[serde(default)]
    pub seed: Option<u32>,
}

fn any() -> String {
    ANY.to_owned()
}

/// The longest latency: no server waits so long.
const LATENCY_MS: u32 = 120_000;
/// Maximum number of requests that one fault applies to.
const NEXT: u32 = 1_000_000;

impl FaultRequest {
    /// The requested fault, if the request is valid.
    pub(crate) fn fault(self, id: String, created_at_ms: i64) -> Result<Fault, ControlError> {
        self.check()?;
        let min_ms = self.min_ms.unwrap_or(0);
        Ok(Fault {
            id,
            target: self.target,
            kind: self.kind,
            min_ms,
            max_ms: self.max_ms.unwrap_or(min_ms),
            remaining: self.next,
            share_per_mille: self.share_per_mille,
            seed: self.share_per_mille.map(|_| self.seed.unwrap_or(0)),
            created_at_ms,
            last_struck: None,
        })
    }

    fn check(&self) -> Result<(), ControlError> {
        self.check_target()?;
        let latency = self.kind == FaultKind::Latency;
        let (min_ms, max_ms) = (self.min_ms, self.max_ms.or(self.min_ms));
        if !latency && min_ms.is_some() {
            return Err(invalid("min_ms", "Only a latency takes a while."));
        }
        if !latency && max_ms.is_some() {
            return Err(invalid("max_ms", "Only a latency takes a while."));
        }
        if latency && min_ms.is_none() {
            return Err(invalid("min_ms", "A latency needs its milliseconds."));
        }
        if max_ms < min_ms || max_ms.is_some_and(|max_ms| max_ms > LATENCY_MS) {
            let reason =
                format!("The longest latency must be from min_ms to {LATENCY_MS} milliseconds.");
            return Err(invalid("max_ms", reason));
        }
        match (self.next, self.share_per_mille) {
            (Some(next), None) if (1..=NEXT).contains(&next) => match self.seed {
                Some(_) => Err(invalid("seed", "A seed belongs to share_per_mille.")),
                None => Ok(()),
            },
            (Some(_), None) => Err(invalid("next", format!("It must be from 1 to {NEXT}."))),
            (None, Some(share)) if (1..=1000).contains(&share) => Ok(()),
            (None, Some(_)) => {
                let reason = "The share must be from 1 to 1000 thousandths.";
                Err(invalid("share_per_mille", reason))
            }
            _ => {
                let reason = "Give either next or share_per_mille.";
                Err(invalid("next", reason))
            }
        }
    }

    fn check_target(&self) -> Result<(), ControlError> {
        let target = self.target.as_str();
        let acquirers = acquirer::all().iter().map(|terms| terms.name.as_str());
        let others = [wallet::NAME, transfer::NAME, direct_debit::NAME, PAYOUTS];
        let providers = acquirers.chain(others);
        let targets: Vec<_> = match self.kind {
            FaultKind::AcquirerDown => providers.chain([ANY]).collect(),
            FaultKind::IssuerDown => vec![ISSUER, ANY],
            _ => providers.chain([ISSUER, ANY]).collect(),
        };
        if targets.contains(&target) {
            return Ok(());
        }
        let targets = targets.join(", ");
        let reason = format!("The target of this kind of fault must be one of {targets}.");
        Err(invalid("target", reason))
    }
}

#[cfg(test)]
mod tests {
    use super::FaultRequest;
    use crate::control::ControlError;

    fn refused(json: &str) -> Option<&'static str> {
        let request: FaultRequest = serde_json::from_str(json).unwrap();
        match request.fault("flt_a".into(), 1) {
            Ok(_) => None,
            Err(ControlError::Invalid { field, reason }) => {
                assert!(reason.ends_with('.'), "{reason}");
                Some(field)
            }
            Err(other) => panic!("{json}: {other:?}"),
        }
    }

    const SHARE: &str = "share_per_mille";

    #[test]
    fn every_member_of_a_request_is_checked() {
        let rows = [
            (r#""kind":"request_lost","next":1"#, None),
            (
                r#""kind":"request_lost","target":"harbor","share_per_mille":1000"#,
                None,
            ),
            (
                r#""kind":"request_lost","target":"issuer","share_per_mille":1,"seed":7"#,
                None,
            ),
            (
                r#""kind":"latency","min_ms":0,"max_ms":120000,"next":1"#,
                None,
            ),
            (r#""kind":"latency","min_ms":5,"next":1"#, None),
            (
                r#""kind":"request_lost","target":"nobody","next":1"#,
                Some("target"),
            ),
            (
                r#""kind":"request_lost","target":"","next":1"#,
                Some("target"),
            ),
            (
                r#""kind":"acquirer_down","target":"issuer","next":1"#,
                Some("target"),
            ),
            (
                r#""kind":"issuer_down","target":"harbor","next":1"#,
                Some("target"),
            ),
            (
                r#""kind":"request_lost","min_ms":1,"next":1"#,
                Some("min_ms"),
            ),
            (
                r#""kind":"request_lost","max_ms":1,"next":1"#,
                Some("max_ms"),
            ),
            (r#""kind":"latency","next":1"#, Some("min_ms")),
            (r#""kind":"latency","max_ms":1,"next":1"#, Some("min_ms")),
            (
                r#""kind":"latency","min_ms":2,"max_ms":1,"next":1"#,
                Some("max_ms"),
            ),
            (
                r#""kind":"latency","min_ms":0,"max_ms":120001,"next":1"#,
                Some("max_ms"),
            ),
            (r#""kind":"request_lost""#, Some("next")),
            (r#""kind":"request_lost","next":0"#, Some("next")),
            (r#""kind":"request_lost","next":1000001"#, Some("next")),
            (
                r#""kind":"request_lost","next":1,"share_per_mille":1"#,
                Some("next"),
            ),
            (r#""kind":"request_lost","next":1,"seed":1"#, Some("seed")),
            (r#""kind":"request_lost","share_per_mille":0"#, Some(SHARE)),
            (
                r#""kind":"request_lost","share_per_mille":1001"#,
                Some(SHARE),
            ),
        ];
        for (members, expected) in rows {
            let json = format!("{{{members}}}");
            assert_eq!(refused(&json), expected, "{json}");
        }
    }

    #[test]
    fn every_kind_has_its_targets() {
        let acquirer = [
            "harbor",
            "simulated_wallet",
            "simulated_transfer",
            "payouts",
            "any",
        ];
        let every = [&acquirer[..], &["issuer"]].concat();
        let rows = [
            ("request_lost", every.clone()),
            ("response_lost", every.clone()),
            ("acquirer_down", acquirer.to_vec()),
            ("issuer_down", vec!["issuer", "any"]),
        ];
        for (kind, targets) in rows {
            for target in every.iter().chain(&["nobody", "Payouts", ""]) {
                let json = format!(r#"{{"kind":"{kind}","target":"{target}","next":1}}"#);
                let expected = (!targets.contains(target)).then_some("target");
                assert_eq!(refused(&json), expected, "{json}");
            }
        }
    }

    #[test]
    fn an_unreadable_request_names_the_member() {
        let rows = [
            (r#"{"next":1}"#, "missing field `kind`"),
            (r#"{"kind":"slow","next":1}"#, "unknown variant `slow`"),
            (
                r#"{"kind":"request_lost","times":1}"#,
                "unknown field `times`",
            ),
            (r#"{"kind":"request_lost","next":-1}"#, "invalid value"),
        ];
        for (json, expected) in rows {
            let error = serde_json::from_str::<FaultRequest>(json).unwrap_err();
            assert!(error.to_string().contains(expected), "{json}: {error}");
        }
    }
}

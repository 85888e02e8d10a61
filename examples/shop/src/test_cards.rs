//! The test cards and outcomes of the simulated bank, for the checkout page in test mode.

use sealpay_protocol::origin::Origin;
use serde::Deserialize;
use std::time::Duration;

/// What `GET /sim/personas` returns.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct TestCards {
    #[serde(rename = "personas")]
    cards: Vec<TestCard>,
    #[serde(default)]
    outcomes: Vec<Outcome>,
}

/// A card of the simulated bank.
#[derive(Debug, Deserialize)]
pub(crate) struct TestCard {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) number: String,
    pub(crate) brand: String,
    pub(crate) outcome: String,
    pub(crate) description: String,
}

/// An outcome that an order may ask for.
#[derive(Debug, Deserialize)]
struct Outcome {
    name: String,
    #[serde(default)]
    kind: String,
}

/// The headings under which cards and outcomes stand.
pub(crate) const GROUPS: [&str; 5] = [
    "Approved",
    "The account decides",
    "Identity check",
    "Declined or failed",
    "Bank transfer",
];

impl TestCards {
    /// Asks the verifier's control listener; without a response the page goes without.
    pub(crate) async fn fetch(client: &reqwest::Client, control: &Origin) -> Self {
        let request = client
            .get(format!("{control}/sim/personas"))
            .timeout(Duration::from_secs(2));
        match request.send().await {
            Ok(response) => response.json().await.unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    fn group(&self, outcome: &str) -> &'static str {
        let known = self.outcomes.iter().find(|known| known.name == outcome);
        let kind = known.map_or("", |known| &known.kind);
        let place = match (outcome, kind) {
            ("approved" | "slow", _) => 0,
            ("account", _) => 1,
            (_, "authentication") => 2,
            (_, "transfer") => 4,
            _ => 3,
        };
        GROUPS[place]
    }

    /// The cards of a group.
    pub(crate) fn cards(&self, group: &str) -> Vec<&TestCard> {
        let cards = self.cards.iter();
        cards
            .filter(|card| self.group(&card.outcome) == group)
            .collect()
    }

    /// The outcomes of a group.
    pub(crate) fn outcomes(&self, group: &str) -> Vec<&str> {
        let names = self.outcomes.iter().map(|outcome| outcome.name.as_str());
        names.filter(|name| self.group(name) == group).collect()
    }
}

impl TestCard {
    /// The number as it is printed on a card: four by four, or four, six and five.
    pub(crate) fn grouped_number(&self) -> String {
        let ends: &[usize] = if self.number.len() == 15 {
            &[4, 10]
        } else {
            &[4, 8, 12, 16]
        };
        let mut text = self.number.clone();
        for end in ends.iter().rev().filter(|end| **end < self.number.len()) {
            text.insert(*end, ' ');
        }
        text
    }
}

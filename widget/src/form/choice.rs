//! Which way to pay: what is on offer, and what the shopper chose.

use sealpay_protocol::api::Method;

/// The methods and the chosen one.
#[derive(Debug, Default)]
pub struct Choice {
    offered: Vec<Method>,
    chosen: Option<Method>,
}

impl Choice {
    /// Says what is on offer now. What the shopper chose stays, if it is still among it.
    pub fn offer(&mut self, methods: &[Method]) {
        self.offered = Method::ALL
            .into_iter()
            .filter(|method| methods.contains(method))
            .collect();
    }

    /// What the shopper may choose from, each once, the card first.
    #[must_use]
    pub fn offered(&self) -> &[Method] {
        &self.offered
    }

    /// The shopper chose.
    pub const fn choose(&mut self, method: Method) {
        self.chosen = Some(method);
    }

    /// The method to pay with: the chosen one, or else the first; a card when nothing is known.
    #[must_use]
    pub fn method(&self) -> Method {
        let chosen = self.chosen.filter(|chosen| self.offered.contains(chosen));
        chosen
            .or_else(|| self.offered.first().copied())
            .unwrap_or(Method::Card)
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;
    use sealpay_protocol::api::Method::{self, BankTransfer, Card, Wallet};

    #[test]
    fn the_first_method_is_taken_until_the_shopper_chooses_one_that_is_offered() {
        type Row = (&'static [Method], Option<Method>, &'static [Method], Method);
        let rows: [Row; 7] = [
            (&[], None, &[], Card),
            (&[Card], None, &[Card], Card),
            (&[Wallet], None, &[Wallet], Wallet),
            (
                &[BankTransfer, Wallet, Card, Wallet],
                None,
                &Method::ALL,
                Card,
            ),
            (&[Card, Wallet], Some(Wallet), &[Card, Wallet], Wallet),
            (&[Card, Wallet], Some(BankTransfer), &[Card, Wallet], Card),
            (
                &[Wallet, BankTransfer],
                Some(Card),
                &[Wallet, BankTransfer],
                Wallet,
            ),
        ];
        for (methods, chosen, offered, method) in rows {
            let mut choice = Choice::default();
            if let Some(chosen) = chosen {
                choice.choose(chosen);
            }
            choice.offer(methods);
            assert_eq!(
                (choice.offered(), choice.method()),
                (offered, method),
                "{methods:?}"
            );
        }
    }

    #[test]
    fn a_choice_outlives_an_offer_without_it() {
        let mut choice = Choice::default();
        choice.choose(Wallet);
        for (methods, method) in [(&[Card][..], Card), (&[Card, Wallet], Wallet)] {
            choice.offer(methods);
            assert_eq!(choice.method(), method);
        }
    }
}

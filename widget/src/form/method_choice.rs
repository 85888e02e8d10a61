//! The payment methods offered and the one chosen.

use sealpay_protocol::api::{AgreementTerms, Method};

/// The methods that can meet the order's agreement: a card or an account can be charged again later,
/// and a mandate is for an account alone.
#[must_use]
pub fn methods_for(agreement: Option<&AgreementTerms>, mut methods: Vec<Method>) -> Vec<Method> {
    if let Some(terms) = agreement.filter(|terms| terms.kind.is_merchant_initiated()) {
        let is_card = |method| method == Method::Card && !terms.kind.is_mandate();
        methods.retain(|method| *method == Method::SepaDebit || is_card(*method));
    }
    methods
}

/// The methods and the chosen one.
#[derive(Debug, Default)]
pub struct MethodChoice {
    offered: Vec<Method>,
    chosen: Option<Method>,
}

impl MethodChoice {
    /// Sets the methods offered. The shopper's choice stays if it is still among them.
    pub fn set_offered(&mut self, methods: &[Method]) {
        self.offered = Method::ALL
            .into_iter()
            .filter(|method| methods.contains(method))
            .collect();
    }

    /// The methods offered, each once, the card first.
    #[must_use]
    pub fn offered(&self) -> &[Method] {
        &self.offered
    }

    /// The shopper chose.
    pub const fn choose(&mut self, method: Method) {
        self.chosen = Some(method);
    }

    /// The method to pay with: the chosen one, or else the first; a card while none is known.
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
    use super::{MethodChoice, methods_for};
    use sealpay_protocol::api::Method::{self, BankTransfer, Card, SepaDebit, Wallet};
    use sealpay_protocol::api::{AgreementKind, AgreementTerms};

    #[test]
    fn first_offered_method_is_the_default() {
        type Row = (&'static [Method], Option<Method>, &'static [Method], Method);
        let rows: [Row; 7] = [
            (&[], None, &[], Card),
            (&[Card], None, &[Card], Card),
            (&[Wallet], None, &[Wallet], Wallet),
            (
                &[BankTransfer, SepaDebit, Wallet, Card, Wallet],
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
            let mut choice = MethodChoice::default();
            if let Some(chosen) = chosen {
                choice.choose(chosen);
            }
            choice.set_offered(methods);
            assert_eq!(
                (choice.offered(), choice.method()),
                (offered, method),
                "{methods:?}"
            );
        }
    }

    #[test]
    fn choice_survives_a_session_that_does_not_offer_it() {
        let mut choice = MethodChoice::default();
        choice.choose(Wallet);
        for (methods, method) in [(&[Card][..], Card), (&[Card, Wallet], Wallet)] {
            choice.set_offered(methods);
            assert_eq!(choice.method(), method);
        }
    }

    #[test]
    fn only_methods_that_can_be_charged_again_are_offered_if_the_merchant_charges_later() {
        let terms = |kind| AgreementTerms {
            kind,
            maximum_amount: None,
        };
        for kind in AgreementKind::ALL {
            let offered = methods_for(Some(&terms(kind)), Method::ALL.to_vec());
            let expected: &[Method] = match kind {
                AgreementKind::CardOnFile => &Method::ALL,
                AgreementKind::SddCore | AgreementKind::SddB2b => &[SepaDebit],
                _ => &[Card, SepaDebit],
            };
            assert_eq!(offered, expected, "{kind:?}");
        }
        assert_eq!(methods_for(None, vec![Wallet, Card]), [Wallet, Card]);
    }
}

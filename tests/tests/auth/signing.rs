//! Requests signed by a merchant's server, as plain data that a test can alter before and after.

use harness::client::{Merchant, Prepared};
use harness::gateway::TestGateway;
use harness::time::random;
use sealpay_protocol::sign::merchant::{
    Content, MerchantRequestParts, MerchantSignatureParameters, sign,
};

/// Everything that goes into a signed request.
#[derive(Debug, Clone)]
pub(crate) struct Signing {
    pub(crate) method: &'static str,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) query: Option<&'static str>,
    /// `Idempotency-Key` and body; none on a request that only asks.
    pub(crate) content: Option<(String, Vec<u8>)>,
    pub(crate) merchant: Merchant,
    pub(crate) parameters: MerchantSignatureParameters,
}

impl Signing {
    /// A list is asked for.
    pub(crate) fn reading(gateway: &TestGateway) -> Self {
        Self::by(gateway, &gateway.merchant)
    }

    /// The same by another merchant.
    pub(crate) fn by(gateway: &TestGateway, merchant: &Merchant) -> Self {
        Self {
            method: "GET",
            authority: gateway.origin.authority().to_owned(),
            path: "/v1/payments".into(),
            query: None,
            content: None,
            merchant: merchant.clone(),
            parameters: MerchantSignatureParameters::new(gateway.now(), random(), &merchant.key_id),
        }
    }

    /// A refund of an unknown payment: once authenticated, it is not found.
    pub(crate) fn writing(gateway: &TestGateway) -> Self {
        Self {
            method: "POST",
            path: "/v1/payments/pay_01jd0000000000000000000000/refunds".into(),
            content: Some(("refund-1".into(), b"{\"amount\":100}".to_vec())),
            ..Self::reading(gateway)
        }
    }

    /// Signs it and packs it.
    pub(crate) fn prepared(&self) -> Prepared {
        let merchant = self.merchant.id.to_string();
        let content = self.content.as_ref().map(|(key, body)| Content {
            content_type: "application/json",
            idempotency_key: key,
            body,
        });
        let parts = MerchantRequestParts {
            method: self.method,
            authority: &self.authority,
            path: &self.path,
            query: self.query,
            content,
            merchant: &merchant,
        };
        let signed = sign(&parts, &self.parameters, &self.merchant.key);
        let query = self.query.map(|query| ["?", query].concat());
        let mut prepared = Prepared {
            method: self.method.into(),
            path: [self.path.as_str(), &query.unwrap_or_default()].concat(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        if let (Some(content), Some(digest)) = (content, &signed.content_digest) {
            prepared.set("content-type", content.content_type);
            prepared.set("content-digest", digest);
            prepared.set("idempotency-key", content.idempotency_key);
            prepared.body = content.body.to_vec();
        }
        prepared.set("sealpay-merchant", &merchant);
        prepared.set("signature-input", &signed.signature_input);
        prepared.set("signature", &signed.signature);
        prepared
    }
}

//! Who a visitor is. The shop has no accounts: a cookie stands for one.

use crate::system;
use axum::http::{HeaderMap, HeaderName, header};
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use sha2::{Digest, Sha256};
use std::io;

/// 400 days, the longest that browsers accept. The page of the subscriptions renews it.
const COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// The 128 random bits in a visitor's cookie.
pub(crate) struct Visitor(Secret<[u8; 16]>);

impl Visitor {
    /// The sender of a request, who gets a cookie unless there is one.
    pub(crate) fn or_new(headers: &HeaderMap) -> io::Result<Self> {
        match Self::from_headers(headers) {
            Some(visitor) => Ok(visitor),
            None => Ok(Self(Secret::new(system::random()?))),
        }
    }

    /// The sender of a request; `None` without a cookie of this shop.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).into_iter();
        let mut pairs = cookies.flat_map(|value| value.to_str().unwrap_or_default().split(';'));
        let value = pairs.find_map(|pair| pair.trim().strip_prefix("visitor="))?;
        array_from_base64url(value).map(Secret::new).map(Self)
    }

    /// The shop's reference of the customer. It appears in signed orders and in the merchant API, so
    /// the cookie must not follow from it.
    pub(crate) fn reference(&self) -> String {
        let digest = Sha256::digest(self.0.expose());
        format!("visitor-{}", base64url(&digest))
    }

    /// The cookie. Other sites cannot send it with a form of theirs, and no script can read it.
    pub(crate) fn cookie(&self, shop: &Origin) -> [(HeaderName, String); 1] {
        let value = base64url(self.0.expose());
        let is_encrypted = shop.to_string().starts_with("https:");
        let secure = if is_encrypted { "; Secure" } else { "" };
        let cookie = format!(
            "visitor={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
        );
        [(header::SET_COOKIE, cookie)]
    }
}

//! The shop's files: the key that signs orders, and what `merchant add` printed.

use crate::database::Orders;
use crate::integration::Merchant;
use crate::system;
use clap::Args;
use ed25519_dalek::SigningKey;
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use sealpay_protocol::webhook::EndpointSecret;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the shop's files and the verifier are.
#[derive(Args)]
pub(crate) struct Config {
    /// The folder that holds the order key, the orders, and as `merchant.json` what
    /// `verifier-server merchant add --json` printed.
    #[arg(long)]
    data: PathBuf,
    /// The verifier's origin.
    #[arg(long, default_value = "http://localhost:8787")]
    verifier: Origin,
    /// The origin under which shoppers see the shop.
    #[arg(long, default_value = "http://127.0.0.1:4242")]
    public_origin: Origin,
}

#[derive(Deserialize)]
struct MerchantFile {
    merchant: MerchantId,
    /// A file without it is a live merchant's, which rejects events of test mode.
    livemode: Option<bool>,
    key_id: String,
    webhook_secret: String,
    api_key: String,
}

/// What `verifier-server merchant add` needs to know about the order key.
#[derive(Serialize)]
pub(crate) struct PublicKey {
    kid: String,
    public_key: String,
}

impl Config {
    /// Reads the files.
    ///
    /// # Errors
    /// When one of them is missing or wrong; the text says which.
    pub(crate) fn merchant(self) -> Result<Merchant, Box<dyn Error>> {
        let path = self.data.join("merchant.json");
        let unusable = |reason: &dyn Display| format!("Cannot use {}: {reason}.", path.display());
        let text = fs::read_to_string(&path).map_err(|error| unusable(&error))?;
        let file: MerchantFile = serde_json::from_str(&text).map_err(|error| unusable(&error))?;
        let webhook_secret = EndpointSecret::parse(&file.webhook_secret)
            .ok_or_else(|| unusable(&"webhook_secret is not `whsec_` and 32 bytes"))?;
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Ok(Merchant {
            id: file.merchant,
            livemode: file.livemode.unwrap_or(true),
            order_key: read_order_key(&self.data)?,
            key_id: file.key_id,
            webhook_secret,
            api_key: Secret::new(file.api_key),
            verifier: self.verifier,
            shop: self.public_origin,
            orders: Orders::open(&self.data.join("shop.sqlite"))?,
            client: client.build()?,
        })
    }
}

fn order_key_file(data: &Path) -> PathBuf {
    data.join("order-key")
}

fn read_order_key(data: &Path) -> Result<SigningKey, String> {
    let path = order_key_file(data);
    let text = fs::read_to_string(&path)
        .map(Secret::new)
        .map_err(|error| {
            let advice = "Make a key with `shop keygen` first.";
            format!("Cannot read {}: {error}. {advice}", path.display())
        })?;
    let seed = array_from_base64url::<32>(text.expose().trim()).map(Secret::new);
    let seed = seed.ok_or_else(|| format!("{} is not a key of 32 bytes.", path.display()))?;
    Ok(SigningKey::from_bytes(seed.expose()))
}

/// Makes the order key unless there is one; only the shop's user can read its file.
///
/// # Errors
/// When the folder cannot be written, or holds something that is not a key.
pub(crate) fn create_order_key(data: &Path) -> io::Result<PublicKey> {
    fs::create_dir_all(data)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(order_key_file(data)) {
        Ok(mut file) => {
            let seed = Secret::new(system::random::<32>()?);
            let text = Secret::new(base64url(seed.expose()) + "\n");
            file.write_all(text.expose().as_bytes())?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let key = read_order_key(data).map_err(io::Error::other)?;
    let public_key = base64url(key.verifying_key().as_bytes());
    // Follows from the key, so that no two keys have the same name.
    let kid = format!("shop-{}", public_key.chars().take(10).collect::<String>());
    Ok(PublicKey { kid, public_key })
}

#[cfg(test)]
mod tests {
    use super::{create_order_key, order_key_file, read_order_key};
    use crate::tests::Folder;

    #[test]
    fn order_key_is_created_once_and_readable_by_its_owner_only() {
        let folder = Folder::new("order-key");
        let missing = read_order_key(folder.path()).unwrap_err();
        assert!(missing.ends_with("Make a key with `shop keygen` first."));
        let [first, second] = [(); 2].map(|()| create_order_key(folder.path()).unwrap());
        assert_eq!(
            (first.public_key, first.kid),
            (second.public_key, second.kid)
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let metadata = std::fs::metadata(order_key_file(folder.path())).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }
}

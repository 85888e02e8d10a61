//! The folder in which the demo keeps what should survive a restart.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::options::Options;
use crate::failure::{Failure, Outcome};
use crate::process::json_answer;
use crate::workspace::Workspace;

/// Remembers which addresses the data was made for.
const DEMO_FILE: &str = "demo.json";

/// Makes the data folder, or sees that it is one that was made for these addresses.
pub(crate) fn prepare_folder(data: &Path, options: &Options) -> Outcome {
    let file = data.join(DEMO_FILE);
    let ours = json!({ "verifier": options.verifier_origin(), "shop": options.shop_origin() });
    let broken = |error| {
        Failure::because(
            format!("The data folder {} cannot be made", data.display()),
            error,
        )
    };
    if options.fresh && data.exists() {
        if !file.is_file() {
            return Err(Failure::new(format!(
                "{} was not made by this demo, so it is not thrown away. Choose another folder with --data.",
                data.display()
            )));
        }
        fs::remove_dir_all(data).map_err(broken)?;
    }
    match fs::read_to_string(&file) {
        Ok(text) if serde_json::from_str::<Value>(&text).is_ok_and(|theirs| theirs == ours) => {
            Ok(())
        }
        Ok(_) => Err(Failure::new(format!(
            "The data in {} was made for other addresses. Use those, choose another folder with --data, or start \
             over with --fresh.",
            data.display()
        ))),
        Err(_) => {
            fs::create_dir_all(data.join("shop")).map_err(broken)?;
            fs::write(&file, format!("{ours}\n")).map_err(broken)
        }
    }
}

/// The Bundesbank's example of a creditor identifier: no creditor has it.
const CREDITOR_IDENTIFIER: &str = "DE98ZZZ09999999999";

/// Where the shop finds its merchant id, API key and webhook secret.
pub(crate) fn merchant_file(data: &Path) -> PathBuf {
    data.join("shop").join("merchant.json")
}

/// The shop's merchant id.
///
/// # Errors
/// When the shop was not registered.
pub(crate) fn merchant_id(data: &Path) -> Result<String, Failure> {
    let file = merchant_file(data);
    let unreadable = |error| Failure::because(format!("{} cannot be read", file.display()), error);
    let written = fs::read_to_string(&file).map_err(unreadable)?;
    let merchant: Value =
        serde_json::from_str(&written).map_err(|error| unreadable(error.into()))?;
    text(&merchant, "merchant").map(str::to_owned)
}

/// Introduces the shop to the verifier, once.
pub(crate) fn register_shop(workspace: &Workspace, data: &Path, options: &Options) -> Outcome {
    let file = merchant_file(data);
    if file.is_file() {
        return Ok(());
    }
    let mut keygen = workspace.command(workspace.built("shop"));
    keygen.arg("keygen").arg("--data").arg(data.join("shop"));
    let key = json_answer("Making the shop's key", keygen)?;
    let mut add = workspace.command(workspace.built("verifier-server"));
    add.args(["merchant", "add", "--data"])
        .arg(data)
        .args(["--name", "Paper Lantern"])
        .args(["--key-id", text(&key, "kid")?])
        .args(["--public-key", text(&key, "public_key")?])
        .args(["--origin", &options.shop_origin()])
        .args(["--creditor-identifier", CREDITOR_IDENTIFIER])
        .arg("--webhook-url")
        .arg(format!("{}/webhooks/sealpay", options.shop_origin()))
        .arg("--json");
    let merchant = json_answer("Registering the shop with the verifier", add)?;
    for field in ["merchant", "key_id", "api_key", "webhook_secret"] {
        text(&merchant, field)?;
    }
    write_secret(&file, &format!("{merchant}\n"))
        .map_err(|error| Failure::because(format!("{} cannot be written", file.display()), error))
}

fn text<'a>(object: &'a Value, field: &str) -> Result<&'a str, Failure> {
    object
        .get(field)
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::new(format!("An answer of our own programs lacks {field:?}.")))
}

/// Whole or not at all, and for nobody else to read.
fn write_secret(file: &Path, content: &str) -> std::io::Result<()> {
    let unfinished = file.with_extension("unfinished");
    let mut output = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    output.write_all(content.as_bytes())?;
    output.sync_all()?;
    fs::rename(unfinished, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Options {
        let arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments).expect("options")
    }

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-demo-{name}-{}", std::process::id()))
    }

    #[test]
    fn data_stays_and_is_not_used_for_other_addresses() {
        let data = scratch("folder");
        let here = parse("");
        let elsewhere = parse("--shop-port 4343");
        let fresh = parse("--shop-port 4343 --fresh");
        assert_eq!(prepare_folder(&data, &here), Ok(()));
        fs::write(data.join("kept"), "by the shop").expect("written");
        assert_eq!(prepare_folder(&data, &here), Ok(()));
        assert!(prepare_folder(&data, &elsewhere).is_err());
        assert!(data.join("kept").is_file());
        assert_eq!(prepare_folder(&data, &fresh), Ok(()));
        assert!(!data.join("kept").exists());
        fs::remove_dir_all(&data).expect("removed");
    }

    #[test]
    fn a_folder_of_somebody_else_is_never_thrown_away() {
        let data = scratch("foreign");
        fs::create_dir_all(&data).expect("a folder");
        fs::write(data.join("thesis.txt"), "ten years of work").expect("written");
        let fresh = parse("--fresh");
        assert!(prepare_folder(&data, &fresh).is_err());
        assert!(data.join("thesis.txt").is_file());
        fs::remove_dir_all(&data).expect("removed");
    }

    #[test]
    fn the_merchant_id_is_the_one_of_the_registered_shop() {
        let data = scratch("merchant");
        assert!(merchant_id(&data).is_err(), "nothing is registered yet");
        assert_eq!(prepare_folder(&data, &parse("")), Ok(()));
        let registered = r#"{"merchant":"mer_1","api_key":"sk_test_1"}"#;
        write_secret(&merchant_file(&data), registered).expect("written");
        assert_eq!(merchant_id(&data).as_deref(), Ok("mer_1"));
        fs::remove_dir_all(&data).expect("removed");
    }

    #[test]
    fn a_secret_is_readable_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let file = scratch("secret").with_extension("json");
        write_secret(&file, "{}\n").expect("written");
        let mode = fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        fs::remove_file(&file).expect("removed");
    }
}

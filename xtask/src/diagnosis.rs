//! Turns what failing programs say into what to do about it.

/// Signs in the output, each lowercase, and the advice that belongs to them. The first that fits is given.
const RULES: &[(&[&str], &str)] = &[
    (
        &["no space left on device"],
        "The disk is full: free some space and run the same command again; it goes on where it stopped.",
    ),
    (
        &[
            "linker `cc` not found",
            "failed to find tool \"cc\"",
            "is `cc` not installed",
            "unable to find a c compiler",
        ],
        NO_COMPILER,
    ),
    (
        &[
            "could not resolve host",
            "couldn't resolve host",
            "could not connect to server",
            "failed to connect to",
            "couldn't connect",
            "failed to download",
            "download of ",
            "unable to update registry",
            "failed to query replaced source registry",
            "network failure seems to have happened",
            "--offline was specified",
            "no matching package named",
            "in registry `crates-io` with version",
            "temporary failure resolving",
            "failed to fetch",
        ],
        NO_NETWORK,
    ),
    (
        &["target may not be installed", "can't find crate for `core`"],
        "The WebAssembly target is missing: run `rustup target add wasm32-unknown-unknown`.",
    ),
    (
        &[
            "requires rustc",
            "is not supported by the following package",
        ],
        "It needs a newer Rust: run `rustup update stable`.",
    ),
    (
        &["dpkg was interrupted", "could not get lock /var/lib"],
        "Another package installation is under way or was interrupted: let it finish, or run \
         `dpkg --configure -a`, and try again.",
    ),
    (
        &["unable to locate package", "has no installation candidate"],
        "The package manager does not know such a package: look at its sources, or install the \
         program in another way and put it on the PATH.",
    ),
    (
        &["permission denied"],
        "Some file may not be written: look at the owner of the project's folder and of its target folder.",
    ),
];

/// Something had to come from the network and did not.
pub(crate) const NO_NETWORK: &str = "Something that is needed could not be downloaded: connect to the network \
    once and run the same command again; afterwards it works offline.";

/// There is nothing to link programs with.
pub(crate) const NO_COMPILER: &str =
    "There is no C compiler: install one, for example with `apt-get install build-essential`.";

/// What to do, if the output of a failed program tells.
pub(crate) fn explain(lines: &[String]) -> Option<&'static str> {
    let output = lines.join("\n").to_lowercase();
    RULES
        .iter()
        .find(|(signs, _)| signs.iter().any(|sign| output.contains(sign)))
        .map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_becomes_what_to_do() {
        let rows = [
            (
                "warning: spurious network error (3 tries remaining): [6] Couldn't resolve host name",
                Some("connect to the network"),
            ),
            (
                "error: failed to download from `https://registry.example/serde/1.0.0`",
                Some("connect to the network"),
            ),
            (
                "As a reminder, you're using offline mode (--offline was specified)",
                Some("connect to the network"),
            ),
            (
                "E: Temporary failure resolving 'deb.example'",
                Some("connect to the network"),
            ),
            (
                "error: linker `cc` not found",
                Some("apt-get install build-essential"),
            ),
            (
                "error occurred in cc-rs: failed to find tool \"cc\": No such file or directory",
                Some("apt-get install build-essential"),
            ),
            (
                "note: the `wasm32-unknown-unknown` target may not be installed",
                Some("rustup target add"),
            ),
            (
                "error: rustc 1.80.0 is too old; it requires rustc 1.95",
                Some("rustup update"),
            ),
            (
                "write error: No space left on device (os error 28)",
                Some("disk is full"),
            ),
            (
                "E: Unable to locate package chromium",
                Some("does not know such a package"),
            ),
            ("error[E0308]: mismatched types", None),
            ("", None),
        ];
        for (said, expected) in rows {
            let advice = explain(&[String::from("something before"), said.to_owned()]);
            match expected {
                Some(part) => assert!(
                    advice.is_some_and(|advice| advice.contains(part)),
                    "{said}: {advice:?}"
                ),
                None => assert_eq!(advice, None, "{said}"),
            }
        }
    }

    #[test]
    fn a_full_disk_is_told_before_the_download_that_it_broke() {
        let said = [
            String::from("error: failed to download `serde`"),
            String::from("Caused by: No space left on device"),
        ];
        assert!(explain(&said).is_some_and(|advice| advice.contains("disk is full")));
    }
}

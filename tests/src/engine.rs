//! The three engines that shoppers have, each by the driver that speaks WebDriver for it.
//!
//! Without an engine its scenarios are skipped, and say so loudly. With `SEALPAY_TEST_BROWSER=1`
//! that is a failure of Chromium, with `SEALPAY_TEST_ENGINES=1` of the two others.

use crate::browser::{Isolation, Manner, Windows};
use crate::processes::{Running, setting};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use thirtyfour::{Capabilities, ChromiumLikeCapabilities};

/// Chromium without anything that asks, updates or phones, and without animations, which take a tenth of
/// the time; Firefox and WebKit show them.
const CHROMIUM_ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-search-engine-choice-screen",
    "--force-prefers-reduced-motion",
    "--window-size=1280,900",
];

/// Chromium without a window. Its namesake on the PATH is a script that waits for it: a driver that ends
/// the script leaves the browser running.
const CHROMIUM_SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";

/// Where Debian keeps WebKit's small browser, for each architecture and version.
const WEBKIT_FOLDERS: &str = "/usr/lib";

/// The engine of a browser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, whose developer tools most tests need.
    #[default]
    Chromium,
    /// Firefox.
    Firefox,
    /// WebKit, as in Safari, in the small browser that GTK's port brings.
    WebKit,
}

impl Engine {
    /// Its name in the names of files and in what a test prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// Where its driver listens; `None` when it is not installed. Chromium's driver serves every
    /// session of the process, the others one session each.
    pub(crate) fn driver(self) -> Option<(String, Option<Running>)> {
        let chromium = || Some((shared_chromium_driver()?, None));
        let driver = match self {
            Self::Chromium => chromium(),
            Self::Firefox => firefox_driver(),
            Self::WebKit => webkit_driver(),
        };
        if driver.is_none() {
            let packages = match self {
                Self::Chromium => "chromium and chromium-driver",
                Self::Firefox => "firefox-esr, and geckodriver by `cargo xtask tools`",
                Self::WebKit => "webkit2gtk-driver and xvfb",
            };
            let missing = format!("no {}: install {packages}", self.name());
            let required = match self {
                Self::Chromium => "SEALPAY_TEST_BROWSER",
                Self::Firefox | Self::WebKit => "SEALPAY_TEST_ENGINES",
            };
            assert!(setting(required).is_none(), "{missing}");
            eprintln!("\n*** SKIPPED, {missing}. ***\n");
        }
        driver
    }

    /// What its driver is asked for.
    pub(crate) fn capabilities(self, manner: Manner) -> Capabilities {
        match self {
            Self::Chromium => chromium_capabilities(manner),
            Self::Firefox => of_json(json!({
                "browserName": "firefox",
                "moz:firefoxOptions": {
                    "binary": find_program("firefox-esr").or_else(|| find_program("firefox")),
                    "args": ["-headless"],
                    "prefs": {
                        "dom.disable_open_during_load": manner.windows == Windows::AskedFor,
                    },
                },
            })),
            Self::WebKit => of_json(json!({
                "browserName": "MiniBrowser",
                "webkitgtk:browserOptions": {
                    "binary": webkit_browser(),
                    "args": ["--automation"],
                },
            })),
        }
    }
}

fn chromium_capabilities(manner: Manner) -> Capabilities {
    let mut capabilities = thirtyfour::DesiredCapabilities::chrome();
    for argument in CHROMIUM_ARGUMENTS {
        capabilities.add_arg(argument).expect("an argument");
    }
    if is_root() {
        capabilities.add_arg("--no-sandbox").expect("an argument");
    }
    if manner.isolation == Isolation::None {
        capabilities
            .add_arg("--disable-site-isolation-trials")
            .expect("an argument");
    }
    if manner.windows == Windows::AskedFor {
        capabilities
            .add_exclude_switch("disable-popup-blocking")
            .expect("a switch");
    }
    let shell = PathBuf::from(CHROMIUM_SHELL);
    let shell = Some(shell).filter(|shell| shell.is_file() && !manner.is_whole);
    let program = shell.or_else(|| setting("CHROMIUM").map(PathBuf::from));
    if let Some(program) = program {
        let program = program.to_string_lossy();
        capabilities.set_binary(&program).expect("a path");
    }
    let mut capabilities = Capabilities::from(capabilities);
    let log = json!({ "browser": "ALL" });
    capabilities
        .set("goog:loggingPrefs", log)
        .expect("a capability");
    capabilities
}

fn of_json(members: Value) -> Capabilities {
    let mut capabilities = Capabilities::new();
    for (name, value) in members.as_object().into_iter().flatten() {
        capabilities.set(name, value).expect("a capability");
    }
    capabilities
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn shared_chromium_driver() -> Option<String> {
    static DRIVER: OnceLock<Option<(Running, String)>> = OnceLock::new();
    let driver = DRIVER.get_or_init(|| {
        let program = setting("CHROMEDRIVER").map(PathBuf::from);
        let program = program.or_else(|| find_program("chromedriver"))?;
        Some(start("chromium", |port| {
            let mut command = Command::new(&program);
            command.arg(format!("--port={port}"));
            command
        }))
    });
    driver.as_ref().map(|(_, address)| address.clone())
}

fn firefox_driver() -> Option<(String, Option<Running>)> {
    find_program("firefox-esr").or_else(|| find_program("firefox"))?;
    let program = setting("GECKODRIVER").map(PathBuf::from);
    let program = program.or_else(|| find_program("geckodriver"))?;
    let (running, address) = start("firefox", |port| {
        let mut command = Command::new(&program);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // Firefox has a port of its own for its driver, and two that start together would share it.
        command.args(["--websocket-port", "0"]);
        command
    });
    Some((address, Some(running)))
}

fn webkit_driver() -> Option<(String, Option<Running>)> {
    webkit_browser()?;
    let program = find_program("WebKitWebDriver")?;
    let display = display()?;
    let (running, address) = start("webkit", |port| {
        let mut command = Command::new("env");
        command.arg(format!("DISPLAY={display}"));
        command.arg(&program);
        command.args(["--host=127.0.0.1", &format!("--port={port}")]);
        command
    });
    Some((address, Some(running)))
}

fn start(name: &str, command: impl Fn(u16) -> Command) -> (Running, String) {
    static STARTED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = STARTED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = format!("sealpay-driver-{name}-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let (running, address) = Running::listening(&folder.join("log"), Some(&folder), |address| {
        command(address.port())
    });
    (running, format!("http://{address}"))
}

/// WebKit's browser draws on a display; one that nobody sees serves every session of the process.
fn display() -> Option<&'static str> {
    static DISPLAY: OnceLock<Option<(Running, String)>> = OnceLock::new();
    let display = DISPLAY.get_or_init(|| {
        let program = find_program("Xvfb")?;
        let folder = std::env::temp_dir().join(format!("sealpay-display-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let mut command = Command::new(program);
        // It chooses a free number, and says it on its output.
        command.args(["-displayfd", "1", "-screen", "0", "1400x1800x24"]);
        command.args(["-nolisten", "tcp"]);
        let running = Running::start(&command, &folder.join("log"), Some(&folder));
        for _ in 0..500 {
            let log = running.log();
            let number = log.lines().find_map(|line| line.trim().parse::<u32>().ok());
            if let Some(number) = number {
                return Some((running, format!(":{number}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("Xvfb did not start: {}", running.log());
    });
    display.as_ref().map(|(_, display)| display.as_str())
}

fn webkit_browser() -> Option<PathBuf> {
    let folders = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    folders(Path::new(WEBKIT_FOLDERS))
        .flat_map(|architecture| folders(&architecture.path()).collect::<Vec<_>>())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("webkit"))
        .map(|entry| entry.path().join("MiniBrowser"))
        .find(|program| program.is_file())
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = setting("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

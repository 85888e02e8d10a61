//! A real browser, driven over WebDriver: one session for each scenario, in Chromium unless it
//! asks for another engine.

use crate::engine::Engine;
use crate::processes::Running;
use serde_json::{Value, json};
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

/// How long a condition may take to become true. Only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(40);
/// Sessions at once: a browser is several processes, and too many of them only wait for each other.
const SESSIONS: usize = 4;

/// A window in which a whole checkout can be seen, pixels.
const TALL: (u32, u32) = (1280, 1760);

static ROOM: Semaphore = Semaphore::const_new(SESSIONS);

/// In which processes page and form run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// In one, where the driver hears what the browser complains of in the form.
    #[default]
    None,
    /// Each site in its own, as shoppers have it.
    Sites,
}

/// Which windows a page may open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Windows {
    /// Any, as drivers have it.
    #[default]
    All,
    /// Those that somebody has just asked for by a click or a key, as shoppers have it.
    AskedFor,
}

/// How a browser is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Which browser.
    pub engine: Engine,
    /// In which processes page and form run.
    pub isolation: Isolation,
    /// Which windows they may open.
    pub windows: Windows,
    /// The browser that shoppers have, although Chromium's headless shell is here: it starts four
    /// times as fast and lays out, paints and runs scripts alike.
    pub is_whole: bool,
}

impl From<Isolation> for Manner {
    fn from(isolation: Isolation) -> Self {
        Self {
            isolation,
            ..Self::default()
        }
    }
}

/// A browser window of its own, with nothing remembered from others.
#[derive(Debug)]
pub struct Session {
    engine: Engine,
    driver: WebDriver,
    window: WindowHandle,
    /// The driver's own process, where it serves one session only. It ends after the session.
    _process: Option<Running>,
    _room: SemaphorePermit<'static>,
}

impl Session {
    /// Opens a window; `None` when there is no browser.
    pub async fn open(manner: impl Into<Manner>) -> Option<Self> {
        let manner = manner.into();
        let engine = manner.engine;
        let room = ROOM.acquire().await.expect("the room is never closed");
        let starting = tokio::task::spawn_blocking(move || engine.driver());
        let (server, process) = starting.await.expect("a driver starts")?;
        let driver = WebDriver::new(server, engine.capabilities(manner)).await;
        let driver = driver.unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
        let window = driver.window().await.expect("a session has a window");
        let session = Self {
            engine,
            driver,
            window,
            _process: process,
            _room: room,
        };
        if engine == Engine::WebKit {
            // Its driver does not scroll to what stands below the window in a frame.
            let (width, height) = TALL;
            let resized = session.driver.set_window_rect(0, 0, width, height).await;
            resized.expect("a window can be made tall");
        }
        if engine == Engine::Chromium {
            session.prepare(include_str!("recorder.js")).await;
        }
        Some(session)
    }

    /// Which browser it is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// The driver, for what is not here.
    #[must_use]
    pub const fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Runs a command of Chromium's developer tools.
    pub async fn developer_tools(&self, method: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Goes to an address.
    pub async fn go(&self, address: &str) {
        let went = self.driver.goto(address).await;
        went.unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    /// Looks at the first window again.
    pub async fn enter_first_window(&self) {
        self.enter_window(self.window.clone()).await;
    }

    /// Looks at the window that a page has opened, as soon as there is one.
    pub async fn enter_opened_window(&self) {
        let window = eventually("an opened window", async || {
            let windows = self.driver.windows().await.ok()?;
            windows.into_iter().find(|window| *window != self.window)
        })
        .await;
        self.enter_window(window).await;
    }

    /// How many windows there are just now.
    pub async fn windows(&self) -> usize {
        let windows = self.driver.windows().await;
        windows.expect("windows can be counted").len()
    }

    /// Runs a script in the current frame, and gives what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let result = self.driver.execute(script, arguments).await;
        match result {
            Ok(value) => value.json().clone(),
            Err(error) => panic!("{script}: {error}"),
        }
    }

    /// The same of a script that takes nothing.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.run(script, Vec::new()).await
    }

    /// Runs a script in every document from now on, before anything of the document's own.
    pub async fn prepare(&self, script: &str) {
        let source = json!({ "source": script });
        self.developer_tools("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
    }

    /// Makes the window so wide and high, CSS pixels.
    pub async fn resize(&self, width: u64, height: u64) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.developer_tools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Opens a tab and looks at it.
    pub async fn open_tab(&self) -> WindowHandle {
        let tab = self.driver.new_tab().await.expect("a tab can be opened");
        self.enter_window(tab.clone()).await;
        tab
    }

    /// Looks at a window.
    pub async fn enter_window(&self, window: WindowHandle) {
        let entered = self.driver.switch_to_window(window).await;
        entered.expect("a window can be entered");
    }

    /// Closes the window that is looked at, and looks at the first one again.
    pub async fn close_window(&self) {
        let closed = self.driver.close_window().await;
        closed.expect("a window can be closed");
        self.enter_first_window().await;
    }

    /// The first element that fits, as soon as there is one that can be seen.
    pub async fn see(&self, selector: &str) -> WebElement {
        eventually(selector, async || {
            let element = self.driver.find(By::Css(selector)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// How many elements fit just now.
    pub async fn count(&self, selector: &str) -> usize {
        self.driver
            .find_all(By::Css(selector))
            .await
            .expect("elements can be counted")
            .len()
    }

    /// The text of the first element that fits, as soon as it holds some words.
    pub async fn read(&self, selector: &str, words: &str) -> String {
        let mut last = String::from("nothing");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(element) = self.driver.find(By::Css(selector)).await
                && let Ok(text) = element.text().await
            {
                if text.contains(words) {
                    return text;
                }
                last = text;
            }
            sleep(GLANCE).await;
        }
        panic!("{selector} never said {words:?}; last it said {last:?}");
    }

    /// What the page heard from the form.
    pub async fn recorded_events(&self) -> Value {
        let heard = self.evaluate("return JSON.stringify(window.heard)").await;
        let text = heard.as_str().expect("the page has a recorder");
        serde_json::from_str(text).expect("what was heard is JSON")
    }

    /// What the browser complained of since the last time it was asked: errors and warnings of
    /// pages and frames, what was blocked, and what could not be loaded.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self
            .driver
            .get_log("browser")
            .await
            .expect("Chromium has a log");
        let complaints = log
            .iter()
            .filter(|entry| ["SEVERE", "WARNING"].contains(&entry.level.as_str()));
        complaints
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }

    /// Writes what is to be seen to a file.
    pub async fn picture(&self, path: &Path) {
        let folder = path.parent().expect("a file has a folder");
        std::fs::create_dir_all(folder).expect("a folder for pictures can be made");
        self.driver
            .screenshot(path)
            .await
            .expect("the browser draws what it shows");
    }

    /// Closes the window, and waits until its browser has ended: one that stays takes time from every
    /// later test.
    pub async fn close(self) {
        let folder = self.driver.capabilities().get("chrome");
        let folder = folder.and_then(|chrome| chrome["userDataDir"].as_str());
        let folder = folder.map(str::to_owned);
        // A window that is gone already is closed.
        drop(self.driver.quit().await);
        if let Some(folder) = folder {
            eventually("the end of the browser", async || {
                (!is_named_by_a_process(&folder)).then_some(())
            })
            .await;
        }
    }
}

/// Whether the command line of a process names a folder.
fn is_named_by_a_process(folder: &str) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|arguments| String::from_utf8_lossy(&arguments).contains(folder))
}

/// What was done with an element that was seen a moment before; nothing if the page has drawn itself
/// anew since then, so that the driver did nothing.
pub(crate) fn unless_stale<T>(selector: &str, done: WebDriverResult<T>) -> Option<T> {
    match done.map_err(WebDriverError::into_inner) {
        Ok(done) => Some(done),
        Err(WebDriverErrorInner::StaleElementReference(_)) => None,
        Err(error) => panic!("{selector} does not take it: {error}"),
    }
}

/// Waits until something is there.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        sleep(GLANCE).await;
    }
}

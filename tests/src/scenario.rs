//! One scenario: an environment, a window, what happens, and what must hold after all of it.

use crate::browser::{Isolation, Manner, Session, Windows};
use crate::engine::Engine;
use crate::environment::TestEnvironment;
use crate::leaks;
use crate::shopper::TYPED;
use serde_json::Value;
use std::borrow::Borrow;
use std::future::Future;
use std::sync::Arc;

/// A scenario that is about to be played.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    name: &'static str,
    manner: Manner,
    /// Parts of complaints of the browser that belong to the scenario.
    expected_complaints: &'static [&'static str],
    /// One that need not occur.
    possible_complaint: Option<&'static str>,
}

impl From<&'static str> for Scenario {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl Scenario {
    /// A scenario of which the browser has nothing to complain.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            manner: Manner {
                engine: Engine::Chromium,
                isolation: Isolation::None,
                windows: Windows::All,
                is_whole: false,
            },
            expected_complaints: &[],
            possible_complaint: None,
        }
    }

    /// The same where the browser is made to complain; each part has to occur.
    #[must_use]
    pub const fn with_complaints(mut self, parts: &'static [&'static str]) -> Self {
        self.expected_complaints = parts;
        self
    }

    /// The same where the browser may complain so, if the machine is slow.
    #[must_use]
    pub const fn with_possible_complaint(mut self, part: &'static str) -> Self {
        self.possible_complaint = Some(part);
        self
    }

    /// The same in a browser with page and form in two processes, as shoppers have it.
    #[must_use]
    pub const fn with_site_isolation(mut self) -> Self {
        self.manner.isolation = Isolation::Sites;
        self.in_a_whole_browser()
    }

    /// The same in a browser that opens a window only when somebody has just asked for it.
    #[must_use]
    pub const fn with_windows_blocked(mut self) -> Self {
        self.manner.windows = Windows::AskedFor;
        self.in_a_whole_browser()
    }

    /// The same in a browser with all its parts, also where a quicker one is here.
    #[must_use]
    pub const fn in_a_whole_browser(mut self) -> Self {
        self.manner.is_whole = true;
        self
    }

    /// The same in another browser. Only Chromium records what the page hears and complains of.
    #[must_use]
    pub const fn in_engine(mut self, engine: Engine) -> Self {
        self.manner.engine = engine;
        self
    }

    /// Plays it, unless there is no browser.
    pub async fn play<F>(self, environment: &TestEnvironment, act: impl FnOnce(Arc<Session>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(session) = Session::open(self.manner).await else {
            let engine = self.manner.engine.name();
            eprintln!("*** SKIPPED without {engine}: {} ***", self.name);
            return;
        };
        let session = Arc::new(session);
        let mut played = tokio::spawn(act(Arc::clone(&session))).await;
        if played.is_ok() {
            let own = Arc::clone(&session);
            played = tokio::spawn(async move { self.look_back(&own).await }).await;
        }
        if played.is_err() {
            self.tell_what_was_seen(&session, environment).await;
        }
        if let Some(session) = Arc::into_inner(session) {
            session.close().await;
        }
        if let Err(failure) = played {
            std::panic::resume_unwind(failure.into_panic());
        }
        let mut leaks = leaks::in_folder(environment.folder(), &TYPED);
        leaks.extend(leaks::in_text(
            "/metrics",
            environment.public("/metrics").await.as_bytes(),
            &TYPED,
        ));
        assert_eq!(leaks, Vec::<String>::new(), "after {}", self.name);
    }

    /// What must hold of page, form and browser after every scenario.
    async fn look_back(self, session: &Session) {
        session.enter_first_window().await;
        session.enter_page().await;
        let mut told = Vec::new();
        if session.engine() == Engine::Chromium {
            let heard = session.recorded_events().await;
            self.check_complaints(session, &heard).await;
            told.push(("messages and events", heard.to_string()));
        }
        told.push(("the page", remembered(session).await));
        if session.count("iframe").await > 0 {
            session.enter_frame("iframe").await;
            told.push(("the form", remembered(session).await));
            session.enter_page().await;
        }
        for (name, text) in told {
            let found = leaks::in_text(name, text.as_bytes(), &TYPED);
            assert_eq!(found, Vec::<String>::new(), "{text}");
        }
    }

    async fn check_complaints(self, session: &Session, heard: &Value) {
        let mut complaints = session.complaints().await;
        for list in ["violations", "rejections"] {
            let list = heard[list].as_array().into_iter().flatten();
            complaints.extend(list.map(Value::to_string));
        }
        for part in self.expected_complaints {
            let is_there = complaints.iter().any(|complaint| complaint.contains(part));
            assert!(
                is_there,
                "the browser did not say {part:?}: {complaints:#?}"
            );
            complaints.retain(|complaint| !complaint.contains(part));
        }
        if let Some(part) = self.possible_complaint {
            complaints.retain(|complaint| !complaint.contains(part));
        }
        assert_eq!(
            complaints,
            Vec::<String>::new(),
            "what the browser complained of"
        );
    }

    async fn tell_what_was_seen(self, session: &Session, environment: &TestEnvironment) {
        session.driver().enter_default_frame().await.ok();
        let picture = format!("screenshots/failures/{}.png", self.name.replace(' ', "-"));
        let path = crate::processes::target().join(&picture);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).ok();
        }
        let drawn = session.driver().screenshot(&path).await.is_ok();
        let address = session.driver().current_url().await;
        let address = address
            .map(|address| address.to_string())
            .unwrap_or_default();
        let log = session
            .driver()
            .get_log("browser")
            .await
            .unwrap_or_default();
        let log: Vec<_> = log.into_iter().map(|entry| entry.message).collect();
        eprintln!(
            "\n{} failed at {address} (picture: {drawn}, {})\n  browser: {log:#?}\n{}",
            self.name,
            path.display(),
            environment.last_words()
        );
    }
}

/// Plays a scenario in an environment that the act uses as well.
pub async fn play_in<E, F>(
    environment: E,
    scenario: impl Into<Scenario>,
    act: impl FnOnce(Arc<Session>, E) -> F,
) where
    E: Borrow<TestEnvironment> + Clone,
    F: Future<Output = ()> + Send + 'static,
{
    let own = environment.clone();
    let act = |session| act(session, own);
    scenario.into().play(environment.borrow(), act).await;
}

/// Plays a scenario in the environment that all share who change nothing for others.
pub async fn play_shared<F>(
    scenario: impl Into<Scenario>,
    act: impl FnOnce(Arc<Session>, &'static TestEnvironment) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    play_in(TestEnvironment::shared(), scenario, act).await;
}

/// Plays a scenario in an environment that it has to itself.
pub async fn play_alone<F>(
    scenario: impl Into<Scenario>,
    act: impl FnOnce(Arc<Session>, Arc<TestEnvironment>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    play_in(TestEnvironment::own(), scenario, act).await;
}

/// Where a page, or the form, could leave something behind.
async fn remembered(session: &Session) -> String {
    let script = "return JSON.stringify([document.title, location.href, document.referrer, \
                  document.cookie, Object.entries(localStorage), Object.entries(sessionStorage), \
                  history.state, window.name])";
    session.evaluate(script).await.to_string()
}

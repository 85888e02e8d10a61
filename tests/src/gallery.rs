//! Pictures of every state, in both themes and on a phone and a desk, for people to look at; and
//! what keeps somebody out while they are taken.

use crate::accessibility::{Part, findings, findings_of_contrast};
use crate::browser::{Session, eventually};
use crate::processes::{is_long_run, setting, target, workspace};
use serde_json::{Value, json};

/// A phone and a desk, CSS pixels.
pub const WIDTHS: [u64; 2] = [390, 1280];
const THEMES: [&str; 2] = ["light", "dark"];
/// Lower than this, a picture looks unlike a window.
const LOWEST: u64 = 700;

/// Whether the current frame, whose window is as high as it asked for, hides a part of itself.
const SCROLLS: &str = "const { scrollWidth, scrollHeight } = document.documentElement;
                       return scrollHeight > innerHeight || scrollWidth > innerWidth;";

/// What one look through a window saw.
#[derive(Debug)]
pub struct Gallery<'a> {
    session: &'a Session,
    /// The frame with the form, when the pictures are of one.
    frame: Option<&'static str>,
    findings: Vec<String>,
}

impl<'a> Gallery<'a> {
    /// Opens an empty gallery of pages, or of the form in a frame of pages.
    #[must_use]
    pub const fn new(session: &'a Session, frame: Option<&'static str>) -> Self {
        Self {
            session,
            frame,
            findings: Vec::new(),
        }
    }

    /// Takes the pictures of a state, `<state>-<theme>-<width>.png` under `target/screenshots`, and
    /// looks for barriers and for scroll bars inside the page.
    pub async fn show(&mut self, state: &str) {
        for width in WIDTHS {
            self.take(width, state).await;
        }
        self.put_on(THEMES[0], WIDTHS[1]).await;
    }

    /// The same in one width only.
    pub async fn show_at(&mut self, width: u64, state: &str) {
        self.take(width, state).await;
        self.put_on(THEMES[0], width).await;
    }

    /// Colours are the same on a desk as on a phone, and so is what assistive technology reads: there
    /// the dark theme and axe-core come in long runs alone.
    async fn take(&mut self, width: u64, state: &str) {
        let all = width == WIDTHS[0] || is_long_run();
        self.put_on(THEMES[0], width).await;
        for theme in THEMES.into_iter().take(if all { 2 } else { 1 }) {
            self.emulate(theme, "none").await;
            let file = format!("screenshots/{state}-{theme}-{width}.png");
            self.session.picture(&target().join(file)).await;
            let state = format!("{state}, {theme}, {width} px");
            match (all, theme == THEMES[0] || is_long_run()) {
                (true, true) => self.look_for_barriers(&state).await,
                (true, false) => self.look_for_contrast(&state).await,
                (false, _) => self.look_for_scroll_bars(&state).await,
            }
        }
    }

    /// Takes pictures in the colours of a shopper who has chosen a few strong ones (forced colours):
    /// `<state>-forced-<theme>-390.png`.
    pub async fn show_in_forced_colours(&mut self, state: &str) {
        let width = WIDTHS[0];
        for theme in THEMES {
            self.put_on(theme, width).await;
            self.emulate(theme, "active").await;
            let file = format!("screenshots/{state}-forced-{theme}-{width}.png");
            self.session.picture(&target().join(file)).await;
            self.look_for_barriers(&format!("{state}, forced colours, {theme}"))
                .await;
            self.look_for_marks(&format!("{state}, forced colours, {theme}"))
                .await;
        }
        self.put_on(THEMES[0], width).await;
    }

    /// Takes a picture of a page as it is printed on A4: `<state>-print.png`.
    pub async fn show_on_paper(&self, state: &str) {
        self.session.enter_page().await;
        self.emulate_media("print").await;
        self.session.resize(794, 1123).await;
        let file = format!("screenshots/{state}-print.png");
        self.session.picture(&target().join(file)).await;
        self.emulate_media("").await;
        self.put_on(THEMES[0], WIDTHS[0]).await;
    }

    async fn emulate_media(&self, media: &str) {
        let media = json!({ "media": media });
        self.session
            .developer_tools("Emulation.setEmulatedMedia", media)
            .await;
    }

    /// With `SEALPAY_WRITE_SCREENSHOTS=1`, takes the picture of that name again that stands in
    /// `docs/screenshots`: a window in which a desk shows the page as it is.
    pub async fn show_in_docs(&self, name: &str, height: u64) {
        if setting("SEALPAY_WRITE_SCREENSHOTS").is_none() {
            return;
        }
        self.put_on(THEMES[0], WIDTHS[1]).await;
        self.session.resize(WIDTHS[1], height).await;
        let file = workspace().join("docs/screenshots").join(name);
        self.session.picture(&file).await;
    }

    /// Ends the show.
    pub fn close(self) {
        assert_eq!(
            self.findings,
            Vec::<String>::new(),
            "what keeps somebody out"
        );
    }

    async fn put_on(&self, theme: &str, width: u64) {
        self.session.enter_page().await;
        self.emulate(theme, "none").await;
        // Pictures show the page, not the scroll bars of one browser.
        let hidden = json!({ "hidden": true });
        self.session
            .developer_tools("Emulation.setScrollbarsHidden", hidden)
            .await;
        self.session.resize(width, LOWEST).await;
        let height = self.resting_height().await;
        self.session.resize(width, height.max(LOWEST)).await;
        self.resting_height().await;
    }

    async fn emulate(&self, theme: &str, forced_colours: &str) {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
            { "name": "forced-colors", "value": forced_colours },
        ]});
        self.session
            .developer_tools("Emulation.setEmulatedMedia", features)
            .await;
    }

    /// The height of the page once it has stayed the same for a few frames.
    async fn resting_height(&self) -> u64 {
        const SETTLE: &str = "
            const done = arguments[arguments.length - 1];
            let still = 0, last = -1;
            const look = () => {
              const height = document.documentElement.scrollHeight;
              still = height === last ? still + 1 : 0;
              last = height;
              if (still === 8) done(height); else requestAnimationFrame(look);
            };
            look();";
        eventually("a page at rest", async || {
            let settled = self
                .session
                .driver()
                .execute_async(SETTLE, Vec::<Value>::new())
                .await;
            settled.ok()?.json().as_u64()
        })
        .await
    }

    /// Colours say nothing here: an error has a stronger border, and the button that pays a ground.
    async fn look_for_marks(&mut self, state: &str) {
        const MARKS: &str = "
            const style = (selector) => {
              const element = document.querySelector(selector);
              return element && getComputedStyle(element);
            };
            const missing = [];
            const invalid = style('input[aria-invalid=true]');
            if (invalid && parseFloat(invalid.borderTopWidth) < 3) missing.push('an error has no mark');
            const pay = style('form button[type=submit]:not(:disabled)');
            const field = style('input');
            if (pay && field && pay.backgroundColor === field.backgroundColor) {
              missing.push('the button that pays has no ground');
            }
            return missing;";
        if let Some(frame) = self.frame {
            self.session.enter_frame(frame).await;
        }
        let missing = self.session.evaluate(MARKS).await;
        let missing = missing.as_array().into_iter().flatten();
        self.findings
            .extend(missing.map(|mark| format!("{state}: {mark}")));
        self.session.enter_page().await;
    }

    async fn look_for_barriers(&mut self, state: &str) {
        let part = self.enter().await;
        let found = findings(self.session, part).await.into_iter();
        self.findings
            .extend(found.map(|finding| format!("{state}: {finding}")));
        self.look_for_scroll_bars(state).await;
    }

    async fn look_for_contrast(&mut self, state: &str) {
        let part = self.enter().await;
        let found = findings_of_contrast(self.session, part).await.into_iter();
        self.findings
            .extend(found.map(|finding| format!("{state}: {finding}")));
        self.session.enter_page().await;
    }

    async fn look_for_scroll_bars(&mut self, state: &str) {
        self.enter().await;
        if self.session.evaluate(SCROLLS).await == true {
            let finding = format!("{state}: something scrolls that should be seen as a whole");
            self.findings.push(finding);
        }
        self.session.enter_page().await;
    }

    /// Enters what the pictures are of.
    async fn enter(&self) -> Part {
        self.session.enter_page().await;
        match self.frame {
            Some(frame) => {
                self.session.enter_frame(frame).await;
                Part::Frame
            }
            None => Part::Page,
        }
    }
}

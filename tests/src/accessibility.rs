//! axe-core, where it can be had: npm puts it below `target`, so that nothing of the project
//! depends on Node.js. Without npm, or without its registry, this says loudly that it is skipped.

use crate::browser::Session;
use crate::processes::target;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::OnceLock;

/// The version whose rules are kept.
const PACKAGE: &str = "axe-core@4";

/// The rules of WCAG 2.2 AA that a program can check, and best practices.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];

/// Rules about whole pages. A form in a frame is a part of one: the page has the landmarks and
/// the first heading.
const RULES_FOR_PAGES: [&str; 2] = ["region", "page-has-heading-one"];

const RUN: &str = "
    const [only, off, done] = arguments;
    // Through a transparent frame one sees the page, of which the frame knows nothing but the scheme.
    const { style } = document.documentElement;
    if (window !== top) style.backgroundColor = 'Canvas';
    const switched_off = Object.fromEntries(off.map((rule) => [rule, { enabled: false }]));
    axe.run(document, { runOnly: only, rules: switched_off, iframes: false, resultTypes: ['violations'] })
      .then(({ violations, passes }) => done({
        passes: passes.length,
        findings: violations.map(({ id, help, nodes }) =>
          `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`),
      }))
      .catch((error) => done({ passes: 0, findings: [String(error)] }))
      .finally(() => { style.backgroundColor = ''; });
";

/// What stands in the current frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A whole page.
    Page,
    /// A form that stands in a page.
    Frame,
}

/// Whether axe-core is to be had here.
#[must_use]
pub fn is_to_be_had() -> bool {
    source().is_some()
}

/// What axe-core finds wrong in the current frame; nothing when it is not to be had.
pub async fn findings(session: &Session, part: Part) -> Vec<String> {
    let only = json!({"type": "tag", "values": RULES});
    run(session, part, &only).await
}

/// What it finds wrong with the contrast of colours, which is all that another theme changes.
pub async fn findings_of_contrast(session: &Session, part: Part) -> Vec<String> {
    let only = json!({"type": "rule", "values": ["color-contrast"]});
    run(session, part, &only).await
}

async fn run(session: &Session, part: Part, only: &Value) -> Vec<String> {
    let Some(source) = source() else {
        return Vec::new();
    };
    let is_there = session
        .run("return typeof axe === 'object'", Vec::new())
        .await;
    if is_there != Value::Bool(true) {
        session.run(source, Vec::new()).await;
    }
    let off = if part == Part::Frame {
        RULES_FOR_PAGES.as_slice()
    } else {
        &[]
    };
    let arguments = vec![only.clone(), json!(off)];
    let told = session.driver().execute_async(RUN, arguments).await;
    let told = told.expect("axe-core runs").json().clone();
    let findings = told["findings"].as_array().expect("a list of findings");
    let findings: Vec<_> = findings
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let passes = told["passes"].as_u64().unwrap_or(0);
    assert!(
        passes > 5 || only["type"] == "rule" || !findings.is_empty(),
        "axe-core looked at nothing: {told}"
    );
    findings
}

/// The program of axe-core, installed at the first call.
fn source() -> Option<&'static str> {
    static SOURCE: OnceLock<Option<String>> = OnceLock::new();
    let source = SOURCE.get_or_init(|| {
        let folder = target().join("interop/axe");
        let program = folder.join("node_modules/axe-core/axe.min.js");
        if !program.is_file() {
            std::fs::create_dir_all(&folder).expect("target can be written");
            let mut npm = Command::new("npm");
            npm.args([
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
            ]);
            npm.arg(&folder).arg(PACKAGE);
            let installed = npm.output().is_ok_and(|output| output.status.success());
            if !installed {
                eprintln!(
                    "\n*** SKIPPED: axe-core cannot be installed ({PACKAGE}, by npm); nobody \
                     looks at accessibility. ***\n"
                );
                return None;
            }
        }
        Some(std::fs::read_to_string(program).expect("what was installed can be read"))
    });
    source.as_deref()
}

//! Counts tests by the closing lines of test runners.

/// How many tests ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// The names of those that failed, as far as they were told.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    /// Adds another count to this one.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
    }

    /// Whether any test was counted.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in a line of output if it tells of a failed test, or closes a run of tests:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    pub(crate) fn take(&mut self, line: &str) {
        let line = line.trim();
        if let Some(name) = failed_test(line) {
            self.failures.push(name.to_owned());
        }
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let count = words.next().and_then(|word| word.parse::<u64>().ok());
            match (count, words.next()) {
                (Some(count), Some("passed")) => self.passed += count,
                (Some(count), Some("failed")) => self.failed += count,
                (Some(count), Some("ignored")) => self.skipped += count,
                _ => {}
            }
        }
    }
}

/// The name in `test money::adds_up ... FAILED`; wasm-bindgen's runner writes `FAIL`.
fn failed_test(line: &str) -> Option<&str> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    matches!(result, "FAILED" | "FAIL").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted_and_nothing_else() {
        let rows = [
            (
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
                (5, 0, 1),
            ),
            (
                "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                (5, 2, 0),
            ),
            (
                "test result: ok. 7 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.03s",
                (7, 0, 0),
            ),
            (
                "    test result: ok. 1 passed; 0 failed; 0 ignored",
                (1, 0, 0),
            ),
            ("test result_is_counted ... ok", (0, 0, 0)),
            ("running 5 tests", (0, 0, 0)),
            ("5 passed, 0 failed", (0, 0, 0)),
        ];
        for (line, (passed, failed, skipped)) in rows {
            let mut tally = Tally::default();
            tally.take(line);
            let expected = Tally {
                passed,
                failed,
                skipped,
                failures: Vec::new(),
            };
            assert_eq!(tally, expected, "{line}");
        }
    }

    #[test]
    fn the_names_of_failed_tests_are_kept() {
        let rows = [
            ("test money::adds_up ... FAILED", Some("money::adds_up")),
            ("test form::is_shown ... FAIL", Some("form::is_shown")),
            (
                "test src/lib.rs - Money (line 3) ... FAILED",
                Some("src/lib.rs - Money (line 3)"),
            ),
            ("test money::adds_up ... ok", None),
            ("test result: FAILED. 1 passed; 1 failed", None),
            ("the test ... FAILED", None),
        ];
        for (line, expected) in rows {
            assert_eq!(failed_test(line), expected, "{line}");
        }
    }

    #[test]
    fn counts_of_several_runs_add_up() {
        let mut tally = Tally::default();
        assert!(tally.is_empty());
        tally.take("test result: ok. 5 passed; 1 failed; 1 ignored");
        tally.add(Tally {
            passed: 2,
            failed: 0,
            skipped: 3,
            failures: vec![String::from("money::adds_up")],
        });
        let expected = Tally {
            passed: 7,
            failed: 1,
            skipped: 4,
            failures: vec![String::from("money::adds_up")],
        };
        assert_eq!(tally, expected);
        assert!(!tally.is_empty());
    }
}

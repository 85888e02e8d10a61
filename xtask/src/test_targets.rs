//! Which integration tests there are: those of one crate, and those of the whole.

use serde_json::Value;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// The package whose tests need the finished widget and the programs.
const SYSTEM_TESTS: &str = "sealpay-tests";

/// The names of the integration tests. Cargo can leave out packages, but that would change features.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestTargets {
    pub(crate) of_one_crate: Vec<String>,
    pub(crate) of_the_whole: Vec<String>,
}

impl TestTargets {
    /// Asks cargo.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, Failure> {
        let question = workspace.cargo(&[
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ]);
        let metadata = process::answer("Asking cargo for the tests", question)?;
        serde_json::from_str(&metadata)
            .map(|metadata| Self::from_metadata(&metadata))
            .map_err(|error| Failure::because("Cargo's answer is not JSON", error))
    }

    fn from_metadata(metadata: &Value) -> Self {
        let mut all = Self {
            of_one_crate: Vec::new(),
            of_the_whole: Vec::new(),
        };
        for package in array(metadata, "packages") {
            let is_system = package.get("name").and_then(Value::as_str) == Some(SYSTEM_TESTS);
            for target in array(package, "targets") {
                let is_test = array(target, "kind").iter().any(|kind| kind == "test");
                let name = target.get("name").and_then(Value::as_str);
                match name.filter(|_| is_test) {
                    Some(name) if is_system => all.of_the_whole.push(name.to_owned()),
                    Some(name) => all.of_one_crate.push(name.to_owned()),
                    None => {}
                }
            }
        }
        all
    }
}

fn array<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tests_of_the_whole_are_told_from_those_of_one_crate() {
        let metadata = json!({"packages": [
            {"name": "sealpay-protocol", "targets": [
                {"name": "sealpay_protocol", "kind": ["lib"]},
                {"name": "vectors", "kind": ["test"]},
            ]},
            {"name": "sealpay-tests", "targets": [
                {"name": "harness", "kind": ["lib"]},
                {"name": "all", "kind": ["test"]},
                {"name": "bench", "kind": ["bin"]},
            ]},
        ]});
        let expected = TestTargets {
            of_one_crate: vec![String::from("vectors")],
            of_the_whole: vec![String::from("all")],
        };
        assert_eq!(TestTargets::from_metadata(&metadata), expected);
    }
}

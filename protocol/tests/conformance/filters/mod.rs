//! Runs each filter of `examples/` as a process: valid lines, invalid lines, and the responses of
//! one filter as the input of the next.

mod cards;
mod keys;
mod orders;
mod requests;
mod vectors;
mod webhooks;

use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::{env, thread};

const NOW: u64 = crate::world::NOW;

/// Lines that no filter can read, with the error of each.
fn unreadable() -> Vec<(Vec<u8>, &'static str)> {
    let long = [b"{\"a\":\"", [b'a'; 200_000].as_slice(), b"\"}"].concat();
    vec![
        (b"".to_vec(), "malformed_json"),
        (b"   ".to_vec(), "malformed_json"),
        (b"{".to_vec(), "malformed_json"),
        (b"{\"a\":1,}".to_vec(), "malformed_json"),
        (b"{} {}".to_vec(), "malformed_json"),
        (b"\xff\xfe".to_vec(), "malformed_json"),
        (b"{\"a\":\"\xc3\x28\"}".to_vec(), "malformed_json"),
        (b"\0".to_vec(), "malformed_json"),
        (b"[".repeat(100_000), "malformed_json"),
        (long, "line_too_long"),
        (b"null".to_vec(), "malformed_request"),
        (b"[]".to_vec(), "malformed_request"),
        (b"\"text\"".to_vec(), "malformed_request"),
        (b"{}".to_vec(), "malformed_request"),
        (b"{\"a\":1}".to_vec(), "malformed_request"),
    ]
}

/// Feeds all lines to one process and returns its responses.
fn answers(filter: &str, lines: &[Vec<u8>]) -> Vec<Value> {
    let test = env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join(format!("{filter}{}", env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is missing; `cargo build -p sealpay-protocol --examples` makes it",
        program.display()
    );
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = lines.join(&b'\n');
    let writing = thread::spawn(move || input.write_all(&text).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(
        output.status.success(),
        "{filter} ended with {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        answers.len(),
        lines.len(),
        "{filter} answers each line once"
    );
    answers
}

/// Sends valid lines mixed with invalid ones, checks the error codes of the invalid ones, and
/// returns the responses to the valid ones.
fn ask(filter: &str, good: &[Value], bad: &[(Value, &str)]) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut codes = Vec::new();
    for (line, code) in unreadable() {
        lines.push(line);
        codes.push(code);
    }
    for (question, code) in bad {
        lines.push(question.to_string().into_bytes());
        codes.push(code);
    }
    lines.extend(
        good.iter()
            .map(|question| question.to_string().into_bytes()),
    );
    let mut answers = answers(filter, &lines);
    let good_answers = answers.split_off(codes.len());
    for (answer, (code, line)) in answers.iter().zip(codes.iter().zip(&lines)) {
        let line = String::from_utf8_lossy(&line[..line.len().min(300)]);
        assert_eq!(
            answer["error"]["code"], *code,
            "{filter}: {line} -> {answer}"
        );
        assert_ne!(answer["error"]["message"].as_str().unwrap(), "");
        assert!(!answer.to_string().contains("4242424242424241"), "{answer}");
    }
    for answer in &good_answers {
        assert_eq!(answer.get("error"), None, "{filter}: {answer}");
    }
    good_answers
}

/// Sets members of the object; null removes one.
fn with(object: &Value, changes: Value) -> Value {
    let mut changed = object.clone();
    for (member, value) in changes.as_object().unwrap() {
        let path = member.replace('.', "/");
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let pointer = if parent.is_empty() {
            String::new()
        } else {
            format!("/{parent}")
        };
        let parent = changed
            .pointer_mut(&pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        if value.is_null() {
            parent.remove(name).unwrap();
        } else {
            parent.insert(name.into(), value.clone());
        }
    }
    changed
}

fn seed(first: u8) -> String {
    sealpay_protocol::encoding::hex(&crate::world::counting::<32>(first))
}

/// The response of `keygen` for a kind and a seed.
fn key(kind: &str, first: u8) -> Value {
    ask("keygen", &[json!({"kind": kind, "seed": seed(first)})], &[]).remove(0)
}

#[test]
fn the_last_line_may_lack_a_line_break_and_empty_input_has_no_output() {
    assert_eq!(answers("keygen", &[]), Vec::<Value>::new());
    let answers = answers(
        "keygen",
        &[b"{\"kind\":\"sealing\"}".to_vec(), b"{".to_vec()],
    );
    assert_eq!(answers[0]["kind"], "sealing");
    assert_eq!(answers[1]["error"]["code"], "malformed_json");
}

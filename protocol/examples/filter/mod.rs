//! What every filter does: read a line of JSON, answer with a line of JSON, and go on.
//!
//! What only some of them need lies beside this file and is named by them with `#[path]`.

use std::io::{self, BufRead, Write};

use sealpay_protocol::json;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The longest line that is read, bytes. A request body of the largest size fits, even if each of
/// its characters has to be escaped by another one.
pub(crate) const LINE_BYTES: u64 = 128 * 1024;

/// Why a line has no answer.
pub(crate) struct Refusal {
    /// Stable, for machines.
    pub(crate) code: &'static str,
    /// A sentence.
    pub(crate) message: String,
    /// The claim at fault, where an order names one.
    pub(crate) param: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
            param: None,
        }
    }

    /// The line that says so.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = serde_json::json!({"code": self.code, "message": self.message});
        if let Some(param) = self.param {
            error["param"] = param.into();
        }
        serde_json::json!({ "error": error })
    }
}

/// Answers each line of standard input until there are no more.
pub(crate) fn run(answer: fn(&[u8]) -> Result<Value, Refusal>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        io::Read::take(&mut input, LINE_BYTES).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let is_whole = line.ends_with(b"\n") || input.fill_buf()?.is_empty();
        let answered = if is_whole {
            answer(&line)
        } else {
            input.skip_until(b'\n')?;
            let message = format!("the line has more than {LINE_BYTES} bytes");
            Err(Refusal::new("line_too_long", message))
        };
        let written = answered.unwrap_or_else(|refusal| refusal.to_json());
        writeln!(output, "{written}")?;
        output.flush()?;
    }
}

/// Reads the object in a line; `shape` says in words what it has to be.
pub(crate) fn read<T: DeserializeOwned>(line: &[u8], shape: &str) -> Result<T, Refusal> {
    serde_json::from_slice::<Value>(line).map_err(|error| Refusal::new("malformed_json", error))?;
    // The parser's own words would repeat what was sent, which may be a card number.
    json::object_from_slice(line).map_err(|_| Refusal::new("malformed_request", shape))
}

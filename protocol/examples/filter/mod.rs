//! The loop of every filter: read a line of JSON, write a line of JSON.
//!
//! Modules that only some filters need are in this folder; those filters include them with
//! `#[path]`.

use std::io::{self, BufRead, Write};

use sealpay_protocol::json;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest line that is read, bytes. Fits the largest request body even if every character is
/// escaped.
pub(crate) const LINE_BYTES: u64 = 128 * 1024;

/// Why a line was rejected.
pub(crate) struct Refusal {
    /// Stable, for machines.
    pub(crate) code: &'static str,
    /// A sentence.
    pub(crate) message: String,
    /// The invalid claim, for errors of one claim.
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

    /// The error as a response line.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = serde_json::json!({"code": self.code, "message": self.message});
        if let Some(param) = self.param {
            error["param"] = param.into();
        }
        serde_json::json!({ "error": error })
    }
}

/// Processes each line of standard input until the end.
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

/// Reads the object in a line; `shape` describes the expected object in error messages.
pub(crate) fn read<T: DeserializeOwned>(line: &[u8], shape: &str) -> Result<T, Refusal> {
    serde_json::from_slice::<Value>(line).map_err(|error| Refusal::new("malformed_json", error))?;
    // The parser's own message would repeat the input, which may be a card number.
    json::object_from_slice(line).map_err(|_| Refusal::new("malformed_request", shape))
}

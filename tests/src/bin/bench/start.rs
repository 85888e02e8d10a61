//! How soon the server answers after it was started, and how much memory it takes then.

use crate::blast::median;
use harness::folder::Folder;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Starts on a database that is there already.
const STARTS: usize = 7;
/// What a server does right after it has answered for the first time.
const SETTLING: Duration = Duration::from_millis(300);

pub(crate) async fn measure() -> Value {
    eprintln!("start of the server");
    let folder = Folder::new("bench");
    let setup = crate::setup(folder.path());
    let (process, first) = setup.started().await;
    drop(process);
    let (mut times, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (process, took) = setup.started().await;
        times.push(microseconds(took));
        sleep(SETTLING).await;
        resident.extend(process.resident_kib());
    }
    json!({
        "first_answer_us_on_nothing": microseconds(first),
        "first_answer_us": median(&times),
        "resident_kib": median(&resident),
    })
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

//! What was measured on, and who else was using it meanwhile.

use serde_json::{Value, json};
use std::fs::read_to_string;

/// One, five and fifteen minutes.
pub(crate) fn load_average() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// How many threads run at the same time.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(crate) fn describe(load_average_before: &str) -> Value {
    let processor = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor
        .lines()
        .find(|line| line.starts_with("model name"));
    let processor = processor.and_then(|line| line.split(": ").nth(1));
    json!({
        "cores": cores(),
        "processor": processor,
        "load_average_before": load_average_before,
        "load_average_after": load_average(),
    })
}

/// Time that processors have spent, in ticks of 10 ms (USER_HZ is 100 on Linux).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ticks {
    /// By everybody.
    busy: u64,
    /// Passed on all cores.
    all: u64,
    /// By the measured server.
    server: u64,
    /// By this program.
    own: u64,
}

impl Ticks {
    pub(crate) fn now(server: u32) -> Self {
        let text = read_to_string("/proc/stat").unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = first.split_whitespace().skip(1).map(number).collect();
        let all = ticks.iter().take(8).sum();
        // The fourth and the fifth are idle and waiting for the disk.
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Self {
            busy: all - idle,
            all,
            server: of_process(&server.to_string()),
            own: of_process("self"),
        }
    }

    /// What was spent since an earlier moment, added to what was counted before.
    pub(crate) fn add_since(&mut self, earlier: Self, later: Self) {
        self.busy += later.busy - earlier.busy;
        self.all += later.all - earlier.all;
        self.server += later.server - earlier.server;
        self.own += later.own - earlier.own;
    }

    /// Processor time of the server for each of so many payments, µs.
    pub(crate) fn server_us_per(self, payments: u64) -> u64 {
        self.server * 10_000 / payments.max(1)
    }

    /// The same of the load generator.
    pub(crate) fn own_us_per(self, payments: u64) -> u64 {
        self.own * 10_000 / payments.max(1)
    }

    /// Percent of all cores that neither the server nor this program used: other programs.
    pub(crate) fn others_percent(self) -> u64 {
        let others = self.busy.saturating_sub(self.server + self.own);
        others * 100 / self.all.max(1)
    }
}

/// User and system time of a process, which follow its name in brackets.
fn of_process(id: &str) -> u64 {
    let text = read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(number)
        .sum()
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Ticks;

    #[test]
    fn what_nobody_of_us_used_was_used_by_others() {
        let earlier = Ticks {
            busy: 100,
            all: 1000,
            server: 50,
            own: 10,
        };
        let later = Ticks {
            busy: 280,
            all: 1200,
            server: 150,
            own: 50,
        };
        let mut spent = Ticks::default();
        spent.add_since(earlier, later);
        assert_eq!(spent.others_percent(), 20);
        assert_eq!(spent.server_us_per(1000), 1000);
        assert_eq!(spent.own_us_per(1000), 400);
    }

    #[test]
    fn this_process_spends_time() {
        let mut sum = 0_u64;
        while super::of_process("self") == 0 {
            sum = sum.wrapping_add(1);
        }
        assert!(Ticks::now(std::process::id()).all > 0);
    }
}

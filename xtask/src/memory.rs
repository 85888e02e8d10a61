//! Files of tests in memory instead of on a disk.

use std::process::Command;

use crate::environment;
use crate::process;

const FOLDER: &str = "/dev/shm";
/// More than the long form of the tests leaves behind.
const ROOM_GIB: u64 = 6;

/// A file system in memory with room for the files of all tests, unless somebody has chosen another.
/// Tests write and sync a thousand databases, which takes a tenth less processor time there. They kill
/// processes, not machines, so nothing that they find depends on a disk.
pub(crate) fn folder() -> Option<&'static str> {
    let mut question = Command::new("df");
    question.args(["--output=avail", "--block-size=1G", FOLDER]);
    let free = process::answer("Asking for free space", question).ok()?;
    let free: u64 = free.lines().nth(1)?.trim().parse().ok()?;
    (environment::variable("TMPDIR").is_none() && free >= ROOM_GIB).then_some(FOLDER)
}

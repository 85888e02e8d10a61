//! Card data is in the server's memory, so a crash must not leave it in a core dump.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Disables core dumps, and on Linux access to the memory by other processes of the same user
/// (`ptrace`, `/proc/<pid>/mem`). If the system does not permit this, the server runs anyway.
pub(crate) fn forbid() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be disabled");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "the memory could not be protected from other processes");
    }
}

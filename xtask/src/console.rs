//! What the person in front of the screen sees while a command works. All of it goes to standard error,
//! so that standard output carries only what was asked for.

/// The title of a step.
pub(crate) fn heading(title: &str) {
    eprintln!("\n==> {title}");
}

/// One line under a title.
pub(crate) fn note(line: &str) {
    eprintln!("    {line}");
}

/// Something that nobody should overlook.
pub(crate) fn loud(line: &str) {
    eprintln!("\n    !!! {line}\n");
}

//! The only place of this crate that prints.

/// Prints a line for people.
#[expect(
    clippy::print_stdout,
    reason = "a developer's tool answers on standard output"
)]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints what went wrong.
#[expect(
    clippy::print_stderr,
    reason = "a developer's tool complains on standard error"
)]
pub(crate) fn error(text: &str) {
    eprintln!("{text}");
}

//! Where printed text goes: standard output and standard error, or whoever runs a command in this
//! process and wants to hear it.

use std::cell::RefCell;
use std::io::Write;

/// What a command said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

tokio::task_local! {
    static HEARD: RefCell<Spoken>;
}

/// Runs work and keeps what it prints, instead of printing it.
pub async fn overheard<T>(work: impl Future<Output = T>) -> (T, Spoken) {
    HEARD
        .scope(RefCell::default(), async {
            let done = work.await;
            (done, HEARD.with(RefCell::take))
        })
        .await
}

/// Prints on standard output. `false` when nobody reads any more: no reason to panic.
pub(super) fn out(text: &str) -> bool {
    let heard = HEARD.try_with(|heard| heard.borrow_mut().out.push_str(text));
    heard.is_ok() || std::io::stdout().lock().write_all(text.as_bytes()).is_ok()
}

/// Prints on standard output what a person is to go on writing after.
pub(super) fn begin(text: &str) {
    if out(text) && HEARD.try_with(|_| ()).is_err() {
        // Nobody reads: the answer will say so.
        drop(std::io::stdout().lock().flush());
    }
}

/// Prints on standard error.
pub(super) fn err(text: &str) {
    let heard = HEARD.try_with(|heard| heard.borrow_mut().err.push_str(text));
    if heard.is_err() {
        // Standard error may be closed; then nobody is there to be told.
        drop(std::io::stderr().lock().write_all(text.as_bytes()));
    }
}

//! What a failed port means for a check. Not getting there is `unreachable`, getting there without
//! seeing is `unknown`; neither is ever `fail`.

use crate::failure::{Failure, FailureKind};
use cockpit_domain::baseline::Judgement;

/// The judgement of a look that a port could not take.
pub(super) fn could_not_look(failure: &Failure, unless_told: &str) -> Judgement {
    let fix = if failure.hint.is_empty() {
        unless_told.to_owned()
    } else {
        failure.hint.clone()
    };
    // A refusal without an answer of the far end is one on the way: login, host key, forward.
    let on_the_way = failure.kind == FailureKind::Denied && failure.answer.is_none();
    match failure.kind {
        FailureKind::Unreachable => Judgement::unreachable(&failure.to_string(), fix),
        _ if on_the_way => Judgement::unreachable(&failure.to_string(), fix),
        _ => Judgement::unknown(&failure.to_string(), "", fix),
    }
}

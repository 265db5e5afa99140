//! What a check expects, in one line: also for rows that could not be looked at.

use super::{binding, containers, http, listening, nginx, smoke};
use crate::pack::{Bound, Look};

/// One line for people.
pub fn expectation(look: &Look) -> String {
    match look {
        Look::Http(look) => http::expectation(look),
        Look::Nginx(look) => nginx::expectation(look),
        Look::Containers(look) => containers::expectation(look),
        Look::Listening(look) => listening::expectation(look),
        Look::Smoke(look) => smoke::expectation(look),
        Look::Binding(look) => match look.bound() {
            Some(Bound::Account(id)) => binding::expectation("account", id, look),
            Some(Bound::Channel(id)) => binding::expectation("channel", id, look),
            Some(Bound::Key(id)) => binding::expectation("key", id, look),
            None => String::new(),
        },
    }
}

//! What a check expects, in one line: also for rows that could not be looked at.

use super::{
    binding, command, compare, containers, file, http, listening, metrics, nginx, process, profile,
    service, smoke, sql, stacks, stored,
};
use crate::pack::{Bound, Look};

/// One line for people.
pub fn expectation(look: &Look) -> String {
    match look {
        Look::Http(look) => http::expectation(look),
        Look::Nginx(look) => nginx::expectation(look),
        Look::Containers(look) => containers::expectation(look),
        Look::Listening(look) => listening::expectation(look),
        Look::Process(look) => process::expectation(look),
        Look::File(look) => file::expectation(look),
        Look::Disk(look) => file::disk_expectation(look),
        Look::Service(look) => service::expectation(look),
        Look::Command(look) => command::expectation(look),
        Look::Sql(look) => sql::expectation(look),
        Look::Compare(look) => compare::expectation(look),
        Look::Metrics(look) => metrics::expectation(look),
        Look::Stacks(look) => stacks::expectation(look),
        Look::Stored(look) => stored::expectation(look),
        Look::Profile(look) => profile::expectation(look),
        Look::Smoke(look) => smoke::expectation(look),
        Look::Binding(look) => match look.bound() {
            Some(Bound::Account(id)) => binding::expectation("account", id, look),
            Some(Bound::Channel(id)) => binding::expectation("channel", id, look),
            Some(Bound::Key(id)) => binding::expectation("key", id, look),
            None => String::new(),
        },
    }
}

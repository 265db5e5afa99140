//! The effective nginx configuration: read from the text of `nginx -T`, asked what nginx would
//! really do with a request, held against a pack.

mod effective;
mod judge;
mod location;
mod parse;
mod path;
mod tokens;

pub use effective::{Effect, Server};
pub(super) use judge::expectation;
pub use judge::{judge_nginx, server_text};
pub use location::{Location, Modifier, Undecided, choose};
pub use parse::{Directive, NginxConfig};

#[cfg(test)]
mod tests;

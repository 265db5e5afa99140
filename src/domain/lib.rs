//! Pure types and rules of the cockpit. No async, no I/O, no clock, no name of any one system.

pub mod adopt;
pub mod baseline;
pub mod batch;
pub mod canonical;
pub mod finding;
pub mod host;
pub mod ids;
pub mod import;
pub mod inventory;
pub mod journal;
pub mod log;
pub mod model_answer;
pub mod neighbours;
pub mod new_host;
pub mod pack;
pub mod plan;
pub mod pool;
pub mod reconcile;
pub mod recorded;
pub mod repair;
pub mod resource;
pub mod rollback;
pub mod screen;
pub mod secret;
pub mod split;
pub mod text;

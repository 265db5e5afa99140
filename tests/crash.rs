//! Crash safety (`product.md` 4, journal): whatever moment the program or an answer is lost at,
//! nothing is left behind and nothing is there twice.

mod acts;
mod chance;
mod deleting;
mod kill;
mod knife;
mod leave;
mod lost;
mod prune;
mod repair;
mod repair_drift;
mod rivals;
mod scene;
mod self_service;
mod signals;
mod sweep;
mod user_key;

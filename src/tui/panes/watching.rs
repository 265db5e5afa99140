//! Which hosts are watched for drift, in the line of crumbs: what was found and how long ago, or the
//! banner that says that a rollback paused it.

use super::said::{age, is_stale};
use crate::content::{Cell, Note};
use crate::model::Model;
use crate::theme::Role;
use crate::update::role_of_watch;

/// The one that needs a person first, and how many more there are; nothing where none is watched.
pub(crate) fn watched(model: &Model) -> Note {
    let paused = model.watches.iter().find_map(|(host, watch)| {
        let paused = watch.paused.as_ref()?;
        Some((host, paused.batch.to_string()))
    });
    let mut said = match paused {
        Some((host, batch)) => {
            let said = [("host", host.as_str()), ("batch", batch.as_str())];
            let text = model.fill("watch.paused", &said);
            vec![Cell::new(format!("! {text}"), Role::Warn)]
        }
        None => on(model),
    };
    if model.watches.len() > 1 {
        said.push(Cell::muted(format!(" +{}", model.watches.len() - 1)));
    }
    said
}

fn on(model: &Model) -> Note {
    // The worst is told.
    let status = |watch: &crate::model::Watch| watch.last.as_ref().and_then(|last| last.status);
    let worst = model
        .watches
        .iter()
        .max_by_key(|(_, watch)| (watch.failed, status(watch)));
    let Some((host, watch)) = worst else {
        return Vec::new();
    };
    let mut said = vec![Cell::muted(
        model.fill("watch.on", &[("host", host.as_str())]),
    )];
    let Some(last) = &watch.last else {
        let key = if watch.failed {
            "watch.failed"
        } else {
            "watch.first"
        };
        let role = if watch.failed {
            Role::Warn
        } else {
            Role::Muted
        };
        said.push(Cell::new(format!(" {}", model.say(key)), role));
        return said;
    };
    let word = last
        .status
        .map(|status| format!("drift.{}", status.as_str()));
    let word = word.map(|key| model.say(&key)).unwrap_or_default();
    said.push(Cell::new(format!(" {word} "), role_of_watch(Some(watch))));
    let ago = age(model, last.at_ms);
    if watch.failed || is_stale(model, last.at_ms) {
        let told = format!("{ago}, {}", model.say("watch.failed"));
        said.push(Cell::new(told, Role::Warn));
    } else {
        said.push(Cell::muted(ago));
    }
    said
}

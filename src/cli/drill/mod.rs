//! The drill: the whole main job on a fresh lab, each step held against what the far ends saw.

mod evidence;
mod steps;

use crate::args::Drill;
use crate::dispatch::{Session, board};
use crate::exit;
use crate::output;
use cockpit_engine::failure::{Failure, Outcome};
use serde_json::{Value, json};
use std::time::Instant;

/// One step as told.
pub(super) struct Told {
    /// Its name.
    pub(super) step: &'static str,
    /// Whether it went well.
    pub(super) ok: bool,
    /// One line for people.
    pub(super) line: String,
    /// Everything else, for `--json`.
    pub(super) evidence: Value,
}

impl Told {
    /// A step that could not be done at all.
    pub(super) fn failed(step: &'static str, failure: &Failure) -> Self {
        Self {
            step,
            ok: false,
            line: failure.to_string(),
            evidence: json!({"error": {
                "kind": failure.kind, "doing": failure.doing, "message": failure.message, "hint": failure.hint,
            }}),
        }
    }
}

/// Plays the drill and gives its exit code.
pub(crate) async fn run(wanted: &Drill, session: &Session, json: bool) -> Outcome<u8> {
    let board = board(session)?;
    if let Some(fault) = &wanted.fault {
        board.set(fault).await?;
    }
    let mut teller = Teller {
        json,
        bad: Vec::new(),
        begun: Instant::now(),
    };
    steps::play(session, board.as_ref(), &mut teller).await;
    let stopped = session.stop.is_cancelled();
    let ok = teller.bad.is_empty() && !stopped;
    let took = teller.begun.elapsed().as_millis();
    let line = if stopped {
        format!("stopped by request ({took} ms)")
    } else if ok {
        format!("the main job runs from end to end ({took} ms)")
    } else {
        format!("went wrong at: {}", teller.bad.join(", "))
    };
    let evidence =
        json!({"failed_steps": teller.bad.clone(), "fault": wanted.fault, "took_ms": took});
    teller.tell(&Told {
        step: "verdict",
        ok,
        line,
        evidence,
    });
    Ok(if stopped {
        exit::TOOL
    } else if ok {
        exit::CLEAN
    } else {
        exit::FINDINGS
    })
}

/// Prints steps as they happen and remembers the bad ones.
pub(super) struct Teller {
    json: bool,
    bad: Vec<&'static str>,
    begun: Instant,
}

impl Teller {
    /// Tells a step. Returns whether it went well.
    pub(super) fn tell(&mut self, told: &Told) -> bool {
        if !told.ok && told.step != "verdict" {
            self.bad.push(told.step);
        }
        if self.json {
            let mut object = json!({"step": told.step, "ok": told.ok, "told": told.line});
            if let (Some(object), Value::Object(fields)) =
                (object.as_object_mut(), told.evidence.clone())
            {
                object.extend(fields);
            }
            output::line(&object.to_string());
        } else {
            let glyph = if told.ok { '+' } else { 'x' };
            output::line(&format!(
                "{glyph} {:<10} {}",
                told.step,
                told.line.replace('\n', "; ")
            ));
        }
        told.ok
    }
}

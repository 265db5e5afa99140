//! `baseline …`: running one, its history, and what is put aside.

use crate::args::{Baseline, Waive};
use crate::dispatch::{Session, call};
use crate::{exit, output, reports};
use cockpit_domain::baseline::read_until;
use cockpit_engine::baseline::{Aside, WaiverWish};
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Runs the command.
pub(crate) async fn run(words: Baseline, session: &Session, json: bool) -> Outcome<u8> {
    let (command, files) = match words {
        Baseline::Run {
            pack,
            due,
            junit,
            prometheus,
        } => (Command::BaselineRun { pack, due }, (junit, prometheus)),
        Baseline::History { check, pack, since } => {
            let since = Some(since);
            let command = Command::BaselineHistory { pack, check, since };
            (command, (None, None))
        }
        Baseline::Draft { of, out } => return draft(of, out.as_deref(), session, json).await,
        Baseline::Diff { a, b } => (Command::BaselineDiff { a, b }, (None, None)),
        Baseline::Waivers => (Command::BaselineWaivers, (None, None)),
        Baseline::Waive(words) => (put_aside(*words, session)?, (None, None)),
        Baseline::Show { .. } => {
            let found = "nobody took the command";
            return Err(Failure::new(FailureKind::Internal, found));
        }
    };
    let mut answer = call(session, command, json).await?;
    if let Answer::Baseline(report) = &mut answer {
        report.stand(session.handle.ports().clock.now_ms());
    }
    output::answer(&answer, json);
    if let Answer::Baseline(report) = &answer {
        if let Some(path) = &files.0 {
            reports::write(path, &reports::junit(report)?)?;
        }
        if let Some(path) = &files.1 {
            reports::write(path, &reports::prometheus(report)?)?;
        }
    }
    Ok(exit::of_answer(&answer))
}

/// Prints the draft, or writes it to a new file; what is not in it goes to standard error.
async fn draft(of: String, out: Option<&Path>, session: &Session, json: bool) -> Outcome<u8> {
    let answer = call(session, Command::BaselineDraft { of }, json).await?;
    let Answer::Draft(drafted) = &answer else {
        return Err(Failure::new(FailureKind::Internal, "no draft came back"));
    };
    if let Some(path) = out {
        write_new(path, &drafted.text).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("`{}`: {error}", path.display()))
                .doing("writing the draft")
                .hint("name a file that does not exist, in a folder that can be written to")
        })?;
    }
    match (json, out) {
        (true, _) => output::answer(&answer, json),
        (false, None) => drop(output::raw(&drafted.text)),
        (false, Some(path)) => drop(output::line(&format!(
            "{} checks written to {}; `cockpit pack check {}` reads it",
            drafted.checks,
            path.display(),
            path.display()
        ))),
    }
    if !json {
        for line in &drafted.left_out {
            output::note(&format!("left out: {line}"));
        }
    }
    Ok(exit::CLEAN)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn put_aside(words: Waive, session: &Session) -> Outcome<Command> {
    let aside = match (words.check, words.machine, words.host) {
        (Some(check), ..) => Aside::Check {
            pack: words.pack,
            check,
        },
        (None, Some(machine), _) => Aside::Machine(machine),
        (None, None, Some(host)) => Aside::Host(host),
        (None, None, None) => {
            return Err(
                Failure::new(FailureKind::Usage, "nothing is named to put aside")
                    .doing("reading the command line")
                    .hint("name a check, or add `--machine NAME` or `--host NAME`"),
            );
        }
    };
    if words.clear {
        return Ok(Command::BaselineClear { aside });
    }
    let now_ms = session.handle.ports().clock.now_ms();
    let until = words.until.unwrap_or_default();
    let until_ms = read_until(&until, now_ms, &session.zone).map_err(|wrong| {
        Failure::new(FailureKind::Usage, wrong)
            .doing("reading `--until`")
            .hint("such as `--until 3d` or `--until 2030-01-31`")
    })?;
    Ok(Command::BaselineWaive {
        wish: Box::new(WaiverWish {
            aside,
            reason: words.reason.unwrap_or_default(),
            until_ms,
            owner: words.owner,
        }),
    })
}

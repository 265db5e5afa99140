//! The clean-up's list of one stack: every line with the look that proves it. A look is a check of
//! the check engine, so that it says `could not look` where it could not.

use super::{find, production_on};
use crate::baseline;
use crate::context::Job;
use crate::failure::Outcome;
use cockpit_domain::baseline::{Verdict, not_named};
use cockpit_domain::ids::HostId;
use cockpit_domain::pack::{
    BaselinePack, Check, CommandLook, ContainersLook, FileLook, ListeningLook, Look, Pace, Pack,
    Place,
};
use cockpit_domain::stack::{CleanBy, CleanLine, CleanRow, MARK, Stack, StackState};
use serde::Serialize;

/// A stack as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackLook {
    /// The stack.
    pub stack: Stack,
    /// How it stands to its clean-up.
    pub state: StackState,
    /// What must be true when it is gone, and what is.
    pub gone: Vec<CleanRow>,
    /// What must be true while it stands: marked where it is kept, used by nobody outside.
    pub apart: Vec<CleanRow>,
}

/// A line and its look.
pub(crate) struct CleanCheck {
    /// The line.
    pub(crate) line: CleanLine,
    /// The look; `None` where nothing is to be looked at.
    pub(crate) check: Option<Check>,
}

/// Looks at a stack: what of it is still there, and whether anybody is sent to it.
pub async fn look(job: &Job, name: &HostId) -> Outcome<StackLook> {
    let (stack, others) = find(job, name).await?;
    let pack = pack_of(job, &stack)?;
    job.say(format!("looking at `{name}` on `{}`", stack.machine));
    let gone = checklist(&stack, &others, pack.as_ref());
    let apart = apart(&stack, pack.as_ref());
    let (gone, apart) = tokio::join!(
        rows(job, &stack, gone, pack.as_ref()),
        rows(job, &stack, apart, pack.as_ref())
    );
    Ok(StackLook {
        state: stack.state(job.now_ms()),
        stack,
        gone,
        apart,
    })
}

/// The pack of the production host beside it.
pub(crate) fn pack_of(job: &Job, stack: &Stack) -> Outcome<Option<BaselinePack>> {
    let Some(id) = production_on(job, &stack.machine).and_then(|host| host.baseline.as_ref())
    else {
        return Ok(None);
    };
    Ok(match job.ports.packs.read(id)? {
        Pack::Baseline(pack) => Some(pack),
        Pack::Provider(_) | Pack::Triage(_) => None,
    })
}

/// The document's list, in its order: stopped, its databases, its files, nginx, production.
pub(crate) fn checklist(
    stack: &Stack,
    others: &[Stack],
    pack: Option<&BaselinePack>,
) -> Vec<CleanCheck> {
    let mut lines = Vec::new();
    let rules = pack.map(|pack| pack.stacks.clone()).unwrap_or_default();
    lines.push(stopped(
        stack,
        "container",
        &stack.container,
        rules.stop_argv(&stack.container),
    ));
    lines.push(CleanCheck {
        line: line(
            "port",
            format!("nothing listens on port {}", stack.port),
            CleanBy::Ask,
        )
        .asking(format!(
            "stop the process that `cockpit stack show {}` names on port {}",
            stack.name, stack.port
        )),
        check: Some(own(
            stack,
            "port",
            Look::Listening(ListeningLook {
                expect: Vec::new(),
                banned_ports: vec![stack.port],
            }),
            "Stop the process that is named.",
        )),
    });
    for (at, database) in stack.databases.iter().enumerate() {
        let id = format!("database-{}", at + 1);
        let shared = others.iter().find(|other| stack.shares(database, other));
        let mut one = if database.starts_with('/') {
            gone(stack, &id, "database", database)
        } else {
            stopped(stack, &id, database, rules.stop_argv(database))
        };
        if let Some(other) = shared {
            let batch = stack.batch.as_deref().unwrap_or_default();
            one.line.excepted = Some(format!(
                "stack `{}` of the same batch {batch} still uses it",
                other.name
            ));
            one.check = None;
        }
        lines.push(one);
    }
    for (at, file) in stack.files.iter().enumerate() {
        let id = format!("{}-{}", file.kind, at + 1);
        lines.push(gone(stack, &id, file.kind.as_str(), &file.path));
    }
    lines.extend(unrouted(stack, pack, "nginx"));
    let Some(pack) = pack else { return lines };
    for id in &rules.proof {
        let Some(check) = pack.check(id) else {
            continue;
        };
        lines.push(CleanCheck {
            line: line(&format!("proof-{id}"), check.title.clone(), CleanBy::Look),
            check: Some(Check {
                parents: Vec::new(),
                pace: Pace::default(),
                ..check.clone()
            }),
        });
    }
    lines
}

/// What must be true while a stack stands.
fn apart(stack: &Stack, pack: Option<&BaselinePack>) -> Vec<CleanCheck> {
    let mut lines = Vec::new();
    lines.extend(unrouted(stack, pack, "unrouted"));
    for check in pack.iter().flat_map(|pack| &pack.checks) {
        let (Look::Profile(profile), Place::Machine(machine)) = (&check.look, &check.vantage)
        else {
            continue;
        };
        let id = format!("unused-{}", check.id);
        let title = format!("no client is sent to port {}: {}", stack.port, profile.path);
        let look = Look::File(FileLook {
            path: profile.path.clone(),
            lacks: vec![format!(":{}", stack.port)],
            ..FileLook::default()
        });
        let next = "Put production's address into the profile again.";
        lines.push(CleanCheck {
            check: Some(Check::own(
                &id,
                &title,
                Place::Machine(machine.clone()),
                look,
                next,
            )),
            line: line(&id, title, CleanBy::Look),
        });
    }
    if stack.keep {
        lines.push(mark(stack));
    }
    lines
}

/// The mark of a stack that is kept on purpose: where it can be read back.
fn mark(stack: &Stack) -> CleanCheck {
    let (title, look, next) = match &stack.mark_file {
        Some(path) => (
            format!("marked {MARK} by {path}"),
            Look::File(FileLook {
                path: path.clone(),
                contains: vec![MARK.to_owned()],
                ..FileLook::default()
            }),
            format!("Write the word {MARK} into {path}."),
        ),
        None => (
            format!("container {} is labelled {MARK}", stack.container),
            Look::Command(CommandLook {
                argv: [
                    "docker",
                    "inspect",
                    "--format",
                    "{{json .Config.Labels}}",
                    &stack.container,
                ]
                .map(str::to_owned)
                .to_vec(),
                contains: vec![MARK.to_owned()],
                ..CommandLook::default()
            }),
            format!(
                "Make the container anew with `--label {MARK}=true`, or register the stack with `--mark-file PATH`."
            ),
        ),
    };
    CleanCheck {
        check: Some(Check::own(
            "mark",
            &title,
            Place::Machine(stack.machine.clone()),
            look,
            next,
        )),
        line: line("mark", title, CleanBy::Look),
    }
}

fn line(id: &str, title: String, by: CleanBy) -> CleanLine {
    CleanLine {
        id: id.to_owned(),
        title,
        by,
        argv: Vec::new(),
        ask: String::new(),
        excepted: None,
    }
}

trait Asking {
    fn asking(self, what: String) -> Self;
}

impl Asking for CleanLine {
    fn asking(mut self, what: String) -> Self {
        self.ask = what;
        self
    }
}

fn own(stack: &Stack, id: &str, look: Look, next: &str) -> Check {
    Check::own(id, id, Place::Machine(stack.machine.clone()), look, next)
}

/// A container that must not run.
fn stopped(stack: &Stack, id: &str, name: &str, argv: Vec<String>) -> CleanCheck {
    let look = Look::Containers(ContainersLook {
        banned: vec![name.to_owned()],
        ..ContainersLook::default()
    });
    CleanCheck {
        line: CleanLine {
            argv,
            ..line(id, format!("container {name} does not run"), CleanBy::Do)
        },
        check: Some(own(stack, id, look, &format!("Stop container {name}."))),
    }
}

/// A file that must be gone from where it was.
fn gone(stack: &Stack, id: &str, kind: &str, path: &str) -> CleanCheck {
    let look = Look::File(FileLook {
        path: path.to_owned(),
        absent: true,
        ..FileLook::default()
    });
    CleanCheck {
        line: line(
            id,
            format!("{kind} file {path} is gone or archived"),
            CleanBy::Ask,
        )
        .asking(format!("remove {path}, or move it to the archive")),
        check: Some(own(
            stack,
            id,
            look,
            &format!("Remove {path} or move it away."),
        )),
    }
}

/// That the effective nginx configuration does not name the stack; only where a pack looks at nginx.
fn unrouted(stack: &Stack, pack: Option<&BaselinePack>, id: &str) -> Option<CleanCheck> {
    let here = Place::Machine(stack.machine.clone());
    let looked_at = |check: &Check| matches!(check.look, Look::Nginx(_)) && check.vantage == here;
    pack.filter(|pack| pack.checks.iter().any(looked_at))?;
    let title = format!(
        "nginx names neither port {} nor {}",
        stack.port, stack.container
    );
    let next = "A person removes the named line, then `nginx -t` and a reload.";
    Some(CleanCheck {
        check: Some(own(stack, id, Look::Nginx(not_named(stack)), next)),
        line: line(id, title, CleanBy::Look),
    })
}

/// Takes every look of a list, all at once.
pub(crate) async fn rows(
    job: &Job,
    stack: &Stack,
    list: Vec<CleanCheck>,
    pack: Option<&BaselinePack>,
) -> Vec<CleanRow> {
    let checks: Vec<Check> = list.iter().filter_map(|one| one.check.clone()).collect();
    let host = production_on(job, &stack.machine).map(|host| host.id.clone());
    let report = baseline::run_own(job, checks, pack, host).await;
    let mut results = report.results.into_iter();
    list.into_iter()
        .map(|one| match one.check.and_then(|_| results.next()) {
            Some(row) => CleanRow {
                line: one.line,
                verdict: row.verdict,
                found: row.found,
            },
            None => CleanRow {
                found: one.line.excepted.clone().unwrap_or_default(),
                line: one.line,
                verdict: Verdict::Waived,
            },
        })
        .collect()
}

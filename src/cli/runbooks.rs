//! `runbook …`: beginning a run, going on with it, and, on a terminal, asking the person at it.

use crate::args::{Resume, Runbook};
use crate::dispatch::{Session, approval, call};
use crate::{exit, output};
use cockpit_domain::runbook::{Mark, Run, RunState};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::runbook::{NewWalk, Word};
use std::io::{BufRead, IsTerminal};
use tokio::sync::oneshot;

/// Runs the command.
pub(crate) async fn run(words: Runbook, session: &Session, json: bool) -> Outcome<u8> {
    let command = match words {
        Runbook::List => Command::RunbookList,
        Runbook::Show { book } => Command::RunbookShow { book },
        Runbook::Runs { run } => Command::RunbookRuns { run },
        Runbook::Run {
            book,
            host,
            machine,
        } => {
            let walk = NewWalk {
                book,
                host,
                machine,
                begin_only: false,
            };
            return conduct(Command::RunbookRun { walk }, session, json).await;
        }
        Runbook::Back { run } => {
            return conduct(Command::RunbookBack { run }, session, json).await;
        }
        Runbook::Resume(resume) => {
            let run = resume.run;
            let word = word(resume);
            return conduct(Command::RunbookResume { run, word }, session, json).await;
        }
    };
    let answer = call(session, command, json).await?;
    output::answer(&answer, json);
    Ok(exit::of_answer(&answer))
}

/// What is said to a run.
fn word(resume: Resume) -> Word {
    let said = resume.word.yes.is_some();
    match (resume.answer, resume.stop) {
        (Some(answer), _) => Word::Answer(answer),
        (None, Some(reason)) => Word::Stop(reason),
        (None, None) if resume.skip => Word::Skip,
        (None, None) if said => Word::Approve(approval(resume.word)),
        (None, None) => Word::GoOn,
    }
}

/// Walks until the run is over or waits for a person who is not here.
pub(crate) async fn conduct(first: Command, session: &Session, json: bool) -> Outcome<u8> {
    let here = !json && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut command = first;
    let mut told = 0;
    loop {
        let run = match walk(session, command, json).await {
            Ok(run) => run,
            // What was typed was no answer: asked again. A run that did not begin has no question.
            Err((failure, Some(run))) if here && may_ask_again(&failure) => {
                output::failure(&failure, json);
                run
            }
            Err((failure, _)) => return Err(failure),
        };
        let (id, state) = (run.id, run.state);
        if here && !state.is_over() {
            told = output::run_news(&run, told);
            if let Some(word) = ask(&run, session).await {
                command = Command::RunbookResume { run: id, word };
                continue;
            }
        }
        let answer = Answer::Run(run);
        output::answer(&answer, json);
        return Ok(exit::of_answer(&answer));
    }
}

fn may_ask_again(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Usage | FailureKind::Denied)
}

type Walked = Result<Box<Run>, (Failure, Option<Box<Run>>)>;

/// One command, and every step after it that needs no person.
async fn walk(session: &Session, command: Command, json: bool) -> Walked {
    let about = match &command {
        Command::RunbookResume { run, .. } => Some(*run),
        _ => None,
    };
    let failed = match step(session, command, json).await {
        Ok(run) if run.state == RunState::Open => {
            let word = Word::GoOn;
            let on = Command::RunbookResume { run: run.id, word };
            return step(session, on, json)
                .await
                .map_err(|failure| (failure, None));
        }
        Ok(run) => return Ok(run),
        Err(failure) => failure,
    };
    let run = match about {
        Some(run) => step(session, Command::RunbookRuns { run: Some(run) }, json).await,
        None => return Err((failed, None)),
    };
    Err((failed, run.ok()))
}

async fn step(session: &Session, command: Command, json: bool) -> Outcome<Box<Run>> {
    match call(session, command, json).await? {
        Answer::Run(run) => Ok(run),
        other => {
            let found = format!("a run was asked for: {other:?}");
            Err(Failure::new(FailureKind::Internal, found))
        }
    }
}

/// Asks the person at the terminal; `None` when they leave.
async fn ask(run: &Run, session: &Session) -> Option<Word> {
    let step = run.current()?;
    let typed = match step.mark {
        Mark::Planned => {
            let planned = step.plan.as_ref()?;
            let head: String = planned.plan_hash.chars().take(12).collect();
            output::prompt(&format!("type {head} to do it, `skip`, or `stop`: "));
            let typed = line(session).await?;
            match typed.as_str() {
                "skip" => return Some(Word::Skip),
                "stop" => return stop(session).await,
                "" => return None,
                _ => {}
            }
            let mut approval = Approval {
                hash: typed,
                ..Approval::default()
            };
            if planned.wants_name {
                output::prompt("this is production: type the name of its host: ");
                approval.host_name = Some(line(session).await?);
                output::prompt("why: ");
                approval.reason = Some(line(session).await?);
            }
            return Some(Word::Approve(approval));
        }
        Mark::Held => {
            output::prompt("`again` to take it again, `skip` what would be done, or `stop`: ");
            line(session).await?
        }
        Mark::Asked | Mark::Unknown => {
            output::prompt("answer, or `stop`: ");
            line(session).await?
        }
        _ => return None,
    };
    match (typed.as_str(), step.mark) {
        ("stop", _) => stop(session).await,
        ("again", Mark::Held) => Some(Word::GoOn),
        ("skip", Mark::Held) => Some(Word::Skip),
        (_, Mark::Held) | ("", _) => None,
        _ => Some(Word::Answer(typed)),
    }
}

async fn stop(session: &Session) -> Option<Word> {
    output::prompt("why: ");
    line(session).await.map(Word::Stop)
}

/// A line of the person's; `None` at the end of the input or when the program is to end.
async fn line(session: &Session) -> Option<String> {
    let (give, take) = oneshot::channel();
    // A thread of its own: a read that nobody answers must not keep the program.
    let read = move || {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_line(&mut text);
        let text = matches!(read, Ok(bytes) if bytes > 0).then(|| text.trim().to_owned());
        drop(give.send(text));
    };
    drop(
        std::thread::Builder::new()
            .name("answer".to_owned())
            .spawn(read),
    );
    tokio::select! {
        typed = take => typed.ok().flatten(),
        () = session.stop.cancelled() => None,
    }
}

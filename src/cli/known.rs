//! Commands that tell what is known already: no look, no network, the same rows the screen shows
//! on its first frame.

use crate::args::{Audit, Baseline, Host, Machine, Noun, Probe};
use crate::dispatch::Session;
use crate::{exit, output};
use cockpit_domain::ids::PackId;
use cockpit_engine::board::{Board, Known};
use cockpit_engine::command::Answer;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::sync::Arc;

/// Tells it, if this is such a command.
pub(crate) async fn tell(noun: &Noun, session: &Session, json: bool) -> Option<Outcome<u8>> {
    Some(match noun {
        Noun::Baseline(Baseline::Show { pack }) => baseline(pack.as_ref(), session, json).await,
        Noun::Host(Host::List) => hosts(session, json).await,
        Noun::Machine(Machine::List) => machines(session, json).await,
        Noun::Probe(Probe::List) => probes(session, json).await,
        Noun::Audit(Audit::List { most }) => audit(*most, session, json).await,
        _ => return None,
    })
}

/// The board as the store remembers it, and what time it is.
async fn board(session: &Session) -> Outcome<(Arc<Board>, i64)> {
    session.handle.recall().await?;
    let board = Arc::clone(&session.handle.watch().borrow().board);
    Ok((board, session.handle.ports().clock.now_ms()))
}

async fn baseline(pack: Option<&PackId>, session: &Session, json: bool) -> Outcome<u8> {
    let (board, now_ms) = board(session).await?;
    let (pack, run) = last_run(&board, pack)?;
    // What was seen too long ago says nothing about now.
    let mut run = Known {
        at_ms: run.at_ms,
        value: run.value.at(now_ms),
    };
    run.value.stand(now_ms);
    let trouble = board.baseline_troubles.get(pack);
    output::last_baseline(&run, trouble, now_ms, json);
    Ok(exit::of_answer(&Answer::Baseline(run.value.clone())))
}

/// The run that is meant: of the pack named, or the only one.
fn last_run<'a>(
    board: &'a Board,
    pack: Option<&'a PackId>,
) -> Outcome<(
    &'a PackId,
    &'a Known<cockpit_domain::baseline::BaselineReport>,
)> {
    let refuse = |message: String, hint: &str| {
        Err(Failure::new(FailureKind::Usage, message)
            .doing("looking up the last run")
            .hint(hint.to_owned()))
    };
    let run = "`cockpit baseline run` makes one";
    let mut known = board.baselines.iter();
    match (pack, known.next(), known.next()) {
        (Some(pack), ..) => match board.baselines.get(pack) {
            Some(found) => Ok((pack, found)),
            None => refuse(format!("no run of `{pack}` is known"), run),
        },
        (None, Some(only), None) => Ok(only),
        (None, None, _) => refuse("no run of a baseline is known".to_owned(), run),
        (None, Some(_), Some(_)) => {
            let known: Vec<&str> = board.baselines.keys().map(PackId::as_str).collect();
            let message = format!("runs of several baselines are known: {}", known.join(", "));
            refuse(message, "name one with `--pack`")
        }
    }
}

async fn hosts(session: &Session, json: bool) -> Outcome<u8> {
    let (board, now_ms) = board(session).await?;
    output::hosts(session.handle.settings(), &board, now_ms, json);
    Ok(exit::CLEAN)
}

async fn machines(session: &Session, json: bool) -> Outcome<u8> {
    let (board, now_ms) = board(session).await?;
    output::machines(&board, now_ms, json);
    Ok(exit::CLEAN)
}

async fn probes(session: &Session, json: bool) -> Outcome<u8> {
    let (board, now_ms) = board(session).await?;
    output::last_probes(&board, now_ms, json);
    let all = board.probes.values().flat_map(|known| &known.value);
    Ok(exit::of_answer(&Answer::Probes(all.cloned().collect())))
}

async fn audit(most: usize, session: &Session, json: bool) -> Outcome<u8> {
    let rows = session.handle.ports().store.audit(most).await?;
    output::audit(&rows, json);
    Ok(exit::CLEAN)
}

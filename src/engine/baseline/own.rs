//! A pack's own command: run only when the pack is trusted.

use super::facts;
use super::machines::{as_tool, machine_of, ran};
use super::run::Shared;
use super::tools::Seen;
use cockpit_domain::baseline::{Judgement, did_not_run, judge_command, too_long};
use cockpit_domain::pack::{Check, CommandLook};

/// The judgement of what only a trusted pack may do.
pub(super) fn untrusted(shared: &Shared, what: &str, words: &str) -> Judgement {
    let pack = &shared.pack;
    Judgement::unknown(
        &format!("pack `{pack}` brings {what} and is not trusted"),
        words,
        format!(
            "Read the pack; `cockpit pack check {pack}` prints the line for [trust] of the config."
        ),
    )
}

/// Runs the command and judges what it left behind.
pub(super) async fn command(shared: &Shared, check: &Check, look: &CommandLook) -> Seen {
    if !shared.context.trusted {
        return Err(untrusted(shared, "a command", &look.argv.join(" ")));
    }
    let machine = machine_of(check)?;
    let output = ran(shared, check, &look.argv).await?;
    let words = look.argv.join(" ");
    let tool = as_tool(&output, &words, &look.argv, machine);
    if let Some(judgement) = too_long(&tool).or_else(|| did_not_run(&tool)) {
        return Err(judgement);
    }
    let judgement = judge_command(
        look,
        output.status,
        &output.stdout,
        &output.stderr,
        shared.context.clock.now_ms(),
    );
    Ok(shared.finding(check, judgement, |fact| match fact {
        "output" => Some(output.stdout.clone()),
        _ => facts::field_of(&output.stdout, fact),
    }))
}

//! A pack's own command: run only when the pack is trusted.

use super::machines::{as_tool, machine_of, ran};
use super::run::Shared;
use super::tools::Seen;
use cockpit_domain::baseline::{Judgement, did_not_run, judge_command, too_long};
use cockpit_domain::pack::{Check, CommandLook};

/// Runs the command and judges what it left behind.
pub(super) async fn command(shared: &Shared, check: &Check, look: &CommandLook) -> Seen {
    if !shared.context.trusted {
        let pack = &shared.pack;
        return Err(Judgement::unknown(
            &format!("pack `{pack}` brings a command and is not trusted"),
            &look.argv.join(" "),
            format!(
                "Read the pack; `cockpit pack check {pack}` prints the line for [trust] of the config."
            ),
        ));
    }
    let machine = machine_of(check)?;
    let output = ran(shared, check, &look.argv).await?;
    let words = look.argv.join(" ");
    let tool = as_tool(&output, &words, &look.argv, machine);
    if let Some(judgement) = too_long(&tool).or_else(|| did_not_run(&tool)) {
        return Err(judgement);
    }
    Ok(judge_command(
        look,
        output.status,
        &output.stdout,
        &output.stderr,
        shared.context.clock.now_ms(),
    ))
}

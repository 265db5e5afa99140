//! What a pack's own command left behind, against what it must say.

use super::fields::{self, field_faults};
use super::file::content_faults;
use super::judgement::Judgement;
use crate::pack::CommandLook;
use crate::text::shorten;
use serde_json::Value;

/// Judges a command. `status` is `None` when a signal ended it.
pub fn judge_command(
    look: &CommandLook,
    status: Option<i32>,
    stdout: &str,
    stderr: &str,
    now_ms: i64,
) -> Judgement {
    let mut faults = Vec::new();
    if status != Some(look.status) {
        let ended = status.map_or("was killed".to_owned(), |code| format!("ended with {code}"));
        let line = first_line(stderr).or_else(|| first_line(stdout));
        let said = line.map_or(String::new(), |line| format!(": {}", shorten(line, 120)));
        faults.push(format!("{ended}{said}, expected {}", look.status));
    }
    faults.extend(content_faults(&look.content(), stdout));
    if !look.fields.is_empty() {
        match serde_json::from_str::<Value>(stdout.trim()) {
            Ok(value) => faults.extend(field_faults(&look.fields, &value, now_ms)),
            Err(_) => faults.push("it prints no JSON".to_owned()),
        }
    }
    let said = first_line(stdout).map_or(String::new(), |line| format!(": {}", shorten(line, 120)));
    let good = format!("ended with {}{said}", look.status);
    let evidence = format!("{}\n{stdout}\n{stderr}", look.argv.join(" "));
    Judgement::of_faults(expectation(look), &faults, &good, evidence.trim())
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

pub(super) fn expectation(look: &CommandLook) -> String {
    let mut parts = vec![format!(
        "`{}` ends with {}",
        look.argv.join(" "),
        look.status
    )];
    parts.extend(look.contains.iter().map(|text| format!("prints `{text}`")));
    parts.extend(look.lacks.iter().map(|text| format!("without `{text}`")));
    parts.extend(look.lines.iter().map(|text| format!("a line `{text}`")));
    parts.extend(fields::expectations(&look.fields));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Verdict;
    use crate::pack::FieldRule;

    #[test]
    fn status_text_and_fields_are_judged() {
        let look = CommandLook {
            argv: vec!["tool".to_owned(), "status".to_owned()],
            contains: vec!["ready".to_owned()],
            fields: vec![FieldRule {
                path: "agents".to_owned(),
                max: Some(5.0),
                ..FieldRule::default()
            }],
            ..CommandLook::default()
        };
        let judged =
            |status, stdout: &str| judge_command(&look, status, stdout, "tool: no gateway\n", 0);
        let good = judged(Some(0), "{\"ready\":true,\"agents\":3}\n");
        assert_eq!(good.verdict, Verdict::Ok, "{}", good.found);
        assert_eq!(
            judged(Some(1), "{\"ready\":true,\"agents\":6}").found,
            "ended with 1: tool: no gateway, expected 0\nagents is 6, expected at most 5"
        );
        assert_eq!(
            judged(None, "").found,
            "was killed: tool: no gateway, expected 0\n`ready` is not in it\nit prints no JSON"
        );
    }
}

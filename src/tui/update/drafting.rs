//! A baseline drafted from the screen: what stands on one of two siblings becomes a pack's text in a
//! new file.

use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::dialogs::Dialog;
use crate::model::{Asked, Model};
use crate::msg::{Effect, NewDraft};
use crate::place::Place;
use crate::target::Target;
use crate::theme::Role;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;

/// Drafts the one that is named, the first of two that stand beside each other, or the selected host.
pub(super) fn draft(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let first = match &model.trail.view().place {
        Place::Siblings(a, _) => Some(a.clone()),
        _ => aim.host.as_ref().map(ToString::to_string),
    };
    let Some(of) = words.get(0).map(str::to_owned).or(first) else {
        return arguments(model, Action::Draft);
    };
    let path = words.get(1).map_or_else(|| file_of(&of), str::to_owned);
    let asked = Asked::Draft(path);
    if model.is_asked(&asked) {
        return Vec::new();
    }
    let told = model.fill("toast.drafting", &[("name", &of)]);
    model.tell(told, Role::Text);
    ask(model, asked, Command::BaselineDraft { of })
}

/// Where a draft goes when nobody says: the folder that the cockpit was started in.
fn file_of(name: &str) -> String {
    format!("{}-baseline.toml", name.replace([':', '/'], "-"))
}

/// The draft is there: it is written, or why there is none is said.
pub(super) fn drafted(model: &mut Model, path: String, outcome: Outcome<Answer>) -> Vec<Effect> {
    match outcome {
        Ok(Answer::Draft(drafted)) => vec![Effect::WriteDraft(NewDraft {
            path,
            text: drafted.text,
            checks: drafted.checks,
            left_out: drafted.left_out.len(),
        })],
        Ok(_) => Vec::new(),
        Err(failure) => {
            model.dialog = Some(Dialog::failure(model, &failure));
            Vec::new()
        }
    }
}

/// It was written, with the whole path; or it was not, for the file is there already.
pub(super) fn written(model: &mut Model, outcome: Outcome<NewDraft>) {
    match outcome {
        Ok(draft) => {
            let (checks, left) = (draft.checks.to_string(), draft.left_out.to_string());
            let said = [
                ("path", draft.path.as_str()),
                ("checks", checks.as_str()),
                ("left", left.as_str()),
            ];
            model.tell(model.fill("toast.drafted", &said), Role::Ok);
        }
        Err(failure) => model.dialog = Some(Dialog::failure(model, &failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_its_sort_is_a_plain_file() {
        assert_eq!(file_of("prod"), "prod-baseline.toml");
        assert_eq!(file_of("machine:../edge"), "machine-..-edge-baseline.toml");
    }
}

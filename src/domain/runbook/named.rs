//! What the tables of a runbook name: checks of the pack, values, words of a command, rules.

use super::read::GIVEN;
use super::reader::Reader;
use super::values::{placeholders, whole};
use crate::finding::suggest;
use regex::Regex;
use toml::Spanned;

/// Shells, whose `-c` would read a value as a program.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "fish"];

impl Reader<'_> {
    /// A check of the pack.
    pub(super) fn check(&mut self, name: &Spanned<String>) {
        if !self.checks.contains(&name.get_ref().as_str()) {
            let hint = suggest(name.get_ref(), self.checks);
            self.fault(name.span(), "no check of the pack is called so", hint);
        }
    }

    /// Every value that a text wants is known by now.
    pub(super) fn known(&mut self, text: &Spanned<String>) {
        for name in placeholders(text.get_ref()) {
            if !self.vars.contains_key(name) && !self.values.contains(name) {
                let mut names: Vec<&str> = self.vars.keys().map(String::as_str).collect();
                names.extend(self.values.iter().map(String::as_str));
                let hint = suggest(name, &names);
                let finding = self.source.at(
                    text.span(),
                    "this wants a value that nothing before it gives",
                    hint,
                );
                self.findings.push(finding);
            }
        }
    }

    /// Words of a command: the program is fixed, and no shell reads a value.
    pub(super) fn words(&mut self, argv: &[Spanned<String>]) {
        for word in argv {
            self.known(word);
            if word.get_ref().contains('\0') {
                self.fault(word.span(), "this word holds a zero byte", "leave it out");
            }
        }
        let Some(program) = argv.first() else { return };
        if program.get_ref().trim().is_empty() || program.get_ref().contains("{{") {
            self.fault(
                program.span(),
                "the program is not named",
                "write its name; values are for its arguments",
            );
        }
        let shell = argv.iter().any(|word| {
            let name = word.get_ref().rsplit('/').next().unwrap_or_default();
            SHELLS.contains(&name)
        });
        if shell && let Some(value) = argv.iter().find(|word| word.get_ref().contains("{{")) {
            self.fault(
                value.span(),
                "a shell would read this value as a program",
                "name the program itself; there is no need for a shell",
            );
        }
    }

    pub(super) fn rule(&mut self, expression: &Spanned<String>) {
        if Regex::new(expression.get_ref()).is_err() || whole(expression.get_ref()).is_none() {
            self.fault(
                expression.span(),
                "this is no regular expression",
                "such as [a-z0-9-]+",
            );
        }
    }

    /// A step gives a value of this name.
    pub(super) fn names(&mut self, name: &Spanned<String>) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let text = name.get_ref();
        if text.is_empty() || !text.chars().all(plain) {
            self.fault(
                name.span(),
                "this value's name is not plain",
                "a-z, 0-9 and `_` only",
            );
        }
        if self.vars.contains_key(text) || GIVEN.contains(&text.as_str()) {
            self.fault(
                name.span(),
                "a value of this name is fixed when the run begins",
                "choose another name",
            );
        }
        self.values.insert(text.clone());
    }
}

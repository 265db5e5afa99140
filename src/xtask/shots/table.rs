//! The pictures: what each shows, at which size and in which look, and what is played for it.

use super::palette::{DARK, LIGHT, Palette};

/// One picture.
pub(super) struct Shot {
    /// Its file in `assets/`, without an ending.
    pub(super) name: &'static str,
    /// What stands in the window's bar, and what a screen reader says.
    pub(super) title: &'static str,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    pub(super) look: Look,
    /// `LANG` of the program.
    pub(super) language: &'static str,
    /// What is done to the lab from outside, before the screen is opened.
    pub(super) before: &'static [Before],
    /// What is played on the screen.
    pub(super) script: &'static [Step],
}

/// Colours of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Dark,
    Light,
}

impl Look {
    pub(super) fn palette(self) -> &'static Palette {
        match self {
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
        }
    }
}

/// Something done from the command line.
pub(super) enum Before {
    /// Switches a fault on.
    Fault(&'static str),
    /// Imports keys into the acceptance host, to the end.
    Import(&'static [&'static str]),
}

/// Something done on the screen.
pub(super) enum Step {
    /// Waits until a text is there.
    See(&'static str),
    /// Presses keys, as bytes.
    Keys(&'static str),
    /// Pastes text.
    Paste(&'static str),
}

use Before::{Fault, Import};
use Step::{Keys, Paste, See};

const KEYS: &[&str] = &["sk-lab-good-mine-0001", "sk-lab-good-mine-0002"];
const ENGLISH: &str = "en_US.UTF-8";
const CHINESE: &str = "zh_CN.UTF-8";

/// All of them.
pub(super) const SHOTS: &[Shot] = &[
    Shot {
        name: "baseline",
        title: "cockpit --lab: the baseline, worst first",
        size: (160, 45),
        look: Look::Dark,
        language: ENGLISH,
        before: &[],
        script: &[See("baseline")],
    },
    Shot {
        name: "baseline-80x24",
        title: "cockpit --lab at 80x24",
        size: (80, 24),
        look: Look::Dark,
        language: ENGLISH,
        before: &[],
        script: &[See("baseline")],
    },
    Shot {
        name: "fault",
        title: "cockpit --lab: nginx still points at the old port",
        size: (160, 45),
        look: Look::Dark,
        language: ENGLISH,
        before: &[Fault("nginx-old-port")],
        script: &[See("nginx")],
    },
    Shot {
        name: "batch",
        title: "cockpit --lab: one import, key by key",
        size: (120, 40),
        look: Look::Dark,
        language: ENGLISH,
        before: &[Import(KEYS)],
        script: &[See("baseline"), Keys("3"), See("batch"), Keys("\r")],
    },
    Shot {
        name: "import-plan",
        title: "cockpit --lab: what an import would do",
        size: (120, 40),
        look: Look::Dark,
        language: ENGLISH,
        before: &[],
        script: &[
            See("baseline"),
            Keys("I"),
            See("keys"),
            Paste("sk-lab-good-mine-0001\n"),
        ],
    },
    Shot {
        name: "log",
        title: "cockpit --lab: logs of every host in one list",
        size: (120, 40),
        look: Look::Light,
        language: ENGLISH,
        before: &[],
        script: &[See("baseline"), Keys("5"), See("log")],
    },
    Shot {
        name: "zh",
        title: "cockpit --lab, 简体中文",
        size: (120, 40),
        look: Look::Dark,
        language: CHINESE,
        before: &[],
        script: &[See("基线")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_picture_has_a_name_of_its_own_and_waits_for_something() {
        let names: BTreeSet<&str> = SHOTS.iter().map(|shot| shot.name).collect();
        assert_eq!(names.len(), SHOTS.len());
        for shot in SHOTS {
            let waits = shot.script.iter().any(|step| matches!(step, See(_)));
            assert!(waits, "{} would show whatever is there first", shot.name);
        }
    }
}

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
    /// Faults of the lab that are on before the screen is opened.
    pub(super) faults: &'static [&'static str],
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

/// Something done on the screen.
pub(super) enum Step {
    /// Waits until a text is there.
    See(&'static str),
    /// Presses keys, as bytes.
    Keys(&'static str),
    /// Pastes text.
    Paste(&'static str),
    /// Waits until nothing has been drawn for a moment.
    Rest,
}

use Step::{Keys, Paste, Rest, See};

/// Two that work and one that the vendor does not know.
const KEYS: &str = "sk-lab-good-mine-0001\nsk-lab-good-mine-0003\nsk-lab-bad-mine-0009\n";
const ENGLISH: &str = "en_US.UTF-8";
const CHINESE: &str = "zh_CN.UTF-8";

/// What the README's pictures are wide: letters stay readable in a column of text.
const USUAL: (u16, u16) = (100, 27);

/// All of them.
pub(super) const SHOTS: &[Shot] = &[
    Shot {
        name: "fault",
        title: "cockpit: what is broken, and the one thing to do",
        size: USUAL,
        look: Look::Dark,
        language: ENGLISH,
        faults: &["binding-lost"],
        script: &[See("FAIL")],
    },
    Shot {
        name: "confirm",
        title: "cockpit: a repair of production, confirmed by name and reason",
        size: USUAL,
        look: Look::Dark,
        language: ENGLISH,
        faults: &["binding-lost"],
        script: &[
            See("FAIL"),
            Keys("P"),
            See("Repair  plan/"),
            Keys(":arm prod 10m\r"),
            See("ARMED prod"),
            Keys("a"),
            See("host's name"),
            // What is typed before it could be read is thrown away.
            Rest,
            Keys("prod\taccount 7 lost its group\t"),
            See("account 7 lost its group"),
        ],
    },
    Shot {
        name: "plan",
        title: "cockpit: what an import would do, before anything is written",
        size: USUAL,
        look: Look::Light,
        language: ENGLISH,
        faults: &[],
        script: &[
            See("nothing is broken"),
            Keys(":theme light\r"),
            Keys(":import accept lab\r"),
            See("Import keys"),
            Paste(KEYS),
            See("not shown: keys 3"),
            Keys("\r"),
            See("Import  plan/"),
        ],
    },
    Shot {
        name: "import",
        title: "cockpit: an import, key by key, proven with an ordinary user's key",
        size: USUAL,
        look: Look::Dark,
        language: ENGLISH,
        faults: &[],
        script: &[
            See("nothing is broken"),
            Keys(":import accept lab\r"),
            See("Import keys"),
            Paste(KEYS),
            See("not shown: keys 3"),
            Keys("\r"),
            See("Import  plan/"),
            Keys(":arm accept 10m\r"),
            See("ARMED accept"),
            Keys("a"),
            See("Cancel"),
            Rest,
            Keys("y"),
            See("served by our account"),
            See("401"),
        ],
    },
    Shot {
        name: "wide",
        title: "cockpit at 160x45: list, details and log lines side by side",
        size: (160, 45),
        look: Look::Dark,
        language: ENGLISH,
        faults: &["upstream-quota"],
        script: &[See("FAIL")],
    },
    Shot {
        name: "zh",
        title: "cockpit, 简体中文",
        size: USUAL,
        look: Look::Dark,
        language: CHINESE,
        faults: &["nginx-old-port"],
        script: &[See("不通过")],
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

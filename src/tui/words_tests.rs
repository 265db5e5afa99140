//! The catalogues against each other and against the code: equal keys, equal arguments, no key
//! that is missing, none that nothing says, and words that fit where they stand.

use crate::actions::{ACTIONS, Action, Scope};
use crate::words::Lang;
use cockpit_domain::baseline::Verdict;
use cockpit_domain::batch::{
    AccessMode, AccessStatus, AccountStatus, BatchKind, BatchStatus, CompletionClass, ImportMode,
    Interruption, ItemStage,
};
use cockpit_domain::host::Role;
use cockpit_domain::journal::StepState;
use cockpit_domain::pack::{Layer, Level};
use cockpit_domain::pool::{Because, HostSide, Proof, Reason};
use cockpit_domain::resource::Origin;
use cockpit_domain::runbook::{Mark, RunState};
use cockpit_domain::siblings::FactKind;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::probe::ProbeClass;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Catalogue = BTreeMap<String, String>;

fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn catalogue(lang: Lang) -> Catalogue {
    fn flatten(prefix: &str, table: &toml::Table, found: &mut Catalogue) {
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            match value {
                toml::Value::Table(inner) => flatten(&format!("{key}."), inner, found),
                toml::Value::String(text) => drop(found.insert(key, text.clone())),
                toml::Value::Integer(_) if key == "_version" => {}
                other => panic!("{key} is no text: {other}"),
            }
        }
    }
    let path = crate_root().join(format!("locales/{}.toml", lang.code()));
    let table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let mut found = Catalogue::new();
    flatten("", &table, &mut found);
    found
}

/// The `name` of every `%{name}`.
fn arguments(text: &str) -> BTreeSet<&str> {
    text.split("%{")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}

/// Every source of this crate but its tests: path and text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![crate_root().to_owned()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with("_tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !name.ends_with("tests.rs")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
                sources.push((path, code.to_owned()));
            }
        }
    }
    sources
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// Whether a piece of source between two quotes has the shape of a key, and is no file's name.
fn is_key(piece: &str) -> bool {
    matches!(piece.split_once('.'), Some((group, name))
        if is_word(group) && is_word(name) && !matches!(name, "toml" | "rs" | "json"))
}

/// `pane.` for a piece such as `pane.{}`: what stands in front of a word made at run time.
fn made_prefix(piece: &str) -> Option<&str> {
    let prefix = &piece[..piece.find('{')?];
    let (group, rest) = prefix.split_once('.')?;
    (is_word(group) && (rest.is_empty() || is_word(rest))).then_some(prefix)
}

/// The words that a `match self` of a file gives, such as the names of places.
fn words_given_in(file: &str, known: &str) -> Vec<String> {
    let text = std::fs::read_to_string(crate_root().join(file)).unwrap();
    let words: Vec<String> = text
        .lines()
        .filter(|line| line.trim_start().starts_with("Self::"))
        .filter_map(|line| line.trim_end().strip_suffix("\",")?.split_once("=> \""))
        .map(|(_, word)| word.to_owned())
        .collect();
    assert!(words.iter().any(|word| word == known), "{file}: {words:?}");
    words
}

fn class_words() -> Vec<String> {
    use ProbeClass::{
        Auth, ModelMissing, NoAccount, Ok, Quota, RateLimited, Skipped, Unexpected, Unreachable,
    };
    // A class that is new stops the build here: it belongs into the list as well.
    let listed = |class: ProbeClass| match class {
        Ok | Unreachable | Auth | Quota | RateLimited | NoAccount | ModelMissing | Unexpected
        | Skipped => class,
    };
    [
        Ok,
        Unreachable,
        Auth,
        Quota,
        RateLimited,
        NoAccount,
        ModelMissing,
        Unexpected,
        Skipped,
    ]
    .into_iter()
    .map(|class| serde_json::to_value(listed(class)).unwrap())
    .map(|name| name.as_str().unwrap().to_owned())
    .collect()
}

fn origin_words() -> Vec<String> {
    let listed = |origin: Origin| match origin {
        Origin::Created | Origin::Adopted | Origin::Corrected | Origin::Parked => {
            origin.as_str().to_owned()
        }
    };
    [
        Origin::Created,
        Origin::Adopted,
        Origin::Corrected,
        Origin::Parked,
    ]
    .map(listed)
    .into()
}

fn failure_words() -> Vec<String> {
    FailureKind::ALL
        .map(|kind| serde_json::to_value(kind).unwrap())
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

fn level_words() -> Vec<String> {
    let listed = |level: Level| match level {
        Level::Info | Level::Should | Level::Must => level.as_str().to_owned(),
    };
    [Level::Info, Level::Should, Level::Must].map(listed).into()
}

fn role_words() -> Vec<String> {
    let listed = |role: Role| match role {
        Role::Production | Role::Acceptance | Role::Temporary => role.as_str().to_owned(),
    };
    [Role::Production, Role::Acceptance, Role::Temporary]
        .map(listed)
        .into()
}

/// One group of keys whose last part is made at run time.
struct Family {
    prefix: &'static str,
    members: Vec<String>,
    /// Cells its words may take, where room is short.
    cells: usize,
}

fn families() -> Vec<Family> {
    fn family<W: ToString>(
        prefix: &'static str,
        members: impl IntoIterator<Item = W>,
        cells: usize,
    ) -> Family {
        Family {
            prefix,
            members: members.into_iter().map(|word| word.to_string()).collect(),
            cells,
        }
    }
    let kinds = words_given_in("plan.rs", "rollback");
    let keyless = BatchKind::ALL.iter().filter(|kind| !kind.has_keys());
    let in_bar = ACTIONS.iter().filter(|row| row.bar > 0);
    vec![
        family("action.", ACTIONS.iter().map(|row| row.name), 66),
        family("bar.", in_bar.map(|row| row.name), 10),
        family("scope.", Scope::ALL.map(Scope::name), 20),
        family("pane.", words_given_in("place.rs", "welcome"), 8),
        family(
            "tab.",
            crate::place::Place::PANES.map(|place| place.name()),
            5,
        ),
        family("act.", ["look", "ask", "do", "watch"], 6),
        family("mark.", Mark::ALL.map(Mark::as_str), 12),
        family("run.", RunState::ALL.map(RunState::as_str), 16),
        family("verdict.", Verdict::ALL.map(Verdict::as_str), 12),
        family("layer.", Layer::ALL.map(Layer::as_str), 13),
        family("level.", level_words(), 12),
        family("fact.", FactKind::ALL, 10),
        family("role.", role_words(), 12),
        family("class.", class_words(), 14),
        family("batch.", BatchStatus::ALL, 20),
        family("batch.is-", keyless, 20),
        family("access.", AccessStatus::ALL, 30),
        family("upstream.", CompletionClass::ALL, 40),
        family("origin.", origin_words(), 10),
        family("step.", StepState::ALL, 10),
        family("mode.", ImportMode::ALL, 12),
        family("stopped.", Interruption::ALL, 60),
        family("stopped.", Interruption::ALL, 60),
        family("failure.", failure_words(), 20),
        family(
            "drift.",
            cockpit_domain::reconcile::ReconcileStatus::ALL,
            10,
        ),
        family(
            "change.",
            ["create", "change", "park", "remove", "attention", "keep"],
            16,
        ),
        family("reason.", Reason::ALL, 16),
        family("because.", Because::ALL, 80),
        family("stand.", HostSide::ALL, 16),
        family("key-reason.", cockpit_domain::explain::KeyReason::ALL, 30),
        family("proof.", Proof::ALL, 20),
        family("account.", AccountStatus::ALL, 10),
        family("stage.", ItemStage::ALL, 12),
        family("kind.", &kinds, 20),
        family("confirm.undo-", &kinds, 132),
        family("confirm.on-", ["production", "other"], 132),
        family("section.", ["items", "resources", "events", "journal"], 12),
        family("form.", ["strict", "partial"], 42),
        family("form.", AccessMode::ALL, 42),
        family("access-mode.", AccessMode::ALL, 12),
        family("form.field-", crate::dialogs::FIELDS, 9),
        family("stack-form.field-", crate::dialogs::STACK_FIELDS, 10),
        family("stack-form.hint-", crate::dialogs::STACK_FIELDS, 66),
        family("stack-form.", ["yes", "no"], 10),
        family("gate-state.", cockpit_domain::gate::GateState::ALL, 16),
        family("stack-state.", cockpit_domain::stack::StackState::ALL, 10),
    ]
}

#[test]
fn both_catalogues_have_the_same_keys_with_the_same_arguments() {
    let (english, chinese) = (catalogue(Lang::En), catalogue(Lang::ZhCn));
    assert!(english.keys().eq(chinese.keys()), "{:?}", {
        let (one, other): (BTreeSet<_>, BTreeSet<_>) =
            (english.keys().collect(), chinese.keys().collect());
        one.symmetric_difference(&other)
            .copied()
            .collect::<Vec<_>>()
    });
    for (key, text) in &english {
        assert_eq!(arguments(text), arguments(&chinese[key]), "{key}");
        assert!(
            !text.trim().is_empty() && !chinese[key].trim().is_empty(),
            "{key}"
        );
    }
}

/// The names of actions whose keys a text gives.
fn keys_named(text: &str) -> BTreeSet<&str> {
    text.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn texts_name_actions_never_keys_that_a_person_may_have_moved() {
    let (english, chinese) = (catalogue(Lang::En), catalogue(Lang::ZhCn));
    let mut named = 0;
    for (key, text) in &english {
        assert_eq!(keys_named(text), keys_named(&chinese[key]), "{key}");
        for name in keys_named(text) {
            named += 1;
            assert!(Action::named(name).is_some(), "{key}: no action {name}");
        }
        for quoted in text.split('`').skip(1).step_by(2) {
            let keys = ACTIONS.iter().flat_map(|row| row.keys);
            assert!(!keys.clone().any(|key| *key == quoted), "{key}: {quoted}");
        }
    }
    assert!(named > 20, "only {named} keys are named");
}

#[test]
fn both_catalogues_are_the_ones_that_the_screen_speaks() {
    for lang in Lang::ALL {
        for (key, text) in catalogue(lang) {
            assert_eq!(lang.say(&key), text, "{key} in {}", lang.code());
        }
    }
    assert_eq!(
        Lang::ZhCn.fill("state.n-of-m", &[("n", "2"), ("m", "9")]),
        "2 / 9"
    );
}

#[test]
fn every_key_that_the_code_says_stands_in_the_catalogues() {
    let known = catalogue(Lang::En);
    let families = families();
    let mut literal = 0;
    for (path, code) in sources() {
        for piece in code.split('"') {
            if is_key(piece) {
                literal += 1;
                assert!(known.contains_key(piece), "{}: {piece}", path.display());
            } else if let Some(prefix) = made_prefix(piece) {
                assert!(
                    families.iter().any(|family| family.prefix == prefix),
                    "{}: no family {prefix}",
                    path.display()
                );
            }
        }
    }
    assert!(
        literal > 100,
        "only {literal} keys were found in the sources"
    );
    for family in &families {
        for member in &family.members {
            let key = format!("{}{member}", family.prefix);
            assert!(known.contains_key(&key), "{key}");
        }
    }
}

#[test]
fn no_key_stands_in_the_catalogues_that_nothing_says() {
    let sources = sources();
    let mut said: BTreeSet<String> = sources
        .iter()
        .flat_map(|(_, code)| code.split('"').filter(|piece| is_key(piece)))
        .map(str::to_owned)
        .collect();
    for family in families() {
        said.extend(
            family
                .members
                .iter()
                .map(|member| format!("{}{member}", family.prefix)),
        );
    }
    let unsaid: Vec<String> = catalogue(Lang::En)
        .into_keys()
        .filter(|key| !said.contains(key))
        .collect();
    assert_eq!(unsaid, Vec::<String>::new());
}

#[test]
fn every_argument_is_given_where_its_key_is_said() {
    let (sources, families) = (sources(), families());
    for (key, text) in catalogue(Lang::En) {
        let wanted = arguments(&text);
        if wanted.is_empty() {
            continue;
        }
        let prefix = families
            .iter()
            .find(|family| {
                key.strip_prefix(family.prefix)
                    .is_some_and(|rest| family.members.iter().any(|member| member == rest))
            })
            .map(|family| family.prefix);
        let says = |code: &str| {
            code.split('"')
                .any(|piece| piece == key || (prefix.is_some() && made_prefix(piece) == prefix))
        };
        let mut places = 0;
        for (path, code) in sources.iter().filter(|(_, code)| says(code)) {
            places += 1;
            for name in &wanted {
                assert!(
                    code.contains(&format!("(\"{name}\",")),
                    "{}: {key} wants {name}",
                    path.display()
                );
            }
        }
        assert!(places > 0, "{key} is said nowhere");
    }
}

#[test]
fn words_fit_where_they_stand() {
    let families = families();
    for lang in Lang::ALL {
        let fits = |key: &str, cells: usize| {
            let text = lang.say(key);
            let wide = crate::widgets::width(&text);
            assert!(
                wide <= cells,
                "{key} in {}: {text} takes {wide} of {cells}",
                lang.code()
            );
        };
        for family in &families {
            for member in &family.members {
                fits(&format!("{}{member}", family.prefix), family.cells);
            }
        }
        for key in catalogue(lang).keys() {
            match key.split_once('.') {
                Some(("field", _)) => fits(key, 9),
                Some(("job", "running" | "stopping" | "done" | "failed")) => fits(key, 10),
                _ => {}
            }
        }
        fits("verdict.stale", 12);
        fits("resource.undone", 10);
        fits("confirm.name", 13);
        fits("confirm.reason", 13);
    }
}

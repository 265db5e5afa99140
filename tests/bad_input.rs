//! Bad input: a sentence and a next step, exit 3, the lab saw nothing, the store is as before.

use crate::support::far::{run_in, store_rows, text};
use crate::support::importing::planning;
use crate::support::{Lab, Ran, bare, has_ssh};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bad");

/// Asserts that it is a refusal of ours with everything a person needs, and gives the error.
fn refusal(what: &str, ran: &Ran) -> Value {
    assert_eq!(ran.code, 3, "{what}: {ran:?}");
    assert_eq!(ran.stdout, "", "{what}: {ran:?}");
    let error = ran.error();
    for part in ["kind", "doing", "message", "hint"] {
        assert!(
            !text(&error, part).trim().is_empty(),
            "{what}: `{part}` is empty: {error}"
        );
    }
    assert_ne!(error["kind"], "internal", "{what}: {error}");
    error
}

/// A lab whose store exists, and a folder for the test's own files.
struct Ground {
    lab: Lab,
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let lab = Lab::start();
        assert_eq!(lab.run(&["batch", "list"]).code, 0);
        Self {
            lab,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The lab's config, changed, as a file of the test's own.
    fn config(&self, name: &str, change: impl FnOnce(String) -> String) -> PathBuf {
        let text = fs::read_to_string(&self.lab.config).expect("the lab's config");
        let path = self.folder.path().join(name);
        fs::write(&path, change(text)).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    }

    /// Does something bad; nothing may be sent, nothing may be written down.
    fn untouched(&self, what: &str, work: impl FnOnce() -> Ran) -> Value {
        let (mark, rows) = (self.lab.mark(), self.lab.store_rows());
        let error = refusal(what, &work());
        assert_eq!(
            self.lab.seen(mark).total(),
            0,
            "{what}: the lab saw requests"
        );
        assert_eq!(self.lab.store_rows(), rows, "{what}: the store changed");
        error
    }
}

fn with_config(words: &[&str], config: &Path) -> Ran {
    let mut words = words.to_vec();
    words.extend(["--json", "--config", config.to_str().expect("a plain path")]);
    bare(&words)
}

#[test]
fn a_bad_config_is_named_by_file_line_and_nearest_key_and_nothing_is_sent() {
    if !has_ssh() {
        return;
    }
    let ground = Ground::new();
    let line_of = |path: &Path, part: &str| {
        let text = fs::read_to_string(path).expect("the config");
        1 + text
            .lines()
            .position(|line| line.contains(part))
            .expect("the line")
    };
    // (name, what is replaced, by what, what the message must hold)
    let cases = [
        ("unknown-key.toml", "timezone =", "timezome =", "`timezone`"),
        (
            "unknown-host-key.toml",
            "db_container =",
            "db_contaner =",
            "`db_container`",
        ),
        (
            "unquoted.toml",
            "role = \"acceptance\"",
            "role = acceptance",
            "quote",
        ),
        (
            "unknown-role.toml",
            "role = \"acceptance\"",
            "role = \"acceptence\"",
            "`acceptance`",
        ),
        (
            "unknown-machine.toml",
            "machine = \"accept44\"",
            "machine = \"accept45\"",
            "`accept44`",
        ),
        ("not-closed.toml", "[host.accept]", "[host.accept", "]"),
    ];
    for (name, from, to, told) in cases {
        let config = ground.config(name, |text| {
            assert!(
                text.contains(from),
                "{name}: the lab's config has no `{from}`"
            );
            text.replacen(from, to, 1)
        });
        let error = ground.untouched(name, || with_config(&["host", "probe", "accept"], &config));
        let message = text(&error, "message");
        let place = format!("{}:{}:", config.display(), line_of(&config, to));
        assert!(message.contains(&place), "{name}: `{place}` in {message}");
        assert!(message.contains(told), "{name}: `{told}` in {message}");
        assert_eq!(error["kind"], "config");
    }
}

#[test]
fn a_literal_secret_in_the_config_is_refused_by_line_and_never_repeated() {
    if !has_ssh() {
        return;
    }
    let ground = Ground::new();
    let secret = "admin-planted-0123456789abcdef";
    for (name, literal) in [
        ("plain.toml", format!("admin = \"{secret}\"")),
        ("key.toml", format!("admin = {{ key = \"{secret}\" }}")),
        (
            "value.toml",
            format!("admin = {{ key = {{ value = \"{secret}\" }} }}"),
        ),
    ] {
        let config = ground.config(name, |text| {
            let (head, tail) = text.rsplit_once("admin = ").expect("a credential");
            let rest = tail.split_once('\n').map_or("", |(_, rest)| rest);
            format!("{head}{literal}\n{rest}")
        });
        let ran = with_config(&["host", "probe", "accept"], &config);
        assert!(
            !format!("{ran:?}").contains("planted"),
            "{name}: the value is echoed: {ran:?}"
        );
        let error = ground.untouched(name, || with_config(&["host", "list"], &config));
        let lines = fs::read_to_string(&config).expect("the config");
        let line = 1 + lines
            .lines()
            .position(|line| line.contains(secret))
            .expect("the line");
        let message = text(&error, "message");
        assert!(
            message.contains(&format!("{}:{line}:", config.display())),
            "{name}: {message}"
        );
        // Without JSON it is not repeated either.
        let told = bare(&["host", "list", "--config", config.to_str().expect("plain")]);
        assert!(
            told.code == 3 && !told.stderr.contains("planted"),
            "{told:?}"
        );
    }
}

#[test]
fn a_config_that_is_missing_or_open_to_others_is_refused_and_no_store_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let none = folder.path().join("none.toml");
    let error = refusal("missing", &with_config(&["host", "list"], &none));
    assert!(text(&error, "message").contains("none.toml"), "{error}");

    let open = folder.path().join("open.toml");
    fs::write(
        &open,
        format!("state_dir = {:?}\n", state.display().to_string()),
    )
    .expect("a file");
    for mode in [0o666, 0o622, 0o660] {
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).expect("its mode");
        let error = refusal("open", &with_config(&["host", "list"], &open));
        assert!(
            text(&error, "hint").contains("chmod go-w"),
            "{mode:o}: {error}"
        );
        assert!(!state.exists(), "{mode:o}: a store was made");
    }
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("its mode");
    assert_eq!(with_config(&["host", "list"], &open).code, 0);

    // The default place, without a file in it.
    let home = [
        ("HOME", folder.path()),
        ("XDG_CONFIG_HOME", folder.path()),
        ("XDG_STATE_HOME", folder.path()),
    ];
    let error = refusal("default", &run_in(&["host", "list", "--json"], &home));
    assert!(
        text(&error, "message").contains("relay-cockpit/config.toml"),
        "{error}"
    );
    assert_eq!(
        store_rows(&folder.path().join("relay-cockpit")),
        Vec::<String>::new()
    );
}

#[test]
fn a_broken_pack_is_refused_by_file_and_line_and_hinders_no_other() {
    if !has_ssh() {
        return;
    }
    let ground = Ground::new();
    let packs = Path::new(DATA).join("packs");
    let config = ground.config("packs.toml", |text| {
        format!("packs_dir = {:?}\n{text}", packs.display().to_string())
    });
    let keys = ground.file("keys", b"sk-lab-good-pack-000000000001\n");
    for (id, line, told) in [
        ("unknown-key", 5, "`models`"),
        ("no-toml", 4, "no-toml"),
        ("wrong-smoke", 6, "smoke_model"),
        ("newer-schema", 2, "schema"),
    ] {
        let words = [
            "import",
            "plan",
            "--host",
            "accept",
            "--provider",
            id,
            "--keys",
            &keys,
        ];
        let error = ground.untouched(id, || with_config(&words, &config));
        let message = text(&error, "message");
        assert!(
            message.contains(&format!("{id}/pack.toml")),
            "{id}: {message}"
        );

        let path = packs.join(id).join("pack.toml");
        let checked = with_config(&["pack", "check", path.to_str().expect("plain")], &config);
        assert_eq!(checked.code, 3, "{id}: {checked:?}");
        let findings = checked.json()["findings"].clone();
        let found = findings
            .as_array()
            .expect("findings")
            .iter()
            .any(|finding| {
                let said = format!("{} {}", finding["message"], finding["hint"]);
                finding["line"] == line
                    && (said.contains(told) || text(finding, "file").contains(told))
            });
        assert!(found, "{id}: line {line} and `{told}` in {findings}");
    }
    let all = with_config(&["pack", "check"], &config);
    assert_eq!(all.code, 3, "{all:?}");
    let words = [
        "import",
        "plan",
        "--host",
        "accept",
        "--provider",
        "lab",
        "--keys",
        &keys,
    ];
    assert_eq!(with_config(&words, &config).code, 0);
}

#[test]
fn key_input_is_refused_whole_by_line_and_never_repeated() {
    if !has_ssh() {
        return;
    }
    let ground = Ground::new();
    let plan = |keys: &str| {
        let words = [
            "import",
            "plan",
            "--host",
            "accept",
            "--provider",
            "lab",
            "--keys",
            keys,
            "--json",
        ];
        ground.lab.run(&words)
    };
    let bad = "# keys of june\nsk-lab-good-fine-0000000001\nsk-planted one with blanks\n\nsk-p\n\
               \"sk-planted-quoted-00001\",\nsk-plänted-umlaut-000001\nsk-lab-good-fine-0000000002\n";
    let file = ground.file("bad", bad.as_bytes());
    let error = ground.untouched("bad lines", || plan(&file));
    let message = text(&error, "message");
    for line in [3, 5, 6, 7] {
        assert!(message.contains(&format!("line {line}:")), "{message}");
    }
    for line in [1, 2, 4, 8] {
        assert!(!message.contains(&format!("line {line}:")), "{message}");
    }
    for part in ["plant", "plänt", "sk-p", "june", "fine"] {
        assert!(
            !error.to_string().contains(part),
            "`{part}` is repeated: {error}"
        );
    }
    let long = format!("sk-planted-{}\n", "x".repeat(600));
    let binary = b"sk-planted-\xff\xfe\x00 binary\n";
    for (what, content) in [
        ("empty", &b""[..]),
        ("comments only", b"# nothing\n\n  \n"),
        ("too long", long.as_bytes()),
        ("binary", binary),
    ] {
        let file = ground.file("keys", content);
        let error = ground.untouched(what, || plan(&file));
        assert!(!error.to_string().contains("planted"), "{what}: {error}");
    }
    let error = ground.untouched("no file", || plan("/nowhere/keys"));
    assert!(text(&error, "message").contains("/nowhere/keys"), "{error}");
    ground.untouched("a folder", || plan("/"));
    let words = planning("accept");
    ground.untouched("empty standard input", || ground.lab.run_with(&words, ""));
}

#[test]
fn unknown_names_are_refused_with_the_nearest_ones_and_nothing_is_sent() {
    if !has_ssh() {
        return;
    }
    let ground = Ground::new();
    let keys = ground.file("keys", b"sk-lab-good-names-00000000001\n");
    let plan = ["import", "plan", "--keys", keys.as_str(), "--host"];
    let cases: [(&[&str], &str); 17] = [
        (&["host", "probe", "acept"], "accept"),
        (
            &[&plan[..], &["acept", "--provider", "lab"]].concat(),
            "accept",
        ),
        (
            &[&plan[..], &["accept", "--provider", "lob"]].concat(),
            "lab",
        ),
        (
            &[&plan[..], &["accept", "--provider", "tksea"]].concat(),
            "pack list",
        ),
        (&["baseline", "run", "--pack", "tksee"], "tksea"),
        (
            &["reconcile", "plan", "--host", "acept", "--provider", "lab"],
            "accept",
        ),
        (&["probe", "run", "--host", "acept"], "accept"),
        (&["batch", "list", "--host", "acept"], "accept"),
        (&["lab", "fault", "set", "hots-502"], "host-502"),
        (&["lab", "fault", "clear", "tunel-down"], "tunnel-down"),
        (
            &[
                "log",
                "tail",
                "--machine",
                "remote44",
                "--file",
                "/var/log/nginx/error.log",
            ],
            "remote4",
        ),
        (&["batch", "show", "77"], "batch list"),
        (&["batch", "resume", "77"], "batch list"),
        (&["access", "status", "77"], "batch list"),
        (&["rollback", "plan", "77"], "batch list"),
        (
            &["import", "apply", "77", "--yes", "0123456789ab"],
            "import plan",
        ),
        (
            &["rollback", "apply", "77", "--yes", "0123456789ab"],
            "rollback plan",
        ),
    ];
    for (words, told) in cases {
        let what = words.join(" ");
        let error = ground.untouched(&what, || ground.lab.run(&[words, &["--json"]].concat()));
        assert!(
            text(&error, "hint").contains(told),
            "{what}: `{told}` in {error}"
        );
        assert!(!text(&error, "message").contains('\n'), "{what}: {error}");
    }
    let words = [
        "reconcile",
        "plan",
        "--host",
        "accept",
        "--provider",
        "lab",
        "--json",
    ];
    ground.untouched("nothing to compare", || ground.lab.run(&words));
}

#[test]
fn words_that_make_no_sense_are_exit_3_with_a_next_step() {
    for words in [
        &["--json"][..],
        &["nonsense", "--json"],
        &["host", "--json"],
        &["batch", "show", "seven", "--json"],
        &["host", "probe", "../x", "--json"],
        &["import", "plan", "--host", "accept", "--json"],
        &[
            "import",
            "plan",
            "--host",
            "a",
            "--provider",
            "p",
            "--keys",
            "k",
            "--mode",
            "lax",
            "--json",
        ],
        &["host", "list", "--lab", "--config", "x", "--json"],
        &["drill", "--lab", "--json"],
        &[
            "log",
            "tail",
            "--machine",
            "m",
            "--file",
            "/a",
            "--container",
            "b",
            "--json",
        ],
    ] {
        let error = refusal(&words.join(" "), &bare(words));
        assert_eq!(error["kind"], "usage", "{words:?}");
    }
    let alone = bare(&[]);
    assert!(
        alone.code == 3 && alone.stderr.contains("--help"),
        "{alone:?}"
    );
}

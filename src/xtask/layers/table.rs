//! The table of layers. `src/README.md` shows it to people; change both.

/// What one crate may name.
pub(super) struct Layer {
    /// Its package.
    pub(super) package: &'static str,
    /// Crates of ours it may name.
    pub(super) ours: &'static [&'static str],
    /// Crates of ours that only its tests may name.
    pub(super) ours_in_tests: &'static [&'static str],
    /// Said when it names another crate of ours.
    pub(super) why: &'static str,
    /// The packages it may name outside its tests; `None` for all that are not refused.
    pub(super) only: Option<&'static [&'static str]>,
    /// Packages it may never name, not in tests either, and why.
    pub(super) never: &'static [(&'static str, &'static str)],
    /// The features of tokio it may use outside its tests; `None` for all.
    pub(super) tokio_only: Option<&'static [&'static str]>,
}

const PORT: &str = "the engine reaches the world through a port; implement it in src/adapters";
const FACE: &str = "a face asks the engine; only an adapter touches the world";
const SHOWS: &str = "faces draw and parse words; an adapter has no terminal";
const WAITS: &str = "the domain never waits and does no I/O";
const QUICK: &str = "xtask has to build in seconds";

pub(super) const LAYERS: &[Layer] = &[
    Layer {
        package: "cockpit-domain",
        ours: &[],
        ours_in_tests: &[],
        why: "the domain names none of our crates",
        only: Some(&[
            "csv",
            "hmac",
            "jiff",
            "percent-encoding",
            "prometheus-parse",
            "pulldown-cmark",
            "regex",
            "serde",
            "serde_json",
            "sha2",
            "similar",
            "strsim",
            "thiserror",
            "toml",
            "url",
            "zeroize",
        ]),
        never: &[
            ("tokio", WAITS),
            ("async-trait", WAITS),
            ("futures-util", WAITS),
            ("reqwest", WAITS),
            ("rusqlite", WAITS),
            ("russh", WAITS),
            ("openssh", WAITS),
            (
                "rand",
                "the domain draws no lots: fresh values are passed in",
            ),
            (
                "tracing",
                "the domain says what it found by what it returns",
            ),
        ],
        tokio_only: None,
    },
    Layer {
        package: "cockpit-engine",
        ours: &["cockpit-domain"],
        ours_in_tests: &[],
        why: "the engine names the domain only; adapters, faces and the lab are wired by src/main.rs",
        only: Some(&[
            "async-trait",
            "backon",
            "cockpit-domain",
            "futures-util",
            "jiff",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
        ]),
        never: &[
            ("reqwest", PORT),
            ("rusqlite", PORT),
            ("russh", PORT),
            ("openssh", PORT),
            ("axum", PORT),
            ("directories", PORT),
            ("tempfile", PORT),
            ("clap", "the engine knows no command line"),
            ("comfy-table", "the engine prints nothing"),
            ("ratatui", "the engine knows no terminal"),
            ("crossterm", "the engine knows no terminal"),
        ],
        tokio_only: Some(&["sync", "time", "macros", "rt"]),
    },
    Layer {
        package: "cockpit-adapters",
        ours: &["cockpit-domain", "cockpit-engine"],
        ours_in_tests: &["cockpit-lab"],
        why: "adapters name the domain, the engine's ports, and the lab in its tests",
        only: None,
        never: &[
            ("clap", SHOWS),
            ("comfy-table", SHOWS),
            ("ratatui", SHOWS),
            ("crossterm", SHOWS),
            ("tui-input", SHOWS),
            (
                "russh",
                "SSH goes through the user's own OpenSSH client, with their config and agent",
            ),
        ],
        tokio_only: None,
    },
    Layer {
        package: "cockpit-lab",
        ours: &["cockpit-domain"],
        ours_in_tests: &[],
        why: "the lab plays the far ends and names the domain only: client and lab must not share code",
        only: None,
        never: &[
            (
                "openssh",
                "the lab is the server; its tests run the real client",
            ),
            ("rusqlite", "the lab keeps its state in memory"),
            ("clap", SHOWS),
            ("ratatui", SHOWS),
            ("crossterm", SHOWS),
        ],
        tokio_only: None,
    },
    Layer {
        package: "cockpit-cli",
        ours: &["cockpit-domain", "cockpit-engine"],
        ours_in_tests: &[],
        why: "the command line asks the engine; adapters and lab are wired by src/main.rs",
        only: None,
        never: &[
            ("reqwest", FACE),
            ("rusqlite", FACE),
            ("rusqlite_migration", FACE),
            ("openssh", FACE),
            ("russh", FACE),
            ("axum", FACE),
            ("directories", FACE),
            (
                "ratatui",
                "the command line is another face than the screen",
            ),
            (
                "crossterm",
                "the command line is another face than the screen",
            ),
        ],
        tokio_only: None,
    },
    Layer {
        package: "cockpit-tui",
        ours: &["cockpit-domain", "cockpit-engine"],
        ours_in_tests: &[],
        why: "the screen asks the engine; adapters and lab are wired by src/main.rs",
        only: None,
        never: &[
            ("reqwest", FACE),
            ("rusqlite", FACE),
            ("rusqlite_migration", FACE),
            ("openssh", FACE),
            ("russh", FACE),
            ("axum", FACE),
            ("directories", FACE),
            ("clap", "the screen is another face than the command line"),
        ],
        tokio_only: None,
    },
    Layer {
        package: "relay-cockpit",
        ours: &[
            "cockpit-domain",
            "cockpit-engine",
            "cockpit-adapters",
            "cockpit-lab",
            "cockpit-cli",
            "cockpit-tui",
        ],
        ours_in_tests: &[],
        why: "say in src/xtask/layers/table.rs that the program wires this crate",
        only: None,
        never: &[],
        tokio_only: None,
    },
    Layer {
        package: "xtask",
        ours: &[],
        ours_in_tests: &[],
        why: "xtask names none of our crates: it judges them from outside",
        only: None,
        never: &[
            ("tokio", QUICK),
            ("reqwest", QUICK),
            ("rusqlite", QUICK),
            ("russh", QUICK),
        ],
        tokio_only: None,
    },
];

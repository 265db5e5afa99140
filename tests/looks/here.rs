//! A pack of a test's own about this machine, run by the built program.

use crate::support::{COCKPIT, Ran, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tempfile::TempDir;

/// Verdict and finding of each row.
pub(crate) type Rows = BTreeMap<String, (String, String)>;

/// A folder with a config whose only baseline is the one under test.
pub(crate) struct Here {
    pub(crate) dir: TempDir,
    pub(crate) checks: String,
    pub(crate) settings: String,
    /// What stands in the program's environment beside the usual.
    pub(crate) environment: Vec<(String, String)>,
}

impl Here {
    /// Nothing, and a line that says so, when a tool is missing.
    pub(crate) fn new(tools: &[&str]) -> Option<Self> {
        for tool in tools {
            let found = Command::new("which").arg(tool).output();
            if !found.is_ok_and(|output| output.status.success()) {
                println!("SKIPPED: no {tool}");
                return None;
            }
        }
        let dir = TempDir::new().unwrap();
        let checks = "schema = 1\nkind = \"baseline\"\ntitle = \"Here\"\n".to_owned();
        Some(Self {
            dir,
            checks,
            settings: String::new(),
            environment: Vec::new(),
        })
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    pub(crate) fn check(&mut self, id: &str, look: &str) {
        let _ = write!(
            self.checks,
            "[[check]]\nid = \"{id}\"\nlayer = \"host\"\nlevel = \"must\"\nvantage = \"machine:local\"\n\
             title = \"t\"\nwhy = \"w\"\nnext_step = \"n\"\n{look}\n"
        );
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let mut command = Command::new(COCKPIT);
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.args(words).envs(environment).arg("--config");
        run(command.arg(self.path("config.toml")), None)
    }

    /// Runs it; gives verdict and finding of each row.
    pub(crate) fn judged(&self) -> Rows {
        let pack = self.dir.path().join("packs/here");
        std::fs::create_dir_all(&pack).unwrap();
        std::fs::write(pack.join("pack.toml"), &self.checks).unwrap();
        let config = self.dir.path().join("config.toml");
        let text = format!(
            "state_dir = \"{}\"\npacks_dir = \"{}\"\n{}",
            self.path("state"),
            self.path("packs"),
            self.settings
        );
        std::fs::write(&config, text).unwrap();
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
        self.again(&[])
    }

    /// Lets the config trust the pack as it is now.
    pub(crate) fn trusted(&mut self) {
        self.settings.clear();
        self.judged();
        let told = self.run(&["pack", "check", "here"]).stdout;
        let line = told.lines().last().unwrap();
        self.settings = format!("[trust]\n{line}\n");
    }

    /// Runs what is written down already.
    pub(crate) fn again(&self, more: &[&str]) -> Rows {
        let words = ["baseline", "run", "--pack", "here", "--json"];
        let ran = self.run(&[&words, more].concat());
        let report: Value = ran.json();
        let rows = report["checks"]
            .as_array()
            .unwrap_or_else(|| panic!("{ran:?}"));
        let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| (text(row, "id"), (text(row, "verdict"), text(row, "found"))))
            .collect()
    }
}

pub(crate) fn assert_rows(rows: &Rows, expected: &[(&str, &str, &str)]) {
    for (id, verdict, found) in expected {
        let (seen, said) = &rows[*id];
        assert!(
            seen == verdict && said.contains(found),
            "{id}: {seen}, {said}\nexpected {verdict}, {found}"
        );
    }
    assert_eq!(rows.len(), expected.len());
}

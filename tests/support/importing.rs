//! The commands of an import as most tests type them: planned from standard input, applied by the
//! hash that was read.

use super::{Lab, Ran};
use serde_json::Value;

/// The words that plan an import of the lab's provider, with keys on standard input.
pub(crate) const fn planning(host: &str) -> [&str; 9] {
    [
        "import",
        "plan",
        "--host",
        host,
        "--provider",
        "lab",
        "--keys",
        "-",
        "--json",
    ]
}

impl Lab {
    /// Plans an import; `more` goes behind the words.
    pub(crate) fn plan_import(&self, host: &str, keys: &str, more: &[&str]) -> Value {
        let ran = self.run_with(&[&planning(host)[..], more].concat(), keys);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()
    }

    /// Applies a plan by the head of the hash that was read; `more` goes behind the words.
    pub(crate) fn apply(&self, noun: &str, planned: &Value, more: &[&str]) -> Ran {
        let plan = &planned["plan"];
        let id = plan["id"].to_string();
        let hash = &plan["hash"].as_str().expect("a hash")[..12];
        let words = [noun, "apply", &id, "--yes", hash, "--json"];
        self.run(&[&words[..], more].concat())
    }

    /// Imports keys into a host that is not production, and gives the batch.
    pub(crate) fn import(&self, host: &str, keys: &str) -> Value {
        let ran = self.apply("import", &self.plan_import(host, keys, &[]), &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()
    }
}

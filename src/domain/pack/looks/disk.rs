//! Room on a disk of a machine.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// How much of the file system that holds a path must be free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskLook {
    /// Absolute path.
    pub path: String,
    /// Per cent of its room, 1 to 99.
    pub min_free_percent: u8,
}

impl Kind for DiskLook {
    const NEEDS: Needs = Needs::Machine;
    const REQUIRED: &'static [&'static str] = &["path", "min_free_percent"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        rules.paths([&self.path]);
        if !(1..=99).contains(&self.min_free_percent) {
            rules.fault("`min_free_percent` is out of range", "1 to 99");
        }
    }
}

//! What one check found against what another one found.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// What must hold between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// Both are the same text.
    Equal,
    /// They are not.
    Differs,
    /// The first holds the second.
    Contains,
    /// The first is a later time, or a greater number.
    Newer,
}

impl Relation {
    /// The word in packs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Differs => "differs",
            Self::Contains => "contains",
            Self::Newer => "newer",
        }
    }
}

/// Two things that other checks of the pack find, and what must hold between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareLook {
    /// `CHECK:WHAT`.
    pub this: String,
    /// What must hold.
    pub is: Relation,
    /// `CHECK:WHAT`.
    pub that: String,
}

impl CompareLook {
    /// Check and what of it, for both sides.
    pub fn sides(&self) -> [(&str, &str); 2] {
        [&self.this, &self.that].map(|text| text.split_once(':').unwrap_or((text, "")))
    }
}

impl Kind for CompareLook {
    const NEEDS: Needs = Needs::Anywhere;
    const REQUIRED: &'static [&'static str] = &["this", "is", "that"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self.this == self.that {
            rules.fault(
                "this compares a thing with itself",
                "name two checks, or two things that one finds",
            );
        }
    }
}

//! Identifiers: slugs people choose, integers the store counts, ids a remote host gave.
//! No generation here; new ids come from the store or from the engine's `Clock` port.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Why a text is not a slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSlug(pub String);

impl fmt::Display for BadSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a slug: 1 to 63 of a-z, 0-9, `-`, `_`, `.`, beginning with a letter or digit",
            crate::text::clean_line(&self.0)
        )
    }
}

impl std::error::Error for BadSlug {}

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first
        && text.len() <= 63
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks the text and makes an id of it.
            pub fn new(text: impl Into<String>) -> Result<Self, BadSlug> {
                let text = text.into();
                if is_slug(&text) { Ok(Self(text)) } else { Err(BadSlug(text)) }
            }

            /// The text as the user wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadSlug;
            fn from_str(text: &str) -> Result<Self, BadSlug> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

slug!(
    /// Names one sub2api instance in the user's config (`[host.NAME]`).
    HostId
);
slug!(
    /// Names a computer in the user's config (`[machine.NAME]`); `local` is this one.
    MachineId
);
slug!(
    /// Names a pack: the folder below `packs/`.
    PackId
);

impl PackId {
    /// Checks of ours that stand in no pack.
    pub fn own() -> Self {
        Self("own".to_owned())
    }
}

impl MachineId {
    /// The machine this program runs on.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// Whether no SSH is needed to reach it.
    pub fn is_local(&self) -> bool {
        self.0 == "local"
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, "/{}"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            /// Takes `42` and the long form a screen shows, such as `batch/42`.
            fn from_str(text: &str) -> Result<Self, String> {
                let digits = text.strip_prefix(concat!($word, "/")).unwrap_or(text);
                digits.parse().map(Self).map_err(|_| {
                    format!(
                        concat!("`{}` is no ", $word, " id; write a number or ", $word, "/NUMBER"),
                        crate::text::clean_line(text)
                    )
                })
            }
        }
    };
}

counter!(
    /// One import of n keys of one provider into one host; counted per store.
    BatchId, "batch"
);
counter!(
    /// One key of a batch.
    ItemId, "item"
);
counter!(
    /// A saved plan.
    PlanId, "plan"
);
counter!(
    /// A running piece of work.
    JobId, "job"
);
counter!(
    /// A row of the journal: one remote write.
    StepId, "step"
);
counter!(
    /// One walk along a runbook.
    RunId, "run"
);

/// The id a host gave to one of its resources. A number there, a string in our JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemoteId(pub i64);

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for RemoteId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RemoteId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Number(i64),
            Text(String),
        }
        match Wire::deserialize(deserializer)? {
            Wire::Number(number) => Ok(Self(number)),
            Wire::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_refuse_what_could_leave_a_folder_or_a_url() {
        for bad in ["", "../x", "a/b", "A", "-a", "a b", "宿主", &"a".repeat(64)] {
            assert!(HostId::new(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(HostId::new("remote43").unwrap().as_str(), "remote43");
    }

    #[test]
    fn counters_take_the_short_and_the_long_form() {
        assert_eq!("42".parse(), Ok(BatchId(42)));
        assert_eq!("batch/42".parse(), Ok(BatchId(42)));
        assert!("plan/42".parse::<BatchId>().is_err());
    }

    #[test]
    fn remote_ids_are_strings_in_json_and_read_from_both() {
        assert_eq!(serde_json::to_string(&RemoteId(7)).unwrap(), "\"7\"");
        assert_eq!(serde_json::from_str::<RemoteId>("7").unwrap(), RemoteId(7));
        assert_eq!(
            serde_json::from_str::<RemoteId>("\"7\"").unwrap(),
            RemoteId(7)
        );
    }
}

//! Status words of a host's rows, those of older versions and of the tools that came before among
//! them: what each means. The rows are all that is left of such a tool; its own records are not read.
//! Sources: `host-contract.md` 4.2 to 4.5 and 9, where `disabled` is a word of old rows.

use std::fmt;

/// How something stands that an older tool or a person left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It serves.
    InService,
    /// Somebody took it out.
    OutOfService,
    /// Something broke it.
    Broken,
    /// Its end or its limit took it out.
    Spent,
}

impl fmt::Display for Stands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InService => "in service",
            Self::OutOfService => "out of service",
            Self::Broken => "broken",
            Self::Spent => "run out",
        })
    }
}

/// What a word is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Account,
    User,
    Key,
}

/// Words of accounts, users and keys.
const STANDS: [(Of, &str, Stands); 12] = [
    (Of::Account, "active", Stands::InService),
    (Of::Account, "inactive", Stands::OutOfService),
    (Of::Account, "disabled", Stands::OutOfService),
    (Of::Account, "error", Stands::Broken),
    (Of::User, "active", Stands::InService),
    (Of::User, "inactive", Stands::OutOfService),
    (Of::User, "disabled", Stands::OutOfService),
    (Of::Key, "active", Stands::InService),
    (Of::Key, "inactive", Stands::OutOfService),
    (Of::Key, "disabled", Stands::OutOfService),
    (Of::Key, "quota_exhausted", Stands::Spent),
    (Of::Key, "expired", Stands::Spent),
];

fn stands(of: Of, word: &str) -> Stands {
    let mut rows = STANDS.iter();
    let row = rows.find(|(kind, known, _)| *kind == of && *known == word);
    // What nobody ever wrote down is not taken for well.
    row.map_or(Stands::Broken, |(_, _, stands)| *stands)
}

/// How an account stands.
pub fn account(word: &str) -> Stands {
    stands(Of::Account, word)
}

/// How a user stands.
pub fn user(word: &str) -> Stands {
    stands(Of::User, word)
}

/// How a key stands.
pub fn key(word: &str) -> Stands {
    stands(Of::Key, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_understood_of_what_it_is_said_of_and_an_unknown_one_is_never_well() {
        let cases = [
            (account("active"), Stands::InService),
            (account("disabled"), Stands::OutOfService),
            (account("error"), Stands::Broken),
            (key("expired"), Stands::Spent),
            (account("expired"), Stands::Broken),
            (user("disabled"), Stands::OutOfService),
            (user(""), Stands::Broken),
            (key("shiny"), Stands::Broken),
        ];
        for (stands, wanted) in cases {
            assert_eq!(stands, wanted);
        }
    }
}

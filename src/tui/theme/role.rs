//! The one table of roles: what a piece of text means. Themes give each meaning a look; nothing
//! else in this crate names a colour. The list in `themes/README.md` is made from it.

macro_rules! roles {
    ($($(#[$about:meta])+ $role:ident $name:literal $parent:ident;)+) => {
        /// A meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $($(#[$about])+ $role),+ }

        impl Role {
            /// How many there are.
            pub const COUNT: usize = [$($name),+].len();

            /// Every role, in the order of the documentation.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$role),+];

            /// Its name in a theme's file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$role => $name),+ }
            }

            /// The role it looks like where a theme says nothing of it; `Text` is its own.
            #[must_use]
            pub const fn parent(self) -> Self {
                match self { $(Self::$role => Self::$parent),+ }
            }
        }
    };
}

// Meaning, name, parent.
roles! {
    /// Ordinary text.
    Text "text" Text;
    /// Less important text: ages, units, hints.
    Muted "muted" Text;
    /// Titles of pages and columns.
    Title "title" Text;
    /// The tab or field that has the keys.
    Focus "focus" Title;
    /// The selected row's mark and name.
    Selection "selection" Focus;
    /// Lines between areas.
    Border "border" Muted;
    /// Keys in the bottom bar and in help.
    Key "key" Focus;
    /// Text that matches a filter.
    Match "match" Title;
    /// Judged, fresh, well.
    Ok "ok" Text;
    /// Works, with faults or without spare.
    Warn "warn" Title;
    /// Act now.
    Fail "fail" Warn;
    /// Could not look.
    Unreachable "unreachable" Warn;
    /// No fresh data.
    Unknown "unknown" Muted;
    /// Not judged: a parent explains it.
    Muffled "muffled" Unknown;
    /// Inside the window after our last write.
    Warming "warming" Unknown;
    /// Declared and live differ.
    Drifted "drifted" Warn;
    /// Put aside by a person, until a time.
    Waived "waived" Unknown;
    /// Would be made.
    Create "create" Ok;
    /// Would be changed.
    Change "change" Warn;
    /// Would be removed.
    Remove "remove" Fail;
    /// Needs a look.
    Attention "attention" Warn;
    /// The window in which writes are allowed.
    Armed "armed" Fail;
    /// The banner of the lab.
    Lab "lab" Focus;
}

impl Role {
    /// The states of what is watched: a theme has to tell them apart.
    pub const STATES: [Self; 9] = [
        Self::Ok,
        Self::Warn,
        Self::Fail,
        Self::Unreachable,
        Self::Unknown,
        Self::Muffled,
        Self::Warming,
        Self::Drifted,
        Self::Waived,
    ];

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_of_its_own_and_falls_back_to_text_in_the_end() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
            assert_eq!(role.name(), format!("{role:?}").to_lowercase());
            let mut above = role;
            for _ in 0..Role::COUNT {
                above = above.parent();
            }
            assert_eq!(above, Role::Text, "{role:?}");
        }
        assert_eq!(Role::named("danger"), None);
    }
}

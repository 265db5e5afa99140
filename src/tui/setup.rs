//! What the screen is told once, by `main`: the config as far as it is shown, and the person's
//! taste.

use crate::theme::Theme;
use crate::words::Lang;
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use jiff::tz::TimeZone;

/// There is no config yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstRun {
    /// Where it was looked for.
    pub path: String,
    /// A config that works once its names are put in.
    pub example: String,
}

/// The screen's settings.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Hosts of the config.
    pub hosts: Vec<HostSettings>,
    /// Machines of the config.
    pub machines: Vec<MachineId>,
    /// Provider packs at hand: id and title.
    pub providers: Vec<(PackId, String)>,
    /// Config file in force.
    pub config: String,
    /// Set when there is no config.
    pub first_run: Option<FirstRun>,
    /// Whether this is the lab: faults can be switched, and a banner says so.
    pub lab: bool,
    /// Zone in which times are shown.
    pub zone: TimeZone,
    /// Language at start.
    pub lang: Lang,
    /// Theme at start.
    pub theme: String,
    /// Themes of the person's own, by name; one may take the place of one that ships.
    pub own_themes: Vec<(String, Theme)>,
    /// Whether colours are wanted (`NO_COLOR`, `TERM=dumb`).
    pub color: bool,
    /// Whether box lines are drawn in ASCII.
    pub ascii: bool,
    /// Whether the line is known to be slow: at most four frames a second.
    pub slow: bool,
    /// What the config says that is not quite right, told once at start.
    pub notices: Vec<String>,
}

impl Setup {
    /// The theme of this name, the person's own first.
    pub fn theme(&self, name: &str) -> Option<Theme> {
        let own = self.own_themes.iter().find(|(known, _)| known == name);
        own.map_or_else(|| Theme::named(name), |(_, theme)| Some(theme.clone()))
    }

    /// Names of every theme, those that ship first.
    pub fn themes(&self) -> Vec<&str> {
        let mut names = Theme::NAMES.to_vec();
        let own = self.own_themes.iter().map(|(name, _)| name.as_str());
        names.extend(own.filter(|name| !Theme::NAMES.contains(name)));
        names
    }

    /// A host of the config.
    pub fn host(&self, id: &HostId) -> Option<&HostSettings> {
        self.hosts.iter().find(|host| host.id == *id)
    }

    /// Whether a host carries live traffic. One that is not in the config is taken for production:
    /// the safer mistake.
    pub fn is_production(&self, id: &HostId) -> bool {
        self.host(id)
            .is_none_or(|host| host.role == Role::Production)
    }

    /// The packs that hosts name as their baseline, each once.
    pub fn baselines(&self) -> Vec<PackId> {
        let mut packs: Vec<PackId> = Vec::new();
        for pack in self.hosts.iter().filter_map(|host| host.baseline.as_ref()) {
            if !packs.contains(pack) {
                packs.push(pack.clone());
            }
        }
        packs
    }
}

#[cfg(test)]
mod tests {
    use crate::frames_tests::fleet;
    use crate::theme::Theme;

    #[test]
    fn a_theme_of_the_person_takes_the_place_of_one_that_ships() {
        let mut setup = fleet::setup();
        let own = Theme::parse("dark.toml", "[roles]\nok = { fg = 208 }\n").unwrap();
        let another = Theme::parse("night.toml", "[roles]\nok = { fg = 99 }\n").unwrap();
        setup.own_themes = vec![
            ("dark".to_owned(), own.clone()),
            ("night".to_owned(), another),
        ];
        assert_eq!(setup.theme("dark"), Some(own));
        assert_eq!(setup.theme("light"), Theme::named("light"));
        assert_eq!(setup.theme("dusk"), None);
        assert_eq!(setup.themes(), ["dark", "light", "mono", "night"]);
    }
}

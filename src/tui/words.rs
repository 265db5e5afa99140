//! Text for people, from the catalogues under `locales/`. Key letters, ids and JSON names never
//! change with the language.

use crate::actions::Action;
use crate::keymap::Keymap;
use std::borrow::Cow;

/// A language of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// 简体中文.
    ZhCn,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::ZhCn];

    /// Its name in config and palette.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// Reads a name from config or a locale variable such as `zh_CN.UTF-8`; anything unknown is
    /// `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase().replace('_', "-");
        if text.starts_with("zh") {
            Some(Self::ZhCn)
        } else if text.starts_with("en") || text == "c" || text.starts_with("c.") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The words of a key. A key that no catalogue has is shown as it is; a test keeps them
    /// complete.
    pub fn say(self, key: &str) -> Cow<'static, str> {
        crate::_rust_i18n_try_translate(self.code(), key)
            .unwrap_or_else(|| Cow::Owned(key.to_owned()))
    }

    /// The same with `%{name}` filled in.
    pub fn fill(self, key: &str, args: &[(&str, &str)]) -> String {
        filled(&self.say(key), args)
    }
}

/// The text with `%{name}` filled in.
pub(crate) fn filled(text: &str, args: &[(&str, &str)]) -> String {
    let names: Vec<&str> = args.iter().map(|(name, _)| *name).collect();
    let values: Vec<String> = args.iter().map(|(_, value)| (*value).to_owned()).collect();
    rust_i18n::replace_patterns(text, &names, &values)
}

/// The text with `<action>` replaced by its key; one that has no key is typed.
pub(crate) fn keyed(text: &str, keymap: &Keymap) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((front, (name, after))) = rest
        .split_once('<')
        .and_then(|(front, behind)| Some((front, behind.split_once('>')?)))
    {
        said.push_str(front);
        match Action::named(name) {
            Some(action) => {
                let key = keymap.first_key(action);
                said.push_str(&key.unwrap_or_else(|| format!(":{name}")));
            }
            None => {
                said.push('<');
                said.push_str(name);
                said.push('>');
            }
        }
        rest = after;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::screen::KeySetting;

    #[test]
    fn a_text_names_the_key_that_the_person_has() {
        let (keymap, _) = Keymap::new(&[]);
        let text = "`<refresh>` looks, `<arm>` goes on, a <b> c < d";
        assert_eq!(
            keyed(text, &keymap),
            "`r` looks, `:arm` goes on, a <b> c < d"
        );
        let (keymap, problems) = Keymap::new(&[KeySetting {
            action: "refresh".to_owned(),
            chords: vec!["f5".to_owned()],
            line: 1,
            column: 1,
        }]);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(keyed("`<refresh>`", &keymap), "`F5`");
    }
}

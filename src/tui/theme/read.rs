//! Reads a theme's file: every fault in it at once, each with its place. Then each role's look is
//! made from what it inherits.

use super::colour;
use super::role::Role;
use cockpit_domain::finding::{Finding, Source, suggest};
use cockpit_domain::text::{Redactor, clean_line, shorten};
use ratatui::style::{Color, Modifier, Style};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a look may say beside its colours and its `inherit`.
const FLAGS: &[(&str, Modifier)] = &[
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// One line of the file.
#[derive(Debug, Default)]
struct Look {
    fg: Option<Color>,
    bg: Option<Color>,
    on: Modifier,
    off: Modifier,
    inherit: Option<(Role, Range<usize>)>,
}

/// What the file says of each role.
type Looks = [Option<Look>; Role::COUNT];

/// The style of every role.
pub(super) fn styles(source: Source<'_>) -> Result<[Style; Role::COUNT], Vec<Finding>> {
    let mut reader = Reader {
        source,
        findings: Vec::new(),
    };
    let table = DeTable::parse(source.text).map_err(|error| vec![source.toml_error(&error)])?;
    let looks = reader.file(table.get_ref());
    for role in Role::ALL {
        reader.no_loop(&looks, role);
    }
    if reader.findings.is_empty() {
        return Ok(Role::ALL.map(|role| style(&looks, role)));
    }
    reader
        .findings
        .sort_by_key(|finding| (finding.line, finding.column));
    Err(reader.findings)
}

/// The role below which a role is laid: what it inherits, or its parent where the file leaves it
/// away. `None` where it stands for itself.
fn below(looks: &Looks, role: Role) -> Option<Role> {
    match &looks[role as usize] {
        Some(look) => look.inherit.as_ref().map(|(other, _)| *other),
        None => Some(role.parent()).filter(|parent| *parent != role),
    }
}

/// A role and what it is laid on, downwards; never longer than there are roles.
fn chain(looks: &Looks, role: Role) -> Vec<Role> {
    std::iter::successors(Some(role), |role| below(looks, *role))
        .take(Role::COUNT)
        .collect()
}

fn style(looks: &Looks, role: Role) -> Style {
    let (mut fg, mut bg, mut modifiers) = (None, None, Modifier::empty());
    let chain = chain(looks, role);
    for look in chain
        .iter()
        .rev()
        .filter_map(|role| looks[*role as usize].as_ref())
    {
        fg = look.fg.or(fg);
        bg = look.bg.or(bg);
        modifiers = (modifiers | look.on) - look.off;
    }
    let mut style = Style::new().add_modifier(modifiers);
    style.fg = fg;
    style.bg = bg;
    style
}

struct Reader<'a> {
    source: Source<'a>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn file(&mut self, root: &DeTable<'_>) -> Looks {
        let mut looks = Looks::default();
        self.known_keys(root, "key", &["roles"]);
        let Some(value) = root.get("roles") else {
            let finding = self
                .source
                .whole("`roles` is missing", "add `[roles]` with a line a role");
            self.findings.push(finding);
            return looks;
        };
        let Some(roles) = self.table(value, "write `[roles]` with a line a role") else {
            return looks;
        };
        self.known_keys(roles, "role", &Role::ALL.map(Role::name));
        for role in Role::ALL {
            looks[role as usize] = roles.get(role.name()).and_then(|value| self.look(value));
        }
        looks
    }

    fn look(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Look> {
        let table = self.table(value, "write a look: { fg = \"red\", bold = true }")?;
        let mut valid = vec!["fg", "bg", "inherit"];
        valid.extend(FLAGS.iter().map(|(name, _)| *name));
        self.known_keys(table, "key", &valid);
        let mut look = Look {
            fg: table.get("fg").and_then(|value| self.colour(value)),
            bg: table.get("bg").and_then(|value| self.colour(value)),
            inherit: table.get("inherit").and_then(|value| self.inherit(value)),
            ..Look::default()
        };
        for (name, modifier) in FLAGS {
            match table.get(*name).map(|value| (value.get_ref(), value)) {
                None => {}
                Some((DeValue::Boolean(true), _)) => look.on |= *modifier,
                Some((DeValue::Boolean(false), _)) => look.off |= *modifier,
                Some((_, value)) => {
                    self.wrong_type(value, "true or false", "write true or false, no quotes");
                }
            }
        }
        Some(look)
    }

    fn colour(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Color> {
        let read = match value.get_ref() {
            DeValue::String(text) => colour::parse(text)
                .map_err(|hint| (format!("there is no colour `{}`", shown(text)), hint)),
            DeValue::Integer(number) if number.radix() == 10 => colour::indexed(number.as_str())
                .map_err(|hint| ("the palette has no such colour".to_owned(), hint)),
            _ => {
                let hint = "write \"bright-red\", \"#rrggbb\", or a number from 0 to 255";
                self.wrong_type(value, "a colour", hint);
                return None;
            }
        };
        read.map_err(|(message, hint)| self.fault(value.span(), message, hint))
            .ok()
    }

    fn inherit(&mut self, value: &Spanned<DeValue<'_>>) -> Option<(Role, Range<usize>)> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(value, "a role", "put its name in quotes: \"warn\"");
            return None;
        };
        let role = Role::named(text);
        if role.is_none() {
            let shown = shown(text);
            let hint = suggest(&shown, &Role::ALL.map(Role::name));
            self.fault(value.span(), format!("there is no role `{shown}`"), hint);
        }
        Some((role?, value.span()))
    }

    /// A ring of roles that inherit from each other is named once, at its first role.
    fn no_loop(&mut self, looks: &Looks, role: Role) {
        let chain = chain(looks, role);
        let Some(back) = chain
            .iter()
            .position(|step| below(looks, *step) == Some(role))
        else {
            return;
        };
        let ring = &chain[..=back];
        let said = |step: &Role| looks[*step as usize].as_ref()?.inherit.clone();
        // Parents make no ring: one of its roles says `inherit`.
        let first = ring.iter().filter(|step| said(step).is_some()).min();
        if first == Some(&role)
            && let Some((_, span)) = said(&role)
        {
            let way: Vec<&str> = ring.iter().chain([&role]).map(|step| step.name()).collect();
            self.fault(
                span,
                format!(
                    "`{}` inherits from itself: {}",
                    role.name(),
                    way.join(" > ")
                ),
                "let one of them say its look without `inherit`".to_owned(),
            );
        }
    }

    fn known_keys(&mut self, table: &DeTable<'_>, noun: &str, valid: &[&str]) {
        for key in table.keys() {
            if !valid.contains(&key.get_ref().as_ref()) {
                let shown = shown(key.get_ref());
                let hint = suggest(&shown, valid);
                self.fault(key.span(), format!("unknown {noun} `{shown}`"), hint);
            }
        }
    }

    fn table<'t>(
        &mut self,
        value: &'t Spanned<DeValue<'t>>,
        hint: &str,
    ) -> Option<&'t DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, "a table", hint);
        }
        table
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, wanted: &str, hint: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("{found} where {wanted} belongs");
        self.fault(value.span(), message, hint.to_owned());
    }

    fn fault(&mut self, span: Range<usize>, message: String, hint: String) {
        self.findings.push(self.source.at(span, message, hint));
    }
}

/// A word of the file in a message: one short line, and no secret.
fn shown(text: &str) -> String {
    shorten(&clean_line(&Redactor::new().admit(text)), 40)
}

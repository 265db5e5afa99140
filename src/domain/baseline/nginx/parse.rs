//! From the text of `nginx -T` to one tree. The dump lists files one after another, each under a
//! mark; includes are put where they stand, as nginx does.

use super::super::glob::matches_glob;
use super::tokens::{Kind, Token, tokens};
use std::sync::Arc;

/// What each file begins with in a dump.
pub(super) const MARK: &str = "# configuration file ";
/// The name of a text that has no marks.
const UNMARKED: &str = "nginx -T";
/// Includes deeper than this are a circle.
const DEEPEST_INCLUDE: usize = 16;

/// One directive, simple or with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Name, such as `proxy_pass`.
    pub name: String,
    /// Arguments, quotes taken off.
    pub args: Vec<String>,
    /// File it stands in.
    pub file: Arc<str>,
    /// Line there, counted from 1.
    pub line: usize,
    /// What its braces hold; `None` for a simple directive.
    pub block: Option<Vec<Self>>,
}

impl Directive {
    /// Arguments as one text.
    pub fn value(&self) -> String {
        self.args.join(" ")
    }

    /// Where it stands: `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The directives in its block with this name.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.block
            .iter()
            .flatten()
            .filter(move |directive| directive.name == name)
    }

    /// The first directive in its block with this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.block
            .iter()
            .flatten()
            .find(|directive| directive.name == name)
    }
}

/// The whole effective configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NginxConfig {
    /// Top-level directives of the main file, includes in place.
    pub top: Vec<Directive>,
}

impl NginxConfig {
    /// Reads a dump.
    ///
    /// # Errors
    /// One sentence with file and line, when it is no configuration.
    pub fn read(dump: &str) -> Result<Self, String> {
        let mut files: Vec<(Arc<str>, Vec<Directive>)> = Vec::new();
        for (name, text) in sections(dump) {
            let name: Arc<str> = name.into();
            let tokens =
                tokens(&text).map_err(|(line, reason)| format!("{name}:{line}: {reason}"))?;
            let mut at = 0;
            let directives = directives(&tokens, &mut at, &name, false)?;
            files.push((name, directives));
        }
        let Some((main, _)) = files.first() else {
            return Err("there is no configuration in it".to_owned());
        };
        let folder = main
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned();
        let main = files[0].1.clone();
        if main.is_empty() {
            return Err("there is no configuration in it".to_owned());
        }
        Ok(Self {
            top: with_includes(main, &files, &folder, 0),
        })
    }

    /// Every directive, blocks and what they hold, in order.
    pub fn walk(&self) -> Vec<&Directive> {
        let mut out = Vec::new();
        walk_into(&self.top, &mut out);
        out
    }

    /// The directives inside `http { }`.
    pub fn http(&self) -> impl Iterator<Item = &Directive> {
        self.top
            .iter()
            .filter(|directive| directive.name == "http")
            .flat_map(|http| http.block.iter().flatten())
    }
}

impl Directive {
    /// Every directive inside, blocks and what they hold, in order.
    pub(super) fn walk(&self) -> Vec<&Self> {
        let mut out = Vec::new();
        walk_into(self.block.as_deref().unwrap_or_default(), &mut out);
        out
    }
}

fn walk_into<'a>(directives: &'a [Directive], out: &mut Vec<&'a Directive>) {
    for directive in directives {
        out.push(directive);
        if let Some(block) = &directive.block {
            walk_into(block, out);
        }
    }
}

/// The files of a dump: name and text, in order.
fn sections(dump: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in dump.lines() {
        let mark = line
            .strip_prefix(MARK)
            .and_then(|rest| rest.trim_end().strip_suffix(':'));
        if let Some(name) = mark {
            files.push((name.to_owned(), String::new()));
            continue;
        }
        if files.is_empty() {
            if line.trim().is_empty() || line.starts_with("nginx:") {
                continue;
            }
            files.push((UNMARKED.to_owned(), String::new()));
        }
        if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    files
}

/// Reads directives until the block or the text ends.
fn directives(
    tokens: &[Token],
    at: &mut usize,
    file: &Arc<str>,
    inside: bool,
) -> Result<Vec<Directive>, String> {
    let mut out = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut first_line = 0;
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        let place = || format!("{file}:{}", token.line);
        match &token.kind {
            Kind::Word(word) => {
                if words.is_empty() {
                    first_line = token.line;
                }
                words.push(word.clone());
            }
            Kind::End | Kind::Open if words.is_empty() => {
                return Err(format!("{}: a directive without a name", place()));
            }
            Kind::End => out.push(directive(&mut words, file, first_line, None)),
            Kind::Open => {
                let mut own = std::mem::take(&mut words);
                let block = directives(tokens, at, file, true)?;
                out.push(directive(&mut own, file, first_line, Some(block)));
            }
            Kind::Close if !words.is_empty() => {
                return Err(format!("{}: `;` is missing before `}}`", place()));
            }
            Kind::Close if inside => return Ok(out),
            Kind::Close => return Err(format!("{}: a `}}` too many", place())),
        }
    }
    if inside {
        return Err(format!("{file}: a `{{` is never closed"));
    }
    if words.is_empty() {
        Ok(out)
    } else {
        Err(format!("{file}:{first_line}: `;` is missing at the end"))
    }
}

fn directive(
    words: &mut Vec<String>,
    file: &Arc<str>,
    line: usize,
    block: Option<Vec<Directive>>,
) -> Directive {
    let mut words = std::mem::take(words).into_iter();
    Directive {
        name: words.next().unwrap_or_default(),
        args: words.collect(),
        file: file.clone(),
        line,
        block,
    }
}

/// Puts the directives of included files in the place of each `include`.
fn with_includes(
    directives: Vec<Directive>,
    files: &[(Arc<str>, Vec<Directive>)],
    folder: &str,
    depth: usize,
) -> Vec<Directive> {
    let mut out = Vec::new();
    for mut directive in directives {
        if directive.name == "include" && directive.block.is_none() && depth < DEEPEST_INCLUDE {
            let pattern = directive.value();
            let pattern = if pattern.starts_with('/') || folder.is_empty() {
                pattern
            } else {
                format!("{folder}/{pattern}")
            };
            // nginx takes the files of a pattern in the order of their names.
            let mut included: Vec<&(Arc<str>, Vec<Directive>)> = Vec::new();
            for file in files.iter().skip(1) {
                let known = included.iter().any(|(name, _)| *name == file.0);
                if !known && matches_path(&pattern, &file.0) {
                    included.push(file);
                }
            }
            included.sort_by(|left, right| left.0.cmp(&right.0));
            for (_, inner) in included {
                out.extend(with_includes(inner.clone(), files, folder, depth + 1));
            }
            continue;
        }
        directive.block = directive
            .block
            .map(|block| with_includes(block, files, folder, depth));
        out.push(directive);
    }
    out
}

/// Whether a path matches a pattern, folder by folder: `*` does not cross a `/`.
fn matches_path(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(pattern, part)| {
            let hidden = part.starts_with('.') && !pattern.starts_with('.');
            !hidden && matches_glob(pattern, part)
        })
}

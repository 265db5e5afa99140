//! Packs at hand: those compiled in, and those of the user's folder, which win by id. Read once;
//! a broken pack is kept with its findings and refuses only when somebody asks for it.

use cockpit_domain::finding::{Finding, suggest};
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::{BookAtHand, Pack, RunbookFile, read, unknown_books, with_runbooks};
use cockpit_domain::runbook::TRANSLATION;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{PackEntry, Packs};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// The file of a pack inside its folder.
const PACK_FILE: &str = "pack.toml";
/// The folder of its runbooks.
const RUNBOOK_FOLDER: &str = "runbooks";
/// A pack longer than this is something else.
const LARGEST: u64 = 1 << 20;
/// What `source` says of a compiled-in pack.
const BUILT_IN: &str = "built in";

/// Id and text of every pack compiled in. The list lies beside the packs, so that a new one needs
/// no line here; a test holds it against the folder.
const SHIPPED: &[(&str, &str)] = &include!("../../packs/shipped.in");

/// Pack, name and text of every runbook compiled in; beside the packs and tested like their list.
const RUNBOOKS: &[(&str, &str, &str)] = &include!("../../packs/runbooks.in");

/// A runbook of a pack: its name, how its file is shown, its text.
type Book = (String, String, String);

/// The packs of this program and of one user.
#[derive(Debug, Clone)]
pub struct PackShelf {
    entries: BTreeMap<PackId, PackEntry>,
    /// The runbooks beside them, also beside a broken one.
    books: BTreeMap<PackId, Vec<String>>,
}

/// What is read of packs, before they are held against each other.
#[derive(Default)]
struct Taken {
    entries: BTreeMap<PackId, PackEntry>,
    books: BTreeMap<PackId, Vec<String>>,
    /// How the files of the user's packs are shown, and their texts.
    texts: BTreeMap<PackId, (String, String)>,
}

impl Taken {
    fn add(&mut self, id: PackId, source: &str, pack: Result<Pack, Vec<Finding>>, books: &[Book]) {
        let entry = PackEntry {
            id: id.clone(),
            source: source.to_owned(),
            pack,
        };
        let names = names(books);
        drop(self.books.insert(id.clone(), names));
        drop(self.entries.insert(id, entry));
    }

    /// Finds what a triage pack of the user's leads to and nobody has. A pack that ships leads to packs
    /// that ship, which a test holds; where the user has replaced one of those, its runbooks are not
    /// offered.
    fn lead_somewhere(&mut self) {
        let at_hand = at_hand(&self.books);
        for (id, (shown, text)) in &self.texts {
            let Some(entry) = self.entries.get_mut(id) else {
                continue;
            };
            entry.pack = leading(
                std::mem::replace(&mut entry.pack, Err(Vec::new())),
                shown,
                text,
                &at_hand,
            );
        }
    }
}

/// The names of runbooks, without those of their translations.
fn names(books: &[Book]) -> Vec<String> {
    let names = books.iter().map(|(name, ..)| name);
    names
        .filter(|name| !name.ends_with(TRANSLATION))
        .cloned()
        .collect()
}

fn at_hand(books: &BTreeMap<PackId, Vec<String>>) -> Vec<BookAtHand> {
    let of = |(pack, names): (&PackId, &Vec<String>)| -> Vec<BookAtHand> {
        names
            .iter()
            .map(|name| (pack.clone(), name.clone()))
            .collect()
    };
    books.iter().flat_map(of).collect()
}

/// The pack, unless it is of triage and leads to a runbook that nobody has.
fn leading(
    pack: Result<Pack, Vec<Finding>>,
    shown: &str,
    text: &str,
    at_hand: &[BookAtHand],
) -> Result<Pack, Vec<Finding>> {
    if !matches!(pack, Ok(Pack::Triage(_))) {
        return pack;
    }
    let findings = unknown_books(shown, text, at_hand);
    if findings.is_empty() {
        pack
    } else {
        Err(findings)
    }
}

impl PackShelf {
    /// Reads the compiled-in packs and those below `folder`, one folder a pack. `vars` are the
    /// config's `[vars]`, by `PACK.VAR`.
    ///
    /// # Errors
    /// `Config` when the folder cannot be read, holds a name that is no pack id, or when a variable
    /// names a pack that does not exist.
    pub fn load(folder: Option<&Path>, vars: &BTreeMap<String, String>) -> Outcome<Self> {
        let mut taken = Taken::default();
        for (id, text) in SHIPPED {
            let id = PackId::new(*id)
                .map_err(|bad| Failure::new(FailureKind::Internal, bad.to_string()))?;
            let shown = format!("packs/{id}/{PACK_FILE}");
            let mine = RUNBOOKS.iter().filter(|(pack, ..)| *pack == id.as_str());
            let books: Vec<Book> = mine
                .map(|(pack, name, text)| {
                    let shown = format!("packs/{pack}/{RUNBOOK_FOLDER}/{name}.md");
                    ((*name).to_owned(), shown, (*text).to_owned())
                })
                .collect();
            let pack = whole(&id, &shown, text, &books, vars);
            taken.add(id, BUILT_IN, pack, &books);
        }
        if let Some(folder) = folder {
            add_folder(&mut taken, folder, vars)
                .map_err(|failure| failure.doing("reading the user's packs"))?;
        }
        taken.lead_somewhere();
        let shelf = Self {
            entries: taken.entries,
            books: taken.books,
        };
        shelf.check_vars(vars)?;
        Ok(shelf)
    }

    /// A variable must name a pack; the pack itself checks the rest of the name.
    fn check_vars(&self, vars: &BTreeMap<String, String>) -> Outcome<()> {
        for name in vars.keys() {
            let known = self.entries.keys().any(|id| {
                name.strip_prefix(id.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
            });
            if !known {
                let pack = name
                    .rsplit_once('.')
                    .map_or(name.as_str(), |(pack, _)| pack);
                return Err(Failure::new(
                    FailureKind::Config,
                    format!("[vars] `{name}` names no pack"),
                )
                .doing("reading the packs")
                .hint(format!("write PACK.VAR; {}", suggest(pack, &self.ids()))));
            }
        }
        Ok(())
    }

    fn ids(&self) -> Vec<&str> {
        self.entries.keys().map(PackId::as_str).collect()
    }
}

/// A pack with the runbooks beside it.
fn whole(
    id: &PackId,
    shown: &str,
    text: &str,
    books: &[Book],
    vars: &BTreeMap<String, String>,
) -> Result<Pack, Vec<Finding>> {
    let files: Vec<RunbookFile<'_>> = books
        .iter()
        .map(|(name, shown, text)| RunbookFile { name, shown, text })
        .collect();
    with_runbooks(read(id, shown, text, vars)?, &files)
}

/// The runbooks of a pack's folder, by name.
fn books_beside(pack: &Path) -> std::io::Result<Vec<Book>> {
    let mut books = Vec::new();
    let Some(folder) = pack.parent().map(|folder| folder.join(RUNBOOK_FOLDER)) else {
        return Ok(books);
    };
    let listing = match std::fs::read_dir(&folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(books),
        Err(error) => return Err(error),
    };
    for entry in listing {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.extension().is_none_or(|end| end != "md") || name.starts_with('.') {
            continue;
        }
        if std::fs::metadata(&path)?.len() > LARGEST {
            let found = format!("`{}` is too large for a runbook", path.display());
            return Err(std::io::Error::new(ErrorKind::InvalidData, found));
        }
        let text = std::fs::read_to_string(&path)?;
        books.push((name.into_owned(), path.display().to_string(), text));
    }
    books.sort();
    Ok(books)
}

/// The runbooks of the packs that lie around one that is checked, as far as they can be read.
fn books_around(pack: &Path) -> Vec<BookAtHand> {
    let around = pack.parent().and_then(Path::parent);
    let Some(Ok(folders)) = around.map(std::fs::read_dir) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for folder in folders.flatten() {
        let id = PackId::new(folder.file_name().to_string_lossy()).ok();
        let file = folder.path().join(PACK_FILE);
        if let Some(id) = id.filter(|_| file.is_file()) {
            let books = books_beside(&file).unwrap_or_default();
            found.extend(names(&books).into_iter().map(|name| (id.clone(), name)));
        }
    }
    found
}

fn add_folder(taken: &mut Taken, folder: &Path, vars: &BTreeMap<String, String>) -> Outcome<()> {
    let refused = |what: &Path, error: &std::io::Error| {
        Failure::new(
            FailureKind::Config,
            format!("`{}`: {error}", what.display()),
        )
        .hint("check `packs_dir` of the config and the rights of the folder")
    };
    let listing = std::fs::read_dir(folder).map_err(|error| refused(folder, &error))?;
    for entry in listing {
        let path = entry.map_err(|error| refused(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        let file = path.join(PACK_FILE);
        let meta = match std::fs::metadata(&file) {
            Ok(meta) => meta,
            // A folder of something else.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(refused(&file, &error)),
        };
        if meta.len() > LARGEST {
            return Err(Failure::new(
                FailureKind::Config,
                format!("`{}` is too large for a pack", file.display()),
            )
            .hint("a pack is a page of text; check what this file is"));
        }
        let id = PackId::new(name.as_ref()).map_err(|bad| {
            Failure::new(FailureKind::Config, format!("`{}`: {bad}", path.display()))
                .hint("rename the folder: its name is the pack's id")
        })?;
        let shown = file.display().to_string();
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let books = books_beside(&file).map_err(|error| refused(&file, &error))?;
                let pack = whole(&id, &shown, &text, &books, vars);
                taken.add(id.clone(), &shown, pack, &books);
                drop(taken.texts.insert(id, (shown, text)));
            }
            Err(error) => return Err(refused(&file, &error)),
        }
    }
    Ok(())
}

impl Packs for PackShelf {
    fn is_built_in(&self, id: &PackId) -> bool {
        self.entries
            .get(id)
            .is_some_and(|entry| entry.source == BUILT_IN)
    }

    fn list(&self) -> Outcome<Vec<PackEntry>> {
        Ok(self.entries.values().cloned().collect())
    }

    fn check(&self, what: &Path) -> Outcome<PackEntry> {
        let file = if what.is_dir() {
            what.join(PACK_FILE)
        } else {
            what.to_path_buf()
        };
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                // Not a file: perhaps the id of a pack at hand.
                let known = PackId::new(what.to_string_lossy()).ok();
                return known
                    .and_then(|id| self.entries.get(&id))
                    .cloned()
                    .ok_or_else(|| {
                        Failure::new(FailureKind::Usage, format!("`{}`: {error}", file.display()))
                            .doing("reading the pack to check")
                            .hint(
                                "name a pack file, a pack folder, or an id of `cockpit pack list`",
                            )
                    });
            }
        };
        let shown = file.display().to_string();
        // A pack's id is its folder; a lone file is checked under its own name.
        let folder = file
            .parent()
            .and_then(Path::file_name)
            .filter(|_| file.ends_with(PACK_FILE));
        let name = folder
            .or_else(|| file.file_stem())
            .unwrap_or_default()
            .to_string_lossy();
        let id = PackId::new(name.to_lowercase()).map_err(|bad| {
            Failure::new(FailureKind::Usage, format!("`{shown}`: {bad}"))
                .doing("reading the pack to check")
                .hint("a pack's id is the name of its folder; rename it")
        })?;
        let books = if folder.is_some() {
            books_beside(&file).map_err(|error| {
                Failure::new(
                    FailureKind::Usage,
                    format!("the runbooks of `{id}`: {error}"),
                )
                .doing("reading the pack to check")
                .hint("check the rights of the folder")
            })?
        } else {
            Vec::new()
        };
        let mut at_hand = at_hand(&self.books);
        at_hand.extend(books_around(&file));
        let pack = whole(&id, &shown, &text, &books, &BTreeMap::new());
        let pack = leading(pack, &shown, &text, &at_hand);
        Ok(PackEntry {
            id,
            source: shown,
            pack,
        })
    }

    fn read(&self, id: &PackId) -> Outcome<Pack> {
        let Some(entry) = self.entries.get(id) else {
            return Err(
                Failure::new(FailureKind::Usage, format!("there is no pack `{id}`"))
                    .doing("looking up the pack")
                    .hint(suggest(id.as_str(), &self.ids())),
            );
        };
        match &entry.pack {
            Ok(pack) => Ok(pack.clone()),
            Err(findings) => Err(broken(entry, findings)),
        }
    }
}

fn broken(entry: &PackEntry, findings: &[Finding]) -> Failure {
    let more = match findings.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let first = findings
        .first()
        .map_or_else(|| "it is broken".to_owned(), ToString::to_string);
    Failure::new(
        FailureKind::Config,
        format!("pack `{}`: {first}{more}", entry.id),
    )
    .doing("reading the pack")
    .hint("`cockpit pack check` names every fault")
}

#[cfg(test)]
mod lab_tests;

#[cfg(test)]
mod tests;

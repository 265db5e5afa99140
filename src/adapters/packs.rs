//! Packs at hand: those compiled in, and those of the user's folder, which win by id. Read once;
//! a broken pack is kept with its findings and refuses only when somebody asks for it.

use cockpit_domain::finding::{Finding, suggest};
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::{Pack, RunbookFile, read, with_runbooks};
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
}

impl PackShelf {
    /// Reads the compiled-in packs and those below `folder`, one folder a pack. `vars` are the
    /// config's `[vars]`, by `PACK.VAR`.
    ///
    /// # Errors
    /// `Config` when the folder cannot be read, holds a name that is no pack id, or when a variable
    /// names a pack that does not exist.
    pub fn load(folder: Option<&Path>, vars: &BTreeMap<String, String>) -> Outcome<Self> {
        let mut entries = BTreeMap::new();
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
            add(&mut entries, id, BUILT_IN, pack);
        }
        if let Some(folder) = folder {
            add_folder(&mut entries, folder, vars)
                .map_err(|failure| failure.doing("reading the user's packs"))?;
        }
        let shelf = Self { entries };
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

fn add(
    entries: &mut BTreeMap<PackId, PackEntry>,
    id: PackId,
    source: &str,
    pack: Result<Pack, Vec<Finding>>,
) {
    let entry = PackEntry {
        id: id.clone(),
        source: source.to_owned(),
        pack,
    };
    entries.insert(id, entry);
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

fn add_folder(
    entries: &mut BTreeMap<PackId, PackEntry>,
    folder: &Path,
    vars: &BTreeMap<String, String>,
) -> Outcome<()> {
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
                add(entries, id, &shown, pack);
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
        let pack = whole(&id, &shown, &text, &books, &BTreeMap::new());
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
mod tests {
    use super::*;
    use std::fs;

    fn id(text: &str) -> PackId {
        PackId::new(text).unwrap()
    }

    fn vars(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
        rows.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn write(folder: &Path, pack: &str, text: &str) {
        fs::create_dir_all(folder.join(pack)).unwrap();
        fs::write(folder.join(pack).join(PACK_FILE), text).unwrap();
    }

    const MINE: &str = "schema = 1\nkind = \"provider\"\ntitle = \"Mine\"\n\
                        base_url = \"https://mine.example\"\nmodels = [\"m\"]\nsmoke_model = \"m\"\n";

    #[test]
    fn the_list_of_shipped_packs_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let mut there: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        there.sort();
        let listed: Vec<&str> = SHIPPED.iter().map(|(id, _)| *id).collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn the_list_of_shipped_runbooks_is_the_folders() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let mut there = Vec::new();
        for (pack, _) in SHIPPED {
            let books = books_beside(&packs.join(pack).join(PACK_FILE)).unwrap();
            there.extend(
                books
                    .into_iter()
                    .map(|(name, ..)| ((*pack).to_owned(), name)),
            );
        }
        let listed: Vec<(String, String)> = RUNBOOKS
            .iter()
            .map(|(pack, name, _)| ((*pack).to_owned(), (*name).to_owned()))
            .collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn a_runbook_is_part_of_its_packs_fingerprint_and_its_faults_are_the_packs() {
        const PACK: &str = "schema = 1\nkind = \"baseline\"\ntitle = \"M\"\n[[check]]\nid = \"a\"\n\
                            layer = \"entry\"\nlevel = \"must\"\ntitle = \"t\"\nwhy = \"w\"\n\
                            next_step = \"n\"\n[check.http]\nurl = \"http://127.0.0.1:9/\"\nstatus = 200\n";
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "mine", PACK);
        let print = |book: &str| {
            let books = folder.path().join("mine").join(RUNBOOK_FOLDER);
            fs::create_dir_all(&books).unwrap();
            fs::write(books.join("again.md"), book).unwrap();
            let shelf = PackShelf::load(Some(folder.path()), &BTreeMap::new()).unwrap();
            shelf
                .read(&id("mine"))
                .map(|pack| pack.fingerprint().to_owned())
        };
        let one =
            print("+++\ntitle = \"x\"\n+++\n```do\nargv = [\"true\"]\nmachine = \"local\"\n```\n")
                .unwrap();
        let two =
            print("+++\ntitle = \"x\"\n+++\n```do\nargv = [\"false\"]\nmachine = \"local\"\n```\n")
                .unwrap();
        assert_ne!(one, two);
        let failure = print("+++\ntitle = \"x\"\n+++\n```look\ncheck = \"b\"\n```\n").unwrap_err();
        assert!(
            failure
                .message
                .contains("again.md:5:9: no check of the pack"),
            "{failure}"
        );
    }

    #[test]
    fn every_shipped_pack_is_good() {
        let shelf = PackShelf::load(None, &BTreeMap::new()).unwrap();
        for entry in shelf.list().unwrap() {
            assert!(entry.pack.is_ok(), "{entry:?}");
            assert_eq!(entry.source, "built in");
        }
        assert_eq!(shelf.provider(&id("lab")).unwrap().smoke_model, "lab-chat");
        assert!(shelf.provider(&id("tksea")).is_err());
    }

    #[test]
    fn the_users_packs_win_by_id_and_new_ones_are_added() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "deepseek", MINE);
        write(folder.path(), "mine", MINE);
        fs::create_dir(folder.path().join("notes")).unwrap();
        fs::write(folder.path().join("README.md"), "x").unwrap();
        let shelf = PackShelf::load(Some(folder.path()), &BTreeMap::new()).unwrap();
        assert_eq!(shelf.provider(&id("deepseek")).unwrap().title, "Mine");
        assert_eq!(shelf.provider(&id("mine")).unwrap().title, "Mine");
        let listed = shelf.list().unwrap();
        assert_eq!(listed.len(), SHIPPED.len() + 1);
        let entry = listed.iter().find(|entry| entry.id == id("mine")).unwrap();
        assert!(entry.source.ends_with("mine/pack.toml"));
    }

    #[test]
    fn a_broken_pack_is_listed_and_refuses_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "mine", "schema = 1\nkind = \"provider\"\n");
        let shelf = PackShelf::load(Some(folder.path()), &BTreeMap::new()).unwrap();
        let failure = shelf.read(&id("mine")).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(
            failure
                .message
                .contains("mine/pack.toml:1:1: `title` is missing")
        );
        assert!(
            failure.message.ends_with("(and 3 more)"),
            "{}",
            failure.message
        );
        assert!(shelf.read(&id("lab")).is_ok());
    }

    #[test]
    fn an_unknown_pack_names_the_nearest() {
        let shelf = PackShelf::load(None, &BTreeMap::new()).unwrap();
        let failure = shelf.read(&id("deepseak")).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage);
        assert_eq!(failure.hint, "did you mean `deepseek`?");
    }

    #[test]
    fn variables_reach_their_pack_and_lost_ones_are_named() {
        let shelf =
            PackShelf::load(None, &vars(&[("tksea.public_base", "http://127.0.0.1:9")])).unwrap();
        let Pack::Baseline(pack) = shelf.read(&id("tksea")).unwrap() else {
            panic!("no baseline");
        };
        assert_eq!(pack.vars["public_base"], "http://127.0.0.1:9");
        let failure = PackShelf::load(None, &vars(&[("tksae.public_base", "x")])).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.hint.contains("`tksea`"), "{}", failure.hint);
        let shelf = PackShelf::load(None, &vars(&[("tksea.public", "x")])).unwrap();
        assert!(shelf.read(&id("tksea")).is_err());
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_fault_of_the_config() {
        let failure =
            PackShelf::load(Some(Path::new("/nowhere/packs")), &BTreeMap::new()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Config);
    }

    #[test]
    fn a_folder_whose_name_is_no_id_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "My Pack", MINE);
        let failure = PackShelf::load(Some(folder.path()), &BTreeMap::new()).unwrap_err();
        assert!(
            failure.message.contains("is not a slug"),
            "{}",
            failure.message
        );
    }
}

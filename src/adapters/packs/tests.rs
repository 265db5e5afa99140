//! Packs of the program and of a user: which win, what is refused, what a broken one says.

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
fn a_triage_rule_leads_to_a_runbook_at_hand_or_is_said_with_its_line() {
    const TRIAGE: &str = "schema = 1\nkind = \"triage\"\ntitle = \"T\"\n[[rule]]\nid = \"a\"\n\
                          rung = \"502\"\nlayer = \"entry\"\njudgement = \"j\"\n\
                          next_step = \"n\"\nrunbook = \"BOOK\"\n[[rule.when]]\nlog = 'x'\n";
    let folder = tempfile::tempdir().unwrap();
    let led = |book: &str| {
        write(folder.path(), "mine", &TRIAGE.replace("BOOK", book));
        let shelf = PackShelf::load(Some(folder.path()), &BTreeMap::new()).unwrap();
        let checked = shelf.check(&folder.path().join("mine")).unwrap().pack;
        assert_eq!(checked.is_ok(), shelf.read(&id("mine")).is_ok());
        shelf.read(&id("mine"))
    };
    assert!(led("entry-502").is_ok());
    assert!(led("tksea/entry-502").is_ok());
    let failure = led("entry-503").unwrap_err();
    assert!(
        failure.message.contains(
            "mine/pack.toml:10:11: no runbook is called `entry-503` (did you mean `entry-502`?)"
        ),
        "{failure}"
    );
    assert!(led("lab/entry-502").is_err());
}

#[test]
fn every_shipped_triage_rule_leads_to_a_shipped_runbook() {
    let books: Vec<BookAtHand> = RUNBOOKS
        .iter()
        .filter(|(_, name, _)| !name.ends_with(TRANSLATION))
        .map(|(pack, name, _)| (id(pack), (*name).to_owned()))
        .collect();
    let mut led_to = std::collections::BTreeSet::new();
    for (pack, text) in SHIPPED {
        assert_eq!(unknown_books(pack, text, &books), []);
        for (_, name) in &books {
            if text.contains(&format!("\nrunbook = \"{name}\"")) {
                led_to.insert(name.clone());
            }
        }
    }
    assert_eq!(led_to.len(), books.len(), "{led_to:?}");
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
    let failure = PackShelf::load(Some(Path::new("/nowhere/packs")), &BTreeMap::new()).unwrap_err();
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

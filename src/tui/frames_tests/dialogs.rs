//! What stands in front of a page.

use super::fleet::{armed, checks, chinese, hosts, judged, mono, shows};
use super::picture::{Album, Screen};
use super::plans::{changes, planned};
use crate::msg::Msg;
use cockpit_domain::ids::PlanId;
use cockpit_domain::plan::Totals;
use cockpit_engine::command::Answer;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::repair::PlannedRepair;
use cockpit_engine::supervisor::Snapshot;
use serde_json::json;

fn usual() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    board.batches = super::batches::every_batch();
    shows(board)
}

fn repair_of(host: &str) -> Answer {
    let changes = changes();
    Answer::Repair(Box::new(PlannedRepair {
        id: PlanId(4),
        hash: "9a4023be509f5ad2".to_owned(),
        plan: super::fleet::read(json!({
            "host": host, "pack": "stable", "check": "binding.account-7-group-3",
            "found": "", "changes": changes, "call": null, "rebind": null,
            "totals": Totals::of(&changes), "blockers": [], "warnings": [], "revision": "r",
            "expires_ms": null,
        })),
    }))
}

fn confirm(size: (u16, u16), host: &str) -> Screen {
    planned(size, armed(usual(), host), "R", repair_of(host))
        .keys("a")
        .read()
}

fn refused() -> Failure {
    Failure::new(
        FailureKind::Denied,
        "the host took no credential: 401 INVALID_ADMIN_KEY",
    )
    .doing("reading accounts of `accept`")
    .hint("`cockpit doctor` tests the credential; put a new one where `admin` of the config points")
}

#[test]
fn palette_help_and_menu() {
    let album = Album::default()
        .add("palette", &Screen::new((80, 24), usual()).keys(":"))
        .add(
            "palette, an action",
            &Screen::new((80, 24), usual()).keys(":re"),
        )
        .add(
            "palette, its argument",
            &Screen::new((80, 24), usual()).keys(":arm "),
        )
        .add(
            "palette, nothing fits",
            &Screen::new((80, 24), usual()).keys(":zzz"),
        )
        .add("help", &Screen::new((80, 24), usual()).keys("?"))
        .add(
            "help, searched, larger",
            &Screen::new((120, 40), usual()).keys("?plan"),
        )
        .add(
            "palette, a word that is unknown",
            &Screen::new((80, 24), usual()).keys(":probe nohost\r"),
        )
        .add(
            "menu of a plan",
            &planned((80, 24), usual(), "R", repair_of("prod")).keys("x"),
        )
        .add("help, smallest", &Screen::new((60, 16), usual()).keys("?"))
        .add(
            "help, 中文",
            &Screen::with((80, 24), usual(), chinese).keys("?"),
        );
    insta::assert_snapshot!("palette", album.text());
}

#[test]
fn the_import_form() {
    let form = |size| Screen::new(size, usual()).keys("I");
    // A terminal that brackets no paste types the key, and its line end is Enter.
    let typed = form((80, 24)).keys("\t\t\t\tsk-lab-good-typed-0001");
    assert!(!typed.rows().concat().contains("typed-0001"));
    let path = form((80, 24)).keys("\t\t\t\t./keys.txt");
    assert!(path.rows().concat().contains("./keys.txt"));
    let own = form((80, 24)).keys("\t\t\t\t\t");
    let given = form((80, 24))
        .keys("\t\t\t\t\t")
        .tell(Msg::Paste("sk-live-lin-00000000000000c0ffee\n".to_owned()));
    assert!(!given.rows().concat().contains("c0ffee"));
    let pasted = form((80, 24)).tell(Msg::Paste(
        "sk-lab-good-0001\n\nsk-lab-good-0002\n# a note\nbad\n".to_owned(),
    ));
    let mended = form((80, 24))
        .tell(Msg::Paste("one\n".to_owned()))
        .keys("\r")
        .answer(Err(refused()));
    let album = Album::default()
        .add("empty", &form((80, 24)))
        .add(
            "empty, production first in the config",
            &Screen::with((80, 24), usual(), |setup| setup.hosts.reverse()).keys("I"),
        )
        .add("a path is typed", &path)
        .add("a key is typed", &typed)
        .add("by balance", &form((80, 24)).keys("\t\t\t "))
        .add("a caller's own key is wanted", &own)
        .add("a caller's own key was pasted", &given)
        .add(
            "a caller's own key is in a variable",
            &form((80, 24)).keys("\t\t\t\t\tenv:LIN_KEY"),
        )
        .add("pasted", &pasted)
        .add("refused", &mended)
        .add("smallest", &form((60, 16)))
        .add("中文", &Screen::with((80, 24), usual(), chinese).keys("I"));
    insta::assert_snapshot!("import_form", album.text());
}

#[test]
fn the_form_that_prepares_access() {
    let form =
        |line: &str| Screen::new((80, 24), usual()).keys(&format!(":access-prepare{line}\r"));
    let own =
        form(" accept vendor").tell(Msg::Paste("sk-live-lin-00000000000000c0ffee".to_owned()));
    assert!(!own.rows().concat().contains("c0ffee"));
    let album = Album::default()
        .add("nothing said", &form(""))
        .add(
            "a caller's own key was pasted, by balance",
            &own.keys("\t\t\t "),
        )
        .add(
            "中文",
            &Screen::with((80, 24), usual(), chinese).keys(":access-prepare\r"),
        );
    insta::assert_snapshot!("access_form", album.text());
}

/// Host and provider are said: what is typed next is the key.
#[test]
fn an_import_of_a_named_provider_waits_for_its_keys() {
    let form = Screen::new((80, 24), usual()).keys(":import accept vendor\rsk-lab-good-typed-0001");
    let told = form.rows().concat();
    assert!(told.contains("1 key typed, not shown"), "{told}");
}

#[test]
fn the_confirmation() {
    let named = confirm((80, 24), "prod").keys("prod\trotated keys\t");
    let album = Album::default()
        .add("production", &confirm((80, 24), "prod"))
        .add("production, name and reason typed", &named)
        .add(
            "production, no reason",
            &confirm((80, 24), "prod").keys("prod\t\ty"),
        )
        .add("another host", &confirm((80, 24), "accept"))
        .add("smallest", &confirm((60, 16), "prod"))
        .add(
            "中文",
            &Screen::with((80, 24), armed(usual(), "prod"), chinese)
                .keys("3jjjR")
                .answer(Ok(repair_of("prod")))
                .keys("a")
                .read(),
        )
        .add(
            "no colour, ASCII",
            &Screen::with((80, 24), armed(usual(), "prod"), mono)
                .keys("3jjjR")
                .answer(Ok(repair_of("prod")))
                .keys("a")
                .read(),
        );
    insta::assert_snapshot!("confirm", album.text());
}

#[test]
fn a_message() {
    let failed = |screen: Screen| screen.keys("3jjjR").answer(Err(refused()));
    let album = Album::default()
        .add(
            "a plan was refused",
            &failed(Screen::new((80, 24), usual())),
        )
        .add("smallest", &failed(Screen::new((60, 16), usual())))
        .add("中文", &failed(Screen::with((80, 24), usual(), chinese)));
    insta::assert_snapshot!("message", album.text());
}

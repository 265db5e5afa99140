//! Databases, comparisons, memory and pace: looks that need more than one answer.

use super::here::{Here, assert_rows};
use std::process::{Child, Command, Stdio};

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn sqlite(path: &str, statements: &str) {
    let made = Command::new("sqlite3").args([path, statements]).status();
    assert!(made.unwrap().success(), "{statements}");
}

#[test]
fn a_database_is_asked_only_when_it_is_proven_and_trusted_and_can_never_be_written() {
    let Some(mut here) = Here::new(&["sqlite3"]) else {
        return;
    };
    let base = here.path("app.db");
    sqlite(
        &base,
        "CREATE TABLE bound (account INT, grp INT); INSERT INTO bound VALUES (7, 3), (7, 4);",
    );
    let settings = here.path("app.env");
    std::fs::write(
        &settings,
        format!("DATABASE_URL=sqlite://{base}?mode=rw\nOTHER=/no/such.db\n"),
    )
    .unwrap();
    let sql = |proof: &str, query: &str, rules: &str| {
        format!("sql = {{ sqlite = \"{base}\", {proof}, query = \"{query}\", {rules} }}")
    };
    let proven = format!("settings = \"{settings}\", host_at = \"DATABASE_URL\"");
    let ask = "SELECT grp FROM bound WHERE account = 7";
    let groups = "fields = [{ path = '*.grp', one_of = ['3', '4'] }]";
    here.check("bound", &sql(&proven, ask, groups));
    here.check("none", &sql(&proven, ask, "empty = true"));
    here.check(
        "lost",
        &sql(&proven, "SELECT grp FROM bound WHERE account = 8", groups),
    );
    let other = proven.replace("DATABASE_URL", "OTHER");
    here.check("other", &sql(&other, ask, groups));
    here.check(
        "nobody",
        &sql("opened_by = \"/no/such/program*\"", ask, groups),
    );
    // What only looks by its first word.
    here.check(
        "writes",
        &sql(
            &proven,
            "WITH x AS (SELECT 1) DELETE FROM bound",
            "empty = true",
        ),
    );
    here.check("broken", &sql(&proven, "SELECT grp FROM nowhere", groups));
    for (_, (verdict, found)) in here.judged() {
        assert_eq!(verdict, "unknown");
        assert!(
            found.contains("brings a question to a database and is not trusted"),
            "{found}"
        );
    }
    here.trusted();
    assert_rows(
        &here.judged(),
        &[
            ("bound", "ok", "2 rows"),
            ("none", "fail", "2 rows, such as {\"grp\":3}"),
            ("lost", "fail", "*.grp is missing"),
            ("other", "unknown", "is not proven to be the database of"),
            ("nobody", "unknown", "no such process runs"),
            ("writes", "unknown", "sqlite3"),
            ("broken", "unknown", "no such table: nowhere"),
        ],
    );
    let left = Command::new("sqlite3")
        .args([&base, "SELECT count(*) FROM bound"])
        .output();
    assert_eq!(String::from_utf8(left.unwrap().stdout).unwrap().trim(), "2");
}

#[test]
fn a_process_that_holds_the_file_proves_a_database_and_times_are_compared() {
    let Some(mut here) = Here::new(&["sqlite3", "sleep", "ps", "find", "stat"]) else {
        return;
    };
    let base = here.path("held.db");
    sqlite(&base, "CREATE TABLE t (n INT); INSERT INTO t VALUES (1);");
    let base = std::fs::canonicalize(&base).unwrap().display().to_string();
    // Others on this machine may run the same test.
    let mark = format!("86399.{}", std::process::id());
    let held = std::fs::File::open(&base).unwrap();
    let started = Command::new("sleep")
        .arg(&mark)
        .stdin(Stdio::from(held))
        .spawn();
    let _running = Running(started.unwrap());
    let (old, new) = (here.path("old"), here.path("new"));
    std::fs::write(&old, "a\nb\n").unwrap();
    std::fs::write(&new, "a\nc\n").unwrap();
    let touched = Command::new("touch")
        .args(["-d", "2020-01-01", &old])
        .status();
    assert!(touched.unwrap().success());
    let file = |path: &str| format!("file = {{ path = \"{path}\" }}");
    here.check(
        "held",
        &format!("sql = {{ sqlite = \"{base}\", opened_by = \"sleep {mark}*\", query = \"SELECT n FROM t\", fields = [{{ path = '0.n', equals = '1' }}] }}"),
    );
    here.check(
        "server",
        &format!("process = {{ command = \"sleep {mark}*\" }}"),
    );
    here.check("old", &file(&old));
    here.check("new", &file(&new));
    here.check(
        "gone",
        &format!("file = {{ path = \"{old}.no\", absent = true }}"),
    );
    let compare = |this: &str, is: &str, that: &str| {
        format!("compare = {{ this = \"{this}\", is = \"{is}\", that = \"{that}\" }}")
    };
    here.check("fresh", &compare("server:started", "newer", "old:changed"));
    here.check("stale", &compare("old:changed", "newer", "server:started"));
    here.check("same", &compare("old:content", "equal", "new:content"));
    here.check("size", &compare("old:size", "equal", "new:size"));
    here.check("row", &compare("new:content", "differs", "held:field.0.n"));
    here.check("unseen", &compare("gone:content", "equal", "new:content"));
    here.trusted();
    assert_rows(
        &here.judged(),
        &[
            ("held", "ok", "1 row"),
            ("server", "ok", "runs for"),
            ("old", "ok", "4 bytes"),
            ("new", "ok", "4 bytes"),
            ("gone", "ok", "nothing is there"),
            ("fresh", "ok", "is newer than"),
            ("stale", "fail", "2020-01-01T"),
            ("same", "fail", "line 2 is `b` here and `c` there"),
            ("size", "ok", "is the same as"),
            ("row", "ok", "differs from"),
            ("unseen", "unknown", "gone:content is not known"),
        ],
    );
}

#[test]
fn what_was_just_started_is_warming_up_and_what_has_just_turned_is_pending() {
    let Some(mut here) = Here::new(&["sleep", "ps"]) else {
        return;
    };
    let mark = format!("86398.{}", std::process::id());
    let _running = Running(Command::new("sleep").arg(&mark).spawn().unwrap());
    let missing = format!("file = {{ path = \"{}\" }}", here.path("missing"));
    let with = |more: &str| format!("{more}\n{missing}");
    here.check(
        "warming",
        &with(&format!(
            "grace = {{ seconds = 3600, process = \"sleep {mark}*\" }}"
        )),
    );
    here.check(
        "cold",
        &with("grace = { seconds = 3600, process = \"/no/such/program*\" }"),
    );
    here.check("lasting", &with("for_looks = 3"));
    here.check("times", &with("for_s = 3600"));
    let rows = here.judged();
    assert_rows(
        &rows,
        &[
            ("warming", "unknown", "warming up: `sleep"),
            ("cold", "fail", "is not there"),
            ("lasting", "unknown", "bad in 1 of 3 looks: "),
            ("times", "unknown", "bad for 0 s of 60 min: "),
        ],
    );
    assert!(rows["warming"].1.contains("is not there"), "{rows:?}");
    assert!(here.again(&[])["lasting"].1.contains("in 2 of 3 looks"));
    assert_eq!(here.again(&[])["lasting"].0, "fail");
    std::fs::write(here.path("missing"), "").unwrap();
    assert_eq!(here.again(&[])["lasting"].0, "ok");
    std::fs::remove_file(here.path("missing")).unwrap();
    assert!(here.again(&[])["lasting"].1.contains("in 1 of 3 looks"));
}

#[test]
fn a_round_looks_only_at_what_is_due_and_a_run_looks_at_everything() {
    let Some(mut here) = Here::new(&["stat"]) else {
        return;
    };
    let file = here.path("there");
    std::fs::write(&file, "").unwrap();
    let look = format!("file = {{ path = \"{file}\" }}");
    here.check("seldom", &format!("every_s = 3600\n{look}"));
    here.check("always", &look);
    assert_rows(
        &here.judged(),
        &[("seldom", "ok", ""), ("always", "ok", "")],
    );
    std::fs::remove_file(&file).unwrap();
    assert_rows(
        &here.again(&["--due"]),
        &[("seldom", "ok", ""), ("always", "fail", "is not there")],
    );
    assert_eq!(here.again(&[])["seldom"].0, "fail");
    // A changed pack stands for nothing that was seen before.
    std::fs::write(&file, "").unwrap();
    here.checks.push_str("# changed\n");
    here.judged();
    std::fs::remove_file(&file).unwrap();
    here.checks.push_str("# changed again\n");
    let pack = here.path("packs/here/pack.toml");
    std::fs::write(pack, &here.checks).unwrap();
    assert_eq!(here.again(&["--due"])["seldom"].0, "fail");
}

#[test]
fn what_was_seen_too_long_ago_is_unknown_when_it_is_shown() {
    let Some(mut here) = Here::new(&["stat"]) else {
        return;
    };
    let look = format!("file = {{ path = \"{}\" }}", here.path("packs"));
    here.check("short", &format!("fresh_for_s = 1\n{look}"));
    here.check("long", &look);
    assert_eq!(here.judged()["short"].0, "ok");
    let shown = || {
        let ran = here.run(&["baseline", "show", "--pack", "here", "--json"]);
        let rows = ran.json()["checks"].as_array().unwrap().clone();
        let of = |id: &str| {
            let row = rows.iter().find(|row| row["id"] == id).unwrap();
            row["verdict"].as_str().unwrap().to_owned()
        };
        (of("short"), of("long"))
    };
    let limit = std::time::Duration::from_secs(20);
    crate::support::wait_until("the short-lived row is unknown", limit, || {
        (shown().0 == "unknown").then_some(())
    });
    assert_eq!(shown().1, "ok");
}

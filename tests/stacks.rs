//! Temporary stacks over the lab: registered, refused, due, looked at.

use crate::gate::on_machine;
use crate::support::far::text;
use crate::support::{Lab, Ran, has_ssh};
use serde_json::{Value, json};

const TRIAL: [&str; 24] = [
    "stack",
    "register",
    "trial",
    "--machine",
    "remote43",
    "--reason",
    "acceptance of 0.1.130",
    "--port",
    "18087",
    "--container",
    "sub2api-trial",
    "--database",
    "sub2api-trial-postgres",
    "--database",
    "sub2api-trial-redis",
    "--batch",
    "accept-7",
    "--env",
    "/home/ubuntu/trial/.env",
    "--bootstrap",
    "/home/ubuntu/trial/bootstrap.sh",
    "--tunnel",
    "/home/ubuntu/trial/tunnel.conf",
    "--json",
];
const LONG: &str = "2999-12-31";

fn register(lab: &Lab, more: &[&str]) -> Ran {
    let mut words = TRIAL.to_vec();
    words.extend(more);
    lab.run(&words)
}

/// Registers the lab's stack, which then stands there.
fn standing() -> Lab {
    let lab = Lab::start();
    lab.break_it("temporary-stack");
    let ran = register(&lab, &["--until", LONG]);
    assert_eq!(ran.code, 0, "{ran:?}");
    lab
}

fn show(lab: &Lab) -> Value {
    lab.run(&["stack", "show", "trial", "--json"]).json()
}

/// Lines of a list that are not as they should be.
fn wrong(look: &Value, list: &str) -> Vec<String> {
    let rows = look[list].as_array().expect("rows");
    let bad = rows
        .iter()
        .filter(|row| row["verdict"] != "ok" && row["verdict"] != "waived");
    bad.map(|row| text(row, "id")).collect()
}

/// The verdict of a check of the production baseline.
fn judged(lab: &Lab, check: &str) -> (String, String) {
    let report = lab.run(&["baseline", "run", "--json"]).json();
    let rows = report["checks"].as_array().expect("rows").clone();
    let row = rows.into_iter().find(|row| row["id"] == check);
    let row = row.unwrap_or_else(|| panic!("no {check}"));
    (text(&row, "verdict"), text(&row, "found"))
}

#[test]
fn what_production_has_is_refused_and_named() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    for (change, told) in [
        (
            ["--port", "8080"],
            "port 8080 is the one of production host `prod`",
        ),
        (
            ["--port", "18190"],
            "port 18190 is the one of the neighbour",
        ),
        (
            ["--container", "sub2api"],
            "container `sub2api` is the one of production",
        ),
        (
            ["--database", "sub2api-postgres"],
            "database `sub2api-postgres` is the one of production host `prod`",
        ),
        (
            [
                "--database",
                "/home/ubuntu/crm-only-20260602_18190/sub2api-cn-relay-manager.db",
            ],
            "is the one of production: `control-plane.process`",
        ),
    ] {
        let mut words: Vec<&str> = TRIAL.to_vec();
        match words.iter().position(|word| *word == change[0]) {
            Some(at) => words[at + 1] = change[1],
            None => words.extend(change),
        }
        words.extend(["--until", LONG]);
        let ran = lab.run(&words);
        assert_eq!(
            (ran.code, &ran.error()["kind"]),
            (3, &json!("conflict")),
            "{change:?}: {ran:?}"
        );
        assert!(
            text(&ran.error(), "message").contains(told),
            "{change:?}: {ran:?}"
        );
    }
    for (more, told) in [
        (["--until", "2020-01-01"], "is over already"),
        (["--until", "soon"], "no day"),
        (["--until", LONG], ""),
        // The same stack in other terms: its day is another.
        (["--until", "2999-11-30"], ""),
    ] {
        let ran = register(&lab, &more);
        assert_eq!(ran.code == 0, told.is_empty(), "{ran:?}");
        assert!(ran.stderr.contains(told), "{told}: {ran:?}");
    }
    let mut nowhere = TRIAL.to_vec();
    nowhere[4] = "nowhere";
    nowhere.extend(["--until", LONG]);
    let nowhere = lab.run(&nowhere);
    assert_eq!(nowhere.code, 3, "{nowhere:?}");
    let told = "no machine `nowhere` in the config";
    assert!(nowhere.stderr.contains(told), "{nowhere:?}");
    let elsewhere = lab.run(&[
        "stack",
        "register",
        "trial",
        "--machine",
        "remote43",
        "--reason",
        "r",
        "--port",
        "18089",
        "--container",
        "other",
        "--until",
        LONG,
    ]);
    assert!(
        elsewhere.code == 3
            && elsewhere
                .stderr
                .contains("is registered already: port 18087"),
        "{elsewhere:?}"
    );
    let listed = lab.run(&["stack", "list", "--json"]).json();
    assert_eq!(listed["stacks"][0]["until"], "2999-11-30");
    assert!(
        lab.store_rows()
            .iter()
            .any(|row| row.contains("stack register trial on remote43"))
    );
}

#[test]
fn a_registered_stack_stands_with_leave_until_its_day_is_over() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("temporary-stack");
    let (verdict, found) = judged(&lab, "host.production-set");
    assert_eq!(verdict, "fail");
    assert!(found.contains("sub2api-trial"), "{found}");
    assert_eq!(register(&lab, &["--until", LONG]).code, 0);
    assert_eq!(judged(&lab, "host.production-set").0, "ok");
    assert_eq!(judged(&lab, "host.stacks").0, "ok");
    let listed = lab.run(&["stack", "list", "--json"]).json();
    assert_eq!(listed["stacks"][0]["state"], "standing");

    // Its last day has passed.
    let database =
        rusqlite::Connection::open(lab.folder().join("state/cockpit.db")).expect("the store");
    let moved = database.execute(
        "UPDATE stacks SET body = replace(body, '2999-12-31', '2020-01-31')",
        [],
    );
    assert_eq!(moved.expect("an update"), 1);
    let ran = lab.run(&["stack", "list"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("x  trial") && ran.stdout.contains("overdue"),
        "{ran:?}"
    );
    let (verdict, found) = judged(&lab, "host.stacks");
    assert_eq!(verdict, "fail");
    assert!(
        found.contains("`trial` was to be gone after 2020-01-31"),
        "{found}"
    );
    assert_eq!(
        judged(&lab, "host.production-set").0,
        "fail",
        "the leave has ended"
    );
}

#[test]
fn each_line_of_the_clean_up_is_seen_by_its_own_look() {
    if !has_ssh() {
        return;
    }
    let lab = standing();
    let whole = [
        "container",
        "port",
        "database-1",
        "database-2",
        "env-1",
        "bootstrap-2",
        "tunnel-3",
    ];
    let look = show(&lab);
    assert_eq!(wrong(&look, "gone"), whole, "{look}");
    assert_eq!(wrong(&look, "apart"), Vec::<String>::new(), "{look}");
    // A person takes it down, but one thing at a time is left behind.
    for name in [
        "sub2api-trial",
        "sub2api-trial-postgres",
        "sub2api-trial-redis",
    ] {
        on_machine(&lab, &["docker", "stop", name]);
    }
    assert_eq!(wrong(&show(&lab), "gone"), whole[4..]);
    on_machine(
        &lab,
        &[
            "rm",
            "/home/ubuntu/trial/.env",
            "/home/ubuntu/trial/bootstrap.sh",
        ],
    );
    assert_eq!(wrong(&show(&lab), "gone"), whole[6..]);
    on_machine(
        &lab,
        &[
            "mv",
            "/home/ubuntu/trial/tunnel.conf",
            "/home/ubuntu/archive/tunnel.conf",
        ],
    );
    assert_eq!(wrong(&show(&lab), "gone"), Vec::<String>::new());
    for (fault, left) in [
        ("stack-tunnel", vec!["port"]),
        ("stack-routed", vec!["nginx"]),
        ("binding-lost", vec!["proof-upstream.smoke"]),
        ("control-plane-down", vec!["proof-control-plane.healthz"]),
    ] {
        lab.break_it(fault);
        assert_eq!(wrong(&show(&lab), "gone"), left, "{fault}");
        lab.mend_it(fault);
    }
    // Could not look is never gone.
    lab.break_it("nginx-broken");
    let look = show(&lab);
    let rows = look["gone"].as_array().expect("rows");
    let nginx = rows.iter().find(|row| row["id"] == "nginx").expect("a row");
    assert_eq!(nginx["verdict"], "unknown", "{nginx}");
}

#[test]
fn a_stack_that_is_kept_has_to_carry_its_mark_and_nobody_may_be_sent_to_it() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("temporary-stack");
    let ran = register(&lab, &["--until", LONG, "--keep"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = lab.run(&["stack", "show", "trial", "--json"]);
    assert_eq!(seen.code, 0, "the lab's container is labelled: {seen:?}");
    for (fault, row) in [
        ("stack-routed", "unrouted"),
        ("stack-profile", "unused-client.profile"),
    ] {
        lab.break_it(fault);
        let seen = lab.run(&["stack", "show", "trial", "--json"]);
        assert_eq!(
            (seen.code, wrong(&seen.json(), "apart")),
            (1, vec![row.to_owned()]),
            "{fault}"
        );
        lab.mend_it(fault);
    }
    // A label that is not there: another container, which has none.
    let other = lab.run(&[
        "stack",
        "register",
        "canary",
        "--machine",
        "remote43",
        "--reason",
        "r",
        "--port",
        "18085",
        "--container",
        "sub2api-canary",
        "--until",
        LONG,
        "--keep",
    ]);
    assert_eq!(other.code, 0, "{other:?}");
    lab.break_it("stray-container");
    let seen = lab.run(&["stack", "show", "canary", "--json"]);
    assert_eq!(wrong(&seen.json(), "apart"), ["mark"], "{seen:?}");
}

#[test]
fn a_database_that_a_stack_of_the_same_batch_uses_is_left_out_and_says_whose() {
    if !has_ssh() {
        return;
    }
    let lab = standing();
    let second = |batch: &str| {
        lab.run(&[
            "stack",
            "register",
            "second",
            "--machine",
            "remote43",
            "--reason",
            "r",
            "--port",
            "18088",
            "--container",
            "second",
            "--database",
            "sub2api-trial-postgres",
            "--until",
            LONG,
            "--batch",
            batch,
        ])
    };
    let ran = second("accept-8");
    assert!(
        ran.code == 3 && ran.stderr.contains("is the one of stack `trial`"),
        "{ran:?}"
    );
    assert_eq!(second("accept-7").code, 0);
    let look = show(&lab);
    assert!(
        !wrong(&look, "gone").contains(&"database-1".to_owned()),
        "{look}"
    );
    assert!(
        look["gone"]
            .to_string()
            .contains("stack `second` of the same batch accept-7 still uses it"),
        "{look}"
    );
    assert!(
        wrong(&look, "gone").contains(&"database-2".to_owned()),
        "{look}"
    );
}

fn clean(lab: &Lab) -> Value {
    let ran = lab.run(&["stack", "clean", "trial", "--json"]);
    assert!([0, 1].contains(&ran.code), "{ran:?}");
    ran.json()
}

fn resume(lab: &Lab, run: &Value, more: &[&str]) -> Ran {
    let id = run["id"].to_string();
    let mut words = vec!["runbook", "resume", &id, "--json"];
    words.extend(more);
    lab.run(&words)
}

/// The step a run stands at.
fn at(run: &Value) -> String {
    let steps = run["steps"].as_array().expect("steps");
    let past = |step: &&Value| !["ok", "bad", "skipped"].contains(&step["mark"].as_str().unwrap());
    steps
        .iter()
        .find(past)
        .map_or_else(String::new, |step| text(step, "id"))
}

/// Approves what is planned, as production wants it.
fn approve(lab: &Lab, run: &Value) -> Value {
    assert_eq!(run["state"], "confirms", "{run}");
    let hash = text(&run["plan"], "hash");
    let word = [
        "--yes",
        &hash[..12],
        "--host-name",
        "prod",
        "--reason",
        "its day is over",
    ];
    let ran = resume(lab, run, &word);
    assert!([0, 1].contains(&ran.code), "{ran:?}");
    ran.json()
}

fn names(lab: &Lab) -> String {
    on_machine(lab, &["docker", "ps", "--format", "'{{.Names}}'"])
}

#[test]
fn a_stack_is_cleaned_up_line_by_line_and_leaves_the_register_when_production_is_proven() {
    if !has_ssh() {
        return;
    }
    let lab = standing();
    let mut run = clean(&lab);
    assert_eq!(at(&run), "container-stop", "{run}");
    // Nothing is stopped without a word, and production wants its name.
    assert!(names(&lab).contains("sub2api-trial\n"));
    let hash = text(&run["plan"], "hash");
    let bare = resume(&lab, &run, &["--yes", &hash[..12]]);
    assert_eq!(bare.error()["kind"], "denied", "{bare:?}");
    assert!(names(&lab).contains("sub2api-trial\n"));
    for line in ["container", "database-1", "database-2"] {
        assert_eq!(at(&run), format!("{line}-stop"), "{run}");
        approve(&lab, &run);
        // A run is gone on with by the same command, in another process.
        run = clean(&lab);
    }
    assert!(!names(&lab).contains("sub2api-trial"), "{}", names(&lab));
    for (line, path) in [
        ("env-1", "/home/ubuntu/trial/.env"),
        ("bootstrap-2", "/home/ubuntu/trial/bootstrap.sh"),
        ("tunnel-3", "/home/ubuntu/trial/tunnel.conf"),
    ] {
        assert_eq!(
            (at(&run), &run["state"]),
            (format!("{line}-ask"), &json!("asks")),
            "{run}"
        );
        // A person's word is no proof: the file is still there.
        let told = resume(&lab, &run, &["--answer", "done"]).json();
        assert_eq!(
            (at(&told), &told["state"]),
            (format!("{line}-gone"), &json!("held")),
            "{told}"
        );
        on_machine(&lab, &["rm", path]);
        run = clean(&lab);
    }
    assert_eq!(run["state"], "done", "{run}");
    let marks = run["steps"].as_array().expect("steps");
    for proof in [
        "nginx",
        "proof-entry.no-key",
        "proof-control-plane.healthz",
        "proof-upstream.smoke",
    ] {
        let step = marks
            .iter()
            .find(|step| step["id"] == proof)
            .expect("a step");
        assert_eq!(step["mark"], "ok", "{step}");
    }
    assert_eq!(
        lab.run(&["stack", "list", "--json"]).json()["stacks"],
        json!([])
    );
    assert!(
        lab.store_rows()
            .iter()
            .any(|row| row.contains("stack end trial"))
    );
    // Its name, port and containers are free again.
    assert_eq!(register(&lab, &["--until", LONG]).code, 0);
}

#[test]
fn what_comes_back_or_is_left_behind_holds_the_clean_up_at_its_line() {
    if !has_ssh() {
        return;
    }
    for (fault, held) in [
        ("stack-restarts", "container-gone"),
        ("stack-tunnel", "port-ask"),
        ("stack-database-restarts", "database-1-gone"),
        ("stack-routed", "nginx"),
        ("binding-lost", "proof-upstream.smoke"),
    ] {
        let lab = standing();
        on_machine(
            &lab,
            &[
                "rm",
                "/home/ubuntu/trial/.env",
                "/home/ubuntu/trial/bootstrap.sh",
                "/home/ubuntu/trial/tunnel.conf",
            ],
        );
        lab.break_it(fault);
        let mut run = clean(&lab);
        while run["state"] == "confirms" {
            approve(&lab, &run);
            run = clean(&lab);
            if at(&run).ends_with("-gone") {
                break;
            }
        }
        assert_eq!(at(&run), held, "{fault}: {run}");
        assert!(
            ["held", "asks"].contains(&run["state"].as_str().unwrap()),
            "{fault}: {run}"
        );
        let listed = lab.run(&["stack", "list", "--json"]).json();
        assert_eq!(
            listed["stacks"][0]["name"], "trial",
            "{fault}: it stands until it is clean"
        );
        lab.mend_it(fault);
    }
}

#[test]
fn a_temporary_host_of_the_config_is_a_stack_by_itself_and_the_config_decides_its_terms() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let mut config = std::fs::read_to_string(&lab.config).expect("the config");
    config.push_str(
        "\n[host.trial]\nmachine = \"remote43\"\naddress = \"127.0.0.1:18087\"\nrole = \"temporary\"\n\
         reason = \"a trial\"\nport = 18087\ncontainer = \"sub2api-trial\"\nexpires = 2020-01-31\n",
    );
    std::fs::write(&lab.config, config).expect("it is written");
    let listed = lab.run(&["stack", "list", "--json"]);
    assert_eq!(listed.code, 1, "{listed:?}");
    let row = listed.json()["stacks"][0].clone();
    assert_eq!(
        (&row["name"], &row["source"], &row["state"], &row["until"]),
        (
            &json!("trial"),
            &json!("config"),
            &json!("overdue"),
            &json!("2020-01-31")
        )
    );
    assert_eq!(judged(&lab, "host.stacks").0, "fail");
    // Another port or day is said in the config, and nowhere else.
    let other = register(&lab, &["--until", LONG]);
    assert!(
        other.code == 3
            && other
                .stderr
                .contains("the config says until 2020-01-31 of `trial`"),
        "{other:?}"
    );
    let production = lab.run(&[
        "stack",
        "register",
        "prod",
        "--machine",
        "remote43",
        "--reason",
        "r",
        "--port",
        "18099",
        "--container",
        "x",
        "--until",
        LONG,
    ]);
    assert!(
        production
            .stderr
            .contains("`prod` is a production host of the config"),
        "{production:?}"
    );
}

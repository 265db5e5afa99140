//! Whole runs over scripted far ends, with a paused clock: waiting costs nothing and times are
//! exact.

use super::fakes::{Fakes, Script, answer, output};
use super::*;
use crate::failure::{Failure, FailureKind, RemoteAnswer};
use crate::ports::RunOutput;
use cockpit_domain::baseline::{CheckResult, Verdict};
use cockpit_domain::ids::{PackId, RemoteId};
use cockpit_domain::inventory::{Account, ApiKey, ResponsesMode};
use cockpit_domain::pack::{BaselinePack, Pack, read};
use cockpit_domain::secret::Secret;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const HEAD: &str = "schema = 1\nkind = \"baseline\"\ntitle = \"Test\"\n";

const NGINX: &str = "# configuration file /etc/nginx/nginx.conf:\nhttp { server { listen 443 ssl; \
                     server_name x.lab; location / { proxy_pass http://127.0.0.1:8080; } } }\n";

pub(super) fn check(id: &str, vantage: &str, look: &str) -> String {
    format!(
        "[[check]]\nid = \"{id}\"\nlayer = \"entry\"\nlevel = \"must\"\nvantage = \"{vantage}\"\n\
         title = \"t\"\nwhy = \"w\"\nnext_step = \"the pack's step\"\n{look}\n"
    )
}

pub(super) fn pack(checks: &[String]) -> BaselinePack {
    let text = format!("{HEAD}{}", checks.concat());
    match read(
        &PackId::new("test").unwrap(),
        "test",
        &text,
        &BTreeMap::new(),
    ) {
        Ok(Pack::Baseline(pack)) => pack,
        other => panic!("{other:?}"),
    }
}

const HEALTH: &str = "http = { url = \"http://x.lab/health\", status = 200 }";
const BANNED: &str = "nginx = { banned_ports = [18169] }";
const SITE: &str = "nginx = { server_name = \"x.lab\", \
                    routes = { \"/v1/models\" = \"http://127.0.0.1:8080/v1/models\" } }";
pub(super) const SMOKE: &str = "smoke = { base = \"http://x.lab\", group = 3, models = [\"big\", \"small\"], \
                     prompt = \"reply with pong only\", expect = \"pong\" }";

pub(super) async fn run_all(fakes: &Fakes, pack: &BaselinePack) -> BaselineReport {
    run(
        &fakes.context(),
        pack,
        &CancellationToken::new(),
        &|_: &CheckResult| {},
    )
    .await
}

fn verdicts(report: &BaselineReport) -> Vec<(&str, Verdict)> {
    report
        .results
        .iter()
        .map(|row| (row.id.as_str(), row.verdict))
        .collect()
}

fn pong() -> &'static str {
    r#"{"choices":[{"message":{"content":"pong"}}]}"#
}

fn key(id: i64, text: &str, status: &str) -> ApiKey {
    ApiKey {
        id: RemoteId(id),
        user_id: RemoteId(1),
        name: String::new(),
        key: Secret::new(text),
        group_id: Some(RemoteId(3)),
        status: status.to_owned(),
    }
}

/// A world in which everything is as it should be.
pub(super) fn good_world() -> Fakes {
    let fakes = Fakes::default();
    {
        let mut world = fakes.world();
        world.commands.insert(
            "m1 nginx".to_owned(),
            Script::Answer(Duration::from_millis(100), output(NGINX)),
        );
        world
            .web
            .insert("GET /health".to_owned(), answer(200, "text/plain", "ok"));
        world.web.insert(
            "GET /v1/models".to_owned(),
            answer(
                200,
                "application/json",
                r#"{"data":[{"id":"big"},{"id":"small"}]}"#,
            ),
        );
        world.web.insert(
            "POST /v1/chat/completions".to_owned(),
            answer(200, "application/json", pong()),
        );
        world.keys = vec![key(11, "sk-eleven-1234567890", "active")];
        world.serves = Some(7);
    }
    fakes
}

#[tokio::test(start_paused = true)]
async fn a_good_world_is_ok_and_rows_stand_in_the_order_of_the_pack() {
    let fakes = good_world();
    let pack = pack(&[
        check("a.site", "machine:m1", SITE),
        check("b.health", "here", HEALTH),
        check("c.smoke", "here", SMOKE),
    ]);
    let report = run_all(&fakes, &pack).await;
    let expected = [
        ("a.site", Verdict::Ok),
        ("b.health", Verdict::Ok),
        ("c.smoke", Verdict::Ok),
    ];
    assert_eq!(verdicts(&report), expected, "{report:#?}");
    assert_eq!(report.verdict, Verdict::Ok);
    assert!(!report.cancelled);
    assert_eq!(report.results[0].duration_ms, 100);
    assert_eq!(report.results[0].at_ms, 1_780_531_200_000);
    assert_eq!(report.host.unwrap().as_str(), "prod");
}

#[tokio::test(start_paused = true)]
async fn sixty_checks_take_as_long_as_the_slowest_one() {
    let fakes = good_world();
    let mut checks = Vec::new();
    for number in 0..60 {
        let url = format!("http = {{ url = \"http://x.lab/c{number}\", status = 200 }}");
        checks.push(check(&format!("c{number}"), "here", &url));
        let mut world = fakes.world();
        let Script::Answer(_, body) = answer(200, "", "") else {
            continue;
        };
        world.web.insert(
            format!("GET /c{number}"),
            Script::Answer(Duration::from_millis(100), body),
        );
    }
    let start = Instant::now();
    let report = run_all(&fakes, &pack(&checks)).await;
    assert_eq!(report.verdict, Verdict::Ok);
    assert!(start.elapsed() < Duration::from_millis(130));
}

#[tokio::test(start_paused = true)]
async fn a_dead_machine_delays_no_other_row() {
    let fakes = good_world();
    fakes
        .world()
        .commands
        .insert("dead *".to_owned(), Script::Hang);
    let pack = pack(&[
        check("a.dead", "machine:dead", BANNED),
        check("b.alive", "machine:m1", BANNED),
        check("c.here", "here", HEALTH),
    ]);
    let start = Instant::now();
    let seen: Mutex<Vec<(String, Duration)>> = Mutex::default();
    let report = run(
        &fakes.context(),
        &pack,
        &CancellationToken::new(),
        &|row: &CheckResult| {
            let mut seen = seen.lock().unwrap();
            seen.push((row.id.clone(), start.elapsed()));
        },
    )
    .await;
    let seen = seen.into_inner().unwrap();
    let order: Vec<&str> = seen.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(order, ["c.here", "b.alive", "a.dead"]);
    assert!(seen[1].1 < Duration::from_millis(200), "{seen:?}");
    assert_eq!(report.results[0].verdict, Verdict::Unreachable);
    assert_eq!(report.results[0].found, "no answer within 15 s");
    assert_eq!(report.verdict, Verdict::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn the_dump_of_a_machine_is_fetched_once_a_run_and_anew_in_the_next() {
    let fakes = good_world();
    let pack = pack(&[
        check("a.site", "machine:m1", SITE),
        check("b.banned", "machine:m1", BANNED),
        check("c.banned", "machine:m1", BANNED),
    ]);
    let report = run_all(&fakes, &pack).await;
    assert_eq!(report.verdict, Verdict::Ok);
    assert_eq!(fakes.world().ran, ["m1 nginx -T"]);
    run_all(&fakes, &pack).await;
    assert_eq!(fakes.world().ran.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_gives_up_does_not_take_the_shared_look_with_it() {
    let fakes = good_world();
    fakes.world().commands.insert(
        "m1 nginx".to_owned(),
        Script::Answer(Duration::from_secs(5), output(NGINX)),
    );
    let hasty = check("a.hasty", "machine:m1", BANNED).replace("title", "time_limit_s = 1\ntitle");
    let pack = pack(&[hasty, check("b.patient", "machine:m1", BANNED)]);
    let report = run_all(&fakes, &pack).await;
    assert_eq!(
        verdicts(&report),
        [
            ("a.hasty", Verdict::Unreachable),
            ("b.patient", Verdict::Ok)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_looked_at_is_never_failed_and_says_what_to_do() {
    let refused = |status: i32, stderr: &str| {
        Script::Answer(
            Duration::ZERO,
            RunOutput {
                status: Some(status),
                stderr: stderr.to_owned(),
                ..output("")
            },
        )
    };
    let rows = [
        (
            "no such tool",
            refused(127, "nginx: command not found"),
            Verdict::Unknown,
            "Install `nginx`",
        ),
        (
            "sudo asks",
            refused(1, "sudo: a password is required"),
            Verdict::Unknown,
            "NOPASSWD",
        ),
        (
            "no right",
            refused(1, "nginx: [emerg] open() failed (13: Permission denied)"),
            Verdict::Unknown,
            "sudo = \"-n\"",
        ),
        (
            "ssh is down",
            Script::Fail(Failure::new(FailureKind::Unreachable, "connection refused")),
            Verdict::Unreachable,
            "ssh m1",
        ),
        (
            "host key changed",
            Script::Fail(
                Failure::new(FailureKind::Denied, "the host key changed").hint("compare it"),
            ),
            Verdict::Unreachable,
            "compare it",
        ),
        (
            "half a dump",
            Script::Answer(Duration::ZERO, output("http {")),
            Verdict::Unknown,
            "by hand",
        ),
        (
            "a dump that was cut",
            Script::Answer(
                Duration::ZERO,
                RunOutput {
                    truncated: true,
                    ..output(NGINX)
                },
            ),
            Verdict::Unknown,
            "by hand",
        ),
    ];
    for (name, script, verdict, step) in rows {
        let fakes = good_world();
        fakes.world().commands.insert("m1 nginx".to_owned(), script);
        let report = run_all(&fakes, &pack(&[check("a", "machine:m1", BANNED)])).await;
        let row = &report.results[0];
        assert_eq!(row.verdict, verdict, "{name}: {row:#?}");
        assert!(row.next_step.contains(step), "{name}: {}", row.next_step);
        assert_eq!(row.expected, "nothing names port 18169", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_row_keeps_the_step_of_the_pack() {
    let fakes = good_world();
    fakes
        .world()
        .web
        .insert("GET /health".to_owned(), answer(502, "text/html", "<html>"));
    let report = run_all(&fakes, &pack(&[check("a", "here", HEALTH)])).await;
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.results[0].next_step, "the pack's step");
    assert_eq!(report.results[0].expected, "200");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_keeps_what_it_saw_and_is_never_ok() {
    let fakes = good_world();
    fakes
        .world()
        .commands
        .insert("dead *".to_owned(), Script::Hang);
    let pack = pack(&[
        check("a.here", "here", HEALTH),
        check("b.dead", "machine:dead", BANNED),
    ]);
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let start = Instant::now();
    let report = run(&fakes.context(), &pack, &cancel, &move |_: &CheckResult| {
        stop.cancel();
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(report.cancelled);
    assert_eq!(
        verdicts(&report),
        [("a.here", Verdict::Ok), ("b.dead", Verdict::Unknown)]
    );
    assert_eq!(report.verdict, Verdict::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_breaks_breaks_only_its_own_row() {
    let fakes = good_world();
    fakes
        .world()
        .commands
        .insert("m2 *".to_owned(), Script::Panic);
    let pack = pack(&[
        check("a.broken", "machine:m2", BANNED),
        check("b.here", "here", HEALTH),
    ]);
    let report = run_all(&fakes, &pack).await;
    assert_eq!(
        verdicts(&report),
        [("a.broken", Verdict::Unknown), ("b.here", Verdict::Ok)]
    );
}

#[tokio::test(start_paused = true)]
async fn parents_mute_in_the_report() {
    let fakes = good_world();
    fakes
        .world()
        .web
        .insert("GET /health".to_owned(), answer(502, "text/html", ""));
    fakes
        .world()
        .web
        .insert("GET /v1/models".to_owned(), answer(502, "text/html", ""));
    let child = check("b.smoke", "here", SMOKE).replace("title", "parents = [\"a\"]\ntitle");
    let report = run_all(&fakes, &pack(&[check("a", "here", HEALTH), child])).await;
    assert_eq!(
        verdicts(&report),
        [("a", Verdict::Fail), ("b.smoke", Verdict::NotJudged)]
    );
    assert_eq!(report.results[1].muted_by.as_deref(), Some("a"));
    assert_eq!(report.verdict, Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn the_smoke_uses_an_active_key_as_a_client_does_and_shows_none_of_it() {
    let fakes = good_world();
    fakes.world().keys = vec![
        key(9, "sk-switched-off-00000000", "inactive"),
        key(11, "sk-eleven-1234567890", "active"),
    ];
    let report = run_all(&fakes, &pack(&[check("a", "here", SMOKE)])).await;
    assert_eq!(report.verdict, Verdict::Ok);
    let world = fakes.world();
    assert_eq!(world.asked.len(), 3);
    for request in &world.asked {
        let bearer = request.bearer.as_ref().unwrap();
        assert_eq!(bearer.expose(), "sk-eleven-1234567890");
    }
    let body = world.asked[1].json.as_ref().unwrap();
    assert_eq!(body["messages"][0]["content"], "reply with pong only");
    let shown = serde_json::to_string(&report).unwrap();
    assert!(!shown.contains("eleven-123456"), "{shown}");
    assert!(shown.contains("sk-..7890 (key 11)"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_for_itself_is_not_the_environments_fault() {
    let fakes = good_world();
    {
        let mut world = fakes.world();
        world.keys = vec![key(11, "sk-poor", "active"), key(12, "sk-rich", "active")];
        world.web.insert(
            "GET /v1/models sk-poor".to_owned(),
            answer(
                403,
                "application/json",
                r#"{"code":"INSUFFICIENT_BALANCE"}"#,
            ),
        );
    }
    let pack = pack(&[check("a", "here", SMOKE)]);
    assert_eq!(run_all(&fakes, &pack).await.verdict, Verdict::Ok);
    fakes.world().keys.truncate(1);
    let report = run_all(&fakes, &pack).await;
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(
        report.results[0].found,
        "/v1/models is 403 INSUFFICIENT_BALANCE, expected 200"
    );
}

#[tokio::test(start_paused = true)]
async fn models_that_are_listed_but_not_served_fail_the_smoke() {
    let fakes = good_world();
    fakes.world().web.insert(
        "POST /v1/chat/completions small".to_owned(),
        answer(
            503,
            "application/json",
            r#"{"error":{"type":"api_error","message":"No available accounts"}}"#,
        ),
    );
    let report = run_all(&fakes, &pack(&[check("a", "here", SMOKE)])).await;
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.results[0].found, "small: 503 No available accounts");
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_hangs_is_named_while_the_list_answers() {
    let fakes = good_world();
    fakes.world().web.insert(
        "POST /v1/chat/completions small".to_owned(),
        Script::Fail(Failure::new(
            FailureKind::Unreachable,
            "no answer within 36 s",
        )),
    );
    let report = run_all(&fakes, &pack(&[check("a", "here", SMOKE)])).await;
    assert_eq!(report.results[0].found, "small: no answer within 36 s");
    assert_eq!(report.verdict, Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn a_smoke_without_a_key_or_a_host_was_not_looked_at() {
    let pack = pack(&[check("a", "here", SMOKE)]);
    let fakes = good_world();
    fakes.world().keys.clear();
    let row = run_all(&fakes, &pack).await.results.remove(0);
    assert_eq!(row.verdict, Verdict::Unknown);
    assert!(
        row.next_step.contains("access prepare"),
        "{}",
        row.next_step
    );
    let refusal = RemoteAnswer {
        status: 401,
        ..RemoteAnswer::default()
    };
    fakes.world().keys_fail = Some(Failure::new(FailureKind::Denied, "401").answer(refusal));
    assert_eq!(run_all(&fakes, &pack).await.verdict, Verdict::Unknown);
    fakes.world().api_fail = Some(Failure::new(FailureKind::Unreachable, "no tunnel"));
    assert_eq!(run_all(&fakes, &pack).await.verdict, Verdict::Unreachable);
    let mut context = fakes.context();
    context.host = None;
    let token = CancellationToken::new();
    let report = run(&context, &pack, &token, &|_: &CheckResult| {}).await;
    assert_eq!(report.verdict, Verdict::Unknown);
    assert!(report.results[0].next_step.contains("[host.NAME]"));
}

#[tokio::test(start_paused = true)]
async fn bindings_are_read_from_the_host() {
    let fakes = good_world();
    let account = Account {
        id: RemoteId(7),
        name: "relay".to_owned(),
        platform: "openai".to_owned(),
        kind: "apikey".to_owned(),
        base_url: String::new(),
        model_mapping: BTreeMap::new(),
        responses_mode: ResponsesMode::Auto,
        responses_supported: None,
        concurrency: 0,
        priority: 1,
        status: "active".to_owned(),
        error_message: String::new(),
        schedulable: true,
        temp_unschedulable_until: None,
        temp_unschedulable_reason: String::new(),
        last_used_at: None,
        rate_limit_reset_at: None,
        overload_until: None,
        expires_at: None,
        auto_pause_on_expired: false,
        quota_limit: 0.0,
        quota_used: 0.0,
        group_ids: vec![RemoteId(4)],
    };
    let account_check = "binding = { account = 7, groups = [3], schedulable = true }";
    let pack = pack(&[
        check("a", "here", account_check),
        check("b", "here", "binding = { key = 11, groups = [3] }"),
        check("c", "here", "binding = { channel = 1, groups = [3] }"),
    ]);
    fakes.world().accounts = vec![account];
    let report = run_all(&fakes, &pack).await;
    let found: Vec<&str> = report
        .results
        .iter()
        .map(|row| row.found.as_str())
        .collect();
    assert_eq!(
        found,
        [
            "account 7 is not bound to group 3 (bound: 4)",
            "groups 3",
            "there is no channel 1 on this host"
        ]
    );
    fakes.world().accounts[0].group_ids.push(RemoteId(3));
    let report = run_all(&fakes, &pack).await;
    assert_eq!(report.results[0].verdict, Verdict::Ok);
}

#[tokio::test(start_paused = true)]
async fn containers_and_ports_are_looked_at_on_their_machine() {
    let fakes = good_world();
    {
        let mut world = fakes.world();
        let docker = r#"{"Names":"sub2api","State":"running","Status":"Up 3 days"}"#;
        world.commands.insert(
            "m1 docker".to_owned(),
            Script::Answer(Duration::ZERO, output(docker)),
        );
        let ss = "LISTEN 0 4096 127.0.0.1:8080 0.0.0.0:* users:((\"docker-proxy\",pid=9,fd=4))\n";
        world.commands.insert(
            "m1 ss".to_owned(),
            Script::Answer(Duration::ZERO, output(ss)),
        );
    }
    let containers = "containers = { running = [\"sub2api\"], banned = [\"crm-*\"] }";
    let listening = "listening = { expect = [{ port = 8080, process = [\"docker-*\"] }] }";
    let report = run_all(
        &fakes,
        &pack(&[
            check("a", "machine:m1", containers),
            check("b", "machine:m1", listening),
        ]),
    )
    .await;
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
    let mut ran = fakes.world().ran.clone();
    ran.sort();
    assert_eq!(ran, ["m1 docker ps --format {{json .}}", "m1 ss -H -ltnp"]);
}

//! Where to look first, a finding, and why a key fails.

use super::fleet::{ago, checks, chinese, host, hosts, judged, mono, shows};
use super::picture::{Album, Screen};
use cockpit_domain::baseline::{Origin, Verdict};
use cockpit_domain::explain::{GatewaySaid, Holds, KeyReason, ReasonLook};
use cockpit_domain::host::Role;
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::{Layer, Level, Pack, Seen, TriagePack, read};
use cockpit_domain::triage::{Evidence, Link, TriageInput, triage};
use cockpit_engine::command::Answer;
use cockpit_engine::explain::Explained;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::supervisor::Snapshot;
use cockpit_engine::triage::Triage;
use std::collections::BTreeMap;

fn well() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

fn rules() -> TriagePack {
    let packs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs");
    let texts = std::fs::read_dir(packs).unwrap().filter_map(|folder| {
        std::fs::read_to_string(folder.unwrap().path().join("pack.toml")).ok()
    });
    let text = texts
        .into_iter()
        .find(|text| text.contains("kind = \"triage\""))
        .unwrap();
    let id = PackId::new("rules").unwrap();
    match read(&id, "pack.toml", &text, &BTreeMap::new()) {
        Ok(Pack::Triage(pack)) => pack,
        other => panic!("{other:?}"),
    }
}

fn check(id: &str, layer: Layer, verdict: Verdict, found: &str) -> Evidence {
    Evidence {
        seen: Seen::Check,
        subject: id.to_owned(),
        verdict: Some(verdict),
        found: found.to_owned(),
        more: String::new(),
        times: 1,
        level: Level::Must,
        layer: Some(layer),
        origin: Origin::Live,
        at_ms: ago(2),
        muted_by: None,
        link: Link::Check(PackId::new("pack").unwrap(), id.to_owned(), true),
        next_step: "look".to_owned(),
    }
}

fn log(found: &str, times: usize) -> Evidence {
    let mut at = check("log sub2api-prod", Layer::Host, Verdict::Warn, found);
    at.seen = Seen::Log;
    at.verdict = None;
    at.level = Level::Should;
    at.times = times;
    at.link = Link::Log("sub2api-prod".to_owned());
    at
}

fn storm() -> Vec<Evidence> {
    let mut smoke = check(
        "upstream.smoke",
        Layer::Upstream,
        Verdict::NotJudged,
        "gpt-5.4: 503 No available accounts",
    );
    smoke.muted_by = Some("binding.account-7-group-3".to_owned());
    let mut profile = check(
        "client.profile",
        Layer::Client,
        Verdict::Fail,
        "key sk-..f809 (0123456789ab) is none of group 3 on this host: an older host's or group's",
    );
    profile.origin = Origin::OldKey;
    profile.level = Level::Should;
    vec![
        check("entry.no-key", Layer::Entry, Verdict::Ok, "401"),
        check(
            "binding.account-7-group-3",
            Layer::Binding,
            Verdict::Fail,
            "account 7 is not bound to group 3 (bound: 4)",
        ),
        smoke,
        log("WARN account_select_failed no available accounts", 41),
        profile,
        check(
            "hygiene.disk",
            Layer::Hygiene,
            Verdict::Warn,
            "3 % of / are free, 10 % wanted",
        ),
    ]
}

fn answer(evidence: &[Evidence], blind: &[&str]) -> Answer {
    let mut report = triage(&TriageInput {
        packs: &[rules()],
        evidence,
        now_ms: ago(0),
    });
    for finding in &mut report.findings {
        // As the engine does: the runbook of a rule with the pack it lies beside.
        finding.runbook = finding.runbook.take().map(|name| format!("pack/{name}"));
        finding.command = "cockpit repair plan --check CHECK".to_owned();
    }
    Answer::Triage(Box::new(Triage {
        host: host("prod"),
        role: Role::Production,
        baseline: None,
        checked_ms: Some(ago(2)),
        report,
        could_not_look: blind.iter().map(|what| (*what).to_owned()).collect(),
        run: None,
    }))
}

fn open(screen: Screen) -> Screen {
    screen.keys("F").answer(Ok(answer(&storm(), &[])))
}

#[test]
fn where_to_look_first_and_a_finding() {
    let fine = [check("entry.no-key", Layer::Entry, Verdict::Ok, "401")];
    let dark: Vec<Evidence> = ["entry.no-key", "host.containers", "upstream.smoke"]
        .map(|id| {
            check(
                id,
                Layer::Host,
                Verdict::Unreachable,
                "no answer within 15 s",
            )
        })
        .into();
    let refused = Failure::new(FailureKind::Usage, "several hosts could be meant, or none")
        .hint("name it; `cockpit host list` shows the hosts of the config");
    let album = Album::default()
        .add("being judged", &Screen::new((80, 24), well()).keys("F"))
        .add("a storm", &open(Screen::new((100, 24), well())))
        .add("a storm, 80", &open(Screen::new((80, 24), well())))
        .add("smallest", &open(Screen::new((60, 16), well())))
        .add("中文", &open(Screen::with((80, 24), well(), chinese)))
        .add(
            "no colour, ASCII",
            &open(Screen::with((80, 24), well(), mono)),
        )
        .add(
            "a finding",
            &open(Screen::new((100, 24), well())).keys("\r"),
        )
        .add(
            "a finding that judges nothing",
            &open(Screen::new((80, 24), well())).keys("G\r"),
        )
        .add(
            "a finding without a runbook",
            &open(Screen::new((80, 24), well())).keys("j\r"),
        )
        .add(
            "中文, a finding",
            &open(Screen::with((80, 24), well(), chinese)).keys("\r"),
        )
        .add(
            "nothing to look at",
            &Screen::new((80, 24), well())
                .keys("F")
                .answer(Ok(answer(&fine, &[]))),
        )
        .add(
            "nobody could look",
            &Screen::new((80, 24), well())
                .keys("F")
                .answer(Ok(answer(&dark, &["log nginx-error: no way"]))),
        )
        .add(
            "refused",
            &Screen::new((80, 24), well()).keys("F").answer(Err(refused)),
        );
    insta::assert_snapshot!("triage", album.text());
}

fn explained() -> Answer {
    let look = |reason, holds, found: &str, next: &str| ReasonLook {
        reason,
        holds,
        asked: "the key's row on `prod`".to_owned(),
        found: found.to_owned(),
        next: next.to_owned(),
    };
    Answer::Explained(Box::new(Explained {
        host: host("prod"),
        key: "sk-..ed0c (6290aa90c118)".to_owned(),
        decided: Some(KeyReason::SubscriptionExpired),
        reasons: vec![
            look(
                KeyReason::OldProfile,
                Holds::Unknown,
                "could not look: web1:/p cannot be read",
                "`cockpit doctor` names the hop that is down; ask again then",
            ),
            look(
                KeyReason::OtherHost,
                Holds::No,
                "it is key 10 of user 7 on `prod`",
                "",
            ),
            look(
                KeyReason::SubscriptionExpired,
                Holds::Yes,
                "subscription 2 ended 2026-11-18T22:58:12Z",
                "extend or assign the subscription again, on the host",
            ),
            look(KeyReason::OldMapping, Holds::Moot, "not asked", ""),
        ],
        gateway: Some(GatewaySaid {
            status: 403,
            found: "SUBSCRIPTION_NOT_FOUND".to_owned(),
        }),
        notes: vec!["its owner, user 7, has no balance".to_owned()],
    }))
}

#[test]
fn why_a_key_fails() {
    let asked = |screen: Screen| screen.keys(":explain-key prod id:10\r");
    let album = Album::default()
        .add("asked", &asked(Screen::new((80, 24), well())))
        .add(
            "answered",
            &asked(Screen::new((80, 24), well())).answer(Ok(explained())),
        )
        .add(
            "中文",
            &asked(Screen::with((80, 24), well(), chinese)).answer(Ok(explained())),
        )
        .add(
            "a key typed in clear is refused",
            &Screen::new((80, 24), well()).keys(":explain-key prod sk-0123456789abcdef\r"),
        );
    insta::assert_snapshot!("explain_key", album.text());
}

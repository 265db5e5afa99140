//! The accounts of a host: cooling down, without spare, parked, and nobody there.

use super::fleet::{ago, checks, chinese, host, hosts, judged, mono, shows};
use super::picture::{Album, Screen};
use cockpit_domain::batch::AccountStatus;
use cockpit_domain::ids::{BatchId, RemoteId};
use cockpit_domain::pool::{Because, Owner, Pool, Probed, Reason, Seat, Served, Serving, WhyNot};
use cockpit_engine::command::Answer;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::supervisor::Snapshot;

fn well() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

fn why(reason: Reason, said: &str, by: &str, minutes: Option<i64>, fix: &str) -> WhyNot {
    let time = minutes.and_then(|minutes| jiff::Timestamp::from_millisecond(ago(-minutes)).ok());
    WhyNot {
        reason,
        said: said.to_owned(),
        by: by.to_owned(),
        next_try: time.map(|time| time.to_string()),
        fix: fix.to_owned(),
    }
}

fn seat(id: i64, name: &str, owner: Owner, why_not: Vec<WhyNot>) -> Seat {
    Seat {
        account: RemoteId(id),
        name: name.to_owned(),
        priority: 1,
        last_used_at: None,
        concurrency: 10,
        owner,
        declared: Vec::new(),
        why_not,
        parked_by: None,
        probed: None,
    }
}

fn pool(name: &str, seats: Vec<Seat>) -> Pool {
    Pool {
        host: host("prod"),
        provider: None,
        smoke_model: None,
        group: Some(RemoteId(3)),
        group_name: name.to_owned(),
        choosable: seats.iter().filter(|seat| seat.is_choosable()).count(),
        serving: serving(&seats),
        blockers: Vec::new(),
        seats,
    }
}

fn serving(seats: &[Seat]) -> Serving {
    let next = seats.iter().find(|seat| seat.is_choosable());
    let at = jiff::Timestamp::from_millisecond(ago(7)).map(|at| at.to_string());
    Serving {
        next: next.map(|seat| seat.account),
        name: next.map_or_else(String::new, |seat| seat.name.clone()),
        priority: 1,
        because: if next.is_some() {
            Because::Only
        } else {
            Because::Nobody
        },
        equals: 0,
        last_used_at: None,
        last: Some(Served {
            account: RemoteId(7),
            name: "openai-relay-main".to_owned(),
            model: "m".to_owned(),
            at: at.unwrap_or_default(),
        }),
    }
}

fn some() -> Answer {
    let cooling = why(
        Reason::CoolingDown,
        "OpenAI 403 temporary cooldown (2/3): user quota is not enough, remaining quota: 0",
        "the host, after an answer of the upstream",
        Some(10),
        "wait, or ask it again now (`recover`): a good answer clears it",
    );
    let off = why(
        Reason::SwitchedOff,
        "schedulable is off",
        "batch/3 parked it",
        None,
        "rolling batch/3 back switches it on again",
    );
    let mut main = seat(7, "openai-relay-main", Owner::Other, vec![cooling.clone()]);
    main.declared = vec!["base_url: pack `https://a.example`, host `https://b.example`".to_owned()];
    main.probed = Some(Probed {
        status: AccountStatus::Failed,
        summary: "403 insufficient_user_quota".to_owned(),
        batch: BatchId(3),
    });
    let fresh = seat(
        21,
        "vendor.0123456789ab",
        Owner::Batch(BatchId(3)),
        Vec::new(),
    );
    let parked = seat(
        9,
        "vendor.ba9876543210",
        Owner::Leftover,
        vec![off, cooling],
    );
    let refused = why(
        Reason::Error,
        "401 invalid api key",
        "the host, after an answer of the upstream",
        None,
        "mend what the upstream says, then ask it again (`recover`): a good answer clears it",
    );
    let broken = seat(22, "vendor.00aa11bb22cc", Owner::Leftover, vec![refused]);
    Answer::Pools(vec![
        pool("default", Vec::new()),
        pool("vendor-relay", vec![main]),
        pool("供应商分组", vec![fresh, broken, parked]),
    ])
}

fn open(screen: Screen) -> Screen {
    screen.keys("2S").answer(Ok(some()))
}

#[test]
fn accounts_and_one_of_them() {
    let dark = Failure::new(FailureKind::Unreachable, "no tunnel to `prod`")
        .doing("looking at the accounts of `prod`")
        .hint("`cockpit doctor` tests every hop");
    let album = Album::default()
        .add("being looked at", &Screen::new((80, 24), well()).keys("2S"))
        .add("looked at", &open(Screen::new((80, 24), well())))
        .add(
            "only what is broken",
            &open(Screen::new((80, 24), well())).keys("!"),
        )
        .add(
            "asked again where nobody is",
            &open(Screen::new((80, 24), well())).keys("Gt"),
        )
        .add("smallest", &open(Screen::new((60, 16), well())))
        .add("side by side", &open(Screen::new((160, 45), well())))
        .add("中文", &open(Screen::with((80, 24), well(), chinese)))
        .add(
            "no colour, ASCII",
            &open(Screen::with((80, 24), well(), mono)),
        )
        .add(
            "one that cools down",
            &open(Screen::new((80, 24), well())).keys("\r"),
        )
        .add(
            "could not look",
            &Screen::new((80, 24), well()).keys("2S").answer(Err(dark)),
        );
    insta::assert_snapshot!("pools", album.text());
}

//! When a stack is over, and what it may not take.

use super::*;

fn stack() -> Stack {
    Stack {
        name: HostId::new("trial").unwrap(),
        machine: MachineId::new("edge").unwrap(),
        reason: "a trial".to_owned(),
        port: 18_080,
        container: "trial".to_owned(),
        databases: vec!["trial-postgres".to_owned(), "/srv/trial.db".to_owned()],
        batch: Some("accept-7".to_owned()),
        files: vec![StackFile {
            kind: StackFileKind::Env,
            path: "/srv/trial.env".to_owned(),
        }],
        until: "2027-01-31".to_owned(),
        keep: false,
        mark_file: None,
        source: StackSource::Registered,
        by: "me".to_owned(),
        created_ms: 0,
    }
}

#[test]
fn a_stack_is_due_on_its_last_day_and_overdue_after_it() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    for (now, state) in [
        ("2027-01-30T23:59:59Z", StackState::Standing),
        ("2027-01-31T00:00:00Z", StackState::Due),
        ("2027-01-31T23:59:59Z", StackState::Due),
        ("2027-02-01T00:00:00Z", StackState::Overdue),
    ] {
        assert_eq!(stack().state(at(now)), state, "{now}");
    }
    let unreadable = Stack {
        until: "soon".to_owned(),
        ..stack()
    };
    assert_eq!(unreadable.state(0), StackState::Overdue);
}

#[test]
fn what_production_has_is_refused_by_name() {
    let production = "production host `prod`";
    let claim = |taken| Claim::of_production(taken, production);
    let rows = [
        (
            Taken::Port(18_080),
            "port 18080 is the one of production host `prod`",
        ),
        (Taken::Container("trial".to_owned()), "container `trial` is"),
        (
            Taken::Container("trial-postgres".to_owned()),
            "container `trial-postgres` is",
        ),
        (Taken::Database("trial".to_owned()), "database `trial` is"),
        (
            Taken::Database("trial-postgres".to_owned()),
            "database `trial-postgres` is",
        ),
        (
            Taken::Database("/srv/trial.db".to_owned()),
            "database `/srv/trial.db` is",
        ),
        (
            Taken::File("/srv/trial.env".to_owned()),
            "file /srv/trial.env is",
        ),
        (
            Taken::File("/srv/trial.db".to_owned()),
            "file /srv/trial.db is",
        ),
    ];
    for (taken, told) in rows {
        let found = collisions(&stack(), &[claim(taken.clone())]);
        assert!(
            found.len() == 1 && found[0].starts_with(told),
            "{taken:?}: {found:?}"
        );
    }
    for free in [
        Taken::Port(8080),
        Taken::Container("sub".to_owned()),
        Taken::Database("sub-postgres".to_owned()),
        Taken::File("/srv/other.env".to_owned()),
    ] {
        assert!(collisions(&stack(), &[claim(free)]).is_empty());
    }
}

#[test]
fn a_database_is_shared_within_one_acceptance_batch_only() {
    let other = Stack {
        name: HostId::new("second").unwrap(),
        port: 18_081,
        container: "second".to_owned(),
        files: Vec::new(),
        ..stack()
    };
    assert!(collisions(&stack(), &Claim::of_stack(&other)).is_empty());
    assert!(stack().shares("trial-postgres", &other));
    let strange = Stack {
        batch: Some("accept-8".to_owned()),
        ..other.clone()
    };
    assert_eq!(collisions(&stack(), &Claim::of_stack(&strange)).len(), 2);
    assert!(!stack().shares("trial-postgres", &strange));
    let elsewhere = Stack {
        machine: MachineId::new("far").unwrap(),
        ..other.clone()
    };
    assert!(!stack().shares("trial-postgres", &elsewhere));
    let alone = Stack {
        batch: None,
        ..stack()
    };
    let other = Stack {
        batch: None,
        ..other
    };
    assert_eq!(collisions(&alone, &Claim::of_stack(&other)).len(), 2);
    assert!(!alone.shares("trial-postgres", &other), "of no batch");
}

#[test]
fn a_field_that_cannot_be_is_named_with_the_way_out() {
    assert!(stack().faults().is_empty());
    let bad = |change: fn(&mut Stack)| {
        let mut stack = stack();
        change(&mut stack);
        stack.faults().join("; ")
    };
    for (change, told) in [
        ((|s| s.reason = " ".to_owned()) as fn(&mut Stack), "reason"),
        (|s| s.port = 0, "no port"),
        (
            |s| s.container = "--rm".to_owned(),
            "`--rm` is no container's name",
        ),
        (|s| s.databases = vec!["a b".to_owned()], "`a b`"),
        (|s| s.files[0].path = "x.env".to_owned(), "no whole path"),
        (
            |s| s.files[0].path = "/srv/{{host}}.env".to_owned(),
            "no whole path",
        ),
        (|s| s.until = "soon".to_owned(), "no day"),
        (|s| s.until = "20270131".to_owned(), "no day"),
        (|s| s.mark_file = Some("x".to_owned()), "no whole path"),
    ] {
        assert!(bad(change).contains(told), "{told}: {}", bad(change));
    }
}

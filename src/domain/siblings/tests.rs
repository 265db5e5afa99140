//! Drafts that a pack reader takes and comparisons that say only what was seen.

use super::*;
use crate::baseline::nginx::NginxConfig;
use crate::baseline::{Container, FileSeen, Listener, Service};
use crate::ids::{MachineId, PackId};
use crate::pack::{BaselinePack, Manager, Pack};

const NGINX: &str = "# configuration file /etc/nginx/nginx.conf:\nhttp {\n  server {\n    listen 443 ssl;\n    \
    server_name one.example two.example;\n    location / { proxy_pass http://127.0.0.1:8080; }\n    \
    location = /exact { return 204; }\n    location /portal/ { alias /var/www/portal/; index index.html; }\n  }\n  \
    server { listen 80 default_server; server_name _; location / { return 444; } }\n}\n";

fn container(name: &str, image: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        status: "Up 3 days".to_owned(),
        ports: String::new(),
        running: true,
    }
}

fn listener(port: u16, process: &str) -> Listener {
    Listener {
        address: "127.0.0.1".to_owned(),
        port,
        processes: vec![(process.to_owned(), 7)],
    }
}

fn service(name: &str, enabled: bool) -> Service {
    Service {
        name: name.to_owned(),
        running: true,
        state: "active (running)".to_owned(),
        enabled: Some(enabled),
        restarts: None,
    }
}

fn seen() -> MachineSeen {
    MachineSeen {
        system: "Linux".to_owned(),
        containers: Some(vec![container("web", "web:1"), container("a\"b\\c", "x:2")]),
        listeners: Some(vec![
            listener(8080, "web"),
            listener(443, "nginx"),
            listener(45_001, "passing"),
        ]),
        services: Some((
            Manager::Systemd,
            vec![
                service("nginx.service", true),
                service("user@0.service", false),
            ],
        )),
        apps: Vec::new(),
        nginx: Some(NginxConfig::read(NGINX).unwrap()),
        folders: vec![(
            "/var/www/portal/".to_owned(),
            FileSeen {
                mode: 0o755,
                owner: "root".to_owned(),
                group: "root".to_owned(),
                size: 1,
                modified_s: 1,
            },
        )],
    }
}

fn of() -> DraftOf {
    DraftOf {
        name: "edge \u{1b}[31m\n[[check]]".to_owned(),
        machine: MachineId::new("edge-1").unwrap(),
        base: Some("http://127.0.0.1:8080".to_owned()),
    }
}

fn read(text: &str) -> BaselinePack {
    let id = PackId::new("draft").unwrap();
    match crate::pack::read(&id, "draft", text, &BTreeMap::new()) {
        Ok(Pack::Baseline(pack)) => pack,
        other => panic!("{other:?}\n{text}"),
    }
}

fn side(name: &str, seen: &MachineSeen) -> Side {
    let mut side = Side {
        name: name.to_owned(),
        ..Side::default()
    };
    seen.into_side(&mut side);
    side
}

#[test]
fn a_draft_is_a_pack_that_pins_what_was_seen() {
    let checks = draft(&of(), &seen());
    let left_out = ["x.y: found\nmore".to_owned()];
    let pack = read(&assemble(&of(), &checks, &left_out));
    let ids: Vec<&str> = pack.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "host.health",
            "entry.no-key",
            "entry.nginx-1",
            "entry.nginx-2",
            "host.containers",
            "host.listening",
            "host.services",
            "portal.folder-1"
        ]
    );
    let pinned = pinned(&pack);
    let told = |kind, name: &str| pinned.facts.get(&(kind, name.to_owned())).cloned();
    assert_eq!(told(FactKind::Port, "443"), Some(Some("nginx".to_owned())));
    assert_eq!(told(FactKind::Port, "45001"), None, "a passing port");
    assert_eq!(
        told(FactKind::Container, "a\"b\\c"),
        Some(Some("up".to_owned()))
    );
    assert_eq!(
        told(FactKind::Location, "one.example /portal/"),
        Some(Some("alias /var/www/portal/; index index.html".to_owned()))
    );
    assert_eq!(told(FactKind::Service, "user@0.service"), None);
}

#[test]
fn a_machine_is_like_its_own_draft_and_differs_where_it_changed() {
    let pack = read(&assemble(&of(), &draft(&of(), &seen()), &[]));
    let same = compare(&side("edge-1", &seen()), &pinned(&pack));
    let differ: Vec<&Beside> = same.rows.iter().filter(|row| !row.same).collect();
    // What a pack cannot pin: an answer of nginx itself.
    assert!(
        differ.iter().all(|row| row.name.ends_with("= /exact")),
        "{differ:?}"
    );
    let mut other = seen();
    other.containers = Some(vec![container("web", "web:2"), container("extra", "e")]);
    let told = compare(&side("edge-1", &seen()), &side("edge-2", &other));
    let rows: Vec<(&str, &str, Option<&str>, Option<&str>)> = told
        .rows
        .iter()
        .filter(|row| !row.same)
        .map(|row| {
            (
                row.kind.as_str(),
                row.name.as_str(),
                row.a.as_deref(),
                row.b.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("container", "a\"b\\c", Some("up"), None),
            ("container", "extra", None, Some("up")),
            ("image", "a\"b\\c", Some("x:2"), None),
            ("image", "extra", None, Some("e")),
            ("image", "web", Some("web:1"), Some("web:2")),
        ]
    );
    assert_eq!(told.differences, 5);
}

#[test]
fn a_mac_is_seen_by_launchd_and_its_apps_by_pm2_and_both_are_pinned() {
    let job = |name: &str, running| Service {
        running,
        enabled: None,
        ..service(name, true)
    };
    let mac = MachineSeen {
        system: "Darwin".to_owned(),
        services: Some((
            Manager::Launchd,
            vec![
                job("com.apple.Finder", true),
                job("application.com.x.1.2", true),
                job("homebrew.mxcl.nginx", true),
                job("io.relay.sync", false),
            ],
        )),
        apps: vec![job("portal", true), job("nginx.service", false)],
        ..MachineSeen::default()
    };
    let seen_there = side("mac-1", &mac);
    let services: Vec<(&str, Option<&str>)> = seen_there
        .facts
        .iter()
        .filter(|((kind, _), _)| *kind == FactKind::Service)
        .map(|((_, name), state)| (name.as_str(), state.as_deref()))
        .collect();
    assert_eq!(
        services,
        [
            ("homebrew.mxcl.nginx", Some("running")),
            ("io.relay.sync", Some("not running")),
            ("pm2 nginx.service", Some("not running")),
            ("pm2 portal", Some("running")),
        ]
    );
    // An app is no service of the same name on another machine.
    let linux = compare(&seen_there, &side("edge-1", &seen()));
    assert!(linux.rows.iter().all(|row| !row.same), "{linux:?}");

    let of = DraftOf { base: None, ..of() };
    let pack = read(&assemble(&of, &draft(&of, &mac), &[]));
    let ids: Vec<&str> = pack.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["host.services", "host.apps"]);
    let again = compare(&seen_there, &pinned(&pack));
    let differ: Vec<&str> = (again.rows.iter())
        .filter(|row| !row.same)
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(
        differ,
        ["io.relay.sync", "pm2 nginx.service"],
        "what does not run is not pinned"
    );
}

#[test]
fn what_could_not_be_looked_at_is_no_difference_and_is_said() {
    let mut blind = side(
        "edge-2",
        &MachineSeen {
            system: "Linux".to_owned(),
            ..MachineSeen::default()
        },
    );
    blind
        .unseen
        .insert(FactKind::Container, "docker is not there".to_owned());
    let told = compare(&side("edge-1", &seen()), &blind);
    assert_eq!(told.differences, 0, "{:?}", told.rows);
    assert_eq!(told.unseen.len(), 1);
    assert_eq!(told.unseen[0].2, "docker is not there");
}

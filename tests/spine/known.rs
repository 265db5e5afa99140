//! What an earlier command found is told again without a look, with its age, also when the newest
//! look came to nothing.

use super::rows;
use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

fn row<'a>(value: &'a Value, list: &str, id: &str) -> &'a Value {
    let found = rows(value, list).iter().find(|row| row["id"] == json!(id));
    found.unwrap_or_else(|| panic!("no `{id}` in {value}"))
}

#[test]
fn what_is_known_is_told_without_a_look() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let none = lab.run(&["baseline", "show"]);
    assert_eq!(none.code, 3, "{none:?}");
    assert!(none.stderr.contains("`cockpit baseline run`"), "{none:?}");
    let hosts = lab.run(&["host", "list", "--json"]).json();
    assert_eq!(row(&hosts, "hosts", "prod")["last"], Value::Null);

    let run = lab.run(&["baseline", "run", "--json"]);
    let show = lab.run(&["baseline", "show", "--json"]);
    assert_eq!((run.code, show.code), (0, 0), "{show:?}");
    let (run, show) = (run.json(), show.json());
    assert_eq!(
        (&run["checks"], &run["verdict"]),
        (&show["checks"], &show["verdict"])
    );
    assert!(show["age_ms"].is_i64(), "{show}");

    lab.run(&["host", "probe", "prod"]);
    lab.run(&["probe", "run", "--host", "prod"]);
    let machine = lab.run(&["machine", "list", "--json"]).json();
    let machine = rows(&machine, "machines")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(lab.run(&["machine", "check", &machine]).code, 0);

    let hosts = lab.run(&["host", "list", "--json"]).json();
    let prod = row(&hosts, "hosts", "prod");
    assert!(prod["last"]["version"].is_string(), "{prod}");
    assert_eq!(prod["trouble"], Value::Null);
    let machines = lab.run(&["machine", "list", "--json"]).json();
    assert_eq!(
        row(&machines, "machines", &machine)["last"]["system"],
        json!("Linux")
    );
    let probes = lab.run(&["probe", "list", "--json"]);
    assert_eq!(probes.code, 0, "{probes:?}");
    assert_eq!(
        rows(&probes.json(), "probes")[0]["protocol"],
        json!("no_key")
    );
    let audit = lab.run(&["audit", "list", "--json"]).json();
    assert_eq!(rows(&audit, "audit").len(), 0, "looking writes nothing");

    // The newest look fails: the last good one stays beside it.
    assert_eq!(lab.run(&["lab", "fault", "set", "host-502"]).code, 0);
    let failed = lab.run(&["host", "probe", "prod"]);
    assert_ne!(failed.code, 0, "{failed:?}");
    let hosts = lab.run(&["host", "list", "--json"]).json();
    let prod = row(&hosts, "hosts", "prod");
    assert!(prod["last"]["version"].is_string(), "{prod}");
    assert!(prod["trouble"]["message"].is_string(), "{prod}");
    let text = lab.run(&["host", "list"]).stdout;
    let message = prod["trouble"]["message"].as_str().expect("a message");
    assert!(text.contains(message), "{text}");
}

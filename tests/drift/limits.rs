//! A spending limit that somebody sets on our group stops its users: it is drift like any other field,
//! and no drift where nobody wrote down whether there was one.

use super::{HOST, KEYS, counts, imported, reconciled, row_named};
use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

#[test]
fn a_spending_limit_that_somebody_sets_on_our_group_is_drift_where_one_was_recorded() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    imported(&lab, KEYS);
    assert_eq!(counts(&reconciled(&lab, 0))[1], 0);
    let admin = lab.admin(HOST);
    let groups = admin.list("/api/v1/admin/groups?page_size=100");
    let group = format!(
        "/api/v1/admin/groups/{}",
        row_named(&groups, "relay-lab")["id"]
    );
    // Stored, and not enforced: none.
    admin.call("PUT", &group, &json!({"weekly_limit_usd": 0}));
    assert_eq!(counts(&reconciled(&lab, 0))[1], 0);

    admin.call("PUT", &group, &json!({"daily_limit_usd": 2.5}));
    let report = reconciled(&lab, 2);
    assert_eq!(counts(&report)[1], 1, "{report}");
    let rows = report["changes"].as_array().expect("changes");
    let row = rows.iter().find(|row| row["type"] == "group");
    let row = row.unwrap_or_else(|| panic!("{report}"));
    let field = json!([{"field": "daily_limit_usd", "from": 2.5, "to": Value::Null}]);
    assert_eq!(row["fields"], field, "found and recorded: {row}");
    assert_eq!(report["mends"], json!([]), "{report}");
    let told = lab.run(&["reconcile", "plan", "--host", HOST]);
    assert!(told.stdout.contains("daily_limit_usd"), "{told:?}");

    // A batch of a version that did not read limits: what they were is unknown.
    let db = rusqlite::Connection::open(lab.folder().join("state").join("cockpit.db"));
    let forgotten = db.expect("the store opens").execute(
        "UPDATE resources SET recorded = json_remove(recorded, '$.daily_limit_usd',
         '$.weekly_limit_usd', '$.monthly_limit_usd') WHERE recorded LIKE '%daily_limit_usd%'",
        [],
    );
    assert_eq!(forgotten.expect("the records are older now"), 1);
    assert_eq!(counts(&reconciled(&lab, 0))[1], 0);
}

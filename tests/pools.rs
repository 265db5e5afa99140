//! Why an account is not chosen, told from the host's stored state (`product.md` 4, four truths).

use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

fn pool(lab: &Lab, words: &[&str], group: &str) -> (i32, Value) {
    let ran = lab.run(&[&["provider", "status", "--json"], words].concat());
    let told = ran.json();
    let pools = told["pools"].as_array().expect("pools");
    let found = pools.iter().find(|pool| pool["group_name"] == group);
    (ran.code, found.expect("the group").clone())
}

#[test]
fn a_cool_down_is_named_with_the_upstream_s_words_and_the_next_try_and_a_lost_binding_empties_the_pool()
 {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let (_, well) = pool(&lab, &["--host", "prod"], "openai-relay");
    assert_eq!(
        (&well["choosable"], &well["seats"][0]["why_not"]),
        (&json!(1), &json!([]))
    );

    lab.break_it("upstream-quota");
    assert_eq!(lab.run(&["baseline", "run"]).code, 1);
    let (code, cooling) = pool(&lab, &["--host", "prod"], "openai-relay");
    assert_eq!((code, &cooling["choosable"]), (1, &json!(0)));
    let why = &cooling["seats"][0]["why_not"][0];
    assert_eq!(why["reason"], "cooling_down");
    assert!(
        why["said"]
            .as_str()
            .unwrap()
            .contains("quota is not enough"),
        "{why}"
    );
    assert!(why["next_try"].is_string(), "{why}");
    let text = lab.run(&["provider", "status", "--host", "prod"]).stdout;
    assert!(
        text.contains("cooling_down: ") && text.contains("next try 20"),
        "{text}"
    );

    lab.break_it("binding-lost");
    let (_, empty) = pool(&lab, &["--host", "prod"], "openai-relay");
    assert_eq!(empty["seats"], json!([]));
}

#[test]
fn what_a_batch_parked_says_so_and_what_it_made_says_how_its_key_was_judged() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let import = [
        "import",
        "plan",
        "--host",
        "accept",
        "--provider",
        "lab",
        "--keys",
        "-",
        "--json",
    ];
    let planned = lab.run_with(&import, "sk-lab-good-pool-0000001\n").json();
    let (plan, hash) = (planned["plan"]["id"].to_string(), &planned["plan"]["hash"]);
    let applied = lab.run(&["import", "apply", &plan, "--yes", hash.as_str().unwrap()]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let words = ["--host", "accept", "--provider", "lab"];
    let (_, told) = pool(&lab, &words, "relay-lab");
    let seats = told["seats"].as_array().unwrap();
    assert_eq!((&told["choosable"], seats.len()), (&json!(1), 11), "{told}");
    assert_eq!(seats[0]["owner"], json!({"batch": 1}));
    assert_eq!(seats[0]["probed"]["status"], "passed");
    for parked in &seats[1..] {
        let why = &parked["why_not"][0];
        assert_eq!(why["reason"], "switched_off", "{parked}");
        assert_eq!(why["by"], "batch/1 parked it", "{parked}");
    }
}

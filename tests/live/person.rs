//! A real user's own key as the proof: its owner gets the right, the key is bound, and both go back.

use super::{Ground, approved, take_back};
use serde_json::{Value, json};

const PROVIDER: &str = "live-good";
const PASSWORD: &str = "a-live-test-password-1";

/// A user of the host with a key of their own, bound to a group of its own.
struct Person {
    user: Value,
    group: Value,
    key: Value,
    secret: String,
    bearer: String,
}

impl Person {
    fn made(ground: &Ground) -> Self {
        let data = |answer: Value| {
            assert_eq!(answer["code"], 0, "{answer}");
            answer["data"].clone()
        };
        let group =
            json!({"name": ground.fresh("everyday"), "platform": "openai", "rate_multiplier": 1});
        let group = data(ground.admin("POST", "groups", Some(group)))["id"].clone();
        let email = format!("{}@example.com", ground.fresh("lin"));
        let user = json!({"email": email, "password": PASSWORD});
        let user = data(ground.admin("POST", "users", Some(user)))["id"].clone();
        let login = json!({"email": email, "password": PASSWORD});
        let session = data(ground.call("POST", "auth/login", None, Some(login)));
        let token = session["access_token"].as_str().expect("a token");
        let mut made = Self {
            user,
            group,
            key: Value::Null,
            secret: String::new(),
            bearer: format!("Bearer {token}"),
        };
        let key = json!({"name": "laptop", "group_id": made.group});
        let key = data(made.call(ground, "POST", "keys", Some(key)));
        made.key = key["id"].clone();
        key["key"]
            .as_str()
            .expect("a key")
            .clone_into(&mut made.secret);
        made
    }

    fn call(&self, ground: &Ground, method: &str, path: &str, body: Option<Value>) -> Value {
        let head = ("authorization", self.bearer.clone());
        ground.call(method, path, Some(head), body)
    }

    /// The group that the key is bound to.
    fn bound(&self, ground: &Ground) -> Value {
        let path = format!("keys/{}", self.key);
        self.call(ground, "GET", &path, None)["data"]["group_id"].clone()
    }

    fn gone(self, ground: &Ground) {
        for path in [
            format!("users/{}", self.user),
            format!("groups/{}", self.group),
        ] {
            let answer = ground.admin("DELETE", &path, None);
            assert_eq!(answer["code"], 0, "{answer}");
        }
    }
}

#[test]
fn a_callers_own_key_is_bound_proven_and_put_back() {
    let Some(ground) = Ground::lay() else { return };
    let first = ground.names();
    let person = Person::made(&ground);
    let before = ground.names();
    assert_eq!(person.bound(&ground), person.group);

    let file = ground.private("person.key", &person.secret);
    let reference = format!("file:{}", file.display());
    let words = ["import", "plan", "--host", "live", "--provider", PROVIDER];
    let more = ["--keys", "-", "--user-key", &reference, "--json"];
    let key = format!("{}\n", ground.key("good", 90));
    let planned = ground.run_with(&[&words[..], &more].concat(), &key);
    assert_eq!(planned.code, 0, "{planned:?}");
    let ran = approved(&ground, "import", &planned.json(), &[]);
    println!("import: {}", ran.stdout.trim());
    assert_eq!(ran.code, 0, "{ran:?}");
    let batch = ran.json();
    assert_eq!(batch["gateway"]["served_by_ours"], true, "{batch:#}");
    assert!(ground.user(PROVIDER).is_none(), "no user of ours is made");
    let ours = ground.held(&batch, "group")[0].clone();
    assert_eq!(person.bound(&ground).to_string(), ours);
    let access = ground.run(&["access", "status", &batch["id"].to_string(), "--json"]);
    println!("access: {}", access.stdout.trim());
    assert_eq!(access.code, 0, "{access:?}");

    take_back(&ground, &batch["id"].to_string());
    assert_eq!(person.bound(&ground), person.group, "bound as it was");
    assert_eq!(ground.names(), before);
    person.gone(&ground);
    assert_eq!(ground.names(), first);
}

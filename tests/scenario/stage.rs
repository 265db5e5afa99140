//! A lab set as a story begins, the command line in this process on it, and the host's own lists.

use super::format::{Ground, Says, Story};
use crate::support::fields::fields;
use crate::support::inside::{Census, Inside, quick};
use cockpit_cli::{Parsed, Session, Spoken};
use cockpit_domain::secret::Secret;
use cockpit_engine::context::Timing;
use cockpit_lab::fleet::{ACCEPT_ADMIN_KEY, PROD_ADMIN_KEY, account_name};
use cockpit_lab::scripted::Scripted;
use cockpit_lab::sub2api::model::Account;
use cockpit_lab::sub2api::state::{State, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A story being told.
pub(super) struct Stage {
    pub(super) inside: Inside,
    pub(super) host: &'static str,
    pub(super) begun: (Census, Value),
    /// What the last answers said: `plan`, `hash`, `batch`.
    pub(super) known: BTreeMap<String, String>,
    timing: Timing,
    door: String,
    folder: tempfile::TempDir,
}

/// The key of a kind: `good-1` is one that works.
pub(super) fn key(alias: &str) -> String {
    let (kind, number) = alias
        .rsplit_once('-')
        .unwrap_or_else(|| panic!("a key is named KIND-NUMBER, not `{alias}`"));
    format!("sk-lab-{kind}-scenario-{number:0>6}")
}

fn is_key(alias: &str) -> bool {
    let kinds = ["good", "quota", "429", "slow", "first403", "echo", "dead"];
    kinds.iter().any(|kind| {
        let rest = alias
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    })
}

pub(super) fn fingerprint(alias: &str) -> String {
    Secret::new(key(alias)).fingerprint().as_str().to_owned()
}

impl Stage {
    pub(super) async fn set(story: &Story) -> Self {
        let ground = &story.host;
        let host = if ground.name == "prod" {
            "prod"
        } else {
            "accept"
        };
        assert_eq!(ground.name, host, "there is no such host in the lab");
        let timing = Timing {
            warming: Duration::from_millis(ground.warming_ms),
            usage_wait: Duration::from_secs(3),
            settled_after: Duration::from_secs(1),
            processing: Duration::from_secs(1),
            write_tries: ground.write_tries.unwrap_or(6),
            ..quick()
        };
        let inside = Inside::start(host, timing.clone()).await;
        inside.lab.host(host).with(|state| settle(state, ground));
        for says in &story.upstream {
            let vendor = says.vendor.as_deref().unwrap_or("good");
            inside.lab.vendor(vendor).will_say(scripted(says));
        }
        let lines: Vec<Scripted> = story.answer.iter().map(scripted).collect();
        inside.lab.host(host).with(|state| state.scripted = lines);
        let begun = (inside.census(), fields(&inside.lab, host));
        let door = open(&inside, host).await;
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            inside,
            host,
            begun,
            known: BTreeMap::from([("host".to_owned(), host.to_owned())]),
            timing,
            door,
            folder,
        }
    }

    pub(super) async fn restart(&mut self) {
        self.inside.restart(self.timing.clone()).await;
    }

    /// Runs words of the command line.
    pub(super) async fn run(&self, words: &str, keys: Option<&str>) -> (u8, Spoken) {
        let mut line: Vec<std::ffi::OsString> = ["cockpit"]
            .into_iter()
            .chain(words.split_whitespace())
            .map(Into::into)
            .collect();
        if let Some(keys) = keys {
            let file = self.folder.path().join("keys");
            std::fs::write(&file, keys).expect("a key file");
            line.extend(["--keys".into(), file.into()]);
        }
        line.push("--json".into());
        let session = Session {
            handle: self.inside.engine().clone(),
            config: self.inside.lab.config_path(),
            zone: jiff::tz::TimeZone::UTC,
            stop: CancellationToken::new(),
            holds: || tokio::sync::watch::channel(false).1,
        };
        let work = async {
            match cockpit_cli::parse(line) {
                Parsed::Run(cli) => cockpit_cli::run(*cli, &session).await,
                Parsed::Refused(failure, json) => cockpit_cli::refuse(&failure, json),
                other => panic!("`{words}` is no command: {other:?}"),
            }
        };
        cockpit_cli::overheard(work).await
    }

    /// A request of somebody else.
    pub(super) async fn by_hand(&self, ask: &str, body: Option<Value>) {
        let (method, path) = ask.split_once(' ').expect("METHOD path");
        let admin = if self.host == "prod" {
            PROD_ADMIN_KEY
        } else {
            ACCEPT_ADMIN_KEY
        };
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .expect("a client");
        let mut request = client
            .request(
                method.parse().expect("a method"),
                format!("{}{path}", self.door),
            )
            .header("x-api-key", admin);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the host answers");
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{ask}: {status} {said}");
    }

    /// Puts in what is meant by `{..}`: a key's fingerprint, an id on the host, an earlier answer.
    pub(super) fn expand(&self, text: &str) -> String {
        replace(text, |name| {
            if is_key(name) {
                return Some(fingerprint(name));
            }
            if let Some(known) = self.known.get(name) {
                return Some(known.clone());
            }
            let (kind, name) = name.split_once(':')?;
            let name = named(name);
            let id = self
                .inside
                .lab
                .host(self.host)
                .with(|state| id_of(state, kind, &name));
            Some(
                id.unwrap_or_else(|| panic!("there is no {kind} {name}"))
                    .to_string(),
            )
        })
    }

    /// Requests of this kind that reached the host.
    pub(super) fn asked(&self, ask: &str) -> usize {
        let ask = self.expand(ask);
        let (method, path) = ask.split_once(' ').expect("METHOD path");
        let service = format!("host:{}", self.host);
        let seen = self.inside.lab.log().since(0);
        let fits = seen
            .iter()
            .filter(|row| row.service == service && row.method == method && row.path == path);
        fits.count()
    }

    pub(super) fn rows(&self) -> Value {
        fields(&self.inside.lab, self.host)
    }
}

/// `{name}` to what is meant; anything else in braces stays.
pub(super) fn replace(text: &str, meant: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('{') {
        out.push_str(head);
        let Some((name, tail)) = tail.split_once('}') else {
            out.push('{');
            rest = tail;
            continue;
        };
        match meant(name) {
            Some(is) => out.push_str(&is),
            None => out.extend(["{", name, "}"]),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// A name as a story writes it: a key stands for its account.
pub(super) fn named(name: &str) -> String {
    if is_key(name) {
        account_name(&key(name))
    } else {
        name.to_owned()
    }
}

fn id_of(state: &State, kind: &str, name: &str) -> Option<i64> {
    match kind {
        "group" => state
            .groups
            .values()
            .find(|row| row.deleted_at.is_none() && row.name == name)
            .map(|row| row.id),
        "channel" => state
            .channels
            .values()
            .find(|row| row.name == name)
            .map(|row| row.id),
        "account" => state
            .accounts
            .values()
            .find(|row| row.deleted_at.is_none() && row.name == name)
            .map(|row| row.id),
        "user" => state
            .users
            .values()
            .find(|row| row.deleted_at.is_none() && row.email == name)
            .map(|row| row.id),
        "plan" => state
            .plans
            .values()
            .find(|row| row.name == name)
            .map(|row| row.id),
        "subscription" => state
            .subscriptions
            .values()
            .find(|row| row.deleted_at.is_none() && row.notes == name)
            .map(|row| row.id),
        "key" => state
            .keys
            .values()
            .find(|row| row.deleted_at.is_none() && row.name == name)
            .map(|row| row.id),
        other => panic!("`{other}` is no kind of row"),
    }
}

fn settle(state: &mut State, ground: &Ground) {
    state.settings.idempotency_lock = Duration::from_secs(1);
    state.settings.allow_insecure_http = ground.plain_http;
    state.settings.captcha = ground.captcha;
    state.settings.backend_mode = ground.backend_mode;
    if let Some(logins) = ground.logins_per_minute {
        state.settings.logins_per_minute = logins;
    }
    if ground.bare {
        let groups: Vec<i64> = state
            .groups
            .values()
            .filter(|row| row.name.starts_with("relay-lab"))
            .map(|row| row.id)
            .collect();
        state.groups.retain(|id, _| !groups.contains(id));
        state
            .channels
            .retain(|_, row| !row.name.starts_with("relay-lab"));
        state
            .accounts
            .retain(|_, row| !row.name.starts_with("lab."));
        state
            .account_groups
            .retain(|(_, group), _| !groups.contains(group));
    }
    for row in &ground.account {
        let group = id_of(state, "group", &row.group)
            .unwrap_or_else(|| panic!("there is no group {}", row.group));
        for number in 1..=row.count {
            let name = row.name.replace("{n}", &number.to_string());
            let text = format!("sk-lab-good-others-{number:06}");
            let base = "http://good.upstream.lab";
            let mut account = Account::apikey(&named(&name), &row.platform, base, &text)
                .with_models(&cockpit_lab::fleet::LAB_MODELS);
            account.schedulable = row.schedulable;
            let id = state.add_account(account);
            state.bind(id, group);
        }
    }
}

pub(super) fn scripted(says: &Says) -> Scripted {
    let (method, path) = says.to.split_once(' ').expect("`to` is METHOD path");
    Scripted {
        method: method.to_owned(),
        path: path.to_owned(),
        key: says.key.as_deref().map(key),
        after: says.after,
        times: says.times.unwrap_or(u32::MAX),
        status: says.status,
        content_type: says.r#type.clone(),
        body: says.body.clone(),
    }
}

pub(super) fn when(word: &str, late_ms: u64) -> When {
    match word {
        "before" => When::BeforeCommit,
        "after" => When::AfterCommit,
        "late" => When::CommitAfter(Duration::from_millis(late_ms)),
        "stuck" => When::Stuck,
        other => panic!("`when` is before, after, late or stuck, not `{other}`"),
    }
}

/// The host's own door on loopback, for requests of somebody else.
async fn open(inside: &Inside, host: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let at = listener.local_addr().expect("an address");
    let router = inside.lab.host(host).router();
    tokio::spawn(async move {
        drop(axum::serve(listener, router).await);
    });
    format!("http://{at}")
}

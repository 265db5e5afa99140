//! The log pane: lines of three sources, one of which stopped; the sources; one line; and lines
//! beside a row.

use super::fleet::{checks, chinese, host, hosts, judged, mono, now, shows};
use super::picture::{Album, Screen};
use crate::msg::Msg;
use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_domain::log::{LogFilter, LogPlace, LogSource, SourceId};
use cockpit_engine::board::Board;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::logs::{LogHub, RingLimits, SourceState, SourceStatus};
use cockpit_engine::ports::{Clock, MachineCheck, Remote, RemoteCommand, RunOutput, StreamText};
use cockpit_engine::supervisor::Snapshot;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the log of nginx and the log of the service say; the third cannot be opened.
const FRONT: &str = "\
2026/03/14 03:09:40 [error] 12#12: *7 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9
2026/03/14 03:09:52 [warn] 12#12: *8 a client request body is buffered to a temporary file
";
const RELAY: &str = "\
2026-03-14T03:09:41Z INFO request served model=small account=7
2026-03-14T03:09:44Z WARN account 7 cools down: 403 insufficient_user_quota
2026-03-14T03:09:45Z ERROR no available accounts group=3 模型 small 无可用账号
  at scheduler
2026-03-14T03:09:57Z DEBUG tick
";

struct Far;

#[async_trait]
impl Remote for Far {
    async fn run(&self, _: &MachineId, _: &RemoteCommand) -> Outcome<RunOutput> {
        Ok(RunOutput {
            status: Some(0),
            stdout: "+0000\n".to_owned(),
            stderr: String::new(),
            truncated: false,
            took: Duration::ZERO,
            sealed: None,
        })
    }

    async fn follow(
        &self,
        _: &MachineId,
        argv: &[String],
        lines: mpsc::Sender<StreamText>,
        stop: CancellationToken,
    ) -> Outcome<Option<i32>> {
        let text = match argv.last().map(String::as_str) {
            Some("/var/log/front.log") => FRONT,
            Some("relay") => RELAY,
            _ => {
                return Err(Failure::new(
                    FailureKind::Unreachable,
                    "machine `edge-2` does not answer: connection timed out",
                )
                .hint("`ssh edge-2 true` shows what ssh says"));
            }
        };
        let (is_stderr, text) = (false, text.to_owned());
        drop(lines.send(StreamText { is_stderr, text }).await);
        stop.cancelled().await;
        Ok(None)
    }

    async fn check(&self, _: &MachineId) -> Outcome<MachineCheck> {
        Err(Failure::new(FailureKind::Internal, "not asked for here"))
    }

    async fn close(&self) {}
}

struct Fixed;

impl Clock for Fixed {
    fn now_ms(&self) -> i64 {
        now()
    }

    fn uuid(&self) -> String {
        String::new()
    }
}

fn sources() -> Vec<LogSource> {
    let source = |name: &str, machine: &str, of: &str, place| LogSource {
        id: SourceId::new(name).unwrap(),
        machine: MachineId::new(machine).unwrap(),
        host: (!of.is_empty()).then(|| host(of)),
        place,
    };
    let file = |path: &str| LogPlace::File(path.to_owned());
    vec![
        source("front", "edge-1", "prod", file("/var/log/front.log")),
        source(
            "relay",
            "edge-1",
            "prod",
            LogPlace::Container("relay".to_owned()),
        ),
        source(
            "other",
            "edge-2",
            "accept",
            LogPlace::Unit("relay.service".to_owned()),
        ),
    ]
}

/// The hub once all three were heard of, and how they fare.
fn heard() -> (LogHub, Vec<SourceState>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let hub = LogHub::new(
            Arc::new(Far),
            Arc::new(Fixed),
            sources(),
            RingLimits::default(),
        );
        let names: Vec<SourceId> = sources().into_iter().map(|source| source.id).collect();
        let mut told = hub.watch();
        hub.follow(&names).unwrap();
        let all = |hub: &LogHub| {
            let states = hub.states();
            let stopped = matches!(states[2].status, SourceStatus::Stopped { .. });
            stopped && hub.view(LogFilter::default()).tail(99).len() == 7
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while !all(&hub) {
                told.changed().await.unwrap();
            }
        });
        waited.await.expect("two sources speak and the third stops");
        let states = hub.states();
        (hub, states)
    })
}

fn fleet() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

/// A screen that follows them.
fn follows(screen: Screen) -> Screen {
    static HEARD: OnceLock<(LogHub, Vec<SourceState>)> = OnceLock::new();
    let (hub, states) = HEARD.get_or_init(heard).clone();
    screen
        .tell(Msg::LogsOpened(Box::new(hub.view(LogFilter::default()))))
        .tell(Msg::Logs(states))
}

fn pane(size: (u16, u16)) -> Screen {
    follows(Screen::new(size, fleet()).keys("5"))
}

#[test]
fn the_log_pane_in_every_state() {
    let no_source = Screen::new((80, 24), shows(Board::default())).keys("5");
    let album = Album::default()
        .add("no source in the config", &no_source)
        .add("following", &pane((80, 24)))
        .add("smallest", &pane((60, 16)))
        .add("larger", &pane((120, 40)))
        .add("held still", &pane((80, 24)).keys(" "))
        .add("warnings and worse", &pane((80, 24)).keys("vv"))
        .add("filtered", &pane((80, 24)).keys("/account\r"))
        .add("filtered to nothing", &pane((80, 24)).keys("/nowhere\r"))
        .add("a line, left the end", &pane((80, 24)).keys("kk"))
        .add("one line whole", &pane((80, 24)).keys("kk\r"))
        .add("the sources", &pane((80, 24)).keys("s"))
        .add(
            "中文",
            &follows(Screen::with((80, 24), fleet(), chinese).keys("5")),
        )
        .add(
            "no colour, ASCII",
            &follows(Screen::with((80, 24), fleet(), mono).keys("5")),
        )
        .add(
            "beside a check",
            &follows(Screen::new((160, 45), fleet())).keys("j"),
        );
    insta::assert_snapshot!("log", album.text());
}

//! Sources that are scripted, followed through the hub; time is stopped and runs only where
//! everything waits.

use super::*;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{Clock, MachineCheck, Remote, RemoteCommand, RunOutput, StreamText};
use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_domain::log::{Level, LogFilter, LogPlace, LogSource, SourceId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// One stream of a source: what it says, then how it ends.
struct Play {
    says: Vec<(bool, String)>,
    end: End,
}

enum End {
    /// Ends by itself.
    Now(Outcome<Option<i32>>),
    /// Says more as it is fed, until stopped.
    Open(mpsc::Receiver<String>),
}

#[derive(Default)]
struct World {
    /// By the last word of the command.
    plays: Mutex<BTreeMap<String, VecDeque<Play>>>,
    opened: Mutex<Vec<String>>,
}

#[async_trait]
impl Remote for World {
    async fn run(&self, _machine: &MachineId, _command: &RemoteCommand) -> Outcome<RunOutput> {
        Ok(RunOutput {
            status: Some(0),
            stdout: "+0800\n".to_owned(),
            stderr: String::new(),
            truncated: false,
            took: Duration::ZERO,
            sealed: None,
        })
    }

    async fn follow(
        &self,
        _machine: &MachineId,
        argv: &[String],
        lines: mpsc::Sender<StreamText>,
        stop: CancellationToken,
    ) -> Outcome<Option<i32>> {
        let name = argv.last().cloned().unwrap();
        self.opened.lock().unwrap().push(argv.join(" "));
        let play = self
            .plays
            .lock()
            .unwrap()
            .get_mut(&name)
            .and_then(VecDeque::pop_front);
        let Some(play) = play else {
            stop.cancelled().await;
            return Ok(None);
        };
        for (is_stderr, text) in play.says {
            lines.send(StreamText { is_stderr, text }).await.unwrap();
        }
        let mut more = match play.end {
            End::Now(outcome) => return outcome,
            End::Open(more) => more,
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                text = more.recv() => match text {
                    Some(text) => drop(lines.send(StreamText { is_stderr: false, text }).await),
                    None => return Ok(Some(0)),
                },
            }
        }
    }

    async fn check(&self, _machine: &MachineId) -> Outcome<MachineCheck> {
        Err(Failure::new(FailureKind::Internal, "not asked for here"))
    }

    async fn close(&self) {}
}

struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> i64 {
        1_000_000
    }

    fn uuid(&self) -> String {
        String::new()
    }
}

struct Kit {
    world: Arc<World>,
    hub: LogHub,
    told: watch::Receiver<u64>,
}

fn id(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

impl Kit {
    /// Two containers and a file.
    fn new() -> Self {
        let world = Arc::new(World::default());
        let source = |name: &str, place| LogSource {
            id: id(name),
            machine: MachineId::new("edge").unwrap(),
            host: None,
            place,
        };
        let sources = vec![
            source("one", LogPlace::Container("one".to_owned())),
            source("two", LogPlace::Container("two".to_owned())),
            source("file", LogPlace::File("/file".to_owned())),
        ];
        let limits = RingLimits {
            lines: 5000,
            ..RingLimits::default()
        };
        let hub = LogHub::new(
            Arc::clone(&world) as Arc<dyn Remote>,
            Arc::new(Stopped),
            sources,
            limits,
        );
        let told = hub.watch();
        Self { world, hub, told }
    }

    fn play(&self, name: &str, says: &[&str], end: End) {
        let says = says
            .iter()
            .map(|text| (false, (*text).to_owned()))
            .collect();
        self.play_all(name, says, end);
    }

    fn play_all(&self, name: &str, says: Vec<(bool, String)>, end: End) {
        let mut plays = self.world.plays.lock().unwrap();
        plays
            .entry(name.to_owned())
            .or_default()
            .push_back(Play { says, end });
    }

    /// Waits until the readers were told of something that makes it so.
    async fn until(&mut self, what: &str, so: impl Fn(&LogHub) -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(100), async {
            while !so(&self.hub) {
                self.told.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "never: {what}");
    }
}

fn texts(hub: &LogHub) -> Vec<String> {
    let view = hub.view(LogFilter::default());
    view.tail(10_000)
        .into_iter()
        .map(|line| line.text)
        .collect()
}

fn open() -> (mpsc::Sender<String>, End) {
    let (feed, more) = mpsc::channel(8);
    (feed, End::Open(more))
}

#[tokio::test(start_paused = true)]
async fn pasts_of_sources_asked_for_together_are_in_order_of_time_and_then_lines_come_live() {
    let mut kit = Kit::new();
    let (feed, end) = open();
    kit.play(
        "one",
        &["2026-11-21T12:00:01Z INFO a\n2026-11-21T12:00:04Z INFO d\n"],
        end,
    );
    let (_quiet, end) = open();
    kit.play(
        "two",
        &["2026-11-21T12:00:02Z INFO b\n  below b\n2026-11-21T12:00:03Z INFO c\n"],
        end,
    );
    kit.hub.follow(&[id("one"), id("two")]).unwrap();
    kit.until("five lines", |hub| texts(hub).len() == 5).await;
    let ends: Vec<_> = texts(&kit.hub)
        .iter()
        .map(|line| line.split(' ').next_back().unwrap().to_owned())
        .collect();
    assert_eq!(ends, ["a", "b", "b", "c", "d"]);
    feed.send("live\n".to_owned()).await.unwrap();
    kit.until("the live line", |hub| texts(hub).last().unwrap() == "live")
        .await;
    let states = kit.hub.states();
    assert_eq!(states[0].status, SourceStatus::Following);
    assert_eq!(
        (states[0].lines, states[1].lines, states[2].lines),
        (3, 3, 0)
    );
    assert_eq!(states[2].status, SourceStatus::Idle);
    kit.hub.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_stopped_says_why_and_when_and_repeats_nothing_when_it_is_back() {
    let mut kit = Kit::new();
    let broken = Failure::new(FailureKind::Unreachable, "the connection broke");
    kit.play("one", &["a\nb\n"], End::Now(Err(broken)));
    let says = vec![
        (false, "b\n".to_owned()),
        (true, "No such container: one\n".to_owned()),
    ];
    kit.play_all("one", says, End::Now(Ok(Some(1))));
    let (_feed, end) = open();
    kit.play("one", &["a\nb\nc\n"], end);
    kit.hub.follow(&[id("one")]).unwrap();
    let why = |hub: &LogHub| match &hub.states()[0].status {
        SourceStatus::Stopped { why, again_at_ms } => Some((why.message.clone(), *again_at_ms)),
        _ => None,
    };
    kit.until("it stopped", |hub| why(hub).is_some()).await;
    let first = why(&kit.hub).unwrap();
    assert_eq!(first, ("the connection broke".to_owned(), 1_001_000));
    kit.until("it stopped again", |hub| {
        why(hub).is_some_and(|why| why.0.contains("status 1"))
    })
    .await;
    let second = why(&kit.hub).unwrap();
    assert_eq!(
        second.0,
        "the command ended with status 1: No such container: one"
    );
    assert_eq!(second.1, 1_002_000);
    kit.until("it is back", |hub| texts(hub).contains(&"c".to_owned()))
        .await;
    assert_eq!(texts(&kit.hub), ["a", "b", "No such container: one", "c"]);
    kit.hub.close().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_stream_keeps_its_lines_and_following_twice_opens_it_once() {
    let mut kit = Kit::new();
    let (feed, end) = open();
    kit.play("one", &["a\n"], end);
    kit.hub.follow(&[id("one")]).unwrap();
    kit.hub.follow(&[id("one"), id("one")]).unwrap();
    kit.until("its line", |hub| texts(hub) == ["a"]).await;
    kit.hub.stop(&[id("one")]).unwrap();
    assert_eq!(kit.hub.states()[0].status, SourceStatus::Idle);
    // The far end is gone when nobody takes from it any more.
    tokio::time::timeout(Duration::from_secs(5), feed.closed())
        .await
        .unwrap();
    assert_eq!(texts(&kit.hub), ["a"]);
    assert_eq!(kit.world.opened.lock().unwrap().len(), 1);
    let unknown = kit.hub.follow(&[id("three")]).unwrap_err();
    assert!(unknown.hint.contains("one, two, file"), "{unknown:?}");
    kit.hub.close().await;
}

#[tokio::test(start_paused = true)]
async fn times_of_files_are_read_by_the_clock_of_their_machine() {
    let mut kit = Kit::new();
    let (_feed, end) = open();
    kit.play("/file", &["2026/11/21 20:00:00 [error] x\n"], end);
    kit.hub.follow(&[id("file")]).unwrap();
    kit.until("its line", |hub| texts(hub).len() == 1).await;
    let line = kit.hub.view(LogFilter::default()).line(0).unwrap();
    assert_eq!(line.at_ms, Some(1_795_262_400_000));
    assert_eq!((line.level, line.source.as_str()), (Level::Error, "file"));
    assert_eq!(
        kit.world.opened.lock().unwrap()[0],
        "tail -n 200 -F -- /file"
    );
    kit.hub.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_view_counts_and_shows_what_its_filter_takes_while_lines_come_and_go() {
    let mut kit = Kit::new();
    let (feed, end) = open();
    kit.play("one", &["0 first line\n"], end);
    kit.hub.follow(&[id("one")]).unwrap();
    kit.until("its line", |hub| texts(hub).len() == 1).await;
    let tenth = LogFilter {
        text: "0 LINE".to_owned(),
        ..LogFilter::default()
    };
    let mut some = kit.hub.view(tenth.clone());
    let mut all = kit.hub.view(LogFilter::default());
    assert_eq!(
        some.counts(),
        LogCounts {
            kept: 1,
            matching: 0,
            dropped: 0
        }
    );
    for round in 0..12 {
        let part = (0..1000)
            .map(|number| format!("{} line\n", round * 1000 + number))
            .collect::<Vec<_>>()
            .concat();
        feed.send(part).await.unwrap();
        kit.until("the part", |hub| {
            texts(hub).last().unwrap() == &format!("{} line", round * 1000 + 999)
        })
        .await;
        assert!(some.refresh() && all.refresh());
        let counts = some.counts();
        assert!(counts.kept <= 5000 && counts.kept + counts.dropped == 1001 + round * 1000);
        // What is found bit by bit is what is found at once.
        let fresh = kit.hub.view(tenth.clone());
        assert_eq!(some.counts(), fresh.counts());
        assert_eq!(some.tail(3), fresh.tail(3));
        assert_eq!(some.window(0, 2), fresh.window(0, 2));
    }
    assert!(!some.refresh());
    assert_eq!(some.counts().matching, all.counts().kept / 10);
    let line = &some.window(7, 1)[0];
    assert_eq!(some.place_of(line.no), 7);
    assert_eq!(some.line(line.no).as_ref(), Some(line));
    assert_eq!(all.window(all.place_of(line.no), 1)[0], *line);
    assert_eq!(all.line(3), None);
    some.set_filter(LogFilter::default());
    assert_eq!(some.counts(), all.counts());
    some.set_filter(tenth);
    assert_eq!(some.counts().matching, all.counts().kept / 10);
    kit.hub.close().await;
}

#[tokio::test(start_paused = true)]
async fn readers_are_told_seldom_and_of_nothing_when_nothing_happens() {
    let mut kit = Kit::new();
    let (feed, end) = open();
    kit.play("one", &["a\n"], end);
    kit.hub.follow(&[id("one")]).unwrap();
    kit.until("its line", |hub| texts(hub).len() == 1).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = *kit.told.borrow_and_update();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(*kit.told.borrow(), before);
    for _ in 0..1000 {
        feed.send("b\n".to_owned()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    kit.until("all lines", |hub| texts(hub).len() == 1001).await;
    let told = *kit.told.borrow() - before;
    assert!((10..=33).contains(&told), "told {told} times in a second");
    kit.hub.close().await;
}

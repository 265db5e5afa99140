//! Event in, effects out; late and double events change nothing.

use super::*;

fn ask(state: &mut State, id: i64, writes: bool) -> Vec<Effect> {
    state.reduce(Event::Asked {
        id: JobId(id),
        job: JobFacts {
            name: "x",
            writes,
            subject: "prod".to_owned(),
            command_line: "cockpit x prod".to_owned(),
        },
        at_ms: 10,
    })
}

#[test]
fn one_writer_at_a_time_and_any_number_of_readers() {
    let mut state = State::default();
    assert!(matches!(
        ask(&mut state, 1, true)[..],
        [Effect::Start(JobId(1))]
    ));
    assert!(matches!(ask(&mut state, 2, false)[..], [Effect::Start(_)]));
    match &ask(&mut state, 3, true)[..] {
        [Effect::Refuse(JobId(3), failure)] => assert_eq!(failure.kind, FailureKind::Busy),
        other => panic!("{other:?}"),
    }
    state.reduce(Event::Ended(JobId(1), None, 20));
    assert!(matches!(ask(&mut state, 4, true)[..], [Effect::Start(_)]));
}

#[test]
fn late_and_double_events_change_nothing() {
    let mut state = State::default();
    ask(&mut state, 1, true);
    state.reduce(Event::Ended(JobId(1), None, 20));
    let before = state.snapshot();
    state.reduce(Event::Ended(JobId(1), Some(trouble()), 30));
    state.reduce(Event::Progressed(
        JobId(1),
        Progress {
            text: "late".into(),
            done: 0,
            total: 0,
            ..Progress::default()
        },
        30,
    ));
    assert!(state.reduce(Event::StopAsked(JobId(1))).is_empty());
    assert!(state.reduce(Event::StopAsked(JobId(9))).is_empty());
    assert_eq!(state.snapshot(), before);
}

#[test]
fn stopping_cancels_once_and_closing_cancels_all_and_refuses_new_work() {
    let mut state = State::default();
    ask(&mut state, 1, true);
    ask(&mut state, 2, false);
    assert_eq!(state.reduce(Event::StopAsked(JobId(1))).len(), 1);
    assert!(state.reduce(Event::StopAsked(JobId(1))).is_empty());
    assert!(matches!(
        state.reduce(Event::Closing)[..],
        [Effect::Cancel(JobId(2))]
    ));
    assert!(matches!(
        ask(&mut state, 3, false)[..],
        [Effect::Refuse(..)]
    ));
}

#[test]
fn ended_jobs_are_forgotten_in_time() {
    let mut state = State::default();
    for id in 0..200 {
        ask(&mut state, id, false);
        state.reduce(Event::Ended(JobId(id), None, 20));
    }
    assert!(state.snapshot().jobs.len() <= KEPT);
}

fn trouble() -> Trouble {
    Trouble::from(&Failure::new(FailureKind::Remote, "broke"))
}

fn said(text: &str, done: usize) -> Progress {
    Progress {
        text: text.into(),
        done,
        total: 9,
        ..Progress::default()
    }
}

#[test]
fn a_job_tells_its_line_its_times_and_why_it_failed() {
    let mut state = State::default();
    ask(&mut state, 1, false);
    for (text, done, at_ms) in [
        ("reading", 0, 11),
        ("reading", 1, 12),
        ("writing", 0, 13),
        ("writing", 1, 14),
    ] {
        state.reduce(Event::Progressed(JobId(1), said(text, done), at_ms));
    }
    state.reduce(Event::Ended(JobId(1), Some(trouble()), 20));
    let job = &state.snapshot().jobs[0];
    assert_eq!(
        (job.subject.as_str(), job.command_line.as_str()),
        ("prod", "cockpit x prod")
    );
    assert_eq!(
        (job.started_ms, job.stage_since_ms, job.ended_ms),
        (10, 13, Some(20))
    );
    assert_eq!(
        (job.state, job.failure.clone()),
        (JobState::Failed, Some(trouble()))
    );
}

#[test]
fn what_changes_nothing_is_no_change() {
    let mut state = State::default();
    ask(&mut state, 1, false);
    assert!(state.take_changed());
    assert!(!state.take_changed());
    state.reduce(Event::Progressed(JobId(1), said("reading", 0), 11));
    assert!(state.take_changed());
    state.reduce(Event::Progressed(JobId(1), said("reading", 0), 12));
    state.reduce(Event::Armed(None));
    state.learn(|_| false);
    state.reduce(Event::Ended(JobId(7), None, 13));
    assert!(!state.take_changed());
    let board = Arc::clone(&state.snapshot().board);
    state.learn(|board| {
        board.store_changes += 1;
        true
    });
    assert!(state.take_changed());
    assert_eq!(
        (board.store_changes, state.snapshot().board.store_changes),
        (0, 1)
    );
}

#[test]
fn a_wait_stands_still_while_it_is_held() {
    let mut state = State::default();
    ask(&mut state, 1, true);
    let waiting = Progress {
        until_ms: Some(45_000),
        ..said("warming", 0)
    };
    state.reduce(Event::Progressed(JobId(1), waiting, 10_000));
    let left = |state: &State, now_ms| state.snapshot().jobs[0].left_ms(now_ms);
    assert_eq!(left(&state, 20_000), Some(25_000));
    state.reduce(Event::HoldAsked(JobId(1), true, 20_000));
    assert_eq!(left(&state, 90_000), Some(25_000), "it counts while held");
    state.reduce(Event::HoldAsked(JobId(1), false, 90_000));
    assert_eq!(left(&state, 90_000), Some(25_000), "the hold was counted");
    assert_eq!(left(&state, 200_000), Some(0));
}

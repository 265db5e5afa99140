//! What is written reads back; what must be refused is.

use super::*;
use cockpit_domain::batch::AccountStatus;

#[tokio::test]
async fn a_plan_reads_back_with_its_keys_in_order_until_they_are_wiped() {
    let folder = folder();
    let store = open(&folder);
    let keys = ["sk-one-00000000001", "sk-two-00000000002"];
    let id = store.save_plan(&new_plan(&keys)).await.unwrap();
    let plan = store.plan(id).await.unwrap().unwrap();
    assert_eq!(
        (plan.kind.as_str(), plan.used_ms, plan.batch),
        ("import", None, None)
    );
    assert_eq!(plan.body, json!({"steps": ["create_group"]}));
    let read = store.plan_keys(id).await.unwrap();
    assert_eq!(read, keys.map(Secret::new));
    store.wipe_plan_keys(id).await.unwrap();
    assert_eq!(store.plan_keys(id).await.unwrap(), []);
    assert!(store.plan(PlanId(99)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_plan_is_used_once_whether_by_a_batch_or_by_itself() {
    let folder = folder();
    let store = open(&folder);
    let plan = store.save_plan(&new_plan(&[])).await.unwrap();
    let batch = store.create_batch(&new_batch(plan), &[]).await.unwrap();
    let saved = store.plan(plan).await.unwrap().unwrap();
    assert_eq!((saved.batch, saved.used_ms), (Some(batch), Some(NOW)));
    for again in [
        store.create_batch(&new_batch(plan), &[]).await.err(),
        store.use_plan(plan, NOW).await.err(),
    ] {
        let failure = again.unwrap();
        assert_eq!(failure.kind, FailureKind::Conflict);
        assert_eq!(
            failure.message,
            "plan/1 was applied before by batch/1; a plan is applied once"
        );
    }
    // The refused batch left nothing behind.
    assert_eq!(store.batches(None).await.unwrap().len(), 1);
    let other = store.save_plan(&new_plan(&[])).await.unwrap();
    store.use_plan(other, NOW + 1).await.unwrap();
    let failure = store.use_plan(other, NOW + 2).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    let nowhere = store.use_plan(PlanId(99), NOW).await.unwrap_err();
    assert_eq!(nowhere.kind, FailureKind::Usage);
}

#[tokio::test]
async fn batches_items_and_events_read_back_as_they_were_saved() {
    let folder = folder();
    let store = open(&folder);
    let plan = store.save_plan(&new_plan(&[])).await.unwrap();
    let items = [
        new_item(1, "sk-one-00000000001"),
        new_item(3, "sk-two-00000000002"),
    ];
    let id = store.create_batch(&new_batch(plan), &items).await.unwrap();

    let mut read = store.items(id).await.unwrap();
    assert_eq!(
        read.iter()
            .map(|item| (item.line, item.batch))
            .collect::<Vec<_>>(),
        [(1, id), (3, id)]
    );
    read[1].account_id = Some(RemoteId(41));
    read[1].account_status = Some(AccountStatus::Warning);
    read[1].upstream.upstream_chat_status = 200;
    store.save_item(&read[1]).await.unwrap();
    assert_eq!(store.items(id).await.unwrap(), read);

    let mut batch = new_batch(plan);
    batch.id = id;
    batch.batch_status = BatchStatus::Succeeded;
    batch.gateway.served_by_account = Some(RemoteId(41));
    store.save_batch(&batch).await.unwrap();
    assert_eq!(store.batch(id).await.unwrap(), Some(batch.clone()));
    assert_eq!(store.batches(Some(&host())).await.unwrap(), [batch.clone()]);
    let elsewhere = HostId::new("other").unwrap();
    assert_eq!(store.batches(Some(&elsewhere)).await.unwrap(), []);

    let uses = store
        .key_uses(&[read[1].fingerprint.clone()])
        .await
        .unwrap();
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].batch, uses[0].account), (id, Some(RemoteId(41))));
    batch.batch_status = BatchStatus::RolledBack;
    store.save_batch(&batch).await.unwrap();
    let fingerprints = [read[1].fingerprint.clone()];
    assert_eq!(store.key_uses(&fingerprints).await.unwrap(), []);

    let event = BatchEvent {
        at_ms: NOW,
        item: Some(read[0].id),
        kind: "account_created".to_owned(),
        text: "made".to_owned(),
    };
    store.add_event(id, &event).await.unwrap();
    assert_eq!(store.events(id).await.unwrap(), [event]);
}

#[tokio::test]
async fn a_row_that_is_not_there_cannot_be_saved() {
    let folder = folder();
    let store = open(&folder);
    let mut batch = new_batch(PlanId(1));
    batch.id = BatchId(9);
    let failure = store.save_batch(&batch).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Store, "there is no batch/9")
    );
    assert!(store.mark_sent(StepId(9)).await.is_err());
    assert!(
        store
            .record(&group(BatchId(9), 1, Origin::Created))
            .await
            .is_err()
    );
    assert!(
        store
            .mark_undone(BatchId(9), ResourceKind::Group, RemoteId(1))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn settling_writes_outcome_resource_and_audit_or_none_of_them() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let step = store.intend(&intent(batch)).await.unwrap();
    store.mark_sent(step).await.unwrap();
    let made = group(batch, 5, Origin::Created);
    store
        .settle(step, StepState::Done, "201", Some(&made), &audit(batch))
        .await
        .unwrap();
    let row = &store.journal(batch).await.unwrap()[0];
    assert_eq!(
        (row.state, row.host_resource_id, row.answer.as_str()),
        (StepState::Done, Some(RemoteId(5)), "201")
    );
    assert_eq!(store.resources(batch).await.unwrap(), [made]);
    assert_eq!(store.audit(10).await.unwrap(), [audit(batch)]);

    // A second batch cannot have made the same group: nothing of its settling stays.
    let second = started(&store).await;
    let step = store.intend(&intent(second)).await.unwrap();
    store.mark_sent(step).await.unwrap();
    let twice = group(second, 5, Origin::Created);
    let failure = store
        .settle(step, StepState::Done, "201", Some(&twice), &audit(second))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(
        failure.message,
        "group 5 of `lab` was made by batch/1; batch/2 cannot have made it too"
    );
    assert_eq!(
        store.journal(second).await.unwrap()[0].state,
        StepState::Sent
    );
    assert_eq!(store.audit(10).await.unwrap().len(), 1);

    // It may adopt it, and make one once the first is undone.
    store
        .record(&group(second, 5, Origin::Adopted))
        .await
        .unwrap();
    let held = store.host_resources(&host(), &provider()).await.unwrap();
    assert_eq!(held.len(), 2);
    store
        .mark_undone(batch, ResourceKind::Group, RemoteId(5))
        .await
        .unwrap();
    store.record(&twice).await.unwrap();
    assert_eq!(store.resources(second).await.unwrap(), [twice]);
    assert_eq!(
        store
            .host_resources(&host(), &provider())
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_step_that_took_effect_stays_done() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let step = store.intend(&intent(batch)).await.unwrap();
    let settle = |state| {
        let audit = audit(batch);
        let store = &store;
        async move { store.settle(step, state, "", None, &audit).await }
    };
    settle(StepState::Unknown).await.unwrap();
    settle(StepState::Done).await.unwrap();
    let failure = settle(StepState::Failed).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Internal);
    assert!(store.mark_sent(step).await.is_err());
}

#[tokio::test]
async fn a_lost_answer_and_each_sending_are_remembered_when_the_step_is_done() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let step = store.intend(&intent(batch)).await.unwrap();
    let settle = |state, at_ms| {
        let audit = AuditRow {
            at_ms,
            ..audit(batch)
        };
        let store = &store;
        async move { store.settle(step, state, "", None, &audit).await }
    };
    store.mark_sent(step).await.unwrap();
    settle(StepState::Unknown, 70).await.unwrap();
    store.mark_sent(step).await.unwrap();
    settle(StepState::Done, 90).await.unwrap();
    let row = &store.journal(batch).await.unwrap()[0];
    assert_eq!((row.sends, row.lost_ms), (2, Some(70)));
    assert!(row.may_have_more() && !row.is_open());
}

#[tokio::test]
async fn results_are_kept_by_subject_newest_first_and_not_for_ever() {
    let folder = folder();
    let store = open(&folder);
    let keep = |subject: &'static str, at_ms: i64| {
        let store = &store;
        async move {
            let body = json!({"n": at_ms});
            let result = KeptResult { at_ms, body };
            store.keep(ResultKind::Probe, subject, &result).await
        }
    };
    let writes = (0..2003).map(|at_ms| keep("lab/good", at_ms));
    for written in futures_util::future::join_all(writes).await {
        written.unwrap();
    }
    for at_ms in [2003, 2004] {
        keep("lab/good", at_ms).await.unwrap();
    }
    keep("lab/other", 7).await.unwrap();
    let newest = store.kept(ResultKind::Probe, "lab/good", 2).await.unwrap();
    let times: Vec<_> = newest.iter().map(|result| result.at_ms).collect();
    assert_eq!(times, [2004, 2003]);
    let all = store
        .kept(ResultKind::Probe, "lab/good", usize::MAX)
        .await
        .unwrap();
    assert_eq!(all.len(), 2000);
    let other = store.kept(ResultKind::Access, "lab/good", 9).await.unwrap();
    assert_eq!(other, []);
}

#[tokio::test]
async fn the_audit_can_be_neither_changed_nor_shortened() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let step = store.intend(&intent(batch)).await.unwrap();
    store
        .settle(step, StepState::Failed, "409", None, &audit(batch))
        .await
        .unwrap();
    let raw = Connection::open(store.database()).unwrap();
    for attempt in [
        "UPDATE audit SET answer = 'fine'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (id, at_ms, who, host, plan_hash, request, answer, reason)
         VALUES (1, 1, 'x', 'lab', 'x', 'x', 'x', 'x')",
    ] {
        let refused = raw.execute(attempt, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{attempt}: {refused}");
    }
    assert_eq!(store.audit(9).await.unwrap(), [audit(batch)]);
}

#[tokio::test]
async fn one_refused_piece_of_work_does_not_take_its_neighbours_along() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let event = |batch| {
        let event = BatchEvent {
            at_ms: NOW,
            item: None,
            kind: "x".to_owned(),
            text: "y".to_owned(),
        };
        let store = &store;
        async move { store.add_event(batch, &event).await }
    };
    let nowhere = BatchId(99);
    let (one, two, three) = tokio::join!(event(batch), event(nowhere), event(batch));
    assert_eq!(
        (one.is_ok(), two.is_ok(), three.is_ok()),
        (true, false, true)
    );
    assert_eq!(store.events(batch).await.unwrap().len(), 2);
}

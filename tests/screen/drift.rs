//! Drift on production by keyboard: `R` opens the plan, `a` puts it back by name and reason, and
//! reconciling again proves it.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

#[test]
fn drift_on_production_is_put_back_by_name_and_reason_and_proven() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.import(&["sk-lab-good-drift-000009"]).await;
        inside.lab.host("prod").with(|state| {
            let mut channels = state.channels.values_mut();
            let ours = channels.find(|row| row.name == "relay-lab");
            ours.expect("a channel").restrict_models = false;
        });
        let mut stage = Stage::on(inside, (100, 30)).await;
        let before = stage.changes();
        stage.command("reconcile prod lab");
        let plan = stage.until_shown("DRIFTED: 0 missing, 1 changed").await;
        assert!(plan.contains("restrict_models"), "{plan}");
        assert!(plan.contains("reconcile apply"), "{plan}");
        assert!(plan.contains("127.0.0.1:18190"), "who else writes: {plan}");
        stage.press(&["a"]);
        stage.until_shown("type `:arm prod 10m` first").await;
        assert_eq!(stage.changes(), before, "a look wrote");

        stage.arm("prod").await;
        stage.press(&["a"]);
        let asked = stage.until_shown("on PRODUCTION host prod").await;
        assert!(asked.contains("nothing is deleted"), "{asked}");
        stage.read();
        stage.type_in("prod");
        stage.press(&["tab"]);
        stage.type_in("models are open to all");
        stage.press(&["tab", "y"]);
        stage.until_shown("put back and proven: 1 write(s)").await;
        let written = stage.changes().split_off(before.len());
        assert_eq!(written.len(), 1, "{written:?}");
        assert!(written[0].starts_with("host:prod PUT /api/v1/admin/channels/"));
        stage.command("activity");
        stage.until_shown("repair_fields").await;
        stage.command("reconcile prod lab");
        stage.until_shown("active: 0 missing, 0 changed").await;
        stage.press(&["a"]);
        stage.until_shown("nothing here to put back").await;
        stage.end().await;
    });
}

#[test]
fn a_watched_host_tells_of_drift_by_itself_and_a_rollback_pauses_it_with_a_banner() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let batch = inside.import(&["sk-lab-good-drift-000011"]).await.id;
        let mut stage = Stage::on(inside, (100, 30)).await;
        let before = stage.changes();
        stage.command("watch accept");
        stage.until_shown("watching accept: active").await;
        stage.inside.lab.host("accept").with(|state| {
            let mut channels = state.channels.values_mut();
            let ours = channels.find(|row| row.name == "relay-lab");
            ours.expect("a channel").restrict_models = false;
        });
        // The next round finds it, nobody asks for it.
        stage.later(121_000);
        stage.until_shown("watching accept: DRIFTED").await;
        stage.until_shown("accept is DRIFTED now").await;
        assert_eq!(stage.changes(), before, "a look wrote");

        // Taken back beside the screen, which is not told of it: the next look finds it out.
        stage.arm("accept").await;
        drop(stage.inside.roll_back(batch).await);
        stage.later(121_000);
        let banner = format!("watch PAUSED by rollback of {batch}");
        stage.until_shown(&banner).await;
        let looks = stage.sent["reconcile watch"];
        stage.later(121_000);
        stage.press(&["r"]);
        stage.until_shown(&banner).await;
        assert_eq!(stage.sent["reconcile watch"], looks, "a paused watch looks");

        stage.command("watch accept");
        stage.until_shown("watching accept:").await;
        stage.command("watch accept");
        stage.until_shown("accept is not watched any more").await;
        stage.end().await;
    });
}

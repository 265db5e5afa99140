//! Around a deployment, and beside production: the gate and a temporary stack by keyboard only.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

#[test]
fn a_deployment_passes_the_gate_by_keyboard_only() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        let mut stage = Stage::on(inside, (80, 24)).await;
        stage.until_shown("nothing is broken").await;
        stage.press(&["V"]);
        stage.until_shown("nothing is recorded yet").await;
        stage.press(&["b"]);
        stage
            .until_shown("recorded before the deployment, all well")
            .await;
        stage.press(&["t"]);
        let waiting = stage.until_shown("not passed yet").await;
        assert!(
            waiting.contains("remote43: systemctl reload nginx"),
            "{waiting}"
        );
        stage.press(&["a"]);
        stage.until_shown("type `:arm prod 10m` first").await;

        stage.arm("prod").await;
        stage.press(&["a"]);
        stage.until_shown("on PRODUCTION host prod").await;
        stage.read();
        stage.type_in("prod");
        stage.press(&["tab"]);
        stage.type_in("release 42");
        stage.press(&["tab", "y"]);
        stage.until_shown("the gate is passed").await;
        assert_eq!(
            stage.changes(),
            Vec::<String>::new(),
            "no host was written to"
        );
        stage.command("activity");
        stage.until_shown("gate reload on remote43").await;
        stage.end().await;
    });
}

#[test]
fn a_temporary_stack_is_registered_and_looked_at_by_keyboard_only() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("temporary-stack").expect("a fault");
        let mut stage = Stage::on(inside, (80, 24)).await;
        stage.until_shown("x host.production-set").await;
        stage.press(&["K"]);
        stage.until_shown("no temporary stack is known").await;
        stage.press(&["a"]);
        stage.until_shown("Register a temporary stack").await;
        for field in [
            "trial",
            "",
            "acceptance",
            "8080",
            "sub2api-trial",
            "2999-12-31",
        ] {
            stage.type_in(field);
            stage.press(&["tab"]);
        }
        stage.type_in("sub2api-trial-postgres sub2api-trial-redis");
        stage.press(&["tab", "tab", "tab", "tab", "tab", "tab", "tab", "enter"]);
        stage
            .until_shown("port 8080 is the one of production host")
            .await;
        // What was typed is still there: the port is put right.
        for _ in 0..10 {
            stage.press(&["up"]);
        }
        for _ in 0..4 {
            stage.press(&["backspace"]);
        }
        stage.type_in("18087");
        for _ in 0..10 {
            stage.press(&["down"]);
        }
        stage.press(&["enter"]);
        stage.until_selected("trial").await;
        stage.press(&["enter"]);
        stage
            .until_shown("command: docker stop sub2api-trial")
            .await;
        stage.press(&["1", "r"]);
        stage.until_shown("nothing is broken").await;
        stage.end().await;
    });
}

//! Starting the lab, alone or under a command.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_lab::{Lab, LabOptions};
use std::io::Write;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Starts a lab.
pub(crate) async fn begin(dir: Option<PathBuf>) -> Outcome<Lab> {
    Lab::start(LabOptions {
        state_root: dir,
        // A screen on a fleet where nothing happens would look dead.
        pulse: Some(std::time::Duration::from_secs(2)),
        ..LabOptions::default()
    })
    .await
    .map_err(|error| {
        Failure::new(FailureKind::Internal, error.to_string())
            .doing("starting the lab")
            .hint("the lab needs loopback, a writable temporary folder and the OpenSSH client")
    })
}

/// `lab serve`: one line when ready, then runs until stopped.
pub(crate) async fn serve(dir: Option<PathBuf>, stop: CancellationToken) -> Outcome<u8> {
    let lab = begin(dir).await?;
    let line = serde_json::json!({
        "config": lab.config_path(),
        "control": lab.control_socket(),
        "public_base": lab.public_base(),
        "ssh_config": lab.ssh_config(),
    });
    {
        let mut stdout = std::io::stdout().lock();
        // A reader that is gone is no reason to stop: others may know the config by now.
        drop(writeln!(stdout, "{line}"));
        drop(stdout.flush());
    }
    stop.cancelled().await;
    lab.shutdown().await;
    Ok(0)
}

//! The log file: never the terminal, private, a week of days, without secrets (every remote text
//! was redacted on its way in, and nothing of ours logs a secret).

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// Starts logging into `<state_dir>/log`. A log that cannot be opened is no reason to stop.
pub(crate) fn start(state_dir: &Path) -> Option<WorkerGuard> {
    let folder = state_dir.join("log");
    std::fs::create_dir_all(&folder).ok()?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).ok()?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("cockpit")
        .filename_suffix("log")
        .max_log_files(7)
        .build(&folder)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let filter = EnvFilter::try_from_env("COCKPIT_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,cockpit=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false)
        .try_init()
        .ok()?;
    Some(guard)
}

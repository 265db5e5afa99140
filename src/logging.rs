//! The log file: never the terminal, private, a week of days, without secrets (every remote text
//! was redacted on its way in, and nothing of ours logs a secret).

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// Lines that may wait to be written; what comes on top is lost.
const LINES: usize = 2_048;

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
    let mut file = Private {
        appender,
        folder,
        day: None,
    };
    file.close_to_others().ok()?;
    // Room for every line is made at once, before the first frame: enough for a burst, no more.
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES)
        .finish(file);
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

/// The appender makes each day's file as the umask says; this one closes it to others
/// with the first line of the day. The folder is closed to them all the time.
struct Private {
    appender: RollingFileAppender,
    folder: PathBuf,
    /// Day since 1970 whose file was closed.
    day: Option<u64>,
}

impl Private {
    fn close_to_others(&mut self) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let day = now.map(|now| now.as_secs() / 86_400);
        if day.is_some() && day == self.day {
            return Ok(());
        }
        for entry in std::fs::read_dir(&self.folder)? {
            std::fs::set_permissions(entry?.path(), std::fs::Permissions::from_mode(0o600))?;
        }
        self.day = day;
        Ok(())
    }
}

impl Write for Private {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = self.appender.write(line)?;
        // A file that another process took away meanwhile is no reason to lose the line.
        drop(self.close_to_others());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.appender.flush()
    }
}

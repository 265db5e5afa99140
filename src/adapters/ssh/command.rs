//! Commands over a standing connection: what is sent, what is kept, when one may be sent again.

use super::capture::Capture;
use super::link::{Link, Links};
use super::master::Master;
use super::{MachineSettings, Sudo, explain, follow};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{RemoteCommand, RunOutput, StreamText};
use openssh::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Where programs are looked for behind the configured folders: the far `PATH` of a session
/// without a terminal lacks half of them.
pub(super) const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs `"$@"` with a watcher beside it, which ends it when our side of its input is closed: by
/// us, by our death or by a lost connection. Without it a silent program there outlives us.
const KEEPER: &str = "exec 3<&0 </dev/null; \"$@\" 3<&- & p=$!; \
    { read -r x; kill \"$p\"; sleep 2; kill -9 \"$p\"; } <&3 >/dev/null 2>&1 & w=$!; \
    exec 3<&-; wait \"$p\"; s=$?; kill \"$w\" 2>/dev/null; exit \"$s\"";

/// How long a server that opens no further session is asked again.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// How long a status that is there already may take to be read.
const LAST_WORD: Duration = Duration::from_millis(50);
/// How long a broken connection may take to be known as such.
const VERDICT: Duration = Duration::from_millis(300);

/// The argv with `PATH` and `sudo` in front, as the config says.
pub(super) fn with_prefix(settings: &MachineSettings, argv: &[String]) -> Outcome<Vec<String>> {
    if argv.first().is_none_or(String::is_empty) {
        return Err(explain::bad_argv("is empty"));
    }
    if argv.iter().any(|word| word.contains('\0')) {
        return Err(explain::bad_argv("contains a zero byte"));
    }
    let mut full = Vec::with_capacity(argv.len() + 4);
    if !settings.path.is_empty() && !is_here(settings) {
        let path = settings.path.join(":");
        full.extend(["env".to_owned(), format!("PATH={path}:{USUAL_PATH}")]);
    }
    if settings.sudo == Sudo::NonInteractive {
        full.extend(["sudo".to_owned(), "-n".to_owned()]);
    }
    full.extend(argv.iter().cloned());
    Ok(full)
}

fn is_here(settings: &MachineSettings) -> bool {
    settings.ssh.is_none()
}

/// Why a session did not open.
enum NotOpened {
    /// Nothing reached the far side: may be sent again.
    Unsent,
    /// Final.
    Failed(Failure),
}

type Child<'a> = openssh::Child<&'a openssh::Session>;

async fn open<'a>(
    master: &'a Master,
    machine: &str,
    argv: &[String],
    kept: bool,
) -> Result<Child<'a>, NotOpened> {
    if !master.answers().await {
        return Err(NotOpened::Unsent);
    }
    let asked = Instant::now();
    let mut step = Duration::from_millis(25);
    loop {
        let keeper: &[&str] = if kept {
            &["sh", "-c", KEEPER, "sh"]
        } else {
            &[]
        };
        let mut words = keeper
            .iter()
            .copied()
            .chain(argv.iter().map(String::as_str));
        let mut command = master.session().command(words.next().unwrap_or_default());
        command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let error = match command.spawn().await {
            Ok(child) => return Ok(child),
            Err(error) => error,
        };
        let words = chain(&error);
        if !words.contains("refused") {
            tracing::debug!(machine, words, "a session did not open");
            // The request may have been read before the connection broke.
            let lost = explain::lost(machine, &master.log().since(0));
            return Err(NotOpened::Failed(lost.maybe_done()));
        }
        if !master.is_up() {
            return Err(NotOpened::Unsent);
        }
        if asked.elapsed() > REFUSED_FOR {
            return Err(NotOpened::Failed(explain::full(machine)));
        }
        sleep(step).await;
        step = (step * 2).min(Duration::from_millis(400));
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        source = inner.source();
    }
    words
}

/// The exit status, told apart from a lost connection: the mux protocol says the same for both.
async fn status(
    master: &Master,
    machine: &str,
    waited: Result<std::process::ExitStatus, openssh::Error>,
) -> Outcome<Option<i32>> {
    match waited {
        Ok(status) => Ok(status.code()),
        Err(openssh::Error::Remote(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Some(127))
        }
        Err(error) => {
            let lost = timeout(VERDICT, master.ended()).await.is_ok() || !master.answers().await;
            match error {
                openssh::Error::RemoteProcessTerminated if !lost => Ok(None),
                _ => Err(explain::lost(machine, &master.log().since(0)).maybe_done()),
            }
        }
    }
}

/// Runs a command to its end.
pub(super) async fn run(link: &Arc<Link>, command: &RemoteCommand) -> Outcome<RunOutput> {
    let argv = with_prefix(link.settings(), &command.argv)?;
    let _slot = link.slot().await?;
    let machine = link.machine().as_str();
    let mut again = true;
    loop {
        let master = link.up().await?;
        let began = Instant::now();
        let kept = link.has_shell() != Some(false);
        let opening = open(&master, machine, &argv, kept);
        let opening = timeout(command.time_limit, opening).await;
        let mut child = match opening {
            Ok(Ok(child)) => child,
            Ok(Err(NotOpened::Unsent)) => {
                link.give_up(&master).await;
                if again {
                    again = false;
                    continue;
                }
                return Err(explain::lost(machine, &[]));
            }
            Ok(Err(NotOpened::Failed(failure))) => return Err(failure),
            Err(_) => return Err(explain::overdue(machine, command.time_limit)),
        };
        // Open until the end: closing it ends the command.
        let _input = child.stdin().take();
        let (out, err) = (child.stdout().take(), child.stderr().take());
        let mut capture = Capture::new(command.byte_limit);
        let left = command.time_limit.saturating_sub(began.elapsed());
        // First the streams, then the status: it may overtake them, and asking for it ends them.
        let left = if timeout(left, capture.fill(out, err)).await.is_ok() {
            command.time_limit.saturating_sub(began.elapsed())
        } else {
            // It may have ended and left something behind that holds its output open.
            capture.mark_truncated();
            Duration::ZERO
        };
        let waited = timeout(left.max(LAST_WORD), child.wait()).await;
        let Ok(waited) = waited else {
            return Err(explain::overdue(machine, command.time_limit));
        };
        let status = status(&master, machine, waited).await?;
        let output = capture.into_output(
            status,
            began.elapsed(),
            &link.core().options.redactor,
            command.sealed,
        );
        // Another one may have found out meanwhile.
        if kept && link.has_shell() != Some(true) {
            let missing = lacks_shell(&output, &argv[0]);
            link.set_shell(!missing);
            if missing {
                continue;
            }
        }
        return Ok(output);
    }
}

/// Whether the far side runs single programs only and has no `sh`: then nothing of ours ran.
fn lacks_shell(output: &RunOutput, program: &str) -> bool {
    let said = output.stderr.trim_end();
    output.is_missing_program()
        && program != "sh"
        && [
            "sh: command not found",
            "sh: not found",
            "sh: No such file or directory",
        ]
        .iter()
        .any(|end| said.ends_with(&format!(" {end}")) || said == *end)
}

/// Follows a command on a connection for streams.
pub(super) async fn follow(
    links: &Links,
    argv: &[String],
    sender: &mpsc::Sender<StreamText>,
    stop: &CancellationToken,
) -> Outcome<Option<i32>> {
    let argv = with_prefix(links.settings(), argv)?;
    let (link, _slot) = links.stream()?;
    let machine = link.machine().as_str();
    if link.has_shell().is_none() {
        // Lines of a stream are sent on at once: whether there is a shell must be known before.
        let look = RemoteCommand::new(["true"]);
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            looked = run(links.commands(), &look) => drop(looked?),
        }
    }
    let kept = link.has_shell() != Some(false);
    let mut again = true;
    loop {
        let master = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            master = link.up() => master?,
        };
        let opened = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            opened = open(&master, machine, &argv, kept) => opened,
        };
        let mut child = match opened {
            Ok(child) => child,
            Err(NotOpened::Unsent) => {
                link.give_up(&master).await;
                if again {
                    again = false;
                    continue;
                }
                return Err(explain::lost(machine, &[]));
            }
            Err(NotOpened::Failed(failure)) => return Err(failure),
        };
        let _input = child.stdin().take();
        let (Some(out), Some(err)) = (child.stdout().take(), child.stderr().take()) else {
            return Err(Failure::new(FailureKind::Internal, "a stream has no ends"));
        };
        let redactor = &link.core().options.redactor;
        if !follow::pump(out, err, redactor, sender, stop).await {
            return Ok(None);
        }
        let waited = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            waited = child.wait() => waited,
        };
        return status(&master, machine, waited).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn path_and_sudo_stand_in_front_only_when_configured() {
        let mut settings = MachineSettings {
            ssh: Some("edge".to_owned()),
            ..MachineSettings::default()
        };
        let plain = argv(&["docker", "ps"]);
        assert_eq!(with_prefix(&settings, &plain).unwrap(), plain);
        settings.path = argv(&["/opt/homebrew/bin", "/opt/x"]);
        settings.sudo = Sudo::NonInteractive;
        assert_eq!(
            with_prefix(&settings, &plain).unwrap().join(" "),
            format!("env PATH=/opt/homebrew/bin:/opt/x:{USUAL_PATH} sudo -n docker ps")
        );
        assert!(with_prefix(&settings, &[]).is_err());
        assert!(with_prefix(&settings, &argv(&["a", "b\0c"])).is_err());
    }

    #[test]
    fn a_missing_shell_is_told_from_a_missing_program() {
        let output = |stderr: &str| RunOutput {
            status: Some(127),
            stdout: String::new(),
            stderr: stderr.to_owned(),
            truncated: false,
            took: Duration::ZERO,
            sealed: None,
        };
        assert!(lacks_shell(
            &output("bash: line 1: sh: command not found\n"),
            "docker"
        ));
        assert!(!lacks_shell(
            &output("bash: line 1: sh: command not found\n"),
            "sh"
        ));
        assert!(!lacks_shell(
            &output("sh: 1: docker: not found\n"),
            "docker"
        ));
        assert!(!lacks_shell(&output("sh: 1: zsh: not found\n"), "zsh"));
    }
}

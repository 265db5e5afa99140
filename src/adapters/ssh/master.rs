//! One ssh master: started, supervised and ended. It dies with us, however we die.

use super::environment;
use super::{Core, explain};
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::Outcome;
use openssh::Session;
use std::collections::VecDeque;
use std::fs;
use std::io::{PipeWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Starts ssh with a watcher beside it. The watcher reads our pipe: its end without a word means
/// that we are gone, and it ends ssh. `$$` stays the process that becomes ssh by `exec`.
const KEEPER: &str = "exec 3<&0 </dev/null; \
    { trap '' INT HUP QUIT; read -r word <&3 || kill -TERM $$; } >/dev/null 2>&1 & \
    exec 3<&-; exec \"$@\"";

/// How long an asked master may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the local master may take to answer the local question whether it is there.
const LOCAL_ANSWER: Duration = Duration::from_secs(2);
const LOG_LINES: usize = 200;
const LOG_WIDTH: u64 = 500;

/// What ssh said on standard error, the newest lines.
#[derive(Default)]
pub(super) struct Log {
    lines: Mutex<(u64, VecDeque<String>)>,
}

impl Log {
    fn push(&self, line: String) {
        let mut log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        log.0 += 1;
        log.1.push_back(line);
        if log.1.len() > LOG_LINES {
            log.1.pop_front();
        }
    }

    /// How many lines there were so far.
    pub(super) fn mark(&self) -> u64 {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The lines said since a mark.
    pub(super) fn since(&self, mark: u64) -> Vec<String> {
        let log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let new = usize::try_from(log.0 - mark).unwrap_or(usize::MAX);
        let skip = log.1.len().saturating_sub(new);
        log.1.iter().skip(skip).cloned().collect()
    }
}

/// A standing connection.
pub(super) struct Master {
    session: Session,
    log: Arc<Log>,
    ended: watch::Receiver<bool>,
    took: Duration,
    _stop: DropGuard,
}

impl Master {
    /// Starts ssh and waits until it is logged in.
    pub(super) async fn start(core: &Arc<Core>, machine: &str, alias: &str) -> Outcome<Self> {
        let began = Instant::now();
        let control = core.folder.fresh('c');
        let log = Arc::new(Log::default());
        let stop = core.closed.child_token();
        let (told, mut ended) = watch::channel(false);
        let (child, pipe) = spawn(core, alias, &control)?;
        core.keepers.spawn(keep(
            child,
            pipe,
            Arc::clone(&log),
            core.options.redactor.clone(),
            stop.clone(),
            told,
            control.clone(),
        ));
        let mut master = Self {
            session: Session::resume_mux(control.as_path().into(), None),
            log,
            ended: ended.clone(),
            took: Duration::ZERO,
            _stop: stop.drop_guard(),
        };
        // A jump host takes the time of its own connection first.
        let limit = began + core.options.connect_timeout * 2;
        let mut pause = Duration::from_millis(5);
        while !*ended.borrow_and_update() {
            if control.exists() && master.answers().await {
                master.took = began.elapsed();
                return Ok(master);
            }
            tokio::select! {
                changed = ended.changed() => if changed.is_err() { break },
                () = tokio::time::sleep_until(limit) => {
                    return Err(explain::slow(machine, &master.log.since(0), core.options.connect_timeout * 2));
                }
                () = sleep(pause) => pause = (pause * 2).min(Duration::from_millis(20)),
            }
        }
        if core.closed.is_cancelled() {
            return Err(explain::closed());
        }
        let config = core.options.ssh_config.as_deref();
        let lines = master.log.since(0);
        Err(explain::connect(machine, alias, config, &lines))
    }

    /// The far shell's entrance.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// What ssh says.
    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// How long the log-in took: several round trips, so an upper bound of one.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// Whether its process still runs, as far as we know.
    pub(super) fn is_up(&self) -> bool {
        !*self.ended.borrow()
    }

    /// Whether the local process answers. Says nothing about the far side.
    pub(super) async fn answers(&self) -> bool {
        self.is_up()
            && matches!(
                timeout(LOCAL_ANSWER, self.session.check()).await,
                Ok(Ok(()))
            )
    }

    /// Waits until its process has ended.
    pub(super) async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means that its keeper is gone, and the process with it.
        drop(ended.wait_for(|over| *over).await);
    }
}

fn spawn(core: &Core, alias: &str, control: &Path) -> Outcome<(Child, PipeWriter)> {
    let options = &core.options;
    let ssh = environment::find_program(&options.program)
        .ok_or_else(|| explain::no_client(&options.program))?;
    let setsid = environment::find_program(Path::new("setsid"));
    let mut command = if let Some(setsid) = setsid {
        // No controlling terminal: nobody can ask there, and no Ctrl-C arrives.
        let mut command = Command::new(setsid);
        command.arg("/bin/sh");
        command
    } else {
        let mut command = Command::new("/bin/sh");
        command.process_group(0);
        command
    };
    command.args(["-c", KEEPER, "sh"]).arg(ssh);
    if let Some(config) = &options.ssh_config {
        command.arg("-F").arg(config);
    }
    command.args(["-M", "-N", "-T", "-S"]).arg(control);
    let seconds = options.connect_timeout.as_secs().max(1);
    for option in [
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "ControlPersist=no".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "ExitOnForwardFailure=no".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "PermitLocalCommand=no".to_owned(),
        "RemoteCommand=none".to_owned(),
        "StreamLocalBindUnlink=yes".to_owned(),
        "StreamLocalBindMask=0177".to_owned(),
        // A refused forward is told there and nowhere else.
        "LogLevel=INFO".to_owned(),
        format!("ConnectTimeout={seconds}"),
        format!("ServerAliveInterval={}", options.alive_interval),
        format!("ServerAliveCountMax={}", options.alive_count),
    ] {
        command.arg("-o").arg(option);
    }
    command.arg("--").arg(alias);
    let (far, pipe) = std::io::pipe().map_err(|error| explain::start(&error))?;
    command
        .env_clear()
        .envs(environment::for_ssh())
        .stdin(far)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| explain::start(&error))?;
    Ok((child, pipe))
}

/// Looks after one ssh process until it has ended. Dropping this drops the pipe, which ends ssh.
async fn keep(
    mut child: Child,
    mut pipe: PipeWriter,
    log: Arc<Log>,
    redactor: Redactor,
    stop: CancellationToken,
    told: watch::Sender<bool>,
    control: PathBuf,
) {
    let said = child.stderr.take();
    let listen = async {
        if let Some(said) = said {
            listen(said, &log, &redactor).await;
        }
    };
    tokio::pin!(listen);
    let mut heard = false;
    loop {
        tokio::select! {
            _ = child.wait() => {
                // By itself: the watcher must not shoot at a number that is free again.
                drop(pipe.write_all(b"over\n"));
                break;
            }
            () = stop.cancelled() => {
                drop(pipe);
                if timeout(PATIENCE, child.wait()).await.is_err() {
                    drop(child.kill().await);
                }
                break;
            }
            () = &mut listen, if !heard => heard = true,
        }
    }
    if !heard {
        // What it said last. A proxy command may hold the pipe open for longer.
        drop(timeout(Duration::from_millis(200), listen).await);
    }
    drop(fs::remove_file(control));
    // Nobody may be left to be told.
    told.send_replace(true);
}

async fn listen(said: ChildStderr, log: &Log, redactor: &Redactor) {
    let mut said = BufReader::new(said);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut said)
            .take(LOG_WIDTH)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = redactor.admit(&String::from_utf8_lossy(&line));
                let text = text.trim_end();
                if !text.is_empty() {
                    log.push(text.to_owned());
                }
            }
        }
    }
}

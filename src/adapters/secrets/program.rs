//! Secrets that a program prints: a password store's command line. It runs without a terminal,
//! without our variables, and not for long.

use super::{LONGEST, trouble};
use cockpit_domain::text::{Redactor, shorten};
use cockpit_engine::failure::Outcome;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

/// What a password store needs to find itself; nothing of what else may be in our environment.
const KEPT_VARIABLES: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
];

/// Runs a program and gives what it printed.
pub(super) async fn output_of(
    argv: &[String],
    time_limit: Duration,
    redactor: &Redactor,
) -> Outcome<Zeroizing<String>> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(trouble("a `command` reference names no program"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(
            KEPT_VARIABLES
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Out of the terminal's foreground: a question on the terminal stops it, not us.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        trouble(format!("command `{program}` did not start: {error}"))
            .hint("name a program that is installed, by its whole path if need be")
    })?;
    let group = child.id();
    let ended = tokio::time::timeout(time_limit, finish(&mut child)).await;
    let Ok(ended) = ended else {
        kill_group(group).await;
        return Err(trouble(format!(
            "command `{program}` was not done after {} s",
            time_limit.as_secs()
        ))
        .hint("run it by hand once: it may ask for a passphrase, which it cannot do from here"));
    };
    let (status, stdout, stderr) =
        ended.map_err(|error| trouble(format!("command `{program}`: {error}")))?;
    if !status.success() {
        let words = redactor.admit(String::from_utf8_lossy(&stderr).trim());
        let said = match words.lines().last() {
            Some(line) => format!(": {}", shorten(line, 200)),
            None => String::new(),
        };
        return Err(
            trouble(format!("command `{program}` failed ({status}){said}"))
                .hint("run it by hand in this account and see what it wants"),
        );
    }
    std::str::from_utf8(&stdout)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| trouble(format!("command `{program}` did not print text")))
}

type Ended = (
    std::process::ExitStatus,
    Zeroizing<Vec<u8>>,
    Zeroizing<Vec<u8>>,
);

async fn finish(child: &mut Child) -> std::io::Result<Ended> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, stdout, stderr) = tokio::join!(child.wait(), bytes(stdout), bytes(stderr));
    Ok((status?, stdout?, stderr?))
}

async fn bytes(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(stream) = stream {
        stream.take(LONGEST).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Ends what the program has started, too. Dropping the child ends the program itself.
async fn kill_group(group: Option<u32>) {
    if let Some(group) = group {
        let ended = Command::new("kill")
            .args(["-KILL", "--", &format!("-{group}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        drop(ended);
    }
}

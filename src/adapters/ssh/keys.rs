//! Which keys of an alias are locked by a passphrase: ssh in batch mode skips them silently.

use super::{SshOptions, environment};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(2);
const MOST: usize = 8;

/// The locked key files ssh would use for the alias. Empty when that cannot be told.
pub(super) async fn locked(options: &SshOptions, alias: &str) -> Vec<String> {
    let mut ask = tool(&options.program);
    if let Some(config) = &options.ssh_config {
        ask.arg("-F").arg(config);
    }
    ask.args(["-G", "--", alias]);
    let Some((settings, _)) = answer(ask).await else {
        return Vec::new();
    };
    let mut locked = Vec::new();
    for name in settings
        .lines()
        .filter_map(|line| line.strip_prefix("identityfile "))
        .take(MOST)
    {
        let path = expand(name.trim().trim_matches('"'));
        if path.is_file() && is_locked(&options.program, &path).await {
            locked.push(path.display().to_string());
        }
    }
    locked
}

fn expand(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(name),
    }
}

async fn is_locked(ssh: &Path, key: &Path) -> bool {
    let beside = ssh.with_file_name("ssh-keygen");
    let mut ask = tool(&beside);
    // Tries the empty passphrase; the public part it prints otherwise is dropped.
    ask.args(["-y", "-P", "", "-f"]).arg(key);
    answer(ask)
        .await
        .is_some_and(|(_, said)| said.contains("passphrase"))
}

fn tool(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(environment::for_ssh())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn answer(mut command: Command) -> Option<(String, String)> {
    let output = timeout(LIMIT, command.output()).await.ok()?.ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}

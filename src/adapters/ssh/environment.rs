//! What children get of our environment: names on a list, never anything that could be a secret.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const SHARED: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
];
const FOR_SSH: &[&str] = &["SSH_AUTH_SOCK", "SSH_SK_PROVIDER", "KRB5CCNAME"];
const FOR_COMMANDS: &[&str] = &[
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
];

type Pairs = Vec<(OsString, OsString)>;

fn take(names: &[&str]) -> Pairs {
    names
        .iter()
        .filter_map(|name| Some((OsString::from(name), env::var_os(name)?)))
        .collect()
}

/// For ssh and what it starts (a jump host's ssh, a proxy command).
pub(super) fn for_ssh() -> Pairs {
    let mut pairs = take(SHARED);
    pairs.extend(take(FOR_SSH));
    // `BatchMode` does not reach the ssh of a jump host. This does: every question goes to a
    // program that says no, none to the terminal.
    pairs.push(("SSH_ASKPASS".into(), "false".into()));
    pairs.push(("SSH_ASKPASS_REQUIRE".into(), "force".into()));
    pairs
}

/// For commands on this computer, with folders in front of `PATH`.
pub(super) fn for_commands(prefix: &[String]) -> Pairs {
    let mut pairs = take(SHARED);
    pairs.extend(take(FOR_COMMANDS));
    if !prefix.is_empty() {
        let mut path = OsString::from(prefix.join(":"));
        let rest = env::var_os("PATH").unwrap_or_else(|| super::command::USUAL_PATH.into());
        path.push(":");
        path.push(rest);
        pairs.retain(|(name, _)| name != "PATH");
        pairs.push(("PATH".into(), path));
    }
    pairs
}

/// Finds a program as a shell would.
pub(super) fn find_program(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 || program.is_absolute() {
        return program.is_file().then(|| program.to_owned());
    }
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

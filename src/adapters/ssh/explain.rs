//! From ssh's words to a failure: one sentence, the raw words (already redacted), what to do next.

use cockpit_engine::failure::{Failure, FailureKind};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Everything is closed.
pub(super) fn closed() -> Failure {
    Failure::new(FailureKind::Cancelled, "the connections are closed")
}

/// There is no ssh client.
pub(super) fn no_client(program: &Path) -> Failure {
    Failure::new(
        FailureKind::Config,
        format!("no ssh client found: `{}`", program.display()),
    )
    .hint("install OpenSSH (Debian: `apt install openssh-client`) or put its folder into PATH")
}

/// The client could not be started.
pub(super) fn start(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Internal,
        format!("ssh could not be started: {error}"),
    )
    .hint("see whether processes or open files are at their limit (`ulimit -a`)")
}

/// The log-in took too long as a whole.
pub(super) fn slow(machine: &str, lines: &[String], limit: Duration) -> Failure {
    let message = format!(
        "`{machine}` did not finish the log-in within {} s",
        limit.as_secs()
    );
    Failure::new(FailureKind::Unreachable, with_words(message, lines)).hint(
        "the machine may be overloaded, or a security key waits for a touch; try `ssh` by hand",
    )
}

/// The connection broke under a command.
pub(super) fn lost(machine: &str, lines: &[String]) -> Failure {
    let message = format!("the connection to `{machine}` was lost");
    let last = lines.len().saturating_sub(3);
    Failure::new(
        FailureKind::Unreachable,
        with_words(message, &lines[last..]),
    )
    .hint("the next look connects again; if it stays, see the network and the machine")
}

/// The server opens no further session.
pub(super) fn full(machine: &str) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!("`{machine}` opens no further session on this connection"),
    )
    .hint(
        "raise `MaxSessions` in the server's sshd_config, or see whether sshd can still fork there",
    )
}

/// A command ran out of time.
pub(super) fn overdue(machine: &str, limit: Duration) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!("it did not end on `{machine}` within {limit:?} and was stopped"),
    )
    .hint("the machine or what the command asks there may hang; look at its load and disks")
    .maybe_done()
}

/// An argv no shell can be given.
pub(super) fn bad_argv(why: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("the command {why}"))
}

fn with_words(message: String, lines: &[String]) -> String {
    if lines.is_empty() {
        message
    } else {
        format!("{message}; ssh says: {}", lines.join(" / "))
    }
}

/// Whose words mean what. The first match counts: causes stand before their consequences.
struct Known {
    words: &'static [&'static str],
    kind: FailureKind,
    found: &'static str,
    hint: &'static str,
}

const CHANGED: &str = "REMOTE HOST IDENTIFICATION HAS CHANGED";

/// `{m}` is the machine, `{ssh}` the command line that does the same by hand.
const KNOWN: &[Known] = &[
    Known {
        words: &["too long for Unix domain socket", "ControlPath too long"],
        kind: FailureKind::Config,
        found: "the path of the control socket is too long",
        hint: "point the runtime folder to a short path, such as $XDG_RUNTIME_DIR/cockpit",
    },
    Known {
        words: &[
            "Bad configuration option",
            "bad configuration options",
            "Can't open user config file",
            "Bad owner or permissions on",
            "missing argument",
        ],
        kind: FailureKind::Config,
        found: "ssh does not accept its configuration",
        hint: "correct the line named above; `{ssh} -G` shows what ssh makes of it",
    },
    Known {
        words: &["UNPROTECTED PRIVATE KEY FILE"],
        kind: FailureKind::Denied,
        found: "the private key for `{m}` can be read by others, so ssh does not use it",
        hint: "`chmod 600` the key file named above",
    },
    Known {
        words: &["Too many authentication failures"],
        kind: FailureKind::Denied,
        found: "`{m}` was offered too many keys before the right one",
        hint: "name the key: `IdentityFile` and `IdentitiesOnly yes` for this alias",
    },
    Known {
        words: &[
            "no matching host key type",
            "no matching key exchange",
            "no matching cipher",
        ],
        kind: FailureKind::Unreachable,
        found: "`{m}` and this ssh client share no algorithm",
        hint: "update the older side; `{ssh} -v` lists what each offers",
    },
    Known {
        words: &["Permission denied"],
        kind: FailureKind::Denied,
        found: "`{m}` refused the log-in",
        hint: "see that the right key is offered (`{ssh} -v`), that its public part stands in `authorized_keys` there, and that `User` is right",
    },
    Known {
        words: &["Could not resolve hostname"],
        kind: FailureKind::Unreachable,
        found: "the name behind `{m}` cannot be resolved",
        hint: "add `Host {a}` with its `HostName` to the ssh configuration, or correct `ssh` under `[machine.{m}]`",
    },
    Known {
        words: &["Connection refused"],
        kind: FailureKind::Unreachable,
        found: "`{m}` is there but its ssh port refuses connections",
        hint: "see that sshd runs there and that `Port` is right",
    },
    Known {
        words: &["timed out", "Timeout, server"],
        kind: FailureKind::Unreachable,
        found: "`{m}` did not answer in time",
        hint: "see that the machine is up, and the network, VPN and firewall on the way; `{ssh}` by hand shows the same",
    },
    Known {
        words: &[
            "No route to host",
            "Network is unreachable",
            "Network is down",
        ],
        kind: FailureKind::Unreachable,
        found: "there is no way to `{m}` from here",
        hint: "see the network and the VPN on this computer",
    },
    Known {
        words: &[
            "Connection reset",
            "Connection closed",
            "kex_exchange_identification",
            "banner exchange",
        ],
        kind: FailureKind::Unreachable,
        found: "`{m}` closed the connection before the log-in",
        hint: "sshd there may be overloaded or refuse this address (`MaxStartups`, fail2ban, a firewall)",
    },
];

/// The command line that shows the same to a person.
fn by_hand(alias: &str, config: Option<&Path>) -> String {
    match config {
        Some(config) => format!("ssh -F {} {alias}", config.display()),
        None => format!("ssh {alias}"),
    }
}

/// Why a log-in failed, from everything ssh said.
pub(super) fn connect(
    machine: &str,
    alias: &str,
    config: Option<&Path>,
    lines: &[String],
) -> Failure {
    let text = lines.join("\n");
    let ssh = by_hand(alias, config);
    // The ssh of a jump host is a pipe to ours: no port, no address.
    let by_jump = text.contains("UNKNOWN port 65535") || text.contains("stdio forwarding failed");
    let whose = if by_jump {
        format!("the jump host in front of `{machine}`")
    } else {
        format!("`{machine}`")
    };
    if text.contains(CHANGED) {
        return changed(&whose, lines);
    }
    if text.contains("Host key verification failed") || text.contains("host key is known for") {
        let message = with_words(format!("the host key of {whose} is not known here"), lines);
        return Failure::new(FailureKind::Denied, message).hint(format!(
            "compare the fingerprint with the owner of the machine (on its console: \
             `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then connect once by hand: `{ssh}`"
        ));
    }
    let known = KNOWN
        .iter()
        .find(|known| known.words.iter().any(|words| text.contains(words)));
    let fill = |template: &str| {
        template
            .replace("{m}", machine)
            .replace("{a}", alias)
            .replace("{ssh}", &ssh)
    };
    let mut failure = match known {
        Some(known) => Failure::new(known.kind, fill(known.found)).hint(fill(known.hint)),
        None => Failure::new(
            FailureKind::Unreachable,
            format!("ssh to `{machine}` ended before the log-in"),
        )
        .hint(format!("`{ssh} -v` by hand shows how far it gets")),
    };
    if by_jump {
        failure.message = format!("{whose} did not let us through");
        failure.hint = format!(
            "try the jump host alone first; `{ssh}` by hand shows the same. Then: {}",
            failure.hint
        );
    }
    failure.message = with_words(failure.message, lines);
    failure
}

/// A changed key is never accepted by us; a person compares, then removes the old one.
fn changed(whose: &str, lines: &[String]) -> Failure {
    let text = lines.join("\n");
    let after = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
    let fingerprint = after("SHA256:").map_or_else(String::new, |rest| {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)))
            .unwrap_or(rest.len());
        format!(" (it shows SHA256:{})", &rest[..end])
    });
    let remove = lines
        .iter()
        .find(|line| line.contains("ssh-keygen") && line.contains("-R"))
        .map(|line| line.trim().trim_matches('?').trim().to_owned());
    let remove = remove.unwrap_or_else(|| "ssh-keygen -R NAME".to_owned());
    let look = remove.replace(" -R ", " -F ");
    Failure::new(
        FailureKind::Denied,
        with_words(
            format!("the host key of {whose} has changed{fingerprint}: another machine may answer in its place"),
            lines,
        ),
    )
    .hint(format!(
        "never accept this blindly. Compare on the machine's own console: `ssh-keygen -lf \
         /etc/ssh/ssh_host_ed25519_key.pub`; the key known so far: `{look}`. Only when the owner \
         confirms the new one: `{remove}` and connect once by hand"
    ))
}

/// Adds that keys are locked by a passphrase, which ssh itself does not say.
pub(super) fn locked(mut failure: Failure, keys: &[String]) -> Failure {
    if !keys.is_empty() {
        failure.message = format!(
            "{}; locked by a passphrase: {}",
            failure.message,
            keys.join(", ")
        );
        failure.hint = format!(
            "nothing is asked here; unlock the key once in your agent: `ssh-add {}`",
            keys[0]
        );
    }
    failure
}

/// Refused by the target, or failed without a reason, as servers other than OpenSSH say it.
fn is_refused(why: &str) -> bool {
    let why = why.to_lowercase();
    why.contains("refused") || why.ends_with("connect failed")
}

/// Why a forward ended at once, from what ssh said meanwhile.
pub(super) fn forward(machine: &str, target: &str, port: u16, lines: &[String]) -> Failure {
    let reason = lines
        .iter()
        .rev()
        .find_map(|line| line.split_once("open failed: ").map(|(_, why)| why.trim()));
    let (kind, found, hint) = match reason {
        Some(why) if why.contains("administratively prohibited") => (
            FailureKind::Unreachable,
            format!("the ssh server of `{machine}` refuses the forward to {target}"),
            "allow it there: `AllowTcpForwarding yes` (or `local`), `PermitOpen`, and no \
             `no-port-forwarding` on the key"
                .to_owned(),
        ),
        Some(why) if is_refused(why) => (
            FailureKind::Unreachable,
            format!("`{machine}` answers, but nothing listens on {target} there"),
            format!(
                "on the machine: `ss -ltnp | grep :{port}`; on macOS `lsof -nP -iTCP:{port} -sTCP:LISTEN`"
            ),
        ),
        Some(_) => (
            FailureKind::Unreachable,
            format!("`{machine}` answers, but cannot reach {target} from there"),
            "see the address as that machine knows it".to_owned(),
        ),
        None => (
            FailureKind::Unreachable,
            format!("`{machine}` answers, but {target} there closed the connection at once"),
            format!("see what listens there: `ss -ltnp | grep :{port}`"),
        ),
    };
    let message = match reason {
        Some(why) => format!("{found}; ssh says: {why}"),
        None => found,
    };
    Failure::new(kind, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureKind::{Config, Denied, Unreachable};

    fn words(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_known_text_of_ssh_has_its_kind_and_a_next_step() {
        for (text, kind, found) in [
            (
                "ssh: Could not resolve hostname nope: Name or service not known",
                Unreachable,
                "cannot be resolved",
            ),
            (
                "ssh: connect to host 10.0.0.9 port 22: Connection refused",
                Unreachable,
                "refuses connections",
            ),
            (
                "ssh: connect to host 10.0.0.9 port 22: Connection timed out",
                Unreachable,
                "in time",
            ),
            (
                "Connection timed out during banner exchange",
                Unreachable,
                "in time",
            ),
            (
                "ssh: connect to host 10.0.0.9 port 22: No route to host",
                Unreachable,
                "no way",
            ),
            (
                "root@10.0.0.9: Permission denied (publickey).",
                Denied,
                "refused the log-in",
            ),
            (
                "No ED25519 host key is known for [127.0.0.1]:2201 and you have requested strict checking.\nHost key verification failed.",
                Denied,
                "not known here",
            ),
            (
                "Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures",
                Denied,
                "too many keys",
            ),
            (
                "unix_listener: path \"/x\" too long for Unix domain socket",
                Config,
                "too long",
            ),
            (
                "/home/a/.ssh/config: line 3: Bad configuration option: frobnicate",
                Config,
                "configuration",
            ),
            (
                "kex_exchange_identification: Connection closed by remote host",
                Unreachable,
                "before the log-in",
            ),
            (
                "ops@jump: Permission denied (publickey).\nkex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535",
                Denied,
                "jump host",
            ),
            (
                "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\nConnection closed by UNKNOWN port 65535",
                Unreachable,
                "jump host",
            ),
            ("something new", Unreachable, "ended before"),
            ("", Unreachable, "ended before"),
        ] {
            let failure = connect("edge", "edge-alias", None, &words(text));
            assert_eq!(failure.kind, kind, "{text}");
            assert!(failure.message.contains(found), "{text}: {failure}");
            assert!(
                failure
                    .message
                    .contains(text.lines().next().unwrap_or_default())
            );
            assert!(
                !failure.hint.is_empty() && !failure.hint.contains('{'),
                "{}",
                failure.hint
            );
        }
    }

    #[test]
    fn a_changed_key_shows_how_to_compare_and_which_line_to_remove() {
        let text = "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n\
            SHA256:abcDEF123+/x.\n\
            Offending ED25519 key in /home/a/.ssh/known_hosts:7\n\
            \x20 remove with:\n\
            \x20 ssh-keygen -f \"/home/a/.ssh/known_hosts\" -R \"[127.0.0.1]:2201\"\n\
            Host key verification failed.";
        let failure = connect("edge", "edge", None, &words(text));
        assert_eq!(failure.kind, Denied);
        assert!(
            failure.message.contains("SHA256:abcDEF123+/x)"),
            "{failure}"
        );
        for part in [
            "never accept",
            "-F \"[127.0.0.1]:2201\"",
            "-R \"[127.0.0.1]:2201\"",
            "-lf",
        ] {
            assert!(failure.hint.contains(part), "{}", failure.hint);
        }
    }

    #[test]
    fn a_forward_that_ends_at_once_says_who_refused_it() {
        for (text, kind, found) in [
            (
                "channel 2: open failed: connect failed: Connection refused",
                Unreachable,
                "nothing listens on 127.0.0.1:8080",
            ),
            (
                "channel 2: open failed: administratively prohibited: open failed",
                Unreachable,
                "refuses the forward",
            ),
            (
                "channel 2: open failed: connect failed: No route to host",
                Unreachable,
                "cannot reach",
            ),
            ("", Unreachable, "at once"),
        ] {
            let failure = forward("edge", "127.0.0.1:8080", 8080, &words(text));
            assert_eq!(failure.kind, kind, "{text}");
            assert!(failure.message.contains(found), "{failure}");
            assert!(!failure.hint.is_empty());
        }
    }
}

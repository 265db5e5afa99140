//! Whether a tool's output can be judged at all. What cannot is "could not look", with the exact
//! fix: a missing tool, a missing right and a wanted password never make a check fail.

use super::judgement::Judgement;

/// What a command left behind, as far as judging needs it.
#[derive(Debug, Clone, Copy)]
pub struct ToolOutput<'a> {
    /// The tool's name, such as `nginx`.
    pub tool: &'a str,
    /// The whole command as a person would type it.
    pub command: &'a str,
    /// The machine it ran on.
    pub machine: &'a str,
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: &'a str,
    /// Standard error.
    pub stderr: &'a str,
    /// Whether output was cut at a limit.
    pub truncated: bool,
}

/// The judgement of an output that was cut at a limit.
pub fn too_long(output: &ToolOutput<'_>) -> Option<Judgement> {
    let ToolOutput {
        command, machine, ..
    } = output;
    output.truncated.then(|| {
        Judgement::unknown(
            &format!("`{command}` wrote more than can be judged"),
            output.stderr,
            format!("Run `{command}` on `{machine}` by hand; its output is unusually long."),
        )
    })
}

/// The judgement of a command that did not get to run: the program is not there, or sudo refuses.
pub fn did_not_run(output: &ToolOutput<'_>) -> Option<Judgement> {
    let ToolOutput {
        tool,
        command,
        machine,
        stdout,
        stderr,
        ..
    } = output;
    let said = format!("{stderr}\n{stdout}").to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let could_not = |found: String, fix: String| Some(Judgement::unknown(&found, stderr, fix));
    let missing = format!("{tool}: no such file or directory");
    let missing_env = format!("env: ‘{tool}’: no such file or directory");
    if output.status == Some(127) || says(&["command not found", &missing, &missing_env]) {
        return could_not(
            format!("`{tool}` is not there on `{machine}`"),
            format!(
                "Install `{tool}` there, or set `path` of [machine.{machine}] to the folder it is in."
            ),
        );
    }
    if says(&[
        "a password is required",
        "a terminal is required",
        "no tty present",
    ]) {
        return could_not(
            format!("sudo on `{machine}` wants a password for `{tool}`"),
            format!(
                "Allow it without one in sudoers there: `USER ALL=(root) NOPASSWD: /path/to/{}`.",
                command.trim_start_matches("sudo -n ")
            ),
        );
    }
    if says(&[
        "not in the sudoers file",
        "is not allowed to execute",
        "may not run sudo",
    ]) {
        return could_not(
            format!("sudo on `{machine}` does not allow `{tool}`"),
            format!(
                "Allow `{command}` in sudoers there, or set `sudo = \"no\"` of [machine.{machine}]."
            ),
        );
    }
    None
}

/// The output to judge.
///
/// # Errors
/// The judgement `unknown` with the fix, when there is nothing to judge.
pub fn read_tool(output: ToolOutput<'_>) -> Result<&str, Judgement> {
    let ToolOutput {
        tool,
        command,
        machine,
        stdout,
        stderr,
        ..
    } = output;
    let said = format!("{stderr}\n{stdout}").to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let could_not = |found: String, fix: String| Err(Judgement::unknown(&found, stderr, fix));
    if let Some(cut) = too_long(&output) {
        return Err(cut);
    }
    if output.status == Some(0) {
        return Ok(stdout);
    }
    if let Some(judgement) = did_not_run(&output) {
        return Err(judgement);
    }
    if output.status == Some(126)
        || says(&[
            "permission denied",
            "operation not permitted",
            "must be root",
            "eacces",
        ])
    {
        return could_not(
            format!("no right to run `{tool}` on `{machine}`"),
            format!(
                "Set `sudo = \"-n\"` of [machine.{machine}], or give the user the right there."
            ),
        );
    }
    if says(&[
        "cannot connect to the docker daemon",
        "is the docker daemon running",
    ]) {
        return could_not(
            format!("the docker daemon of `{machine}` does not answer"),
            format!("Look at `systemctl status docker` on `{machine}`."),
        );
    }
    let line = stderr
        .lines()
        .chain(stdout.lines())
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no output");
    let ended = output.status.map_or_else(
        || "was killed".to_owned(),
        |code| format!("ended with {code}"),
    );
    could_not(
        format!("`{command}` {ended}: {line}"),
        format!("Run `{command}` on `{machine}` by hand and clear what it says."),
    )
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;

    #[test]
    fn what_could_not_be_looked_at_is_unknown_with_its_fix_and_never_a_failure() {
        let rows = [
            (
                "missing tool",
                Some(127),
                "bash: nginx: command not found",
                "Install `nginx`",
            ),
            (
                "missing under sudo",
                Some(1),
                "sudo: nginx: command not found",
                "Install `nginx`",
            ),
            (
                "sudo wants a password",
                Some(1),
                "sudo: a password is required",
                "NOPASSWD",
            ),
            (
                "sudo refuses",
                Some(1),
                "Sorry, user ops is not allowed to execute '/usr/sbin/nginx -T' as root",
                "sudoers",
            ),
            (
                "key file not readable",
                Some(1),
                "nginx: [emerg] cannot load certificate key: Permission denied",
                "sudo = \"-n\"",
            ),
            (
                "docker socket",
                Some(1),
                "permission denied while trying to connect to the Docker daemon socket",
                "sudo = \"-n\"",
            ),
            (
                "docker is down",
                Some(1),
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
                "systemctl status docker",
            ),
            ("not executable", Some(126), "", "sudo = \"-n\""),
            ("killed", None, "", "by hand"),
            (
                "nginx refuses its file",
                Some(1),
                "nginx: [emerg] unexpected \"}\"",
                "by hand",
            ),
        ];
        for (name, status, stderr, fix) in rows {
            let judgement = read_tool(ToolOutput {
                tool: "nginx",
                command: "sudo -n nginx -T",
                machine: "m1",
                status,
                stdout: "",
                stderr,
                truncated: false,
            })
            .unwrap_err();
            assert_eq!(judgement.verdict, Verdict::Unknown, "{name}");
            let found = judgement.fix.unwrap();
            assert!(found.contains(fix), "{name}: {found}");
        }
    }

    #[test]
    fn a_cut_dump_is_not_judged_and_warnings_beside_a_good_one_are_no_trouble() {
        let good = ToolOutput {
            tool: "nginx",
            command: "nginx -T",
            machine: "m1",
            status: Some(0),
            stdout: "dump",
            stderr: "nginx: [alert] could not open error log file: Permission denied",
            truncated: false,
        };
        assert_eq!(read_tool(good), Ok("dump"));
        let cut = ToolOutput {
            truncated: true,
            ..good
        };
        assert_eq!(read_tool(cut).unwrap_err().verdict, Verdict::Unknown);
    }
}

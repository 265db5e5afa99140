//! The small programs: who and what the machine is, its processes and services.

use super::{Machine, Output};
use crate::faults::Fault;
use cockpit_domain::baseline::matches_glob;
use jiff::Timestamp;
use std::fmt::Write as _;

/// Programs every machine has, for `command -v` and `which`.
pub(super) const PROGRAMS: [&str; 22] = [
    "cat",
    "df",
    "docker",
    "echo",
    "env",
    "false",
    "find",
    "hostname",
    "journalctl",
    "mv",
    "openssl",
    "ps",
    "readlink",
    "rm",
    "ss",
    "stat",
    "sudo",
    "systemctl",
    "tail",
    "test",
    "true",
    "uname",
];

impl Machine {
    /// Answers a small program; nothing if there is none of that name.
    pub(super) fn system(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        Some(match program {
            "true" | ":" => Output::default(),
            "false" => Output::code(1),
            "echo" => Output::out(format!("{}\n", arguments.join(" "))),
            "whoami" => Output::out("ubuntu\n"),
            "hostname" => Output::out(format!("{}\n", self.name())),
            "date" if arguments == ["+%z"] => Output::out("+0000\n"),
            "date" if arguments == ["+%s"] => {
                Output::out(format!("{}\n", Timestamp::now().as_second()))
            }
            "stat" => self.stat(arguments),
            "rm" | "mv" => self.by_a_person(program, arguments),
            "find" => self.find_links(arguments),
            "df" => self.df(),
            "openssl" => self.openssl(arguments),
            "uname" => self.uname(arguments),
            "uptime" => {
                Output::out(" up 41 days,  3:12,  0 users,  load average: 0.21, 0.18, 0.15\n")
            }
            "command" | "which" => self.which(arguments),
            "test" | "[" => self.test(arguments),
            "readlink" => self.readlink(arguments),
            "ps" => self.ps(arguments),
            "pgrep" => self.pgrep(arguments),
            "systemctl" => self.systemctl(arguments),
            _ => return None,
        })
    }

    /// `nginx -t`, `-T`, `-v`, `-s reload`.
    pub(super) fn nginx(&self, arguments: &[&str]) -> Output {
        let Some(site) = self.site() else {
            return Output::fail(1, "nginx: no configuration\n");
        };
        let good = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
                    nginx: configuration file /etc/nginx/nginx.conf test is successful\n";
        let broken = self.faults.on(Fault::NginxBroken);
        if broken && !matches!(arguments, ["-v"]) {
            return Output::fail(
                1,
                "nginx: [emerg] unknown directive \"proxy_pas\" in /etc/nginx/sites-enabled/tksea:31\n\
                 nginx: configuration file /etc/nginx/nginx.conf test failed\n",
            );
        }
        match arguments {
            ["-T"] => Output::default().and_err(good).and_out(site.dump()),
            ["-T", "-q"] | ["-q", "-T"] | ["-qT"] => Output::out(site.dump()),
            ["-t"] => Output::default().and_err(good),
            ["-v"] => Output::default().and_err("nginx version: nginx/1.24.0 (Ubuntu)\n"),
            ["-s", "reload"] => {
                self.journal("nginx[811]", "signal process started: reload");
                Output::default()
            }
            _ => Output::fail(1, "nginx: invalid option\n"),
        }
    }

    fn uname(&self, arguments: &[&str]) -> Output {
        let all = [
            ('s', "Linux"),
            ('n', self.name()),
            ('r', "6.8.0-60-generic"),
            ('m', "x86_64"),
        ];
        let asked: String = match arguments {
            [] => "s".to_owned(),
            ["-a"] => "snrm".to_owned(),
            some => some.iter().flat_map(|flags| flags.chars()).collect(),
        };
        let parts: Vec<&str> = all
            .iter()
            .filter(|(flag, _)| asked.contains(*flag))
            .map(|(_, text)| *text)
            .collect();
        Output::out(format!("{}\n", parts.join(" ")))
    }

    fn which(&self, arguments: &[&str]) -> Output {
        let mut output = Output::default();
        for name in arguments.iter().filter(|word| !word.starts_with('-')) {
            if self.has_program(name) {
                output = output.and_out(format!("/usr/bin/{name}\n"));
            } else {
                output.code = 1;
            }
        }
        output
    }

    fn test(&self, arguments: &[&str]) -> Output {
        let there = |path: &str| {
            self.text_of(path).is_some()
                || self.processes().iter().any(|process| process.exe == path)
        };
        match arguments {
            ["-e" | "-f" | "-r" | "-s" | "-x", path] | ["-e" | "-f" | "-r", path, "]"] => {
                Output::code(u32::from(!there(path)))
            }
            _ => Output::code(1),
        }
    }

    fn readlink(&self, arguments: &[&str]) -> Output {
        let path = arguments.last().copied().unwrap_or_default();
        if path == "/etc/nginx/sites-enabled/tksea" && self.base.site.is_some() {
            return Output::out("/etc/nginx/sites-available/tksea\n");
        }
        let pid = path
            .strip_prefix("/proc/")
            .and_then(|rest| rest.strip_suffix("/exe"));
        let process = self
            .processes()
            .into_iter()
            .find(|process| pid == Some(process.pid.to_string().as_str()));
        match process {
            Some(process) => Output::out(format!("{}\n", process.exe)),
            None => Output::code(1),
        }
    }

    /// `ps` with any of its usual selections: `-o` columns of all processes, else `ps aux`.
    fn ps(&self, arguments: &[&str]) -> Output {
        let mut columns = Vec::new();
        let mut header = true;
        let mut only = None;
        let mut rest = arguments.iter().copied();
        while let Some(argument) = rest.next() {
            match argument {
                "-p" | "--pid" => only = rest.next(),
                "-o" | "-eo" | "-axo" | "--format" => {
                    for column in rest.next().unwrap_or_default().split(',') {
                        header &= !column.ends_with('=');
                        columns.push(column.trim_end_matches('='));
                    }
                }
                _ => {}
            }
        }
        if columns.is_empty() {
            columns = vec!["user", "pid", "args"];
        }
        let mut out = String::new();
        if header {
            let names: Vec<String> = columns.iter().map(|name| name.to_uppercase()).collect();
            let _ = writeln!(out, "{}", names.join(" "));
        }
        let mut found = false;
        for process in self.processes() {
            let pid = process.pid.to_string();
            let age = elapsed(Timestamp::now().duration_since(process.started).as_secs());
            if only.is_some_and(|only| only != pid) {
                continue;
            }
            found = true;
            let cells: Vec<&str> = columns
                .iter()
                .map(|column| match *column {
                    "pid" => pid.as_str(),
                    "ppid" => "1",
                    "etime" => age.as_str(),
                    "user" | "uname" => process.user,
                    "comm" => process.comm(),
                    "args" | "command" | "cmd" => process.args.as_str(),
                    _ => "-",
                })
                .collect();
            let _ = writeln!(out, "{}", cells.join(" "));
        }
        let mut output = Output::out(out);
        output.code = u32::from(!found);
        output
    }

    fn pgrep(&self, arguments: &[&str]) -> Output {
        let full = arguments.iter().any(|word| word.contains('f'));
        let list = arguments
            .iter()
            .any(|word| word.starts_with('-') && word.contains('a'));
        let pattern = arguments.last().copied().unwrap_or_default();
        let mut out = String::new();
        for process in self.processes() {
            let text = if full {
                process.args.as_str()
            } else {
                process.comm()
            };
            if text.contains(pattern) {
                let _ = if list {
                    writeln!(out, "{} {}", process.pid, process.args)
                } else {
                    writeln!(out, "{}", process.pid)
                };
            }
        }
        if out.is_empty() {
            return Output::code(1);
        }
        Output::out(out)
    }

    fn systemctl(&self, arguments: &[&str]) -> Output {
        let words: Vec<&str> = arguments
            .iter()
            .copied()
            .filter(|word| !word.starts_with('-'))
            .collect();
        if let ["show", units @ ..] = words.as_slice() {
            let asked = arguments
                .iter()
                .find_map(|word| word.strip_prefix("--property="));
            return self.units_shown(units, asked.unwrap_or_default());
        }
        let [verb, unit] = words.as_slice() else {
            return Output::fail(1, "systemctl: name one verb and one unit\n");
        };
        let unit = unit.trim_end_matches(".service");
        let known = self.has_unit(unit);
        match (*verb, known) {
            ("is-active", true) => Output::out("active\n"),
            ("is-active", false) => {
                let mut output = Output::out("inactive\n");
                output.code = 3;
                output
            }
            ("reload", true)
                if unit == "nginx"
                    && (self.faults.on(Fault::NginxBroken)
                        || self.faults.on(Fault::ReloadFails)) =>
            {
                self.journal("systemd[1]", "Reload failed for nginx.service.");
                Output::fail(
                    1,
                    "Job for nginx.service failed.\nSee \"systemctl status nginx.service\" and \
                     \"journalctl -xeu nginx.service\" for details.\n",
                )
            }
            ("reload" | "restart", true) => {
                self.journal("systemd[1]", &format!("Reloaded {unit}.service."));
                Output::default()
            }
            (_, false) => Output::fail(5, format!("Unit {unit}.service not found.\n")),
            (other, true) => Output::fail(1, format!("Unknown command verb '{other}'.\n")),
        }
    }

    fn has_unit(&self, unit: &str) -> bool {
        match unit {
            "docker" | "ssh" => true,
            "nginx" => self.base.site.is_some(),
            _ => false,
        }
    }

    /// The properties of units: a pattern shows what is loaded and fits it, a name that is not known is
    /// shown as such and is no failure.
    fn units_shown(&self, asked: &[&str], properties: &str) -> Output {
        let mut shown: Vec<(&str, bool)> = Vec::new();
        for unit in asked {
            let unit = unit.trim_end_matches(".service");
            if unit.contains('*') {
                let loaded = ["docker", "nginx", "ssh"].into_iter();
                let fits = loaded.filter(|name| matches_glob(unit, name) && self.has_unit(name));
                shown.extend(fits.map(|name| (name, true)));
            } else {
                shown.push((unit, self.has_unit(unit)));
            }
        }
        let blocks: Vec<String> = shown
            .iter()
            .map(|(unit, known)| {
                let lines = properties.split(',').filter_map(|property| {
                    let value = match (property, known) {
                        ("Id", _) => format!("{unit}.service"),
                        ("LoadState", true) => "loaded".to_owned(),
                        ("LoadState", false) => "not-found".to_owned(),
                        ("ActiveState", true) => "active".to_owned(),
                        ("ActiveState", false) => "inactive".to_owned(),
                        ("SubState", true) => "running".to_owned(),
                        ("SubState", false) => "dead".to_owned(),
                        ("UnitFileState", true) => "enabled".to_owned(),
                        ("UnitFileState", false) => String::new(),
                        ("NRestarts", _) => "0".to_owned(),
                        _ => return None,
                    };
                    Some(format!("{property}={value}\n"))
                });
                lines.collect()
            })
            .collect();
        Output::out(blocks.join("\n"))
    }
}

/// `[[days-]hours:]minutes:seconds`, as `ps` writes the age of a process.
fn elapsed(seconds: i64) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (hours / 24, hours % 24) {
        (0, 0) => format!("{minutes:02}:{seconds:02}"),
        (0, hours) => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        (days, hours) => format!("{days}-{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

//! Files that must be refused, each with the messages its last lines name; files that must load.

use super::*;
use cockpit_domain::host::Role;
use cockpit_domain::log::LogPlace;
use std::os::unix::fs::PermissionsExt;

/// Marks a line of an invalid file that names a finding: `#! LINE:COLUMN: MESSAGE (HINT)`.
const EXPECTED: &str = "#! ";

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/config")
        .join(folder)
}

fn files(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(data(folder))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn read(name: &str, text: &str) -> Result<Config, Vec<Finding>> {
    let home = Path::new("/home/ann");
    let state = Ok(PathBuf::from("/home/ann/.local/state/relay-cockpit"));
    // The shown file is the path as given, so that expectations need no folder.
    parse(Path::new(name), text, Some(home), state).unwrap()
}

#[test]
fn every_invalid_file_gives_exactly_its_messages() {
    let files = files("invalid");
    assert!(files.len() >= 40, "only {} files", files.len());
    let mut wrong = Vec::new();
    for (name, text) in files {
        let expected: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix(EXPECTED))
            .map(|line| format!("{name}:{line}"))
            .collect();
        let findings = read(&name, &text).err().unwrap_or_default();
        let found: Vec<_> = findings.iter().map(Finding::to_string).collect();
        if found.is_empty() || found != expected {
            wrong.push(format!("{name} gives\n{}", found.join("\n")));
        }
        for shown in found {
            for planted in ["hunter2", "Zq81", "correcthorse"] {
                assert!(!shown.contains(planted), "{shown}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_valid_file_loads() {
    let files = files("valid");
    assert!(!files.is_empty());
    for (name, text) in files {
        if let Err(findings) = read(&name, &text) {
            panic!("{name}: {findings:?}");
        }
    }
}

#[test]
fn the_example_loads_and_uses_every_part() {
    let config = read("/etc/cockpit/config.toml", example()).unwrap();
    assert_eq!(config.timezone.as_deref(), Some("Asia/Shanghai"));
    let machines: Vec<_> = config.machines.keys().map(MachineId::as_str).collect();
    assert_eq!(machines, ["local", "remote43", "studio"]);
    let trial = HostId::new("trial").unwrap();
    assert_eq!(config.hosts[&trial].role, Role::Temporary);
    let stay = config.extras[&trial].temporary.as_ref().unwrap();
    assert_eq!(
        (stay.port, stay.expires.to_string().as_str()),
        (18_080, "2027-01-31")
    );
    let accept = &config.hosts[&HostId::new("accept").unwrap()];
    assert!(accept.machine.is_local());
    assert_eq!(config.credentials.len(), 3);
    assert_eq!(config.vars["tksea.public_base"], "https://sub.example.org");
}

#[test]
fn logs_screen_and_keys_are_handed_over_in_the_order_of_the_file() {
    let text = std::fs::read_to_string(data("valid").join("logs_screen_keys.toml")).unwrap();
    let config = read("c.toml", &text).unwrap();
    let logs: Vec<_> = config
        .logs
        .iter()
        .map(|log| (log.id.as_str(), log.machine.as_str(), &log.place))
        .collect();
    let place = LogPlace::File("/var/log/nginx/access.log".to_owned());
    assert_eq!(logs[0], ("front", "remote43", &place));
    let place = LogPlace::Container("sub2api".to_owned());
    assert_eq!(logs[1], ("app", "remote43", &place));
    let place = LogPlace::Unit("relay@1.service".to_owned());
    assert_eq!(logs[2], ("daemon", "local", &place));
    assert_eq!(config.logs[1].host.as_ref().unwrap().as_str(), "prod");
    let screen = &config.screen;
    assert_eq!(screen.language.as_deref(), Some("zh-CN"));
    assert_eq!(screen.theme.as_deref(), Some("dark"));
    assert!(screen.ascii && screen.slow);
    let keys: Vec<_> = config
        .keys
        .iter()
        .map(|key| (key.action.as_str(), key.chords.join(" "), key.line))
        .collect();
    assert_eq!(
        keys,
        [
            ("reconcile", "ctrl-r R".to_owned(), 29),
            ("import", String::new(), 30)
        ]
    );
}

#[test]
fn paths_start_at_home_or_at_the_file() {
    let text = "state_dir = \"~/state\"\nlease_dir = \"/srv/leases\"\nssh_config = \"ssh_config\"\npacks_dir = \"/srv/packs\"\n\
                [lab]\ncontrol = \"control.sock\"\n";
    let config = read("/tmp/lab/config.toml", text).unwrap();
    assert_eq!(config.state_dir, Path::new("/home/ann/state"));
    assert_eq!(
        config.ssh_config.as_deref(),
        Some(Path::new("/tmp/lab/ssh_config"))
    );
    assert_eq!(config.packs_dir.as_deref(), Some(Path::new("/srv/packs")));
    assert_eq!(config.lease_dir.as_deref(), Some(Path::new("/srv/leases")));
    assert_eq!(
        config.lab_control.as_deref(),
        Some(Path::new("/tmp/lab/control.sock"))
    );
    let empty = read("/tmp/lab/config.toml", "").unwrap();
    assert_eq!(
        empty.state_dir,
        Path::new("/home/ann/.local/state/relay-cockpit")
    );
    assert!(empty.hosts.is_empty() && empty.machines.contains_key(&MachineId::local()));
}

#[test]
fn unquoted_variables_mean_the_same() {
    let config = read("c.toml", "[vars]\ntksea.public_base = \"https://a\"\n").unwrap();
    assert_eq!(config.vars["tksea.public_base"], "https://a");
}

#[test]
fn a_file_that_others_can_change_is_refused_and_a_missing_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let missing = load(Some(&path)).unwrap_err();
    assert_eq!(missing.kind, FailureKind::Config);
    assert!(missing.message.starts_with("there is no `"), "{missing}");
    assert!(missing.hint.contains("--lab"));

    std::fs::write(&path, "timezone = \"UTC\"\n").unwrap();
    for (mode, taken) in [(0o600, true), (0o644, true), (0o664, false), (0o606, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let loaded = load(Some(&path));
        assert_eq!(loaded.is_ok(), taken, "{mode:o}");
        if let Err(refused) = loaded {
            assert!(refused.message.contains("can be changed by other users"));
            assert!(refused.hint.contains("chmod go-w"));
        }
    }
}

#[test]
fn all_faults_of_a_file_come_in_one_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "timezon = \"UTC\"\nstate_dir = 7\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let refused = load(Some(&path)).unwrap_err();
    let lines: Vec<_> = refused.message.lines().collect();
    assert_eq!(lines.len(), 2, "{refused}");
    assert!(
        lines[0].ends_with("config.toml:1:1: unknown key `timezon` (did you mean `timezone`?)")
    );
}

//! The real PostgreSQL of this machine, asked through the machine's own client: what proves the
//! database, what the server refuses, what is cut, and where no password ever stands.

use super::here::{Here, assert_rows};
use crate::support::wait_until;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "Qv7-not-for-argv-88";
/// The server refuses to run as root: as root a test starts it as the user that owns nothing.
const NOBODY: u32 = 65_534;

/// A cluster of the test's own on loopback, ended with it.
struct Postgres {
    child: Child,
    port: u16,
    programs: PathBuf,
    folder: PathBuf,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once and in order: killed outright it would leave its shared memory behind.
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-QUIT", &pid]).status().ok();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The folder of the server's programs, which Debian keeps out of `PATH`.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|version| version.path().join("bin"));
    let others = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let found = debian
        .chain(others)
        .find(|folder| folder.join("initdb").exists());
    if found.is_none() {
        println!("SKIPPED: no postgresql");
    }
    found
}

fn as_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// A command as somebody who may run the server.
fn common(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    if as_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/");
    command
}

fn good(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

impl Postgres {
    fn start(folder: &Path) -> Option<Self> {
        let programs = programs()?;
        let folder = folder.join("pg");
        fs::create_dir(&folder).unwrap();
        if as_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
            let above = folder.parent().unwrap();
            fs::set_permissions(above, fs::Permissions::from_mode(0o711)).unwrap();
        }
        let data = folder.join("data");
        let made = common(programs.join("initdb"))
            .args(["-U", "owner", "--no-sync", "--encoding=UTF8", "--locale=C"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "-D"])
            .arg(&data)
            .output();
        good(&made.unwrap());
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        drop(held);
        let child = common(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k"])
            .arg(&folder)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(["-c", "log_statement=all"])
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn();
        let postgres = Self {
            child: child.unwrap(),
            port,
            programs,
            folder,
        };
        let limit = Duration::from_mins(1);
        wait_until("the cluster takes connections", limit, || {
            let asked = postgres.psql("postgres", "SELECT 1");
            asked.status.success().then_some(())
        });
        Some(postgres)
    }

    /// As the owner, through the socket.
    fn psql(&self, database: &str, statement: &str) -> Output {
        Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "owner",
                "-h",
            ])
            .arg(&self.folder)
            .args([
                "-p",
                &self.port.to_string(),
                "-d",
                database,
                "-c",
                statement,
            ])
            .output()
            .unwrap()
    }

    fn does(&self, statement: &str) -> String {
        let done = self.psql("app", statement);
        good(&done);
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// What a client asked and was told, as the server wrote it down.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }
}

/// A cluster with a database of an application, its settings, and a client that writes down what
/// it was called with before it goes on as the real one.
struct Scene {
    here: Here,
    postgres: Postgres,
    settings: String,
}

impl Scene {
    fn new() -> Option<Self> {
        let mut here = Here::new(&["psql", "sh"])?;
        let postgres = Postgres::start(here.dir.path())?;
        good(&postgres.psql("postgres", "CREATE DATABASE app"));
        // The role may do everything: what holds it back is the session alone.
        postgres.does(&format!(
            "CREATE ROLE reader LOGIN SUPERUSER PASSWORD '{PASSWORD}'"
        ));
        postgres.does("CREATE TABLE bound (account INT, grp INT, note TEXT)");
        postgres
            .does("INSERT INTO bound VALUES (7, 3, 'plain'), (7, 4, E'\\x1b[2J\\u202Ered\\u200B')");
        postgres.does("CREATE SEQUENCE counter");
        postgres.does(
            "CREATE FUNCTION sneak() RETURNS INT LANGUAGE sql AS \
             'INSERT INTO bound VALUES (9, 9, NULL) RETURNING 1'",
        );
        postgres.does(
            "CREATE FUNCTION unlock() RETURNS INT LANGUAGE plpgsql AS \
             'BEGIN SET LOCAL transaction_read_only = off; INSERT INTO bound VALUES (9, 9, NULL); RETURN 1; END'",
        );
        let settings = here.path("app.env");
        let port = postgres.port;
        fs::write(
            &settings,
            format!(
                "DATABASE_URL=postgres://reader:{PASSWORD}@127.0.0.1:{port}/app\n\
                 OLD_URL=postgres://reader:{PASSWORD}@127.0.0.1:{}/app\n",
                port - 1
            ),
        )
        .unwrap();
        let tools = here.path("tools");
        fs::create_dir(&tools).unwrap();
        let client = format!("{tools}/psql");
        let real = postgres.programs.join("psql");
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >> {tools}/called\nenv >> {tools}/called\nexec {} \"$@\"\n",
            real.display()
        );
        fs::write(&client, text).unwrap();
        fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).unwrap();
        here.environment = vec![("HOME".to_owned(), here.path("home"))];
        fs::create_dir(here.path("home")).unwrap();
        Some(Self {
            here,
            postgres,
            settings,
        })
    }

    /// The password where PostgreSQL's own client looks for it.
    fn password_file(&self) {
        let file = self.here.path("home/.pgpass");
        fs::write(&file, format!("127.0.0.1:*:*:reader:{PASSWORD}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn asks(&mut self, id: &str, more: &str, host_at: &str, query: &str, rules: &str) {
        let (settings, port) = (&self.settings, self.postgres.port);
        self.here.check(
            id,
            &format!(
                "{more}\nsql = {{ server = \"127.0.0.1:{port}\", settings = \"{settings}\", \
                 host_at = \"{host_at}\", user = \"reader\", query = \"\"\"{query}\"\"\", {rules} }}"
            ),
        );
    }

    /// Lets the config trust the pack, with the client that tells.
    fn trusted(&mut self) {
        self.here.trusted();
        let tools = self.here.path("tools");
        let own = format!("[machine.local]\npath = [\"{tools}\"]\n");
        self.here.settings.push_str(&own);
    }

    fn called(&self) -> String {
        fs::read_to_string(self.here.path("tools/called")).unwrap_or_default()
    }
}

const GROUPS: &str = "fields = [{ path = '*.grp', one_of = ['3', '4'] }]";
const ASK: &str = "SELECT grp FROM bound WHERE account = 7";

#[test]
fn a_postgresql_is_asked_as_its_settings_name_it_and_what_writes_is_refused_by_the_server() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.password_file();
    let url = "DATABASE_URL";
    scene.asks("bound", "", url, ASK, GROUPS);
    scene.asks("none", "", url, ASK, "empty = true");
    scene.asks("other", "", "OLD_URL", "SELECT 41 + 1 AS never", GROUPS);
    let none = "empty = true";
    let writes = [
        (
            "nextval",
            "SELECT nextval('counter') AS grp",
            "nextval() in a read-only transaction",
        ),
        (
            "sneak",
            "SELECT sneak() AS grp",
            "INSERT in a read-only transaction",
        ),
        ("unlock", "SELECT unlock() AS grp", "read-write mode"),
        (
            "config",
            "SELECT set_config('transaction_read_only', 'off', true) AS grp, sneak() AS n",
            "read-write mode",
        ),
        (
            "with",
            "WITH gone AS (DELETE FROM bound RETURNING grp) SELECT grp FROM gone",
            "must be at the top level",
        ),
    ];
    for (id, query, _) in writes {
        scene.asks(id, "", url, query, none);
    }
    scene.trusted();
    let mut expected = vec![
        ("bound", "ok", "2 rows"),
        ("none", "fail", "2 rows, such as {\"grp\":3}"),
        ("other", "unknown", "is not proven to be the database of"),
    ];
    expected.extend(writes.map(|(id, _, refused)| (id, "unknown", refused)));
    let rows = scene.here.judged();
    assert_rows(&rows, &expected);
    assert_eq!(scene.postgres.does("SELECT count(*) FROM bound"), "2");
    let counted = scene.postgres.does("SELECT is_called FROM counter");
    assert_eq!(counted, "f", "the sequence was moved");
    let log = scene.postgres.log();
    assert!(log.contains(ASK), "{log}");
    assert!(
        !log.contains("never"),
        "a database that is not proven was asked: {log}"
    );
}

#[test]
fn rows_bytes_and_time_of_a_postgresql_are_bounded_and_its_text_is_harmless() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.password_file();
    let url = "DATABASE_URL";
    let many = "SELECT generate_series(1, 100000000) AS grp";
    scene.asks("rows", "", url, many, GROUPS);
    scene.asks(
        "wide",
        "",
        url,
        "SELECT repeat('x', 60000000) AS grp",
        GROUPS,
    );
    let slow = "SELECT pg_sleep(300)";
    scene.asks("slow", "time_limit_s = 6", url, slow, GROUPS);
    let hostile = "SELECT note FROM bound WHERE grp = 4";
    scene.asks("hostile", "", url, hostile, "empty = true");
    scene.trusted();
    let began = Instant::now();
    let rows = scene.here.judged();
    assert!(
        began.elapsed() < Duration::from_mins(1),
        "{:?}",
        began.elapsed()
    );
    assert_rows(
        &rows,
        &[
            ("rows", "unknown", "more than 100 rows"),
            ("wide", "unknown", "more than can be judged"),
            ("slow", "unknown", "statement timeout"),
            ("hostile", "fail", "red"),
        ],
    );
    let found = &rows["hostile"].1;
    let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!found.contains(bad), "{found:?}");
    let left = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()";
    let limit = Duration::from_secs(20);
    wait_until("the server works for nobody any more", limit, || {
        (scene.postgres.does(left) == "0").then_some(())
    });
}

#[test]
fn a_password_of_a_postgresql_is_in_no_argument_no_environment_and_nothing_of_ours() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.asks("bound", "", "DATABASE_URL", ASK, GROUPS);
    scene.trusted();
    // Nobody asks at a prompt for what is not there.
    assert_rows(
        &scene.here.judged(),
        &[("bound", "unknown", "no password supplied")],
    );
    let words = ["baseline", "show", "--pack", "here"];
    let told = scene.here.run(&words).stdout;
    assert!(told.contains(".pgpass"), "{told}");
    scene.password_file();
    assert_eq!(scene.here.again(&[])["bound"].0, "ok");
    let called = scene.called();
    assert!(
        called.contains("reader") && called.contains("HOME="),
        "{called}"
    );
    assert!(!called.contains(PASSWORD), "{called}");
    let told = scene.here.run(&words);
    assert!(!format!("{told:?}").contains(PASSWORD));
    for file in fs::read_dir(scene.here.path("state")).unwrap().flatten() {
        let Ok(bytes) = fs::read(file.path()) else {
            continue;
        };
        let held = bytes
            .windows(PASSWORD.len())
            .any(|at| at == PASSWORD.as_bytes());
        assert!(!held, "{} holds it", file.path().display());
    }
}

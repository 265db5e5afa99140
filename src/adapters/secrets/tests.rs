//! Each way to a secret, and that nothing of it shows when the way is closed.

use super::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const KEY: &str = "admin-planted-Zq81kLm2";

fn secrets() -> Secrets {
    Secrets::new(Redactor::new(), BTreeMap::new())
}

fn file_with(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

fn command(script: &str) -> SecretRef {
    SecretRef::Command(["sh", "-c", script].map(str::to_owned).to_vec())
}

#[tokio::test]
async fn a_file_is_trimmed_and_taught_to_the_redactor() {
    let secrets = secrets();
    let (_folder, path) = file_with("  plain words of a password\n", 0o600);
    let secret = secrets.resolve(&SecretRef::File(path)).await.unwrap();
    assert_eq!(secret.expose(), "plain words of a password");
    let shown = secrets.redactor.redact("said plain words of a password");
    assert_eq!(shown, "said ..word");
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused_with_the_fix() {
    let (_folder, path) = file_with(KEY, 0o640);
    let refused = secrets()
        .resolve(&SecretRef::File(path.clone()))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, FailureKind::Config);
    assert!(refused.message.contains("has mode 0640"), "{refused}");
    assert!(
        refused
            .hint
            .contains(&format!("chmod 600 {}", path.display()))
    );
    // Stricter is fine.
    let (_folder, path) = file_with(KEY, 0o400);
    assert!(secrets().resolve(&SecretRef::File(path)).await.is_ok());
}

#[tokio::test]
async fn a_variable_is_read_and_a_missing_one_named() {
    // PATH is there wherever tests run; changing the environment of a test process is not safe.
    let path = secrets()
        .resolve(&SecretRef::Env("PATH".to_owned()))
        .await
        .unwrap();
    assert!(!path.expose().is_empty());
    let refused = secrets()
        .resolve(&SecretRef::Env("COCKPIT_NOT_THERE".to_owned()))
        .await
        .unwrap_err();
    assert_eq!(refused.message, "variable `COCKPIT_NOT_THERE` is not set");
}

#[tokio::test]
async fn a_program_prints_it_without_our_environment_or_terminal() {
    let printed = secrets()
        .resolve(&command("printf ' %s \\n' admin-from-program-1"))
        .await
        .unwrap();
    assert_eq!(printed.expose(), "admin-from-program-1");
    // Cargo's variables are in our environment and must not be in the program's.
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok());
    let seen = secrets()
        .resolve(&command("echo \"[$CARGO_MANIFEST_DIR]$(cat)\""))
        .await
        .unwrap();
    assert_eq!(seen.expose(), "[]");
}

#[tokio::test]
async fn a_program_that_fails_says_so_without_secrets() {
    let refused = secrets()
        .resolve(&command(&format!(
            "echo {KEY}; echo 'bad {KEY}' >&2; exit 3"
        )))
        .await
        .unwrap_err();
    assert_eq!(
        refused.message,
        "command `sh` failed (exit status: 3): bad admin-..kLm2"
    );
    let missing = SecretRef::Command(vec!["no-such-program-here".to_owned()]);
    let refused = secrets().resolve(&missing).await.unwrap_err();
    assert!(refused.message.contains("did not start"), "{refused}");
}

#[tokio::test]
async fn a_program_that_waits_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let mut secrets = secrets();
    secrets.time_limit = Duration::from_millis(500);
    let script = format!("sleep 600 & echo $! > {0}; wait", pids.display());
    let refused = secrets.resolve(&command(&script)).await.unwrap_err();
    assert!(refused.message.contains("was not done after"), "{refused}");
    let pid = std::fs::read_to_string(&pids).unwrap();
    let is_alive = || {
        std::process::Command::new("sh")
            .args(["-c", &format!("ps -o stat= -p {} | grep -qv Z", pid.trim())])
            .status()
            .unwrap()
            .success()
    };
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while is_alive() {
        assert!(std::time::Instant::now() < until, "the sleeper lives on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn empty_and_many_lined_secrets_are_refused() {
    for (text, words) in [
        ("\n", "is empty"),
        ("a-secret\nanother", "more than one line"),
    ] {
        let (_folder, path) = file_with(text, 0o600);
        let refused = secrets().resolve(&SecretRef::File(path)).await.unwrap_err();
        assert!(refused.message.contains(words), "{refused}");
    }
}

#[tokio::test]
async fn credentials_are_resolved_once_until_they_are_forgotten() {
    let (_folder, path) = file_with(KEY, 0o600);
    let host = HostId::new("prod").unwrap();
    let reference = CredentialRef::Key(SecretRef::File(path.clone()));
    let secrets = Secrets::new(Redactor::new(), BTreeMap::from([(host.clone(), reference)]));
    let key = |credential| match credential {
        Credential::AdminKey(key) => key.expose().to_owned(),
        Credential::Login { .. } => panic!("no login here"),
    };
    assert_eq!(key(secrets.of(&host).await.unwrap()), KEY);
    std::fs::write(&path, "admin-changed-00001").unwrap();
    assert_eq!(key(secrets.of(&host).await.unwrap()), KEY);
    secrets.forget(&host).await;
    assert_eq!(key(secrets.of(&host).await.unwrap()), "admin-changed-00001");

    let other = HostId::new("other").unwrap();
    let refused = secrets.of(&other).await.unwrap_err();
    assert!(refused.message.contains("no `admin`"), "{refused}");
}

#[tokio::test]
async fn a_key_on_the_command_line_is_a_reference_and_never_repeated() {
    let (_folder, path) = file_with(KEY, 0o600);
    let argument = format!("file:{}", path.display());
    let secret = secrets().from_argument(&argument).await.unwrap();
    assert_eq!(secret.expose(), KEY);
    for bad in [
        KEY,
        "sk-abcdefgh12345678",
        "env:$KEY",
        "env:sk-ab:cd",
        "file:",
    ] {
        let refused = secrets().from_argument(bad).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Usage);
        let shown = format!("{refused} {}", refused.hint);
        for part in [KEY, "sk-ab", "$KEY"] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(refused.hint.contains("env:NAME"));
    }
}

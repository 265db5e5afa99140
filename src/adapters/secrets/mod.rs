//! From a reference to the secret: variable, file or program. Every secret is taught to the
//! redactor before anybody gets it.

mod program;
mod reference;
#[cfg(test)]
mod tests;

pub(crate) use reference::is_variable;
pub use reference::{CredentialRef, SecretRef};

use crate::host_http::{Credential, Credentials};
use async_trait::async_trait;
use cockpit_domain::ids::HostId;
use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::SecretRefs;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Longest secret that is read.
const LONGEST: u64 = 64 * 1024;

/// Resolves references, each once: asking a password store again and again would be slow, and a
/// variable is not looked at twice.
pub struct Secrets {
    redactor: Redactor,
    credentials: BTreeMap<HostId, CredentialRef>,
    resolved: Mutex<HashMap<HostId, Credential>>,
    time_limit: Duration,
}

impl Secrets {
    /// A resolver for the credentials of a configuration.
    pub fn new(redactor: Redactor, credentials: BTreeMap<HostId, CredentialRef>) -> Self {
        Self {
            redactor,
            credentials,
            resolved: Mutex::default(),
            time_limit: Duration::from_secs(20),
        }
    }

    /// Resolves one reference.
    ///
    /// # Errors
    /// `Config` naming the reference and the way out, never a part of the secret.
    pub async fn resolve(&self, reference: &SecretRef) -> Outcome<Secret> {
        let text = match reference {
            SecretRef::Env(name) => variable(name)?,
            SecretRef::File(path) => file(path).await?,
            SecretRef::Command(argv) => {
                program::output_of(argv, self.time_limit, &self.redactor).await?
            }
        };
        let secret = Secret::new(text.trim());
        if secret.expose().is_empty() {
            return Err(trouble(format!("{reference} is empty")).hint("put the secret there"));
        }
        self.redactor.learn(&secret);
        if secret.expose().chars().any(char::is_control) {
            return Err(trouble(format!("{reference} holds more than one line"))
                .hint("keep the secret alone there"));
        }
        Ok(secret)
    }

    /// Resolves a key given on the command line as `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// `Usage` for any other form, without repeating it.
    pub async fn from_argument(&self, text: &str) -> Outcome<Secret> {
        self.resolve(&SecretRef::from_argument(text)?).await
    }

    async fn credential(&self, host: &HostId) -> Outcome<Credential> {
        match self.credentials.get(host) {
            Some(CredentialRef::Key(key)) => Ok(Credential::AdminKey(self.resolve(key).await?)),
            Some(CredentialRef::Login { email, password }) => Ok(Credential::Login {
                email: email.clone(),
                password: self.resolve(password).await?,
            }),
            None => Err(
                trouble(format!("host `{host}` has no `admin` in the configuration"))
                    .hint("add admin = { key = { env = \"NAME\" } } to its section"),
            ),
        }
    }
}

#[async_trait]
impl Credentials for Secrets {
    async fn forget(&self, host: &HostId) {
        self.resolved.lock().await.remove(host);
    }

    async fn of(&self, host: &HostId) -> Outcome<Credential> {
        // Held while resolving: two askers must not start the password store twice.
        let mut resolved = self.resolved.lock().await;
        if let Some(credential) = resolved.get(host) {
            return Ok(credential.clone());
        }
        let credential = self
            .credential(host)
            .await
            .map_err(|failure| failure.doing(format!("reading the credential of `{host}`")))?;
        resolved.insert(host.clone(), credential.clone());
        Ok(credential)
    }
}

#[async_trait]
impl SecretRefs for Secrets {
    async fn read(&self, reference: &str) -> Outcome<Secret> {
        self.from_argument(reference).await
    }
}

fn trouble(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Config, message)
}

fn variable(name: &str) -> Outcome<Zeroizing<String>> {
    match std::env::var(name) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(std::env::VarError::NotPresent) => Err(trouble(format!(
            "variable `{name}` is not set"
        ))
        .hint(format!(
            "set it before the cockpit is started: export {name}=.."
        ))),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(trouble(format!("variable `{name}` is not text")))
        }
    }
}

async fn file(path: &Path) -> Outcome<Zeroizing<String>> {
    let path = home(path);
    let shown = path.display();
    let said = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "put the secret there, in a file of mode 0600",
            std::io::ErrorKind::PermissionDenied => "check who owns the file",
            _ => "",
        };
        trouble(format!("file `{shown}`: {error}")).hint(hint)
    };
    // Looked at through the open file, so that it cannot be exchanged in between.
    let file = tokio::fs::File::open(&path).await.map_err(said)?;
    let meta = file.metadata().await.map_err(said)?;
    if !meta.is_file() {
        return Err(trouble(format!("`{shown}` is not a file")));
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o177 != 0 {
        return Err(trouble(format!(
            "file `{shown}` has mode {mode:04o}: others may have read it"
        ))
        .hint(format!(
            "run `chmod 600 {shown}`, and change the secret if others could"
        )));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST)
        .read_to_end(&mut bytes)
        .await
        .map_err(said)?;
    std::str::from_utf8(&bytes)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| trouble(format!("file `{shown}` is not text")))
}

/// `~/` on the command line when no shell has expanded it, as in `file:~/key`.
fn home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), directories::BaseDirs::new()) {
        (Ok(rest), Some(base)) => base.home_dir().join(rest),
        _ => path.to_owned(),
    }
}

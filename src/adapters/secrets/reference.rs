//! Where a secret is kept. What is written down is only ever this, never the secret.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::fmt;
use std::path::PathBuf;

/// A place to take a secret from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// A variable of the environment the cockpit was started in.
    Env(String),
    /// A file nobody else can read.
    File(PathBuf),
    /// A program that prints it.
    Command(Vec<String>),
}

impl SecretRef {
    /// Reads the form of the command line: `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// `Usage`; the text is never repeated, since it may be the secret itself.
    pub fn from_argument(text: &str) -> Outcome<Self> {
        let refused = |message: &str| {
            Err(Failure::new(FailureKind::Usage, message)
                .hint("write `env:NAME` for a variable or `file:PATH` for a 0600 file"))
        };
        match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(Self::Env(name.to_owned())),
            Some(("env", _)) => refused("`env:` wants the name of a variable, without `$`"),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            Some(("command", line)) if !line.trim().is_empty() => Ok(Self::Command(
                line.split_whitespace().map(str::to_owned).collect(),
            )),
            Some(("file", _)) => refused("`file:` wants a path"),
            _ => refused(
                "a key is given by reference, never itself: arguments can be seen by other users",
            ),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "variable `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
            Self::Command(argv) => {
                write!(f, "command `{}`", argv.first().map_or("", String::as_str))
            }
        }
    }
}

/// Whether a text can name a variable of the environment.
pub(crate) fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// How a host is opened, by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialRef {
    /// The admin key.
    Key(SecretRef),
    /// An admin's login.
    Login {
        /// E-mail of the admin.
        email: String,
        /// The password.
        password: SecretRef,
    },
}

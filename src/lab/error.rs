//! What can go wrong with the lab itself (not with what it simulates).

use std::path::PathBuf;

/// A failure of the lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A listener could not be opened.
    #[error("the lab cannot listen on loopback: {0}")]
    Listen(#[source] std::io::Error),
    /// A file or folder of the lab could not be written.
    #[error("the lab cannot write {path}: {source}")]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key pair could not be made.
    #[error("the lab cannot make an SSH key: {0}")]
    Key(String),
    /// The HTTP client inside the simulated nginx could not be built.
    #[error("the lab cannot make its HTTP client: {0}")]
    Client(String),
    /// There is no fault of that name.
    #[error("no fault is called `{name}`")]
    UnknownFault {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: &'static str,
    },
}

impl LabError {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownFault { nearest, .. } => format!("did you mean `{nearest}`?"),
            Self::Write { .. } => "choose another lab folder, or free some space".to_owned(),
            Self::Listen(_) | Self::Key(_) | Self::Client(_) => String::new(),
        }
    }
}

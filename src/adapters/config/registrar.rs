//! Edits of the file that people make, checked beforehand: the file with the block at its end is
//! read as it would be, and faults of the block are told. Nothing is written.

use super::{Config, load, parse, read_file};
use async_trait::async_trait;
use cockpit_domain::finding::Finding;
use cockpit_domain::ids::HostId;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{CheckedBlock, Registrar, Section};
use directories::BaseDirs;
use std::path::PathBuf;

/// The config file in force.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    state_dir: PathBuf,
}

impl ConfigFile {
    /// The file that a configuration was read from.
    pub fn of(config: &Config) -> Self {
        Self {
            path: config.path.clone(),
            state_dir: config.state_dir.clone(),
        }
    }

    fn text(&self) -> Outcome<String> {
        if self.path.exists() {
            read_file(&self.path)
        } else {
            Ok(String::new())
        }
    }
}

#[async_trait]
impl Registrar for ConfigFile {
    async fn check(&self, block: &str, host: &HostId) -> Outcome<CheckedBlock> {
        let text = format!("{}\n{block}", self.text()?);
        let base = BaseDirs::new();
        let home = base.as_ref().map(BaseDirs::home_dir);
        let read = parse(&self.path, &text, home, Ok(self.state_dir.clone()))?;
        let mut config = read.map_err(|findings| {
            let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
            Failure::new(FailureKind::Config, lines.join("\n")).hint(
                "the block was checked as if it stood at the end of the file; nothing was written",
            )
        })?;
        let settings = config.hosts.remove(host).ok_or_else(|| {
            Failure::new(
                FailureKind::Internal,
                "the block describes no host of that name",
            )
        })?;
        Ok(CheckedBlock {
            file: self.path.display().to_string(),
            settings,
        })
    }

    async fn section(&self, host: &HostId) -> Outcome<Section> {
        // What is taken out has to be there as the file is now.
        drop(load(Some(&self.path))?);
        let text = self.text()?;
        let lines: Vec<&str> = text.lines().collect();
        let head = |line: &str| line.trim_start().starts_with('[');
        let ours = |line: &str| {
            let name = line.trim().trim_start_matches('[').split(']').next();
            let name = name.unwrap_or_default().replace(['"', '\'', ' '], "");
            let whole = format!("host.{host}");
            head(line) && (name == whole || name.starts_with(&format!("{whole}.")))
        };
        let first = lines.iter().position(|line| ours(line)).ok_or_else(|| {
            Failure::new(
                FailureKind::Config,
                format!("`{}` has no section [host.{host}]", self.path.display()),
            )
            .hint("it may be written in another form there; take it out by hand")
        })?;
        let rest = lines[first + 1..].iter();
        let more = rest.clone().position(|line| head(line) && !ours(line));
        let mut end = more.map_or(lines.len(), |at| first + 1 + at);
        // Blank lines and remarks before the next section belong to that one.
        while end > first + 1 && {
            let line = lines[end - 1].trim();
            line.is_empty() || (more.is_some() && line.starts_with('#'))
        } {
            end -= 1;
        }
        Ok(Section {
            file: self.path.display().to_string(),
            first: first + 1,
            last: end,
            text: format!("{}\n", lines[first..end].join("\n")),
        })
    }
}

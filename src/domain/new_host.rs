//! A host to be added to the config: the block to write there. The file stays the user's; we print
//! and never write it.

use crate::host::Role;
use crate::ids::{HostId, MachineId, PackId};
use std::fmt::Write;

/// How the new host is opened, by reference: `env:NAME`, `file:PATH` or `command:PROGRAM WORDS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdmin {
    /// E-mail of an admin's login; `None` for the admin key.
    pub login: Option<String>,
    /// Where key or password is kept.
    pub reference: String,
}

/// What only a temporary host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTerms {
    /// Why it stands there.
    pub reason: String,
    /// The port it takes.
    pub port: u16,
    /// Last day it may stand, `2027-01-31`.
    pub expires: String,
    /// Its own container.
    pub container: String,
}

/// A host to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHost {
    /// Its name.
    pub id: HostId,
    /// Its machine; `None` for a public address.
    pub machine: Option<MachineId>,
    /// Its address as seen from there.
    pub address: String,
    /// What it is for.
    pub role: Role,
    /// How it is opened.
    pub admin: NewAdmin,
    /// Baseline pack to judge it by.
    pub baseline: Option<PackId>,
    /// Terms of a temporary host.
    pub terms: Option<NewTerms>,
    /// Container of its PostgreSQL.
    pub db_container: Option<String>,
    /// Container of its Redis.
    pub redis_container: Option<String>,
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl NewHost {
    /// The block to write. `None` when the credential is no reference: it is never repeated, since it
    /// may be the secret itself.
    pub fn block(&self) -> Option<String> {
        let reference = match self.admin.reference.split_once(':')? {
            ("env", name) => format!("{{ env = {} }}", quoted(name)),
            ("file", path) => format!("{{ file = {} }}", quoted(path)),
            ("command", line) => {
                let words: Vec<String> = line.split_whitespace().map(quoted).collect();
                format!("{{ command = [{}] }}", words.join(", "))
            }
            _ => return None,
        };
        let admin = match &self.admin.login {
            Some(email) => format!(
                "{{ login = {{ email = {}, password = {reference} }} }}",
                quoted(email)
            ),
            None => format!("{{ key = {reference} }}"),
        };
        let mut text = format!("[host.{}]\n", self.id);
        let mut line = |name: &str, value: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name} = {value}");
        };
        if let Some(machine) = &self.machine {
            line("machine", quoted(machine.as_str()));
        }
        line("address", quoted(&self.address));
        line("role", quoted(self.role.as_str()));
        if let Some(baseline) = &self.baseline {
            line("baseline", quoted(baseline.as_str()));
        }
        if let Some(terms) = &self.terms {
            line("reason", quoted(&terms.reason));
            line("port", terms.port.to_string());
            line("expires", terms.expires.clone());
            line("container", quoted(&terms.container));
        }
        for (name, container) in [
            ("db_container", &self.db_container),
            ("redis_container", &self.redis_container),
        ] {
            if let Some(container) = container {
                line(name, quoted(container));
            }
        }
        line("admin", admin);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(reference: &str) -> NewHost {
        NewHost {
            id: HostId::new("trial").unwrap(),
            machine: Some(MachineId::new("web1").unwrap()),
            address: "127.0.0.1:18080".to_owned(),
            role: Role::Temporary,
            admin: NewAdmin {
                login: None,
                reference: reference.to_owned(),
            },
            baseline: None,
            terms: Some(NewTerms {
                reason: "a \"trial\"".to_owned(),
                port: 18080,
                expires: "2027-01-31".to_owned(),
                container: "trial-app".to_owned(),
            }),
            db_container: None,
            redis_container: None,
        }
    }

    #[test]
    fn a_block_is_toml_that_says_the_same() {
        let block = new("command:pass show relay/trial").block().unwrap();
        let read: toml::Table = block.parse().unwrap();
        let host = &read["host"]["trial"];
        assert_eq!(host["address"].as_str(), Some("127.0.0.1:18080"));
        assert_eq!(host["reason"].as_str(), Some("a \"trial\""));
        let words = host["admin"]["key"]["command"].as_array().unwrap();
        assert_eq!(words.len(), 3);
        let mut login = new("env:ADMIN_PASSWORD");
        login.admin.login = Some("ops@example.com".to_owned());
        let read: toml::Table = login.block().unwrap().parse().unwrap();
        let login = &read["host"]["trial"]["admin"]["login"];
        assert_eq!(login["password"]["env"].as_str(), Some("ADMIN_PASSWORD"));
    }

    #[test]
    fn a_secret_itself_makes_no_block() {
        assert_eq!(new("admin-0123456789abcdef").block(), None);
        assert_eq!(new("literal:admin-0123456789abcdef").block(), None);
    }
}

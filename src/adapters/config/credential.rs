//! How a host is opened: references to secrets, and what is said to a secret that stands here.

use super::read::{REFERENCE, Reader, Section};
use crate::secrets::{CredentialRef, SecretRef, is_variable};
use toml::Spanned;
use toml::de::DeValue;

/// `{ key = REFERENCE }` or `{ login = { email, password = REFERENCE } }`.
pub(super) fn admin(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Option<CredentialRef> {
    let Some(table) = value.get_ref().as_table() else {
        literal(reader, value, "admin = { key = { env = \"NAME\" } }");
        return None;
    };
    reader.known_keys(table, &["key", "login"]);
    match (table.get("key"), table.get("login")) {
        (Some(key), None) => {
            reference(reader, key, "key = { env = \"NAME\" }").map(CredentialRef::Key)
        }
        (None, Some(login)) => self::login(reader, login),
        (Some(_), Some(_)) => {
            reader.fault(
                &value.span(),
                "`admin` has a key and a login: only one of the two is ever sent",
                "keep one",
            );
            None
        }
        (None, None) => {
            reader.fault(
                &value.span(),
                "`admin` names no credential",
                "write { key = { env = \"NAME\" } } or { login = { email = \"..\", password = { env = \"NAME\" } } }",
            );
            None
        }
    }
}

fn login(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<CredentialRef> {
    let Some(table) = value.get_ref().as_table() else {
        literal(
            reader,
            value,
            "login = { email = \"..\", password = { env = \"NAME\" } }",
        );
        return None;
    };
    reader.known_keys(table, &["email", "password"]);
    let at = value.span();
    let section = Section {
        table,
        what: "the login",
        at: &at,
    };
    let email = reader.wanted_text(section, "email", "\"admin@example.org\"");
    let Some(password) = table.get("password") else {
        reader.missing(section, "password", "{ env = \"NAME\" }");
        return None;
    };
    let password = reference(reader, password, "password = { env = \"NAME\" }")?;
    Some(CredentialRef::Login {
        email: email?.value,
        password,
    })
}

/// Exactly one of `env`, `file`, `command`.
fn reference(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    instead: &str,
) -> Option<SecretRef> {
    let Some(table) = value.get_ref().as_table() else {
        literal(reader, value, instead);
        return None;
    };
    reader.known_keys(table, &["env", "file", "command"]);
    let forms = ["env", "file", "command"].map(|key| table.contains_key(key));
    if forms.iter().filter(|there| **there).count() != 1 {
        reader.fault(&value.span(), "a reference has exactly one form", REFERENCE);
        return None;
    }
    if let [true, ..] = forms {
        let name = reader.text(table, "env")?;
        if is_variable(&name.value) {
            return Some(SecretRef::Env(name.value));
        }
        reader.fault(
            &name.span,
            "this is no name of a variable",
            "letters, digits and `_`, without `$`",
        );
        return None;
    }
    if let [_, true, _] = forms {
        return reader.path(table, "file").map(SecretRef::File);
    }
    let argv = reader.texts(table, "command")?;
    if argv.is_empty() {
        reader.fault(
            &value.span(),
            "`command` names no program",
            "write [\"PROGRAM\", \"ARGUMENT\"]",
        );
        return None;
    }
    Some(SecretRef::Command(argv))
}

/// A secret that stands in the file itself.
fn literal(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>, instead: &str) {
    reader.fault(
        &value.span(),
        "a secret must not stand in this file",
        format!("write {instead}, or file = \"PATH\", or command = [\"PROGRAM\"] in place of env"),
    );
}

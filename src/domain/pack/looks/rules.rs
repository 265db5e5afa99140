//! What the rules of every kind share: naming a fault at the look's place.

use crate::finding::{Finding, Source};
use std::ops::Range;
use url::Url;

/// Where the faults of one look go.
pub(in crate::pack) struct Rules<'a, 'f> {
    source: Source<'a>,
    at: Range<usize>,
    findings: &'f mut Vec<Finding>,
}

impl<'a, 'f> Rules<'a, 'f> {
    pub(in crate::pack) fn new(
        source: Source<'a>,
        at: Range<usize>,
        findings: &'f mut Vec<Finding>,
    ) -> Self {
        Self {
            source,
            at,
            findings,
        }
    }

    /// Names a fault.
    pub(super) fn fault(&mut self, message: impl Into<String>, hint: impl Into<String>) {
        let finding = self.source.at(self.at.clone(), message, hint);
        self.findings.push(finding);
    }

    /// The look expects nothing.
    pub(super) fn nothing(&mut self, what: &str) {
        self.fault("this look expects nothing", format!("add {what}"));
    }

    /// Refuses names that are empty or match everything.
    pub(super) fn no_blank<'s>(&mut self, mut names: impl Iterator<Item = &'s String>) {
        if names.any(|name| name.trim().is_empty() || name == "*") {
            self.fault(
                "a name is empty or matches everything",
                "write a name or a pattern such as `crm-*`",
            );
        }
    }

    /// Refuses paths that do not begin at the root.
    pub(super) fn paths<'s>(&mut self, paths: impl IntoIterator<Item = &'s String>) {
        for path in paths {
            if !path.starts_with('/') || path.contains('\0') {
                self.fault(format!("`{path}` is no absolute path"), "begin it with /");
            }
        }
    }

    /// Refuses what is no absolute http or https URL.
    pub(super) fn url(&mut self, name: &str, text: &str) {
        let good = Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        if !good {
            self.fault(
                format!("`{name}` is no http or https URL"),
                "such as https://example.com/healthz",
            );
        }
    }
}

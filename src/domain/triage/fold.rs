//! Storm folding: a finding that another one explains becomes a part of it, and the ranking of those
//! that are left.

use super::report::TriageFinding;
use super::{Evidence, Link};
use crate::baseline::Origin;
use crate::pack::{Seen, Sort};

/// Folds what is explained into what explains it, and ranks the rest.
pub(super) fn fold(mut findings: Vec<TriageFinding>, evidence: &[Evidence]) -> Vec<TriageFinding> {
    findings.sort_by_key(TriageFinding::rank);
    let parents: Vec<Option<usize>> = (0..findings.len())
        .map(|at| explained_by(&findings, at))
        .collect();
    let roots: Vec<usize> = (0..findings.len()).map(|at| root(&parents, at)).collect();
    let mut folded: Vec<Option<TriageFinding>> = findings.into_iter().map(Some).collect();
    for at in 0..folded.len() {
        if roots[at] != at
            && let Some(part) = folded[at].take()
            && let Some(Some(whole)) = folded.get_mut(roots[at])
        {
            whole.take_in(part);
        }
    }
    let mut left: Vec<TriageFinding> = folded.into_iter().flatten().collect();
    for finding in &mut left {
        take_muted(finding, evidence);
        finding.settle();
    }
    left.sort_by_key(TriageFinding::rank);
    left
}

/// The first finding that explains this one. What was seen elsewhere explains nothing here.
fn explained_by(findings: &[TriageFinding], at: usize) -> Option<usize> {
    let part = &findings[at];
    findings.iter().position(|whole| {
        whole.explains.contains(&part.rule)
            && (whole.origin == Origin::Live) == (part.origin == Origin::Live)
    })
}

/// The finding at the end of the chain; chains have no circles, for packs are read without one.
fn root(parents: &[Option<usize>], at: usize) -> usize {
    let mut at = at;
    for _ in 0..parents.len() {
        match parents[at] {
            Some(parent) => at = parent,
            None => break,
        }
    }
    at
}

/// Rows that a check of this finding explains already, by the baseline's own parents.
fn take_muted(finding: &mut TriageFinding, evidence: &[Evidence]) {
    let causes: Vec<String> = finding
        .evidence
        .iter()
        .filter(|at| at.seen == Seen::Check)
        .filter_map(|at| match &at.link {
            Link::Check(_, check, _) => Some(check.clone()),
            _ => None,
        })
        .collect();
    if finding.sort == Sort::Step {
        return;
    }
    for row in evidence {
        let explained = row.muted_by.as_ref().is_some_and(|by| causes.contains(by));
        if explained && !finding.evidence.contains(row) {
            finding.evidence.push(row.clone());
            finding.count += 1;
        }
    }
}

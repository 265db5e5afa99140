//! Which crate of ours may name which, and which packages a layer may name: a table compared with
//! `cargo metadata`, so that nobody adds an edge in a manifest unseen.

mod table;

use crate::{Outcome, repo, say};
use cargo_metadata::{DependencyKind, MetadataCommand};
use table::{LAYERS, Layer};

/// One dependency as a manifest names it.
#[derive(Debug, Clone)]
struct Edge {
    from: String,
    to: String,
    ours: bool,
    /// Only tests use it.
    dev: bool,
    features: Vec<String>,
}

/// Prints every forbidden edge.
pub(crate) fn run() -> Outcome {
    let (packages, edges) = read()?;
    let wrong = judge(&packages, &edges);
    for line in &wrong {
        say::error(line);
    }
    if wrong.is_empty() {
        say::line(&format!(
            "layers: {} crates, {} edges, all allowed",
            packages.len(),
            edges.len()
        ));
    }
    Ok(wrong.is_empty())
}

fn read() -> Result<(Vec<String>, Vec<Edge>), cargo_metadata::Error> {
    let metadata = MetadataCommand::new()
        .current_dir(repo::root())
        .no_deps()
        .exec()?;
    let packages = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let edges = metadata
        .packages
        .iter()
        .flat_map(|package| {
            package.dependencies.iter().map(|dependency| Edge {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                ours: dependency.path.is_some(),
                dev: dependency.kind == DependencyKind::Development,
                features: dependency.features.clone(),
            })
        })
        .collect();
    Ok((packages, edges))
}

fn judge(packages: &[String], edges: &[Edge]) -> Vec<String> {
    let unknown = packages
        .iter()
        .filter(|package| LAYERS.iter().all(|layer| layer.package != **package))
        .map(|package| {
            format!("`{package}` has no row in src/xtask/layers/table.rs: say what it may name")
        });
    let wrong = edges.iter().filter_map(|edge| {
        let layer = LAYERS.iter().find(|layer| layer.package == edge.from)?;
        let reason = refusal(layer, edge)?;
        Some(format!("`{}` -> `{}`: {reason}", edge.from, edge.to))
    });
    unknown.chain(wrong).collect()
}

/// Why a layer may not name this package, if so.
fn refusal(layer: &Layer, edge: &Edge) -> Option<String> {
    if edge.ours {
        let allowed = layer.ours.contains(&edge.to.as_str())
            || edge.dev && layer.ours_in_tests.contains(&edge.to.as_str());
        return (!allowed).then(|| layer.why.to_owned());
    }
    if let Some((_, reason)) = layer.never.iter().find(|(package, _)| *package == edge.to) {
        return Some((*reason).to_owned());
    }
    if edge.dev {
        return None;
    }
    if let Some(packages) = layer.only
        && !packages.contains(&edge.to.as_str())
    {
        return Some(format!("this layer names only {}", packages.join(", ")));
    }
    let features = layer.tokio_only.filter(|_| edge.to == "tokio")?;
    let extra = edge
        .features
        .iter()
        .find(|feature| !features.contains(&feature.as_str()))?;
    Some(format!(
        "of tokio this layer uses only {}, not `{extra}`",
        features.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            ours: to.starts_with("cockpit-"),
            dev: false,
            features: Vec::new(),
        }
    }

    #[test]
    fn the_workspace_keeps_its_layers() {
        let (packages, edges) = read().unwrap();
        assert!(packages.len() >= LAYERS.len(), "{packages:?}");
        let wrong = judge(&packages, &edges);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_wrong_edge_is_named_with_its_reason() {
        let tokio = Edge {
            features: vec!["net".to_owned()],
            ..edge("cockpit-engine", "tokio")
        };
        let cases = [
            (
                edge("cockpit-domain", "cockpit-engine"),
                "names none of our crates",
            ),
            (edge("cockpit-domain", "tokio"), "never waits"),
            (edge("cockpit-domain", "uuid"), "names only"),
            (edge("cockpit-engine", "reqwest"), "port"),
            (
                edge("cockpit-engine", "cockpit-lab"),
                "names the domain only",
            ),
            (edge("cockpit-adapters", "cockpit-lab"), "lab in its tests"),
            (edge("cockpit-cli", "rusqlite"), "engine"),
            (edge("cockpit-cli", "cockpit-adapters"), "engine"),
            (edge("cockpit-lab", "cockpit-engine"), "domain only"),
            (edge("xtask", "cockpit-domain"), "none of our crates"),
            (tokio, "not `net`"),
        ];
        for (edge, reason) in cases {
            let wrong = judge(&[], std::slice::from_ref(&edge)).join("\n");
            assert!(
                wrong.contains(&edge.from) && wrong.contains(&edge.to),
                "{edge:?}: {wrong}"
            );
            assert!(wrong.contains(reason), "{edge:?}: {wrong}");
        }
    }

    #[test]
    fn tests_of_adapters_stand_on_the_lab() {
        let edge = Edge {
            dev: true,
            ..edge("cockpit-adapters", "cockpit-lab")
        };
        assert!(judge(&[], &[edge]).is_empty());
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert!(judge(&["cockpit-new".to_owned()], &[])[0].contains("cockpit-new"));
    }
}

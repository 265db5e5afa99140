//! A Rust file that no `mod` names is never compiled and never tested, and nobody is told. That
//! holds for `tests/` too, where one binary lists all modules.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Files that cargo finds by itself.
const ROOTS: &[&str] = &["lib.rs", "main.rs", "build.rs"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs")
        .filter(|file| !is_root(file) && !is_named(tree, file))
        .map(|file| {
            Finding::file(
                &file.path,
                "no `mod` names this file, so nothing compiles it",
            )
        })
        .collect()
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_root(file: &File) -> bool {
    let (folder, name) = split(&file.path);
    let depth = folder.split('/').count();
    // Each bench is a program of its own, named in the root manifest.
    folder == "benches"
        || ROOTS.contains(&name) && (folder == "tests" || folder.starts_with("src") && depth <= 2)
}

fn is_named(tree: &Tree, file: &File) -> bool {
    let (folder, name) = split(&file.path);
    let (folder, module) = match name {
        "mod.rs" => split(folder),
        _ => (folder, name.trim_end_matches(".rs")),
    };
    let parents = [
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}.rs"),
    ];
    let declared = format!("mod {module};");
    let by_parent = parents
        .iter()
        .filter_map(|parent| tree.text(parent))
        .any(|text| text.lines().any(|line| declares(line, &declared)));
    by_parent || is_named_by_path(tree, name)
}

fn declares(line: &str, declared: &str) -> bool {
    line.trim().strip_suffix(declared).is_some_and(|before| {
        before.is_empty() || before.starts_with("pub") && before.ends_with([' ', ')'])
    })
}

fn is_named_by_path(tree: &Tree, name: &str) -> bool {
    tree.ending(".rs").flat_map(File::lines).any(|(_, line)| {
        line.trim()
            .strip_prefix("#[path = \"")
            .and_then(|rest| rest.strip_suffix("\"]"))
            .is_some_and(|path| split(path).1 == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unnamed_files_are_found() {
        let tree = Tree::of(&[
            ("src/main.rs", ""),
            (
                "src/a/lib.rs",
                "pub mod b;\npub(crate) mod c;\n    #[path = \"./e_tests.rs\"]\nmod e;\n",
            ),
            ("src/a/b/mod.rs", "mod tests;\n"),
            ("src/a/b/tests.rs", ""),
            ("src/a/b/lost.rs", ""),
            ("src/a/c.rs", "mod d;\n"),
            ("src/a/c/d.rs", ""),
            ("src/a/e_tests.rs", ""),
            ("src/a/gone/mod.rs", ""),
            ("tests/main.rs", "mod cli;\n// mod pty;\n"),
            ("tests/cli.rs", ""),
            ("tests/pty.rs", ""),
        ]);
        let paths: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(
            paths,
            ["src/a/b/lost.rs", "src/a/gone/mod.rs", "tests/pty.rs"]
        );
    }
}

//! The files of the repository as the rules see them: paths and texts, no file system.

use crate::repo;
use std::error::Error;
use std::fs;

/// One file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// Its text; empty for a binary file.
    pub(crate) text: String,
}

/// All files that git tracks or would track.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the repository. Files not yet added count too, so that a rule speaks before the commit.
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let listed = repo::git()
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .output()
            .map_err(|error| format!("git cannot be run: {error}"))?;
        if !listed.status.success() {
            return Err(String::from_utf8_lossy(&listed.stderr).into());
        }
        let mut paths: Vec<&str> = std::str::from_utf8(&listed.stdout)?
            .split('\0')
            .filter(|path| !path.is_empty())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        let root = repo::root();
        let files = paths
            .into_iter()
            // A file deleted here but not yet in git is gone.
            .filter_map(|path| Some((path, fs::read(root.join(path)).ok()?)))
            .map(|(path, bytes)| File {
                path: path.to_owned(),
                text: String::from_utf8(bytes).unwrap_or_default(),
            })
            .collect();
        Ok(Self { files })
    }

    /// A tree of these files.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self
                .files
                .iter()
                .any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// The files with this ending, such as `.rs`.
    pub(crate) fn ending(&self, ending: &str) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(ending))
    }
}

impl File {
    /// Lines from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let path = &self.path;
        path.starts_with("tests/")
            || ["/tests/", "/drills/", "/fakes/", "/testing/"]
                .iter()
                .any(|part| path.contains(part))
            || [
                "/tests.rs",
                "_test.rs",
                "_tests.rs",
                "/fakes.rs",
                "/testing.rs",
            ]
            .iter()
            .any(|end| path.ends_with(end))
    }

    /// The lines that ship: none of a test file, and none of inline test modules.
    pub(crate) fn shipped_lines(&self) -> Vec<(usize, &str)> {
        if self.is_test() {
            return Vec::new();
        }
        let lines: Vec<(usize, &str)> = self.lines().collect();
        let mut kept = Vec::new();
        let mut at = 0;
        while let Some(&(number, line)) = lines.get(at) {
            if opens_tests(&lines[at..]) {
                // Formatted code closes a module of the file with a brace in the first column.
                at += lines[at..]
                    .iter()
                    .position(|(_, line)| *line == "}")
                    .unwrap_or(lines.len());
            } else {
                kept.push((number, line));
            }
            at += 1;
        }
        kept
    }
}

fn opens_tests(lines: &[(usize, &str)]) -> bool {
    let mut rest = lines.iter().map(|(_, line)| *line);
    rest.next() == Some("#[cfg(test)]")
        && rest
            .find(|line| !line.starts_with("#["))
            .is_some_and(|line| line.contains("mod ") && line.ends_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_test_modules_do_not_ship() {
        let text =
            "a\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n    b\n}\nc\n#[cfg(test)]\nmod d;\n";
        let tree = Tree::of(&[("src/x/a.rs", text), ("src/x/tests/b.rs", "a\n")]);
        let shipped = |index: usize| -> Vec<usize> {
            tree.files[index]
                .shipped_lines()
                .iter()
                .map(|(number, _)| *number)
                .collect()
        };
        assert_eq!(shipped(0), [1, 7, 8, 9]);
        assert!(shipped(1).is_empty());
    }

    #[test]
    fn folders_are_known_by_their_files() {
        let tree = Tree::of(&[("a/b.md", "")]);
        assert!(tree.has("a") && tree.has("a/b.md") && tree.has(""));
        assert!(!tree.has("a/b"));
    }
}

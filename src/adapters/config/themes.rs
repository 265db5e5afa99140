//! Themes of the person's own: the files of the folder `themes` beside the config. What stands in
//! them is read by the screen, which knows what a theme is.

use std::fs;
use std::io::Read;
use std::path::Path;

/// No theme is longer.
const LONGEST: u64 = 64 * 1024;

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeFile {
    /// Its name without the ending.
    pub name: String,
    /// How it is shown.
    pub file: String,
    /// What stands in it, or why that cannot be read.
    pub text: Result<String, String>,
}

/// The `.toml` files beside this config, by name; none where there is no such folder.
pub fn theme_files(config: &Path) -> Vec<ThemeFile> {
    let folder = config.with_file_name("themes");
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<ThemeFile> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            if path.extension()? != "toml" {
                return None;
            }
            Some(ThemeFile {
                name: path.file_stem()?.to_str()?.to_owned(),
                file: path.display().to_string(),
                text: read(&path),
            })
        })
        .collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

fn read(path: &Path) -> Result<String, String> {
    let known = fs::metadata(path).map_err(|error| error.to_string())?;
    // A pipe would be waited for.
    if !known.is_file() {
        return Err("this is no file".to_owned());
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err("this is too long for a theme".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_folder_are_found_by_name_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        assert_eq!(theme_files(&config), []);
        let themes = folder.path().join("themes");
        fs::create_dir(&themes).unwrap();
        fs::write(themes.join("night.toml"), "[roles]\n").unwrap();
        fs::write(themes.join("README.md"), "mine").unwrap();
        fs::write(themes.join("long.toml"), "#".repeat(70_000)).unwrap();
        fs::create_dir(themes.join("folder.toml")).unwrap();
        let files = theme_files(&config);
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["folder", "long", "night"]);
        assert!(files[0].text.is_err() && files[1].text.is_err());
        assert_eq!(files[2].text.as_deref(), Ok("[roles]\n"));
        assert!(files[2].file.ends_with("themes/night.toml"));
    }
}

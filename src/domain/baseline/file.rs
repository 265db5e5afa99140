//! Files and disks: what `stat` and `df` print, and what a pack expects of a path.

use super::fields::{self, field_faults};
use super::judgement::Judgement;
use super::process::span;
use crate::pack::{DiskLook, FileLook, bits};

/// What a system says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// Permission bits.
    pub mode: u32,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Bytes.
    pub size: u64,
    /// Last change, UTC seconds of that machine's clock.
    pub modified_s: i64,
}

/// Reads one line `MODE OWNER GROUP SIZE MODIFIED`, as the systems' `stat` prints it for us.
///
/// # Errors
/// One sentence when it is no such line.
pub fn read_stat(text: &str) -> Result<FileSeen, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let read = || match words.as_slice() {
        [mode, owner, group, size, modified] => Some(FileSeen {
            mode: u32::from_str_radix(mode, 8).ok()? & 0o7777,
            owner: (*owner).to_owned(),
            group: (*group).to_owned(),
            size: size.parse().ok()?,
            modified_s: modified.parse().ok()?,
        }),
        _ => None,
    };
    read().ok_or_else(|| format!("`{}` is no answer of stat", text.trim()))
}

/// Judges a path. `seen` is `None` when nothing is there, `content` when it was not asked for;
/// `now_s` is the machine's own clock.
pub fn judge_file(
    look: &FileLook,
    seen: Option<&FileSeen>,
    content: Option<&str>,
    now_s: i64,
) -> Judgement {
    let expected = expectation(look);
    let Some(seen) = seen else {
        let faults = if look.absent {
            Vec::new()
        } else {
            vec![format!("{} is not there", look.path)]
        };
        return Judgement::of_faults(expected, &faults, "nothing is there", "");
    };
    let age = u64::try_from(now_s.saturating_sub(seen.modified_s)).unwrap_or(0);
    let told = format!(
        "{:04o} {}:{} {} bytes, changed {} ago",
        seen.mode,
        seen.owner,
        seen.group,
        seen.size,
        span(age)
    );
    let mut faults = Vec::new();
    if look.absent {
        faults.push(format!("{} is there: {told}", look.path));
    }
    if let Some(mode) = look.mode.as_deref().and_then(bits)
        && mode != seen.mode
    {
        faults.push(format!("mode is {:04o}, expected {mode:04o}", seen.mode));
    }
    for (name, wanted, found) in [
        ("owner", &look.owner, &seen.owner),
        ("group", &look.group, &seen.group),
    ] {
        if let Some(wanted) = wanted
            && wanted != found
        {
            faults.push(format!("{name} is {found}, expected {wanted}"));
        }
    }
    if let Some(most) = look.max_age_s
        && age > most
    {
        faults.push(format!(
            "changed {} ago, expected within {}",
            span(age),
            span(most)
        ));
    }
    if let Some(least) = look.min_size
        && seen.size < least
    {
        faults.push(format!("{} bytes, expected at least {least}", seen.size));
    }
    if let Some(most) = look.max_size
        && seen.size > most
    {
        faults.push(format!("{} bytes, expected at most {most}", seen.size));
    }
    if let Some(content) = content {
        faults.extend(content_faults(look, content));
        if !look.fields.is_empty() {
            match serde_json::from_str(content.trim()) {
                Ok(value) => {
                    let now = now_s.saturating_mul(1000);
                    faults.extend(field_faults(&look.fields, &value, now));
                }
                Err(_) => faults.push("it holds no JSON".to_owned()),
            }
        }
    }
    Judgement::of_faults(expected, &faults, &told, &told)
}

pub(super) fn content_faults(look: &FileLook, content: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for text in &look.contains {
        if !content.contains(text.as_str()) {
            faults.push(format!("`{text}` is not in it"));
        }
    }
    for text in &look.lacks {
        if let Some(at) = content
            .lines()
            .position(|line| line.contains(text.as_str()))
        {
            faults.push(format!("line {}: `{text}` is in it", at + 1));
        }
    }
    for text in &look.lines {
        // The pack's rules have refused what is no expression.
        let found = FileLook::line(text)
            .is_ok_and(|line| content.lines().any(|text| line.is_match(text.trim())));
        if !found {
            faults.push(format!("no line is `{text}`"));
        }
    }
    faults
}

pub(super) fn expectation(look: &FileLook) -> String {
    if look.absent {
        return format!("nothing at {}", look.path);
    }
    let mut parts = vec![look.path.clone()];
    for (name, value) in [
        ("mode", &look.mode),
        ("owner", &look.owner),
        ("group", &look.group),
    ] {
        parts.extend(value.as_ref().map(|value| format!("{name} {value}")));
    }
    parts.extend(
        look.max_age_s
            .map(|age| format!("changed within {}", span(age))),
    );
    parts.extend(look.min_size.map(|size| format!("at least {size} bytes")));
    parts.extend(look.max_size.map(|size| format!("at most {size} bytes")));
    parts.extend(look.contains.iter().map(|text| format!("holds `{text}`")));
    parts.extend(look.lacks.iter().map(|text| format!("without `{text}`")));
    parts.extend(look.lines.iter().map(|text| format!("a line `{text}`")));
    parts.extend(fields::expectations(&look.fields));
    parts.join("; ")
}

/// Per cent of a file system that is free, out of what `df -Pk` prints.
///
/// # Errors
/// One sentence when it prints something else.
pub fn read_disk(text: &str) -> Result<DiskSeen, String> {
    let line = text.lines().nth(1).unwrap_or_default();
    // A device's name may hold blanks; the numbers are counted from the capacity.
    let words: Vec<&str> = line.split_whitespace().collect();
    let read = || {
        let at = words.iter().position(|word| word.ends_with('%'))?;
        Some(DiskSeen {
            used: words.get(at.checked_sub(2)?)?.parse().ok()?,
            free: words.get(at.checked_sub(1)?)?.parse().ok()?,
            mounted: words.get(at + 1..)?.join(" "),
        })
    };
    read().ok_or_else(|| format!("`{line}` is no file system"))
}

/// A file system: kibibytes used and free, and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSeen {
    used: u64,
    free: u64,
    mounted: String,
}

/// Judges the room on a disk.
pub fn judge_disk(look: &DiskLook, seen: &DiskSeen) -> Judgement {
    let all = u128::from(seen.used) + u128::from(seen.free);
    let percent = (u128::from(seen.free) * 100).checked_div(all).unwrap_or(0);
    let told = format!(
        "{percent} % of {} is free: {} GiB",
        seen.mounted,
        seen.free >> 20
    );
    let faults = if percent < u128::from(look.min_free_percent) {
        vec![told.clone()]
    } else {
        Vec::new()
    };
    Judgement::of_faults(disk_expectation(look), &faults, &told, "")
}

pub(super) fn disk_expectation(look: &DiskLook) -> String {
    format!(
        "at least {} % free below {}",
        look.min_free_percent, look.path
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Verdict;

    fn seen() -> FileSeen {
        read_stat("640 root adm 2048 1000000\n").unwrap()
    }

    fn faults(change: impl FnOnce(&mut FileLook), content: Option<&str>) -> String {
        let mut look = FileLook {
            path: "/etc/x".to_owned(),
            ..FileLook::default()
        };
        change(&mut look);
        let judgement = judge_file(&look, Some(&seen()), content, 1_000_600);
        match judgement.verdict {
            Verdict::Ok => String::new(),
            _ => judgement.found,
        }
    }

    #[test]
    fn every_value_that_is_pinned_of_a_file_is_judged() {
        let text = |text: &str| vec![text.to_owned()];
        let whole = Some("rotate 7\n  daily\nsecret=1\n");
        assert_eq!(faults(|look| look.mode = Some("0640".into()), None), "");
        assert_eq!(
            faults(|look| look.mode = Some("600".into()), None),
            "mode is 0640, expected 0600"
        );
        assert_eq!(
            faults(|look| look.owner = Some("ubuntu".into()), None),
            "owner is root, expected ubuntu"
        );
        assert_eq!(
            faults(|look| look.group = Some("root".into()), None),
            "group is adm, expected root"
        );
        assert_eq!(faults(|look| look.max_age_s = Some(600), None), "");
        assert_eq!(
            faults(|look| look.max_age_s = Some(599), None),
            "changed 10 min ago, expected within 9 min"
        );
        assert_eq!(
            faults(|look| look.min_size = Some(4096), None),
            "2048 bytes, expected at least 4096"
        );
        assert_eq!(
            faults(|look| look.max_size = Some(1024), None),
            "2048 bytes, expected at most 1024"
        );
        assert_eq!(faults(|look| look.contains = text("daily"), whole), "");
        assert_eq!(
            faults(|look| look.contains = text("weekly"), whole),
            "`weekly` is not in it"
        );
        assert_eq!(
            faults(|look| look.lacks = text("secret"), whole),
            "line 3: `secret` is in it"
        );
        assert_eq!(
            faults(|look| look.lines = text(r"rotate\s+[78]"), whole),
            ""
        );
        assert_eq!(
            faults(|look| look.lines = text("rotate"), whole),
            "no line is `rotate`"
        );
        assert!(
            faults(|look| look.absent = true, None).starts_with("/etc/x is there: 0640 root:adm")
        );
    }

    #[test]
    fn nothing_there_is_a_fault_unless_it_is_wanted() {
        let mut look = FileLook {
            path: "/etc/x".to_owned(),
            ..FileLook::default()
        };
        assert_eq!(
            judge_file(&look, None, None, 0).found,
            "/etc/x is not there"
        );
        look.absent = true;
        assert_eq!(judge_file(&look, None, None, 0).verdict, Verdict::Ok);
        assert!(read_stat("stat: cannot statx").is_err());
    }

    #[test]
    fn room_on_a_disk_is_read_and_judged() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                    /dev/vda1 40000000 30000000 10000000 75% /\n";
        let look = |least| DiskLook {
            path: "/var".to_owned(),
            min_free_percent: least,
        };
        let disk = read_disk(text).unwrap();
        let good = judge_disk(&look(25), &disk);
        assert_eq!(
            (good.verdict, good.found.as_str()),
            (Verdict::Ok, "25 % of / is free: 9 GiB")
        );
        assert_eq!(judge_disk(&look(26), &disk).verdict, Verdict::Fail);
        let mac = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                   map auto_home 0 0 0 100% /System/Volumes/Data home\n";
        assert_eq!(
            judge_disk(&look(1), &read_disk(mac).unwrap()).verdict,
            Verdict::Fail
        );
        assert!(read_disk("df: no file systems processed").is_err());
    }
}

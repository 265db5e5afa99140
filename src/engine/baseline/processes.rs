//! Looks at processes, files and disks of a machine.

use super::machines::{printed, system, unreadable};
use super::run::Shared;
use super::tools::Seen;
use cockpit_domain::baseline::{
    FileSeen, Insides, Judgement, LIST, Listener, Process, System, Verdict, judge_disk, judge_file,
    judge_processes, meant, read_disk, read_processes, read_stat,
};
use cockpit_domain::pack::{Check, DiskLook, FileLook, ProcessLook};
use futures_util::future::try_join_all;

/// More processes than this are not looked into: a pattern that wide means something else.
const MOST_INSIDES: usize = 8;

/// Processes, and what they hold.
pub(super) async fn process(shared: &Shared, check: &Check, look: &ProcessLook) -> Seen {
    let system = system(shared, check).await?;
    let text = printed(shared, check, LIST).await?;
    let seen = read_processes(&text).map_err(|reason| unreadable("ps", &reason, &text))?;
    let holders = match look.port {
        Some(port) => holders(shared, check, system, port).await?,
        None => Vec::new(),
    };
    let meant = meant(look, &seen, &holders);
    if look.wants_insides() && meant.len() > MOST_INSIDES {
        return Err(Judgement::unknown(
            &format!("{} processes are meant, too many to look into", meant.len()),
            "",
            "Make `command` of the check narrower.",
        ));
    }
    let rows = try_join_all(
        meant
            .into_iter()
            .map(|process| with_insides(shared, check, look, system, process)),
    )
    .await?;
    let file_age = match &look.started_after {
        Some(path) => Some(age_of(shared, check, system, path).await?),
        None => None,
    };
    let judgement = judge_processes(look, &seen, &rows, file_age);
    let now = if shared.wants(check, "started") {
        Some(clock(shared, check).await?)
    } else {
        None
    };
    Ok(shared.finding(check, judgement, |fact| {
        let (process, insides) = rows.first()?;
        match fact {
            "started" => Some((now? - i64::try_from(process.age_s).ok()?).to_string()),
            "executable" => insides.executable.clone(),
            "cwd" => insides.cwd.clone(),
            _ => None,
        }
    }))
}

async fn with_insides<'p>(
    shared: &Shared,
    check: &Check,
    look: &ProcessLook,
    system: System,
    process: &'p Process,
) -> Result<(&'p Process, Insides), Judgement> {
    let compared = shared.wants(check, "executable") || shared.wants(check, "cwd");
    if !look.wants_insides() && !compared {
        return Ok((process, Insides::default()));
    }
    let text = printed(shared, check, system.insides(process.pid)).await?;
    Ok((process, system.read_insides(&text)))
}

/// The processes that hold a port; a holder we may not see is no holder we may leave out.
async fn holders(
    shared: &Shared,
    check: &Check,
    system: System,
    port: u16,
) -> Result<Vec<u32>, Judgement> {
    let text = printed(shared, check, system.listening()).await?;
    let seen = system
        .read_listening(&text)
        .map_err(|reason| unreadable(&system.listening().join(" "), &reason, &text))?;
    let on_port: Vec<&Listener> = seen.iter().filter(|row| row.port == port).collect();
    if on_port.iter().any(|row| row.processes.is_empty()) {
        return Err(Judgement::unknown(
            &format!("whose process holds port {port} is not shown"),
            &text,
            format!(
                "Set `sudo = \"-n\"` of [{}]: only root sees other users' processes.",
                check.vantage
            ),
        ));
    }
    let pids = on_port.iter().flat_map(|row| &row.processes);
    Ok(pids.map(|(_, pid)| *pid).collect())
}

/// Seconds since a file was changed, by the machine's own clock.
async fn age_of(
    shared: &Shared,
    check: &Check,
    system: System,
    path: &str,
) -> Result<u64, Judgement> {
    let now = clock(shared, check).await?;
    let Some(file) = stat(shared, check, system, path).await? else {
        return Err(Judgement::unknown(
            &format!("{path} is not there to compare with"),
            "",
            "Put the right path into `started_after` of the check.",
        ));
    };
    Ok(u64::try_from(now.saturating_sub(file.modified_s)).unwrap_or(0))
}

/// The machine's own clock, UTC seconds: ages are never counted with two clocks.
async fn clock(shared: &Shared, check: &Check) -> Result<i64, Judgement> {
    let text = printed(shared, check, ["date", "+%s"]).await?;
    text.trim()
        .parse()
        .map_err(|_| unreadable("date +%s", "no number", &text))
}

/// What stands at a path, if anything.
async fn stat(
    shared: &Shared,
    check: &Check,
    system: System,
    path: &str,
) -> Result<Option<FileSeen>, Judgement> {
    let text = match printed(shared, check, system.stat(path)).await {
        Ok(text) => text,
        Err(judgement) if is_absent(&judgement) => return Ok(None),
        Err(judgement) => return Err(judgement),
    };
    let seen = read_stat(&text).map_err(|reason| unreadable("stat", &reason, &text))?;
    Ok(Some(seen))
}

/// A program that is not there says the same words of itself.
fn is_absent(judgement: &Judgement) -> bool {
    judgement.verdict == Verdict::Unknown
        && judgement.evidence.contains("No such file or directory")
        && !judgement.found.contains("is not there on")
}

/// A file or folder.
pub(super) async fn file(shared: &Shared, check: &Check, look: &FileLook) -> Seen {
    let system = system(shared, check).await?;
    let seen = stat(shared, check, system, &look.path).await?;
    let now = clock(shared, check).await?;
    let content = match &seen {
        Some(_) if look.wants_content() || shared.wants(check, "content") => {
            Some(printed(shared, check, ["cat", "--", &look.path]).await?)
        }
        _ => None,
    };
    let judgement = judge_file(look, seen.as_ref(), content.as_deref(), now);
    Ok(shared.finding(check, judgement, |fact| match fact {
        "changed" => Some(seen.as_ref()?.modified_s.to_string()),
        "size" => Some(seen.as_ref()?.size.to_string()),
        "content" => content.clone(),
        _ => None,
    }))
}

/// Room on a disk.
pub(super) async fn disk(shared: &Shared, check: &Check, look: &DiskLook) -> Seen {
    let text = printed(shared, check, ["df", "-P", "-k", "--", &look.path]).await?;
    let seen = read_disk(&text).map_err(|reason| unreadable("df -P -k", &reason, &text))?;
    Ok(judge_disk(look, &seen))
}

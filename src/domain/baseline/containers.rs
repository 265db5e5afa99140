//! Running containers: `docker ps` as JSON lines or as its table, and what a pack expects of them.

use super::glob::matches_glob;
use super::judgement::Judgement;
use super::verdict::Verdict;
use crate::pack::ContainersLook;
use serde_json::Value;

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Image; empty if the output does not say.
    pub image: String,
    /// Status in docker's words: `Up 3 days (healthy)`.
    pub status: String,
    /// Published ports in docker's words.
    pub ports: String,
    /// Whether it is up: not created, restarting, paused or exited.
    pub running: bool,
}

impl Container {
    /// Whether docker's own health check says no.
    pub fn is_unhealthy(&self) -> bool {
        self.status.contains("(unhealthy)")
    }
}

/// Reads the output of `docker ps`: JSON lines, a JSON list, or the table with its head.
///
/// # Errors
/// One sentence when it is neither.
pub fn read_containers(text: &str) -> Result<Vec<Container>, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    if trimmed.starts_with('[') {
        let rows: Vec<Value> =
            serde_json::from_str(trimmed).map_err(|error| format!("no JSON: {error}"))?;
        return rows.iter().map(from_json).collect();
    }
    if trimmed.starts_with('{') {
        return trimmed
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let row: Value = serde_json::from_str(line)
                    .map_err(|error| format!("a line is no JSON: {error}"))?;
                from_json(&row)
            })
            .collect();
    }
    from_table(trimmed)
}

fn from_json(row: &Value) -> Result<Container, String> {
    // docker writes one text, podman a list.
    let name = match row.get("Names").or_else(|| row.get("Name")) {
        Some(Value::String(names)) => names.split(',').next().unwrap_or_default().to_owned(),
        Some(Value::Array(names)) => names
            .first()
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => return Err("a row without `Names`".to_owned()),
    };
    let text = |field: &str| match row.get(field) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let (state, status) = (text("State"), text("Status"));
    let running = if state.is_empty() {
        is_up(&status)
    } else {
        state == "running"
    };
    Ok(Container {
        name: name.trim_start_matches('/').to_owned(),
        image: text("Image"),
        status: if status.is_empty() { state } else { status },
        ports: text("Ports"),
        running,
    })
}

fn is_up(status: &str) -> bool {
    status.starts_with("Up") && !status.contains("(Paused)")
}

/// The table: columns begin where their heads begin.
fn from_table(text: &str) -> Result<Vec<Container>, String> {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let column = |name: &str| {
        let start = head.find(name)?;
        let after = head[start..].find("  ").map(|gap| start + gap);
        let end = after.and_then(|from| {
            head[from..]
                .find(|c: char| !c.is_whitespace())
                .map(|more| from + more)
        });
        Some((start, end))
    };
    let names = column("NAMES").ok_or("neither JSON nor a table with NAMES")?;
    let status = column("STATUS");
    let cell = |line: &str, place: Option<(usize, Option<usize>)>| {
        let Some((start, end)) = place else {
            return String::new();
        };
        // Columns are counted in characters: an image name may hold wide ones.
        line.chars()
            .skip(start)
            .take(end.map_or(usize::MAX, |end| end - start))
            .collect::<String>()
            .trim()
            .to_owned()
    };
    Ok(lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let state = cell(line, status);
            Container {
                name: cell(line, Some(names)),
                image: cell(line, column("IMAGE")),
                // `docker ps` without a status column lists running ones only.
                running: status.is_none() || is_up(&state),
                ports: cell(line, column("PORTS")),
                status: state,
            }
        })
        .collect())
}

pub(super) fn expectation(look: &ContainersLook) -> String {
    let running = format!("running: {}", look.running.join(", "));
    if look.banned.is_empty() {
        return running;
    }
    format!("{running}; banned: {}", look.banned.join(", "))
}

/// The pattern that a container which runs is like.
fn alike<'l>(look: &'l ContainersLook, container: &Container) -> Option<&'l String> {
    look.alike.iter().find(|pattern| {
        container.running
            && (matches_glob(pattern, &container.name) || matches_glob(pattern, &container.image))
    })
}

/// Judges what runs. Containers that are neither expected nor banned are told, not judged.
pub fn judge_containers(look: &ContainersLook, seen: &[Container]) -> Judgement {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    for name in &look.running {
        match seen.iter().find(|container| container.name == *name) {
            None => faults.push(format!("`{name}` does not run")),
            Some(container) if !container.running => {
                faults.push(format!("`{name}` does not run: {}", container.status));
            }
            Some(container) if container.is_unhealthy() => {
                warnings.push(format!("`{name}` is unhealthy: {}", container.status));
            }
            Some(_) => {}
        }
    }
    let mut others = Vec::new();
    for container in seen {
        let banned = look
            .banned
            .iter()
            .find(|pattern| matches_glob(pattern, &container.name));
        if let Some(pattern) = banned {
            if container.running || container.status.starts_with("Restarting") {
                faults.push(format!(
                    "`{}` runs and is banned by `{pattern}`: {} {}",
                    container.name, container.status, container.ports
                ));
            }
        } else if look.running.contains(&container.name) {
            // Judged above.
        } else if look.leave.contains(&container.name) {
            others.push(container.name.as_str());
        } else if let Some(pattern) = alike(look, container) {
            faults.push(format!(
                "`{}` is like production (`{pattern}`) and not part of it: {} {}",
                container.name, container.status, container.image
            ));
        } else {
            others.push(container.name.as_str());
        }
    }
    let expected = expectation(look);
    let evidence: Vec<String> = seen
        .iter()
        .map(|row| format!("{}  {}  {}", row.name, row.status, row.ports))
        .collect();
    let evidence = evidence.join("\n");
    if faults.is_empty() && !warnings.is_empty() {
        return Judgement::new(Verdict::Warn, expected, &warnings.join("\n"), &evidence);
    }
    faults.extend(warnings);
    let mut good = format!("{} expected containers run", look.running.len());
    if !others.is_empty() {
        good = format!("{good}; also there: {}", others.join(", "));
    }
    Judgement::of_faults(expected, &faults, &good, &evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"Command":"\"/app\"","Image":"sub2api:v0.1.129","Names":"sub2api","Ports":"127.0.0.1:8080->8080/tcp","State":"running","Status":"Up 3 days (healthy)"}
{"Image":"postgres:16","Names":"sub2api-postgres","Ports":"5432/tcp","State":"running","Status":"Up 3 days"}
"#;

    fn look() -> ContainersLook {
        ContainersLook {
            running: vec!["sub2api".to_owned(), "sub2api-postgres".to_owned()],
            alike: vec!["*sub2api*".to_owned()],
            banned: vec!["crm-verify-*".to_owned()],
            leave: vec!["sub2api-trial".to_owned()],
        }
    }

    fn names(text: &str) -> Vec<(String, bool)> {
        read_containers(text)
            .unwrap()
            .into_iter()
            .map(|row| (row.name, row.running))
            .collect()
    }

    #[test]
    fn json_lines_lists_and_tables_read_the_same() {
        let expected = vec![
            ("sub2api".to_owned(), true),
            ("sub2api-postgres".to_owned(), true),
        ];
        assert_eq!(names(JSON), expected);
        let list = format!("[{}]", JSON.trim().replace('\n', ","));
        assert_eq!(names(&list), expected);
        let table = "NAMES              STATUS                PORTS\n\
                     sub2api            Up 3 days (healthy)   127.0.0.1:8080->8080/tcp\n\
                     sub2api-postgres   Up 3 days             5432/tcp\n";
        assert_eq!(names(table), expected);
        let full = "CONTAINER ID   IMAGE     COMMAND   CREATED      STATUS                     PORTS     NAMES\n\
                    0123456789ab   sub2api   \"/app\"    3 days ago   Exited (1) 2 minutes ago             sub2api\n";
        assert_eq!(names(full), [("sub2api".to_owned(), false)]);
        let podman = r#"{"Names":["sub2api"],"State":"running"}"#;
        assert_eq!(names(podman), [("sub2api".to_owned(), true)]);
    }

    #[test]
    fn nothing_running_is_an_answer_and_noise_is_not() {
        assert_eq!(read_containers("\n"), Ok(Vec::new()));
        assert!(read_containers("{ not json").is_err());
        assert!(read_containers("welcome to ubuntu").is_err());
    }

    #[test]
    fn containers_are_judged_by_name_and_state() {
        let base = read_containers(JSON).unwrap();
        let with = |more: &str| {
            let mut seen = base.clone();
            seen.extend(read_containers(more).unwrap());
            seen
        };
        let rows = [
            (
                "all there",
                base.clone(),
                Verdict::Ok,
                "2 expected containers run",
            ),
            (
                "one missing",
                base[..1].to_vec(),
                Verdict::Fail,
                "`sub2api-postgres` does not run",
            ),
            (
                "a stranger is told, not judged",
                with(r#"{"Names":"grafana","State":"running","Status":"Up"}"#),
                Verdict::Ok,
                "2 expected containers run; also there: grafana",
            ),
            (
                "one that is like production",
                with(r#"{"Names":"sub2api-canary","State":"running","Status":"Up","Image":"x"}"#),
                Verdict::Fail,
                "`sub2api-canary` is like production (`*sub2api*`) and not part of it: Up x",
            ),
            (
                "one of a registered stack",
                with(r#"{"Names":"sub2api-trial","State":"running","Status":"Up"}"#),
                Verdict::Ok,
                "2 expected containers run; also there: sub2api-trial",
            ),
            (
                "a banned one",
                with(
                    r#"{"Names":"crm-verify-0601","State":"running","Status":"Up 1 hour","Ports":"18190"}"#,
                ),
                Verdict::Fail,
                "`crm-verify-0601` runs and is banned by `crm-verify-*`: Up 1 hour 18190",
            ),
            (
                "a banned one that is stopped",
                with(r#"{"Names":"crm-verify-0601","State":"exited","Status":"Exited (0)"}"#),
                Verdict::Ok,
                "2 expected containers run",
            ),
        ];
        for (name, seen, verdict, found) in rows {
            let judgement = judge_containers(&look(), &seen);
            assert_eq!(
                (judgement.verdict, judgement.found.as_str()),
                (verdict, found),
                "{name}"
            );
        }
        let mut sick = base;
        sick[0].status = "Up 3 days (unhealthy)".to_owned();
        assert_eq!(judge_containers(&look(), &sick).verdict, Verdict::Warn);
        sick[0].running = false;
        sick[0].status = "Restarting (1) 2 seconds ago".to_owned();
        assert_eq!(judge_containers(&look(), &sick).verdict, Verdict::Fail);
    }
}

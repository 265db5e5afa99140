//! How `docker ps` says things: ages, the default table, Go templates of plain fields.

use super::{Container, ContainerState};
use jiff::Timestamp;

/// A container's fields under docker's own names, in the order of its JSON.
pub(super) fn fields(container: &Container, full: bool) -> Vec<(&'static str, String)> {
    let id = container.id();
    let command = if full || container.command.len() <= 20 {
        format!("\"{}\"", container.command)
    } else {
        let cut = container.command.get(..19).unwrap_or(&container.command);
        format!("\"{cut}…\"")
    };
    let now = Timestamp::now();
    vec![
        ("Command", command),
        (
            "CreatedAt",
            container.created.strftime("%F %T +0000 UTC").to_string(),
        ),
        ("ID", if full { id } else { id[..12].to_owned() }),
        ("Image", container.image.clone()),
        ("Labels", labels(container)),
        ("LocalVolumes", "0".to_owned()),
        ("Mounts", String::new()),
        ("Names", container.name.clone()),
        ("Networks", "bridge".to_owned()),
        ("Ports", container.ports()),
        ("RunningFor", format!("{} ago", age(container.created, now))),
        ("Size", "0B".to_owned()),
        ("State", state(container.state).to_owned()),
        ("Status", status(container, now)),
    ]
}

fn labels(container: &Container) -> String {
    let pairs = container.labels.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(",")
}

/// The word for a state.
pub(super) fn state(state: ContainerState) -> &'static str {
    match state {
        ContainerState::Running { .. } => "running",
        ContainerState::Restarting { .. } => "restarting",
        ContainerState::Exited { .. } => "exited",
    }
}

fn status(container: &Container, now: Timestamp) -> String {
    match container.state {
        ContainerState::Running { since } => {
            let health = if container.healthcheck {
                " (healthy)"
            } else {
                ""
            };
            format!("Up {}{health}", age(since, now))
        }
        ContainerState::Restarting { since, code } => {
            format!("Restarting ({code}) {} ago", age(since, now))
        }
        ContainerState::Exited { since, code } => {
            format!("Exited ({code}) {} ago", age(since, now))
        }
    }
}

/// Docker's rounding of a stretch of time.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_owned(),
        (.., ..48) => format!("{hours} hours"),
        (.., ..336) => format!("{} days", hours / 24),
        (.., ..1440) => format!("{} weeks", hours / 24 / 7),
        (.., ..17_520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// Columns of the default table.
const DEFAULT: &str =
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

/// Renders rows by docker's `--format`; the error names the field that does not exist.
pub(super) fn render(
    rows: &[Vec<(&'static str, String)>],
    format: Option<&str>,
) -> Result<String, String> {
    let format = format
        .unwrap_or(DEFAULT)
        .replace("\\t", "\t")
        .replace("\\n", "\n");
    if matches!(format.as_str(), "json" | "{{json .}}") {
        let rows = rows.iter().map(|row| json(row).to_string() + "\n");
        return Ok(rows.collect());
    }
    if format == "table" {
        return render(rows, None);
    }
    let Some(columns) = format.strip_prefix("table ") else {
        return rows
            .iter()
            .map(|row| fill(&format, row).map(|line| line + "\n"))
            .collect();
    };
    let mut table = vec![titles(columns)];
    for row in rows {
        table.push(fill(columns, row)?);
    }
    Ok(align(&table))
}

fn json(row: &[(&'static str, String)]) -> serde_json::Value {
    row.iter()
        .map(|(name, value)| ((*name).to_owned(), serde_json::Value::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn fill(template: &str, row: &[(&'static str, String)]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after
            .split_once("}}")
            .ok_or_else(|| "template parsing error: unclosed action".to_owned())?;
        out.push_str(before);
        let (quoted, field) = match action.trim().strip_prefix("json ") {
            Some(field) => (true, field.trim()),
            None => (false, action.trim()),
        };
        let value = row
            .iter()
            .find(|(name, _)| Some(*name) == field.strip_prefix('.'))
            .map(|(_, value)| value)
            .ok_or_else(|| format!("template: can't evaluate field {field}"))?;
        if quoted {
            out.push_str(&serde_json::Value::from(value.as_str()).to_string());
        } else {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn titles(columns: &str) -> String {
    let mut out = columns.to_owned();
    for (field, title) in [
        ("ID", "CONTAINER ID"),
        ("RunningFor", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("Status", "STATUS"),
        ("State", "STATE"),
        ("Ports", "PORTS"),
        ("Networks", "NETWORKS"),
        ("Size", "SIZE"),
    ] {
        out = out.replace(&format!("{{{{.{field}}}}}"), title);
    }
    out
}

/// Pads the columns as Go's tabwriter does for docker: 10 wide at least, 3 spaces between.
fn align(lines: &[String]) -> String {
    let cells: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split('\t').collect())
        .collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &cells {
        for (column, cell) in row.iter().enumerate() {
            let width = (cell.chars().count() + 3).max(10);
            match widths.get_mut(column) {
                Some(known) => *known = (*known).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut out = String::new();
    for row in &cells {
        for (column, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if column + 1 < row.len() {
                let gap = widths[column].saturating_sub(cell.chars().count());
                out.push_str(&" ".repeat(gap));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_as_docker_rounds_them() {
        let now = Timestamp::now();
        for (seconds, said) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (47 * 3600, "47 hours"),
            (13 * 86_400, "13 days"),
            (21 * 86_400, "3 weeks"),
        ] {
            let since = now - jiff::SignedDuration::from_secs(seconds);
            assert_eq!(age(since, now), said, "{seconds} s");
        }
    }

    #[test]
    fn a_template_is_filled_and_an_unknown_field_is_named() {
        let row = vec![("Names", "a".to_owned()), ("Ports", "x\"y".to_owned())];
        let rows = [row];
        let made = |format| render(&rows, Some(format));
        assert_eq!(
            made("{{.Names}}|{{json .Ports}}").as_deref(),
            Ok("a|\"x\\\"y\"\n")
        );
        assert_eq!(
            made("table {{.Names}}\\t{{.Ports}}").as_deref(),
            Ok("NAMES     PORTS\na         x\"y\n")
        );
        assert!(made("{{.Nope}}").is_err_and(|error| error.contains(".Nope")));
    }
}

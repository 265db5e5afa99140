//! Thresholds with memory, and rounds that look only at what is due.

use super::run::Shared;
use crate::context::keep;
use crate::ports::ResultKind;
use cockpit_domain::baseline::{BaselineReport, CheckResult, Judgement, Turn, Verdict, weigh};
use cockpit_domain::pack::{BaselinePack, Check, Lasting, Look};
use std::collections::BTreeMap;

/// More looks than a day of them, one a minute.
const MOST_TURNS: usize = 1500;

/// Weighs a look by the ones before it, where the check asks for that, and keeps it. A look that
/// could not be taken is neither good nor bad. A store that cannot say costs the memory, not the run.
pub(super) async fn weighed(shared: &Shared, check: &Check, judgement: Judgement) -> Judgement {
    let Some(lasting) = check.pace.lasting else {
        return judgement;
    };
    let good = match judgement.verdict {
        Verdict::Ok | Verdict::Warn => true,
        Verdict::Fail => false,
        _ => return judgement,
    };
    let newest = Turn {
        at_ms: shared.context.clock.now_ms(),
        good,
    };
    let mut turns: Vec<Turn> = vec![newest];
    if let Some(store) = &shared.context.store {
        let subject = format!("{}/{}/turns", shared.pack, check.id);
        let most = match lasting {
            Lasting::Looks(looks) => looks as usize,
            Lasting::Seconds(_) => MOST_TURNS,
        };
        let kept = store.kept(ResultKind::Sample, &subject, most).await;
        let kept = kept.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "earlier looks cannot be read");
            Vec::new()
        });
        turns.extend(
            kept.into_iter()
                .filter_map(|row| serde_json::from_value::<Turn>(row.body).ok()),
        );
        keep(
            store.as_ref(),
            ResultKind::Sample,
            &subject,
            newest.at_ms,
            &newest,
        )
        .await;
    }
    turns.reverse();
    weigh(lasting, judgement, &turns)
}

/// The rows of an earlier run that still stand, by check: a round looks at all others.
///
/// What is compared is kept nowhere, and is compared as of one moment: a comparison stands as long as
/// both its sides do, and where one of the three is due both sides are looked at, once.
pub(super) fn standing<'r>(
    before: &'r BaselineReport,
    pack: &'r BaselinePack,
    now_ms: i64,
) -> BTreeMap<&'r str, &'r CheckResult> {
    if before.fingerprint != pack.fingerprint {
        return BTreeMap::new();
    }
    let mut rows: BTreeMap<&str, &CheckResult> = pack
        .checks
        .iter()
        .filter_map(|check| Some((check.id.as_str(), still(before, check, now_ms)?)))
        .collect();
    loop {
        let held = rows.len();
        for check in &pack.checks {
            let Look::Compare(look) = &check.look else {
                continue;
            };
            let [(this, _), (that, _)] = look.sides();
            let three = [check.id.as_str(), this, that];
            if !three.iter().all(|id| rows.contains_key(id)) {
                rows.retain(|id, _| !three.contains(id));
            }
        }
        // What fell with one comparison may be a side of another one.
        if rows.len() == held {
            return rows;
        }
    }
}

/// The row of an earlier run that still stands by itself, where the check says that it is looked at
/// seldom; a comparison is looked at whenever its sides are. Only a verdict of its own stands: what
/// could not be looked at, or was explained by another row, is looked at anew.
fn still<'r>(before: &'r BaselineReport, check: &Check, now_ms: i64) -> Option<&'r CheckResult> {
    let every_ms = match (check.pace.every_s, &check.look) {
        (Some(every_s), _) => i64::try_from(every_s).ok()?.checked_mul(1000)?,
        (None, Look::Compare(_)) => i64::MAX,
        (None, _) => return None,
    };
    let row = before.results.iter().find(|row| row.id == check.id)?;
    let own = matches!(row.verdict, Verdict::Ok | Verdict::Warn | Verdict::Fail);
    let due = now_ms.saturating_sub(row.at_ms) >= every_ms || row.is_stale(now_ms);
    (own && !due).then_some(row)
}

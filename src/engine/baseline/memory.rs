//! Thresholds with memory, and rounds that look only at what is due.

use super::run::Shared;
use crate::context::keep;
use crate::ports::ResultKind;
use cockpit_domain::baseline::{BaselineReport, CheckResult, Judgement, Turn, Verdict, weigh};
use cockpit_domain::pack::{BaselinePack, Check, Lasting};

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

/// The row of an earlier run that still stands, where the check says that it is looked at seldom.
/// Only a verdict of its own stands: what could not be looked at, or was explained by another row,
/// is looked at anew.
pub(super) fn standing<'r>(
    before: &'r BaselineReport,
    pack: &BaselinePack,
    check: &Check,
    now_ms: i64,
) -> Option<&'r CheckResult> {
    let every_ms = i64::try_from(check.pace.every_s?).ok()?.checked_mul(1000)?;
    if before.fingerprint != pack.fingerprint {
        return None;
    }
    let row = before.results.iter().find(|row| row.id == check.id)?;
    let own = matches!(row.verdict, Verdict::Ok | Verdict::Warn | Verdict::Fail);
    (own && now_ms.saturating_sub(row.at_ms) < every_ms).then_some(row)
}

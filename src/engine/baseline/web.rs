//! Plain HTTP looks.

use super::facts;
use super::run::Shared;
use super::tools::Seen;
use super::trouble::could_not_look;
use crate::context::keep;
use crate::ports::ResultKind;
use crate::ports::{Vantage, WebRequest};
use cockpit_domain::baseline::{
    HttpSeen, Judgement, Sample, judge_http, judge_metrics, kept_for, measured, read_sample,
};
use cockpit_domain::pack::{Check, HttpLook, MetricsLook, Place};
use std::time::Duration;

/// Where the web port starts from.
///
/// # Errors
/// `unknown`, when no machine of the config stands outside.
pub(super) fn vantage(shared: &Shared, place: &Place) -> Result<Vantage, Judgement> {
    match place {
        Place::Here => Ok(Vantage::Here),
        Place::Machine(machine) => Ok(Vantage::Machine(machine.clone())),
        Place::Outside => match &shared.context.outside {
            Some(machine) => Ok(Vantage::Machine(machine.clone())),
            None => Err(Judgement::unknown(
                "no machine of the config stands outside",
                "",
                "Add `outside = true` to a [machine.NAME] that reaches the public address as users do.",
            )),
        },
    }
}

const FROM_HERE: &str = "See whether the name resolves and the port answers from here; if only here \
                         it does not, it is this network.";

/// So much before the check's own limit an answer is cut.
const CUT: Duration = Duration::from_millis(250);

/// Sends the request and judges the answer.
pub(super) async fn http(shared: &Shared, check: &Check, look: &HttpLook) -> Seen {
    let mut request = WebRequest::get(vantage(shared, &check.vantage)?, look.url.clone());
    request.method = match look.method.as_str() {
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "GET",
    };
    // A body that does not end is cut here, before the check itself is.
    request.time_limit = check.time_limit.saturating_sub(CUT);
    if let Some(most) = check.pace.byte_limit {
        request.byte_limit = most;
    }
    let answer = shared.context.web.fetch(&request).await;
    let answer = answer.map_err(|failure| could_not_look(&failure, FROM_HERE))?;
    if answer.truncated && look.wants_body() && answer.status == look.status {
        let (found, fix) = if answer.body.len() < request.byte_limit {
            let seconds = check.time_limit.as_secs();
            let found = format!("the body did not end within {seconds} s");
            (found, "See why the far end does not finish its answer.")
        } else {
            let found = format!("the body is longer than {} bytes", request.byte_limit);
            (found, "Ask for less, or raise `byte_limit` of the check.")
        };
        return Err(Judgement::unknown(&found, &answer.body, fix));
    }
    let judgement = judge_http(
        look,
        HttpSeen {
            status: answer.status,
            content_type: &answer.content_type,
            headers: &answer.headers,
            body: &answer.body,
            tls_until_ms: answer.tls_until_ms,
            now_ms: shared.context.clock.now_ms(),
        },
    );
    Ok(shared.finding(check, judgement, |fact| match fact {
        "status" => Some(answer.status.to_string()),
        "body" => Some(answer.body.clone()),
        _ => match fact.strip_prefix("header.") {
            Some(name) => {
                let headers = &mut answer.headers.iter();
                let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone())
            }
            None => facts::field_of(&answer.body, fact),
        },
    }))
}

/// An exposition is long where many workers and labels are.
const MOST_METRICS: usize = 8 << 20;
/// More samples than a window of a day at one a minute.
const MOST_SAMPLES: usize = 1500;

/// Takes a sample of the metric and judges it with those of earlier runs.
pub(super) async fn metrics(shared: &Shared, check: &Check, look: &MetricsLook) -> Seen {
    let mut request = WebRequest::get(vantage(shared, &check.vantage)?, look.url.clone());
    request.time_limit = check.time_limit;
    request.byte_limit = check.pace.byte_limit.unwrap_or(MOST_METRICS);
    let answer = shared.context.web.fetch(&request).await;
    let answer = answer.map_err(|failure| could_not_look(&failure, FROM_HERE))?;
    let by_hand = || format!("Ask {} by hand and compare.", look.url);
    if answer.status != 200 || answer.truncated {
        let found = format!(
            "{} instead of an exposition that can be read",
            answer.status
        );
        return Err(Judgement::unknown(&found, &answer.body, by_hand()));
    }
    let now_ms = shared.context.clock.now_ms();
    let newest = read_sample(look, &answer.body, now_ms)
        .map_err(|reason| Judgement::unknown(&reason, "", by_hand()))?;
    let samples = with_earlier(shared, check, look, newest).await;
    let judgement = judge_metrics(look, &samples);
    Ok(shared.finding(check, judgement, |_| {
        measured(look, &samples).map(|value| value.to_string())
    }))
}

/// The samples a look needs, oldest first. A store that cannot say costs the window, not the run.
async fn with_earlier(
    shared: &Shared,
    check: &Check,
    look: &MetricsLook,
    newest: Sample,
) -> Vec<Sample> {
    let Some(store) = &shared.context.store else {
        return vec![newest];
    };
    let subject = format!("{}/{}", shared.pack, check.id);
    let kept = store.kept(ResultKind::Sample, &subject, MOST_SAMPLES).await;
    let kept = kept.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "earlier samples cannot be read");
        Vec::new()
    });
    let from = i64::try_from(kept_for(look))
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    let from = newest.at_ms.saturating_sub(from);
    let mut samples = vec![newest];
    for row in kept {
        let Ok(sample) = serde_json::from_value::<Sample>(row.body) else {
            continue;
        };
        let reaches = sample.at_ms <= from;
        samples.push(sample);
        if reaches {
            break;
        }
    }
    samples.reverse();
    if let Some(newest) = samples.last() {
        keep(
            store.as_ref(),
            ResultKind::Sample,
            &subject,
            newest.at_ms,
            newest,
        )
        .await;
    }
    samples
}

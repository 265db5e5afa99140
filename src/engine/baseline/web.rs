//! Plain HTTP looks.

use super::run::Shared;
use super::trouble::could_not_look;
use crate::ports::{Vantage, WebRequest};
use cockpit_domain::baseline::{HttpSeen, Judgement, judge_http};
use cockpit_domain::pack::{Check, HttpLook, Place};

/// Where the web port starts from.
pub(super) fn vantage(place: &Place) -> Vantage {
    match place {
        Place::Here => Vantage::Here,
        Place::Machine(machine) => Vantage::Machine(machine.clone()),
    }
}

/// Sends the request and judges the answer.
pub(super) async fn http(shared: &Shared, check: &Check, look: &HttpLook) -> Judgement {
    let mut request = WebRequest::get(vantage(&check.vantage), look.url.clone());
    request.method = match look.method.as_str() {
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "GET",
    };
    request.time_limit = check.time_limit;
    match shared.context.web.fetch(&request).await {
        Ok(answer) => judge_http(
            look,
            HttpSeen {
                status: answer.status,
                content_type: &answer.content_type,
                body: &answer.body,
            },
        ),
        Err(failure) => could_not_look(
            &failure,
            "See whether the name resolves and the port answers from here; if only here it does \
             not, it is this network.",
        ),
    }
}

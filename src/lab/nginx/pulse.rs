//! What the logs say of a user's request that was never sent: where the site leads it now, and
//! what comes of it there.

use super::Front;
use super::logs::Logged;
use super::route::Route;

/// Writes the lines of one request; `served` says what the host behind the site would answer.
pub(crate) fn pulse(front: &Front, number: u64, served: impl FnOnce() -> u16) {
    let Some(site) = front.machine.site() else {
        return;
    };
    let (method, path) = match number % 5 {
        0 => ("GET", "/portal/"),
        _ => ("POST", "/v1/chat/completions"),
    };
    let logged = Logged {
        method,
        path,
        agent: "OpenAI/Python 1.51.0",
        server: site.server_name,
        host: site.server_name,
    };
    let status = match site.route(path) {
        Route::Upstream { name, port, path } => {
            if front.machine.reach(&name, port).is_some() {
                served()
            } else {
                let upstream = format!("http://{name}:{port}{path}");
                front.logs.refused(&logged, &upstream);
                502
            }
        }
        Route::File { .. } => 200,
        Route::Redirect(_) => 301,
        Route::NotFound => 404,
    };
    // Sizes that differ, as those of answers do.
    front.logs.access(&logged, status, 400 + number * 37 % 900);
}

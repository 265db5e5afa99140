//! The site of `sub.tksea.top` as one structure: `nginx -T` is written from it and requests are
//! routed by it, so that the dump cannot lie about the traffic.

mod answer;
mod logs;
mod pulse;
mod render;
mod route;

pub(crate) use answer::{Front, router};
pub(crate) use logs::NginxLogs;
pub(crate) use pulse::pulse;

use crate::faults::Fault;

/// One `server` block.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) server_name: &'static str,
    pub(crate) listen: Vec<&'static str>,
    pub(crate) locations: Vec<Location>,
    /// More directives of the server.
    pub(crate) more: Vec<&'static str>,
}

/// One `location` block.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) prefix: &'static str,
    pub(crate) action: Action,
}

/// What a location does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// `proxy_pass` to this URL; a path in it replaces the prefix.
    Proxy(String),
    /// `alias` with `index` and `try_files $uri $uri/ <fallback>`.
    Files {
        alias: &'static str,
        fallback: &'static str,
        files: &'static [(&'static str, &'static str)],
    },
}

impl Site {
    /// Changes what the faults that are on change.
    pub(crate) fn change(&mut self, on: impl Fn(Fault) -> bool) {
        if on(Fault::NginxOldPort) {
            self.point_root_at("http://127.0.0.1:18169");
        }
        if on(Fault::NginxLostSlash) {
            self.point_at("/kimi-v1/", "http://127.0.0.1:8080/v1");
        }
        if on(Fault::NginxStrayUpstream) {
            self.locations.push(Location {
                prefix: "/canary/",
                action: Action::Proxy("http://127.0.0.1:9999/".to_owned()),
            });
        }
        if on(Fault::NginxBannedListen) {
            self.listen.push("18173");
        }
        if on(Fault::NginxBannedName) {
            self.more.push("access_log /srv/crm-verify-7/access.log");
        }
        if on(Fault::TrialRouted) {
            self.more.push("set $trial 127.0.0.1:18087");
        }
        if on(Fault::PortalGone) {
            for location in &mut self.locations {
                if let Action::Files { files, .. } = &mut location.action {
                    *files = &[];
                }
            }
        }
    }

    /// Points `location /` at another upstream.
    pub(crate) fn point_root_at(&mut self, upstream: &str) {
        self.point_at("/", upstream);
    }

    fn point_at(&mut self, prefix: &str, upstream: &str) {
        for location in &mut self.locations {
            if location.prefix == prefix {
                location.action = Action::Proxy(upstream.to_owned());
            }
        }
    }
}

/// The site as the production baseline has it.
pub(crate) fn tksea() -> Site {
    let proxy = |prefix, to: &str| Location {
        prefix,
        action: Action::Proxy(to.to_owned()),
    };
    Site {
        server_name: "sub.tksea.top",
        more: Vec::new(),
        listen: vec!["80", "443 ssl"],
        locations: vec![
            Location {
                prefix: "/portal/",
                action: Action::Files {
                    alias: "/var/www/sub2api-portal/",
                    fallback: "/portal/index.html",
                    files: &[
                        ("index.html", PORTAL),
                        ("app.js", "document.title = 'Portal';\n"),
                    ],
                },
            },
            proxy("/portal-proxy/", "http://127.0.0.1:8080/"),
            proxy("/portal-admin-api/", "http://127.0.0.1:18190/"),
            proxy("/kimi/", "http://127.0.0.1:8080/"),
            proxy("/kimi-v1/", "http://127.0.0.1:8080/v1/"),
            proxy("/", "http://127.0.0.1:8080"),
        ],
    }
}

const PORTAL: &str = "<!doctype html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\">\
<title>Portal</title><script src=\"/portal/app.js\" defer></script></head>\n\
<body><div id=\"app\"></div></body>\n</html>\n";

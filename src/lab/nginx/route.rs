//! Choosing the location and the upstream path of a request. Pure.

use super::{Action, Site};

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// To `name:port`, with this path and query.
    Upstream {
        name: String,
        port: u16,
        path: String,
    },
    /// A file of the portal: its name and content.
    File {
        name: &'static str,
        text: &'static str,
    },
    /// The prefix without its slash was asked: nginx redirects.
    Redirect(String),
    /// No location, or no file.
    NotFound,
}

impl Site {
    /// Routes a path with its query.
    pub(super) fn route(&self, path_and_query: &str) -> Route {
        let path = path_and_query.split('?').next().unwrap_or_default();
        let location = self
            .locations
            .iter()
            .filter(|location| path.starts_with(location.prefix))
            .max_by_key(|location| location.prefix.len());
        // `location /x/` with proxy_pass also answers `/x` with a redirect.
        let redirect = self.locations.iter().any(|location| {
            location.prefix.len() == path.len() + 1
                && !path.is_empty()
                && location.prefix.strip_suffix('/') == Some(path)
                && matches!(location.action, Action::Proxy(_))
        });
        if redirect {
            return Route::Redirect(format!("{path}/"));
        }
        let Some(location) = location else {
            return Route::NotFound;
        };
        match &location.action {
            Action::Proxy(target) => proxied(target, location.prefix, path_and_query),
            Action::Files {
                fallback, files, ..
            } => {
                let wanted = &path[location.prefix.len()..];
                let wanted = if wanted.is_empty() {
                    "index.html"
                } else {
                    wanted
                };
                let fallback = fallback.strip_prefix(location.prefix).unwrap_or(fallback);
                let named = |name: &str| files.iter().find(|(known, _)| *known == name);
                match named(wanted).or_else(|| named(fallback)) {
                    Some((name, text)) => Route::File { name, text },
                    None => Route::NotFound,
                }
            }
        }
    }
}

fn proxied(target: &str, prefix: &str, path_and_query: &str) -> Route {
    let rest = target.strip_prefix("http://").unwrap_or(target);
    let (authority, uri) = match rest.find('/') {
        Some(slash) => (&rest[..slash], Some(&rest[slash..])),
        None => (rest, None),
    };
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().unwrap_or(80)),
        None => (authority, 80),
    };
    let path = match uri {
        // A path in proxy_pass takes the place of the prefix; without one all passes unchanged.
        Some(uri) => format!("{uri}{}", &path_and_query[prefix.len()..]),
        None => path_and_query.to_owned(),
    };
    Route::Upstream {
        name: name.to_owned(),
        port,
        path,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tksea;
    use super::*;

    fn upstream(path: &str) -> (u16, String) {
        match tksea().route(path) {
            Route::Upstream { port, path, .. } => (port, path),
            other => panic!("{path} went to {other:?}"),
        }
    }

    #[test]
    fn the_longest_prefix_wins_and_a_path_in_proxy_pass_replaces_it() {
        for (asked, port, path) in [
            ("/v1/models", 8080, "/v1/models"),
            ("/v1/models?x=1", 8080, "/v1/models?x=1"),
            ("/portal-proxy/api/v1/keys?p=2", 8080, "/api/v1/keys?p=2"),
            ("/portal-admin-api/healthz", 18190, "/healthz"),
            ("/kimi/v1/models", 8080, "/v1/models"),
            ("/kimi-v1/models", 8080, "/v1/models"),
            ("/", 8080, "/"),
        ] {
            assert_eq!(upstream(asked), (port, path.to_owned()), "{asked}");
        }
    }

    #[test]
    fn the_portal_serves_its_files_and_falls_back_to_its_page() {
        for (asked, file) in [
            ("/portal/", "index.html"),
            ("/portal/app.js", "app.js"),
            ("/portal/keys/7", "index.html"),
        ] {
            assert!(
                matches!(tksea().route(asked), Route::File { name, .. } if name == file),
                "{asked}"
            );
        }
    }

    #[test]
    fn a_proxied_prefix_without_its_slash_is_redirected() {
        assert_eq!(tksea().route("/kimi"), Route::Redirect("/kimi/".to_owned()));
    }

    #[test]
    fn the_fault_moves_the_root_and_nothing_else() {
        let mut site = tksea();
        site.point_root_at("http://127.0.0.1:18169");
        assert!(matches!(
            site.route("/v1/models"),
            Route::Upstream { port: 18169, .. }
        ));
        assert!(matches!(
            site.route("/kimi/v1/models"),
            Route::Upstream { port: 8080, .. }
        ));
        assert!(site.dump().contains("proxy_pass http://127.0.0.1:18169;"));
    }
}

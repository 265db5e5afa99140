//! Servers, upstreams, and what a request really turns into.

use super::location::{Location, Modifier, Undecided, choose, slash_added};
use super::parse::{Directive, NginxConfig};
use super::path::{escaped, normal};
use regex::Regex;

/// One `server` block inside `http`.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// The block.
    pub directive: &'a Directive,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Asked of one of these upstream URLs.
    Proxy(Vec<String>),
    /// Served from files or answered by nginx itself: the directive that does it.
    Local(String),
    /// No directive of the location answers.
    Nothing,
}

impl<'a> Server<'a> {
    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.directive
            .children("server_name")
            .flat_map(|names| names.args.iter().map(String::as_str))
    }

    /// Whether it speaks TLS on some port.
    pub fn has_tls(&self) -> bool {
        self.directive.children("listen").any(|listen| {
            listen
                .args
                .iter()
                .skip(1)
                .any(|word| word == "ssl" || word == "quic")
        })
    }

    /// How well it answers to a name, in nginx's order; `None` if not by name.
    fn fit(self, name: &str) -> Option<u32> {
        self.names().filter_map(|own| fit(own, name)).max()
    }

    /// What a request path comes to here.
    ///
    /// # Errors
    /// When only nginx itself could say.
    pub fn effect(&self, config: &NginxConfig, uri: &str) -> Result<Effect, Undecided> {
        let path = uri.split(['?', '#']).next().unwrap_or(uri);
        if let Some(folder) = slash_added(self.directive, path) {
            return Ok(Effect::Local(format!("redirect to {folder}")));
        }
        let Some(location) = choose(self.directive, path)? else {
            return Ok(Effect::Nothing);
        };
        effect_of(config, &location, uri)
    }
}

impl NginxConfig {
    /// The `server` blocks of `http`, in order.
    pub fn servers(&self) -> Vec<Server<'_>> {
        self.http()
            .filter(|directive| directive.name == "server" && directive.block.is_some())
            .map(|directive| Server { directive })
            .collect()
    }

    /// The server that answers to a name: exact before `*.x` before `x.*` before a pattern; of
    /// equals one with TLS, then the first, since nginx ignores later ones of the same name.
    pub fn server_for(&self, name: &str) -> Option<Server<'_>> {
        let servers = self.servers();
        let best = servers.iter().filter_map(|server| server.fit(name)).max()?;
        let fitting: Vec<Server<'_>> = servers
            .into_iter()
            .filter(|server| server.fit(name) == Some(best))
            .collect();
        fitting
            .iter()
            .find(|server| server.has_tls())
            .or(fitting.first())
            .copied()
    }

    /// The servers of a named `upstream`; `None` when there is no such group.
    fn upstream(&self, name: &str) -> Option<Vec<String>> {
        let group = self.http().find(|directive| {
            directive.name == "upstream" && directive.args.first().is_some_and(|own| own == name)
        })?;
        Some(
            group
                .children("server")
                .filter(|server| !server.args.iter().skip(1).any(|word| word == "down"))
                .filter_map(|server| server.args.first().cloned())
                .collect(),
        )
    }

    /// The URLs a `proxy_pass` value stands for, upstream groups written out.
    pub fn targets(&self, proxy_pass: &str) -> Vec<String> {
        let Some((scheme, rest)) = proxy_pass.split_once("://") else {
            return vec![proxy_pass.to_owned()];
        };
        let (authority, tail) = split_authority(rest);
        match self.upstream(authority) {
            Some(servers) => servers
                .iter()
                .map(|server| plain(&format!("{scheme}://{server}{tail}")))
                .collect(),
            None => vec![plain(proxy_pass)],
        }
    }
}

/// How well one `server_name` fits; greater is better, length decides among wildcards.
fn fit(own: &str, name: &str) -> Option<u32> {
    let length = u32::try_from(own.len()).unwrap_or(0).min(999);
    let (own, name) = (own.to_lowercase(), name.to_lowercase());
    if own == name {
        return Some(4000);
    }
    if let Some(tail) = own.strip_prefix('.') {
        let inside = name == tail || name.ends_with(&own);
        return inside.then_some(3000 + length);
    }
    if let Some(tail) = own.strip_prefix('*') {
        return (name.ends_with(tail) && name.len() > tail.len()).then_some(3000 + length);
    }
    if let Some(head) = own.strip_suffix('*') {
        return (name.starts_with(head) && name.len() > head.len()).then_some(2000 + length);
    }
    let pattern = own.strip_prefix('~')?;
    let fits = Regex::new(pattern).is_ok_and(|regex| regex.is_match(&name));
    fits.then_some(1000)
}

/// Authority and the rest, which begins with `/` or is empty.
fn split_authority(rest: &str) -> (&str, &str) {
    // `http://unix:/path:/uri` has slashes in its authority.
    if rest.starts_with("unix:") {
        return rest
            .get(5..)
            .and_then(|path| path.find(':'))
            .map_or((rest, ""), |at| rest.split_at(at + 6));
    }
    rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
}

/// One spelling for one address.
pub(super) fn plain(url: &str) -> String {
    url.replacen("://localhost", "://127.0.0.1", 1)
}

/// What a chosen location does with a request.
fn effect_of(
    config: &NginxConfig,
    location: &Location<'_>,
    uri: &str,
) -> Result<Effect, Undecided> {
    let block = location.directive;
    let undecided = |what: &str| {
        Undecided(format!(
            "`{}` at {} {what}",
            location.label(),
            block.place()
        ))
    };
    if let Some(answer) = block.child("return") {
        return Ok(Effect::Local(format!("return {}", answer.value())));
    }
    if block.child("rewrite").is_some() {
        return Err(undecided("rewrites the path before it is used"));
    }
    let Some(proxy) = block.child("proxy_pass") else {
        for name in ["alias", "root", "try_files", "empty_gif", "stub_status"] {
            if let Some(files) = block.child(name) {
                return Ok(Effect::Local(format!("{name} {}", files.value())));
            }
        }
        return Ok(Effect::Nothing);
    };
    let value = proxy.value();
    if value.contains('$') {
        return Err(undecided("names its upstream with a variable"));
    }
    let Some((scheme, rest)) = value.split_once("://") else {
        return Err(undecided("has a `proxy_pass` without a scheme"));
    };
    let (authority, tail) = split_authority(rest);
    let path = if tail.is_empty() || tail == ":" {
        uri.to_owned()
    } else {
        let tail = tail.trim_start_matches(':');
        match location.modifier {
            Modifier::Prefix | Modifier::PrefixFinal | Modifier::Exact => {
                let (path, query) = uri
                    .split_once('?')
                    .map_or((uri, None), |(path, query)| (path, Some(query)));
                let path = normal(path);
                let rest = escaped(path.strip_prefix(location.path).unwrap_or_default());
                let query = query.map_or_else(String::new, |query| format!("?{query}"));
                format!("{tail}{rest}{query}")
            }
            _ => {
                return Err(undecided(
                    "has a path in `proxy_pass` that nginx refuses there",
                ));
            }
        }
    };
    Ok(Effect::Proxy(
        config
            .targets(&format!("{scheme}://{authority}"))
            .into_iter()
            .map(|target| format!("{target}{path}"))
            .collect(),
    ))
}

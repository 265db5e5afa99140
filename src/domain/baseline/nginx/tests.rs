//! Dumps as nginx prints them, and the questions a baseline asks of them.

use super::*;
use crate::baseline::Verdict;
use crate::pack::{ExpectedLocation, NginxLook};
use std::collections::BTreeMap;

const DUMP: &str = r#"nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
# configuration file /etc/nginx/nginx.conf:
user www-data;
events { worker_connections 768; }
http {
    # the stack of May: proxy_pass http://127.0.0.1:18173;
    log_format main '$remote_addr "$request" {x};';
    include /etc/nginx/mime.types;
    include sites-enabled/*;
}

# configuration file /etc/nginx/mime.types:
types {
    text/html html htm;
}

# configuration file /etc/nginx/sites-enabled/tksea:
server {
    listen 80;
    server_name sub.tksea.top;
    return 301 https://$host$request_uri;
}
server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name sub.tksea.top www.tksea.top;
    set $target "a;b}c";

    location /portal/ {
        alias /var/www/sub2api-portal/;
        index index.html;
        try_files $uri $uri/ /portal/index.html;
    }
    location /portal-proxy/ { proxy_pass http://127.0.0.1:8080/; }
    location /kimi-v1/ { proxy_pass http://localhost:8080/v1/; }
    location / {
        proxy_pass http://127.0.0.1:8080;
        location /v1/inner/ { proxy_pass http://127.0.0.1:9000; }
    }
}
# configuration file /etc/nginx/sites-enabled/.hidden:
server { server_name hidden; listen 81; }
"#;

fn config(text: &str) -> NginxConfig {
    NginxConfig::read(text).unwrap()
}

/// A site with these locations, in a file of its own.
fn site(locations: &str) -> String {
    format!(
        "# configuration file /etc/nginx/nginx.conf:\nhttp {{\n\
         upstream host {{ server 127.0.0.1:8080; server 127.0.0.1:8081 down; }}\n\
         upstream two {{ server 127.0.0.1:1; server 127.0.0.1:2; }}\n\
         server {{ listen 443 ssl; server_name x.lab;\n{locations}\n}}\n}}\n"
    )
}

#[test]
fn a_dump_becomes_one_tree_with_includes_in_place() {
    let config = config(DUMP);
    let names: Vec<&str> = config
        .http()
        .map(|directive| directive.name.as_str())
        .collect();
    assert_eq!(names, ["log_format", "types", "server", "server"]);
    let server = config.server_for("sub.tksea.top").unwrap();
    assert!(server.has_tls());
    let root = choose(server.directive, "/").unwrap().unwrap();
    let proxy = root.directive.child("proxy_pass").unwrap();
    assert_eq!(proxy.place(), "/etc/nginx/sites-enabled/tksea:20");
    assert_eq!(proxy.value(), "http://127.0.0.1:8080");
    let set = server.directive.child("set").unwrap();
    assert_eq!(set.args, ["$target", "a;b}c"]);
}

#[test]
fn what_is_no_configuration_is_said_with_its_place() {
    let rows = [
        ("empty", "", "there is no configuration in it"),
        (
            "a notice only",
            "nginx: x\n",
            "there is no configuration in it",
        ),
        (
            "never closed",
            "http {\n server { listen 80; }\n",
            "nginx -T: a `{` is never closed",
        ),
        ("one too many", "user a;\n}\n", "nginx -T:2: a `}` too many"),
        (
            "no end",
            "http {\n listen 80\n}\n",
            "nginx -T:3: `;` is missing before `}`",
        ),
        (
            "cut inside a quote",
            "user 'abc\n",
            "nginx -T:1: a quote is never closed",
        ),
        (
            "prose",
            "hello there",
            "nginx -T:1: `;` is missing at the end",
        ),
    ];
    for (name, text, expected) in rows {
        assert_eq!(NginxConfig::read(text).unwrap_err(), expected, "{name}");
    }
}

#[test]
fn words_of_the_language_are_read_as_nginx_reads_them() {
    let good = "a \"one \\\" two\" b;\nmap ${y}z q;\nx_by_lua_block { local t = { a = 1 } }\n\
                b plain;# comment\nc '\\.(js|css)$';\n";
    let config = config(good);
    let values: Vec<(String, String)> = config
        .top
        .iter()
        .map(|directive| (directive.name.clone(), directive.value()))
        .collect();
    let expected = [
        ("a", "one \" two b"),
        ("map", "${y}z q"),
        ("x_by_lua_block", ""),
        ("b", "plain"),
        ("c", "\\.(js|css)$"),
    ];
    assert_eq!(
        values,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn the_location_is_the_one_nginx_would_take() {
    let locations = "
        location = /exact { return 200; }
        location / { return 200; }
        location /v1/ { return 200; location ~ /inner$ { return 200; } location /v1/deep/ { return 200; } }
        location ^~ /static/ { return 200; location ~ x { return 200; } }
        location ~ \\.php$ { return 200; }
        location ~* \\.(JPG|png)$ { return 200; }
        location ~ ^/v1/late { return 200; }
        location ~ ^/api { return 200; location ~ /deep$ { return 200; } }
        location ~ (inner|png|php) { return 200; }
        location @back { return 200; }
    ";
    let text = site(locations);
    let config = config(&text);
    let server = config.server_for("x.lab").unwrap();
    for (path, expected) in [
        ("/", "location /"),
        ("/exact", "location = /exact"),
        ("/exact/", "location /"),
        ("/v1/models", "location /v1/"),
        ("/v1/a/inner", "location ~ /inner$"),
        ("/v1/deep/x", "location /v1/deep/"),
        ("/v1/deep/x.php", "location ~ \\.php$"),
        ("/v1/late", "location ~ ^/v1/late"),
        ("/v1/inner/x", "location ~ (inner|png|php)"),
        ("//v1/./models", "location /v1/"),
        ("/api/x", "location ~ ^/api"),
        ("/api/deep", "location ~ /deep$"),
        ("/a.png", "location ~* \\.(JPG|png)$"),
        ("/static/a.php", "location ^~ /static/"),
        ("/static/x.php", "location ~ x"),
        ("/a.php", "location ~ \\.php$"),
        ("/a.jpg", "location ~* \\.(JPG|png)$"),
        ("/a.Php", "location /"),
    ] {
        let found = choose(server.directive, path).unwrap().unwrap();
        assert_eq!(found.label(), expected, "{path}");
    }
}

#[test]
fn a_pattern_only_nginx_knows_is_undecided_not_passed_over() {
    let text = site("location ~ ^/(?!api) { return 200; }\nlocation / { return 200; }");
    let config = config(&text);
    let server = config.server_for("x.lab").unwrap();
    assert!(choose(server.directive, "/v1/models").is_err());
}

#[test]
fn a_request_becomes_the_upstream_url_nginx_would_ask() {
    let rows = [
        (
            "no path keeps the request",
            "location / { proxy_pass http://127.0.0.1:8080; }",
            "/v1/models?a=1",
            "http://127.0.0.1:8080/v1/models?a=1",
        ),
        (
            "a path replaces the prefix",
            "location /kimi-v1/ { proxy_pass http://127.0.0.1:8080/v1/; }",
            "/kimi-v1/models",
            "http://127.0.0.1:8080/v1/models",
        ),
        (
            "a slash is a path",
            "location /kimi/ { proxy_pass http://127.0.0.1:8080/; }",
            "/kimi/v1/models",
            "http://127.0.0.1:8080/v1/models",
        ),
        (
            "a forgotten slash shows",
            "location /kimi/ { proxy_pass http://127.0.0.1:8080/v1; }",
            "/kimi/models",
            "http://127.0.0.1:8080/v1models",
        ),
        (
            "a group is written out",
            "location / { proxy_pass http://host; }",
            "/x",
            "http://127.0.0.1:8080/x",
        ),
        (
            "a group of two",
            "location / { proxy_pass http://two/y; }",
            "/x",
            "http://127.0.0.1:1/yx or http://127.0.0.1:2/yx",
        ),
        (
            "localhost is loopback",
            "location / { proxy_pass http://localhost:8080; }",
            "/x",
            "http://127.0.0.1:8080/x",
        ),
        (
            "a socket",
            "location / { proxy_pass http://unix:/run/a.sock:/b/; }",
            "/x",
            "http://unix:/run/a.sock:/b/x",
        ),
        (
            "files",
            "location / { alias /var/www/; }",
            "/x",
            "`alias /var/www/`",
        ),
        (
            "an answer",
            "location / { return 404; proxy_pass http://h; }",
            "/x",
            "`return 404`",
        ),
        ("nothing", "location /y { return 404; }", "/x", "nothing"),
        (
            "a folder without its slash",
            "location /portal/ { proxy_pass http://h; }\nlocation / { return 404; }",
            "/portal",
            "`redirect to /portal/`",
        ),
        (
            "a folder of files without its slash",
            "location /portal/ { alias /var/www/; }\nlocation / { return 404; }",
            "/portal",
            "`return 404`",
        ),
        (
            "a folder whose bare name is somebody's own",
            "location /portal/ { proxy_pass http://h; }\nlocation = /portal { return 410; }",
            "/portal",
            "`return 410`",
        ),
        (
            "a variable",
            "location / { proxy_pass http://$up; }",
            "/x",
            "undecided",
        ),
        (
            "a rewrite",
            "location / { rewrite ^ /z break; proxy_pass http://h; }",
            "/x",
            "undecided",
        ),
    ];
    for (name, locations, uri, expected) in rows {
        let text = site(locations);
        let config = config(&text);
        let server = config.server_for("x.lab").unwrap();
        let found = match server.effect(&config, uri) {
            Ok(Effect::Proxy(urls)) => urls.join(" or "),
            Ok(Effect::Local(directive)) => format!("`{directive}`"),
            Ok(Effect::Nothing) => "nothing".to_owned(),
            Err(_) => "undecided".to_owned(),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_server_is_the_one_that_answers_to_the_name() {
    let text = "http {\n\
        server { server_name _; listen 1; }\n\
        server { server_name *.tksea.top; listen 2; }\n\
        server { server_name .top; listen 3; }\n\
        server { server_name sub.*; listen 4; }\n\
        server { server_name ~^re\\d+$; listen 5; }\n\
        server { server_name sub.tksea.top; listen 6; }\n\
        server { server_name Sub.TKSEA.top; listen 443 ssl; }\n\
        server { server_name sub.tksea.top; listen 7; }\n}\n";
    let config = config(text);
    for (name, expected) in [
        ("sub.tksea.top", Some("443 ssl")),
        ("other.tksea.top", Some("2")),
        ("plain.top", Some("3")),
        ("sub.example.org", Some("4")),
        ("re42", Some("5")),
        ("nobody.example.org", None),
    ] {
        let found = config
            .server_for(name)
            .map(|server| server.directive.child("listen").unwrap().value());
        assert_eq!(found.as_deref(), expected, "{name}");
    }
}

fn look() -> NginxLook {
    let proxied = |path: &str, target: &str| ExpectedLocation {
        path: path.to_owned(),
        modifier: String::new(),
        proxy_pass: Some(target.to_owned()),
        alias: None,
        root: None,
        index: None,
        try_files: None,
    };
    NginxLook {
        server_name: Some("sub.tksea.top".to_owned()),
        location: vec![
            ExpectedLocation {
                alias: Some("/var/www/sub2api-portal/".to_owned()),
                index: Some("index.html".to_owned()),
                try_files: Some("$uri $uri/ /portal/index.html".to_owned()),
                proxy_pass: None,
                ..proxied("/portal/", "")
            },
            proxied("/kimi-v1/", "http://127.0.0.1:8080/v1/"),
            proxied("/", "http://127.0.0.1:8080"),
        ],
        routes: BTreeMap::from([(
            "/v1/models".to_owned(),
            "http://127.0.0.1:8080/v1/models".to_owned(),
        )]),
        banned_ports: vec![18169, 18173],
        ..NginxLook::default()
    }
}

#[test]
fn a_site_is_judged_by_what_is_written_and_by_what_it_does() {
    let site_file = "/etc/nginx/sites-enabled/tksea";
    let rows = [
        ("as the baseline has it", DUMP.to_owned(), Verdict::Ok, "3 locations and 1 routes as expected".to_owned()),
        (
            "the root points at an old port",
            DUMP.replace("proxy_pass http://127.0.0.1:8080;", "proxy_pass http://127.0.0.1:18169;"),
            Verdict::Fail,
            format!(
                "port 18169 at {site_file}:20: proxy_pass http://127.0.0.1:18169\n\
                 location /: proxy_pass http://127.0.0.1:18169 at {site_file}:20, expected http://127.0.0.1:8080\n\
                 /v1/models goes to http://127.0.0.1:18169/v1/models, expected http://127.0.0.1:8080/v1/models"
            ),
        ),
        (
            "a location is gone",
            DUMP.replace("location /portal/ {", "location ^~ /portal/ {"),
            Verdict::Fail,
            format!("location /portal/ is missing; there is `location ^~ /portal/` at {site_file}:12"),
        ),
        (
            "a new pattern steals the path",
            DUMP.replace("location / {", "location ~ ^/v1/ { proxy_pass http://127.0.0.1:9; }\n    location / {"),
            Verdict::Fail,
            "/v1/models goes to http://127.0.0.1:9/v1/models, expected http://127.0.0.1:8080/v1/models".to_owned(),
        ),
        (
            "a banned port in another site",
            DUMP.replace("listen 80;", "listen 80; listen 18173;"),
            Verdict::Fail,
            format!("port 18173 at {site_file}:2: listen 18173"),
        ),
        (
            "a port that only begins alike",
            DUMP.replace("listen 80;", "listen 80; set $a 127.0.0.1:181690;"),
            Verdict::Ok,
            "3 locations and 1 routes as expected".to_owned(),
        ),
        (
            "the site is gone",
            DUMP.replace("sub.tksea.top", "other.tksea.top"),
            Verdict::Fail,
            "no server block answers to `sub.tksea.top`".to_owned(),
        ),
        (
            "an alias with another fallback",
            DUMP.replace("/portal/index.html;", "=404;"),
            Verdict::Fail,
            format!("location /portal/: try_files $uri $uri/ =404 at {site_file}:15, expected $uri $uri/ /portal/index.html"),
        ),
        (
            "a variable decides",
            DUMP.replace("location / {", "location /v1/ { proxy_pass http://$up; }\n    location / {"),
            Verdict::Unknown,
            format!("/v1/models: `location /v1/` at {site_file}:19 names its upstream with a variable"),
        ),
        (
            "cut in the middle",
            DUMP[..DUMP.len() / 2].to_owned(),
            Verdict::Unknown,
            "the output of `nginx -T` cannot be read".to_owned(),
        ),
    ];
    for (name, dump, verdict, found) in rows {
        let judgement = judge_nginx(&look(), &dump);
        assert_eq!(judgement.verdict, verdict, "{name}: {}", judgement.found);
        assert!(
            judgement.found.starts_with(&found),
            "{name}:\n{}\n--- expected\n{found}",
            judgement.found
        );
        assert!(!judgement.expected.is_empty(), "{name}");
    }
}

#[test]
fn ports_in_comments_are_no_finding() {
    let look = NginxLook {
        banned_ports: vec![18173],
        ..NginxLook::default()
    };
    let judgement = judge_nginx(&look, DUMP);
    assert_eq!(judgement.verdict, Verdict::Ok, "{}", judgement.found);
    assert_eq!(judgement.found, "none of the banned ports is named");
}

#[test]
fn a_site_reaches_no_upstream_that_is_on_no_list_and_names_nothing_that_is_banned() {
    let dump = "# configuration file /etc/nginx/nginx.conf:\nhttp {\nupstream back { server 127.0.0.1:18173; }\n\
                server { server_name x.lab; location / { proxy_pass http://127.0.0.1:8080; }\n\
                location /old/ { proxy_pass http://back/; }\nlocation /lab/ { alias /srv/route-lab-7/; } }\n\
                server { server_name y.lab; location / { proxy_pass http://127.0.0.1:9; } }\n}\n";
    let mut look = NginxLook {
        server_name: Some("x.lab".to_owned()),
        upstreams: vec!["127.0.0.1:8080".to_owned()],
        banned_names: vec!["route-lab-*".to_owned()],
        ..NginxLook::default()
    };
    let judgement = judge_nginx(&look, dump);
    assert_eq!(
        judgement.found,
        "`route-lab-7` at /etc/nginx/nginx.conf:5 is banned by `route-lab-*`\n\
         127.0.0.1:18173 at /etc/nginx/nginx.conf:4 is on no list of upstreams"
    );
    look.banned_names.clear();
    look.upstreams.push("127.0.0.1:18173".to_owned());
    assert_eq!(judge_nginx(&look, dump).verdict, Verdict::Ok);
}

#[test]
fn a_file_of_a_site_is_read_as_it_stands_in_the_configuration() {
    let site =
        "server {\n  server_name x.lab;\n  location / { proxy_pass http://127.0.0.1:9; }\n}\n";
    let look = NginxLook {
        file: Some("/etc/nginx/sites-available/x".to_owned()),
        server_name: Some("x.lab".to_owned()),
        routes: std::collections::BTreeMap::from([(
            "/v1/models".to_owned(),
            "http://127.0.0.1:8080/v1/models".to_owned(),
        )]),
        ..NginxLook::default()
    };
    let judgement = judge_nginx(&look, site);
    assert_eq!(
        judgement.found,
        "/v1/models goes to http://127.0.0.1:9/v1/models, expected http://127.0.0.1:8080/v1/models"
    );
    assert!(
        judgement.evidence.contains("sites-available/x:3"),
        "{}",
        judgement.evidence
    );
}

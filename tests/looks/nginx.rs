//! The real nginx of this machine: what its `nginx -T` prints goes through our look, and the place
//! we say a request comes to is the one that nginx sends it to.

use super::here::{Here, assert_rows};
use crate::support::wait_until;
use cockpit_domain::baseline::nginx::{Effect, Location, NginxConfig, choose};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// nginx under a folder of its own, ended with the test.
struct Nginx {
    child: Child,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Ports that were free a moment ago.
fn free_ports<const N: usize>() -> [u16; N] {
    let held: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr().unwrap().port();
    }
    ports
}

fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"];
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        println!("SKIPPED: no nginx");
    }
    found
}

/// The main file, which needs nothing but its folder.
fn main_file(folder: &Path, sites: &str) -> String {
    let folder = folder.display();
    format!(
        "# the main file; proxy_pass http://127.0.0.1:18169; is a comment\n\
         daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 64; }}\n\
         http {{\n  access_log off;\n  client_body_temp_path {folder}/body;\n  \
         proxy_temp_path {folder}/proxy;\n  fastcgi_temp_path {folder}/fastcgi;\n  \
         uwsgi_temp_path {folder}/uwsgi;\n  scgi_temp_path {folder}/scgi;\n  \
         log_format odd '$remote_addr \"{{not a block}}\" ; # no comment';\n  \
         include {sites};\n}}\n"
    )
}

/// What nginx prints of its configuration.
fn dump(program: &Path, folder: &Path) -> String {
    let output = Command::new(program)
        .args(["-T", "-p"])
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

impl Nginx {
    fn start(program: &Path, folder: &Path, port: u16) -> Self {
        let child = Command::new(program)
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { child };
        wait_until("nginx listens", Duration::from_secs(20), || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        nginx
    }
}

/// Head and body of an answer, to a path exactly as it stands.
fn ask(port: u16, host: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_owned(), body.trim().to_owned())
}

/// Locations of every kind; each says its number.
fn numbered(first: usize, locations: &[&str]) -> String {
    let line = |(at, location): (usize, &&str)| {
        format!(
            "    location {location} {{ return 200 \"{}\"; }}\n",
            first + at
        )
    };
    locations.iter().enumerate().map(line).collect()
}

/// The number that a location says.
fn number(location: Location<'_>) -> String {
    let answer = location.directive.child("return");
    answer.map_or("nothing".to_owned(), |answer| answer.args[1].clone())
}

#[test]
fn the_location_we_choose_is_the_one_that_the_real_nginx_chooses() {
    let Some(program) = program() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [port] = free_ports();
    let first = numbered(
        10,
        &[
            "/",
            "= /",
            "= /v1/models",
            "/v1/",
            "/v1/chat/",
            "^~ /static/",
            "~ \\.php$",
            "~* \\.(jpg|png)$",
            "~ ^/v1/.*/deep$",
            "/portal/",
            "/portal",
            "/a%20b/",
            "\"/quoted path/\"",
        ],
    );
    fs::create_dir(folder.join("sites")).unwrap();
    fs::write(folder.join("nginx.conf"), main_file(folder, "sites/*.conf")).unwrap();
    let site = |names: &str, more: &str| {
        format!("server {{\n  listen 127.0.0.1:{port};\n  server_name {names}; # names\n{more}}}\n")
    };
    fs::write(
        folder.join("sites/a.conf"),
        site("example.com www.example.com", &first) + &site("*.example.com", &numbered(30, &["/"])),
    )
    .unwrap();
    let nested = "  location /out/ {\n    location /out/in/ { return 200 \"51\"; }\n    \
                  location ~ \\.txt$ { return 200 \"52\"; }\n    return 200 \"50\";\n  }\n";
    fs::write(
        folder.join("sites/b.conf"),
        site("~^api\\d+\\.example\\.org$", &numbered(40, &["/", "/x/"]))
            + &site("example.net", nested),
    )
    .unwrap();
    let config = NginxConfig::read(&dump(&program, folder)).unwrap();
    let nginx = Nginx::start(&program, folder, port);
    let rows = [
        (
            "example.com",
            vec![
                "/",
                "/v1/models",
                "/v1/models/",
                "/v1/models?x=1",
                "/v1/chat/completions",
                "/v1/chat",
                "/v1/x/deep",
                "/v1/chat/deep",
                "/static/a.php",
                "/static",
                "/a.php",
                "/v1/a.php",
                "/A.JPG",
                "/a.PHP",
                "/portal/",
                "/portal",
                "/portalx",
                "/nothing",
                "//v1//models",
                "/v1/./models",
                "/x/../v1/models",
                "/v1/%6dodels",
                "/quoted%20path/x",
                "/a%2520b/x",
            ],
        ),
        ("www.example.com", vec!["/v1/models"]),
        ("deep.example.com", vec!["/v1/models"]),
        ("api12.example.org", vec!["/x/y", "/y"]),
        (
            "example.net",
            vec!["/out/", "/out/in/x", "/out/a.txt", "/out/in/a.txt"],
        ),
    ];
    let mut wrong = Vec::new();
    for (host, paths) in rows {
        for path in paths {
            let (_, real) = ask(port, host, path);
            let server = config.server_for(host).expect(host);
            let bare = path.split('?').next().unwrap();
            let ours =
                choose(server.directive, bare).map(|found| found.map_or("none".to_owned(), number));
            if ours != Ok(real.clone()) {
                wrong.push(format!("{host}{path}: nginx takes `{real}`, we {ours:?}"));
            }
        }
    }
    drop(nginx);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_upstream_we_say_is_where_the_real_nginx_sends_a_request() {
    let Some(program) = program() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [port, up, other] = free_ports();
    fs::write(folder.join("nginx.conf"), main_file(folder, "site.conf")).unwrap();
    let echo = |port: u16| {
        format!(
            "server {{ listen 127.0.0.1:{port}; location / {{ return 200 \"http://127.0.0.1:{port}$request_uri\"; }} }}\n"
        )
    };
    let site = format!(
        "upstream group {{ server 127.0.0.1:{up}; }}\n\
         server {{\n  listen 127.0.0.1:{port};\n  server_name example.com;\n  \
         location /slash/ {{ proxy_pass http://127.0.0.1:{up}/; }}\n  \
         location /v1-slash/ {{ proxy_pass http://127.0.0.1:{up}/v1/; }}\n  \
         location /lost/ {{ proxy_pass http://127.0.0.1:{up}/v1; }}\n  \
         location /bare/ {{ proxy_pass http://127.0.0.1:{other}; }}\n  \
         location = /one {{ proxy_pass http://group/two; }}\n  \
         location ~ \\.php$ {{ proxy_pass http://127.0.0.1:{other}; }}\n  \
         location / {{ proxy_pass http://group; }}\n}}\n{}{}",
        echo(up),
        echo(other)
    );
    fs::write(folder.join("site.conf"), site).unwrap();
    let config = NginxConfig::read(&dump(&program, folder)).unwrap();
    let _nginx = Nginx::start(&program, folder, port);
    let mut wrong = Vec::new();
    for path in [
        "/slash/x/y?z=1",
        "/slash/",
        "/slash",
        "/v1-slash/models",
        "/lost/models",
        "/bare/x",
        "/bare",
        "/one",
        "/one?x=1",
        "/onex",
        "/a.php?b",
        "/v1/models",
        "/slash//x",
        "/slash/a%20b",
        "/bare/a%20b/../c",
    ] {
        let (head, real) = ask(port, "example.com", path);
        let server = config.server_for("example.com").unwrap();
        let ours = match server.effect(&config, path) {
            Ok(Effect::Proxy(urls)) => urls.join(" "),
            Ok(Effect::Local(what)) => what,
            other => format!("{other:?}"),
        };
        let real = match head.split_whitespace().nth(1) {
            Some("301") => "redirect".to_owned(),
            _ => real,
        };
        let redirected = real == "redirect" && ours.starts_with("redirect");
        if ours != real && !redirected {
            wrong.push(format!("{path}: nginx asks {real}, we say {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_and_bad_configurations_of_the_real_nginx_are_told_apart() {
    let Some(program) = program() else {
        return;
    };
    let Some(mut here) = Here::new(&["sh"]) else {
        return;
    };
    let folder = here.dir.path().join("nginx");
    fs::create_dir_all(folder.join("bin")).unwrap();
    // As somebody would whose nginx stands in a folder of its own.
    let wrapper = folder.join("bin/nginx");
    let script = format!(
        "#!/bin/sh\nexec {} -p {folder} -c {folder}/nginx.conf \"$@\"\n",
        program.display(),
        folder = folder.display()
    );
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("nginx.conf"), main_file(&folder, "site.conf")).unwrap();
    here.settings = format!(
        "[machine.local]\npath = [\"{}\"]\n",
        folder.join("bin").display()
    );
    let [port] = free_ports();
    here.check(
        "site",
        "nginx = { server_name = \"example.com\", banned_ports = [18169], \
         upstreams = [\"127.0.0.1:8080\"], \
         location = [{ path = \"/kimi-v1/\", proxy_pass = \"http://127.0.0.1:8080/v1/\" }], \
         routes = { \"/kimi-v1/models\" = \"http://127.0.0.1:8080/v1/models\" } }",
    );
    let site = |locations: &str| {
        format!("server {{ listen 127.0.0.1:{port}; server_name example.com; {locations} }}")
    };
    let good = "location /kimi-v1/ { proxy_pass http://127.0.0.1:8080/v1/; }";
    let rows = [
        ("good", site(good), "ok", ""),
        (
            "lost slash",
            site("location /kimi-v1/ { proxy_pass http://127.0.0.1:8080/v1; }"),
            "fail",
            "http://127.0.0.1:8080/v1models",
        ),
        (
            "shadowed",
            site(&format!(
                "{good} location ~ models$ {{ proxy_pass http://127.0.0.1:8080; }}"
            )),
            "fail",
            "http://127.0.0.1:8080/kimi-v1/models",
        ),
        (
            "banned",
            site(&format!(
                "{good} location /old/ {{ proxy_pass http://127.0.0.1:18169/; }}"
            )),
            "fail",
            "18169",
        ),
        (
            "another site",
            site(good).replace("example.com", "example.org"),
            "fail",
            "no server block answers to `example.com`",
        ),
        (
            "no configuration",
            "server { listen 127.0.0.1:1; location / { proxy_pass }".to_owned(),
            "unknown",
            "site.conf:1",
        ),
        (
            "an unknown directive",
            site("proxy_passs http://127.0.0.1:8080;"),
            "unknown",
            "unknown directive \"proxy_passs\"",
        ),
    ];
    for (name, text, verdict, found) in rows {
        fs::write(folder.join("site.conf"), text).unwrap();
        let seen = here.judged();
        println!("{name}: {seen:?}");
        assert_rows(&seen, &[("site", verdict, found)]);
    }
}

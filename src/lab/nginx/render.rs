//! The site as text: its own file, and the whole `nginx -T` dump.

use super::{Action, Site};
use std::fmt::Write as _;

impl Site {
    /// `/etc/nginx/sites-available/tksea`.
    pub(crate) fn file_text(&self) -> String {
        let mut out = String::from("server {\n");
        for listen in &self.listen {
            let _ = writeln!(out, "    listen {listen};");
        }
        let _ = write!(
            out,
            "    server_name {name};\n\n    ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;\n    \
             ssl_certificate_key /etc/letsencrypt/live/{name}/privkey.pem;\n\n    \
             client_max_body_size 50m;\n    proxy_http_version 1.1;\n    proxy_buffering off;\n    \
             proxy_set_header Host $host;\n    proxy_set_header X-Real-IP $remote_addr;\n    \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n",
            name = self.server_name
        );
        for directive in &self.more {
            let _ = writeln!(out, "    {directive};");
        }
        for location in &self.locations {
            let _ = writeln!(out, "\n    location {} {{", location.prefix);
            match &location.action {
                Action::Proxy(target) => {
                    let _ = writeln!(out, "        proxy_pass {target};");
                }
                Action::Files {
                    alias, fallback, ..
                } => {
                    let _ = write!(
                        out,
                        "        alias {alias};\n        index index.html;\n        \
                         try_files $uri $uri/ {fallback};\n"
                    );
                }
            }
            out.push_str("    }\n");
        }
        out.push_str("}\n");
        out
    }

    /// What `nginx -T` prints on standard output.
    pub(crate) fn dump(&self) -> String {
        format!(
            "# configuration file /etc/nginx/nginx.conf:\n{MAIN}\n\
             # configuration file /etc/nginx/mime.types:\n{TYPES}\n\
             # configuration file /etc/nginx/sites-enabled/tksea:\n{}\n",
            self.file_text()
        )
    }
}

const MAIN: &str = "\
user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;

events {
    worker_connections 768;
}

http {
    sendfile on;
    # proxy_pass http://127.0.0.1:8081; # before the move, 2026-05
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    include /etc/nginx/sites-enabled/*;
}
";

const TYPES: &str = "\
types {
    text/html                             html htm shtml;
    application/javascript                js;
    application/json                      json;
}
";

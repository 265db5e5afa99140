//! Days that a certificate is still good for, against real certificates served over loopback.

use super::here::{Here, assert_rows};
use crate::support::wait_until;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A TLS server that is ended with the test.
struct Server {
    port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn openssl(folder: &Path, words: &[&str]) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {words:?}: {said}");
}

/// Makes an authority of the test's own.
fn authority(folder: &Path) {
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "400",
            "-subj",
            "/CN=test authority",
        ],
    );
    std::fs::write(folder.join("san"), "subjectAltName = IP:127.0.0.1\n").unwrap();
}

/// Makes a certificate that is good for so many days and serves it.
fn serve(folder: &Path, name: &str, days: &str) -> Server {
    let file = |end: &str| format!("{name}.{end}");
    let (key, csr, pem) = (file("key"), file("csr"), file("pem"));
    openssl(
        folder,
        &[
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &csr, "-subj",
            "/CN=here",
        ],
    );
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            &pem,
            "-days",
            days,
            "-extfile",
            "san",
        ],
    );
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new("openssl")
        .current_dir(folder)
        .args([
            "s_server",
            "-quiet",
            "-www",
            "-accept",
            &format!("127.0.0.1:{port}"),
        ])
        .args(["-cert", &pem, "-key", &key])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { port, child };
    wait_until("openssl listens", Duration::from_secs(20), || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    server
}

#[test]
fn the_days_of_a_real_certificate_are_counted_and_one_that_nobody_trusts_is_not_looked_through() {
    let Some(mut here) = Here::new(&["openssl"]) else {
        return;
    };
    let folder = here.dir.path().to_owned();
    authority(&folder);
    let (long, short) = (serve(&folder, "long", "30"), serve(&folder, "short", "5"));
    let look = |server: &Server, days: u16| {
        format!(
            "http = {{ url = \"https://127.0.0.1:{}/\", status = 200, tls_days = {days} }}",
            server.port
        )
    };
    here.check("good", &look(&long, 14));
    here.check("too-short", &look(&short, 14));
    here.check("just", &look(&short, 4));
    let trusting = vec![("SSL_CERT_FILE".to_owned(), here.path("ca.pem"))];
    here.environment = trusting;
    let rows = here.judged();
    assert_rows(
        &rows,
        &[
            ("good", "ok", "200"),
            ("too-short", "fail", "4 days"),
            ("just", "ok", "200"),
        ],
    );
    // The same without the authority.
    let empty = here.path("none.pem");
    openssl(
        &folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "none.key",
            "-out",
            "none.pem",
            "-days",
            "9",
            "-subj",
            "/CN=another authority",
        ],
    );
    here.environment = vec![("SSL_CERT_FILE".to_owned(), empty)];
    for (id, (verdict, found)) in here.again(&[]) {
        assert_eq!(verdict, "unreachable", "{id}: {found}");
        assert!(found.contains("(TLS)"), "{id}: {found}");
    }
}

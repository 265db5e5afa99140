//! The lab's host and vendors on loopback, as the recorded host had them.

use super::play::Stage;
use cockpit_lab::net::AddressTable;
use cockpit_lab::request_log::RequestLog;
use cockpit_lab::sub2api::{HostOptions, SimHost};
use cockpit_lab::upstream::{Vendor, VendorKind};
use std::net::SocketAddr;
use std::time::Duration;

async fn listen(router: axum::Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let at = listener.local_addr().expect("an address");
    drop(tokio::spawn(
        async move { axum::serve(listener, router).await },
    ));
    at
}

/// A fresh host with its two vendors.
pub(super) async fn stage() -> Stage {
    let (table, log) = (AddressTable::default(), RequestLog::default());
    let host = SimHost::new(HostOptions {
        id: "recorded".to_owned(),
        machine: "m1".to_owned(),
        admin_key: "admin-lab-key".to_owned(),
        admin_email: "admin@lab".to_owned(),
        admin_password: "admin-password".to_owned(),
        table: table.clone(),
        log: log.clone(),
        probe_delay: Duration::from_millis(5),
        seed: 11,
    });
    let models = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let vendors = [
        (
            "good",
            VendorKind::Good,
            models(&["gpt-5.4", "gpt-5.4-mini", "lab-chat"]),
        ),
        (
            "chat",
            VendorKind::ChatOnly,
            models(&["lab-chat", "deepseek-chat"]),
        ),
    ];
    for (name, kind, models) in vendors {
        let vendor = Vendor::new(name, kind, models, log.clone());
        let at = listen(vendor.router()).await;
        table.bind("*", &format!("{name}.upstream.lab"), 80, at);
    }
    let at = listen(host.router()).await;
    Stage {
        base: format!("http://{at}"),
        admin_key: "admin-lab-key".to_owned(),
        good: "http://good.upstream.lab".to_owned(),
        chat: "http://chat.upstream.lab".to_owned(),
        run: "rec0000".to_owned(),
        lab: Some(host),
    }
}

//! The embedded SSH server: one listener a machine, public key only, exec and direct-tcpip.
//! What a command answers is the machine's business, not this folder's.

mod forward;
mod handler;
mod keys;
pub(crate) mod wrappers;

pub(crate) use keys::{SshKey, known_hosts_line};

use crate::error::LabError;
use crate::machine::Machine;
use crate::serve::{Guarded, Life, listen};
use handler::Connection;
use russh::keys::PublicKey;
use russh::server::Config;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Sessions one connection may have open, as OpenSSH's `MaxSessions` has it.
pub(crate) const MAX_SESSIONS: usize = 10;

/// Starts the server of one machine; says where it listens.
pub(crate) async fn serve(
    machine: Arc<Machine>,
    host_key: &SshKey,
    client: PublicKey,
    life: &Life,
) -> Result<SocketAddr, LabError> {
    let config = Arc::new(Config {
        server_id: russh::SshId::Standard("SSH-2.0-OpenSSH_9.6p1 lab".into()),
        methods: (&[russh::MethodKind::PublicKey][..]).into(),
        auth_rejection_time: Duration::from_millis(20),
        // Every OpenSSH client first asks with `none`; waiting there would cost each connect.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![host_key.private()],
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    });
    let (listener, at) = listen().await?;
    let Life { end, tasks } = life.clone();
    let life = life.clone();
    tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = end.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            let stream = Guarded::new(stream, &end);
            let connection = Connection::new(machine.clone(), client.clone(), life.clone());
            let config = config.clone();
            life.tasks.spawn(async move {
                if let Ok(session) = russh::server::run_stream(config, stream, connection).await {
                    // How it ended (dropped, disconnected, lab over) makes no difference here.
                    drop(session.await);
                }
            });
        }
    });
    Ok(at)
}

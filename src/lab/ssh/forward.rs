//! direct-tcpip: from a channel to what the address table has at that place of the machine. A
//! forwarded connection dies when its far end goes away, as a real one does.

use crate::machine::Machine;
use russh::server::{ChannelOpenHandle, Msg};
use russh::{Channel, ChannelOpenFailure};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Where a client wants to go, seen from a machine.
pub(super) struct Target {
    pub(super) machine: Arc<Machine>,
    pub(super) name: String,
    pub(super) port: u16,
}

impl Target {
    fn at(&self) -> Option<SocketAddr> {
        self.machine.forward_target(&self.name, self.port)
    }

    /// Waits until this place is no longer what it was.
    async fn gone(&self, was: SocketAddr) {
        let mut changes = self.machine.changes();
        while self.at() == Some(was) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Opens the connection, answers the client, then carries bytes both ways.
pub(super) async fn run(
    target: Target,
    channel: Channel<Msg>,
    reply: ChannelOpenHandle,
    end: CancellationToken,
) {
    if target.machine.forwards_refused() {
        reply.reject(refusal(1, "open failed")).await;
        return;
    }
    let connected = match target.at() {
        Some(at) => TcpStream::connect(at).await.ok().map(|stream| (at, stream)),
        None => None,
    };
    let Some((at, mut far)) = connected else {
        let reason = match target.name.as_str() {
            "127.0.0.1" | "localhost" | "::1" => "Connection refused",
            _ => "Name or service not known",
        };
        reply.reject(refusal(2, reason)).await;
        return;
    };
    drop(far.set_nodelay(true));
    reply.accept().await;
    let mut near = channel.into_stream();
    tokio::select! {
        () = end.cancelled() => {}
        () = target.gone(at) => {}
        // Either end may hang up at any time; there is nobody to tell.
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
    }
    drop(tokio::io::AsyncWriteExt::shutdown(&mut near).await);
}

/// A refusal in the words of OpenSSH's server: 1 is prohibited, 2 is a failed connect.
fn refusal(code: u32, reason: &str) -> ChannelOpenFailure {
    ChannelOpenFailure::Other {
        code,
        reason: reason.to_owned(),
    }
}

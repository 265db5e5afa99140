//! One SSH connection: who may log in, how many sessions are open, what runs in each.

use super::{MAX_SESSIONS, forward};
use crate::machine::{Answer, Line, Machine};
use crate::serve::Life;
use russh::keys::PublicKey;
use russh::server::{
    Auth, ChannelOpenHandle, Handle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// Largest piece handed to the session at once, so that one long dump does not starve the others.
const PIECE: usize = 16 * 1024;

enum Open {
    /// Opened, nothing asked yet.
    Idle(OwnedSemaphorePermit),
    /// A command runs in it (or ran).
    Busy {
        task: AbortHandle,
        /// Told when the client closes its input, if that ends the command.
        input_closed: Option<CancellationToken>,
    },
}

/// The server side of one connection.
pub(super) struct Connection {
    machine: Arc<Machine>,
    client: PublicKey,
    life: Life,
    sessions: Arc<Semaphore>,
    open: HashMap<ChannelId, Open>,
}

impl Connection {
    pub(super) fn new(machine: Arc<Machine>, client: PublicKey, life: Life) -> Self {
        Self {
            machine,
            client,
            life,
            sessions: Arc::new(Semaphore::new(MAX_SESSIONS)),
            open: HashMap::new(),
        }
    }

    fn judge(&self, key: &PublicKey) -> Auth {
        if key.key_data() == self.client.key_data() {
            Auth::Accept
        } else {
            Auth::reject()
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for open in self.open.values() {
            if let Open::Busy { task, .. } = open {
                task.abort();
            }
        }
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(offer.public_key))
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.sessions.clone().try_acquire_owned() {
            Ok(permit) => {
                self.open.insert(channel.id(), Open::Idle(permit));
                reply.accept().await;
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let target = forward::Target {
            machine: self.machine.clone(),
            name: host_to_connect.to_owned(),
            port: u16::try_from(port_to_connect).unwrap_or(0),
        };
        let end = self.life.end.clone();
        // Connecting must not hold up the other channels of this connection.
        self.life
            .tasks
            .spawn(forward::run(target, channel, reply, end));
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(Open::Idle(permit)) = self.open.remove(&channel) else {
            session.channel_failure(channel)?;
            return Ok(());
        };
        session.channel_success(channel)?;
        let command = String::from_utf8_lossy(data).into_owned();
        let answer = self.machine.run(&command);
        let input_closed = CancellationToken::new();
        let kept = answer.kept;
        let run = Run {
            handle: session.handle(),
            channel,
            input_closed: input_closed.clone(),
        };
        let end = self.life.end.clone();
        let task = self.life.tasks.spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = run.answer(answer, permit) => {}
            }
        });
        let busy = Open::Busy {
            task: task.abort_handle(),
            input_closed: kept.then_some(input_closed),
        };
        self.open.insert(channel, busy);
        Ok(())
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        // There is no shell; OpenSSH then says `shell request failed on channel 0`.
        session.channel_failure(channel)?;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)?;
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(Open::Busy {
            input_closed: Some(told),
            ..
        }) = self.open.get(&channel)
        {
            told.cancel();
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(Open::Busy { task, .. }) = self.open.remove(&channel) {
            task.abort();
        }
        Ok(())
    }
}

/// The answering side of one command.
struct Run {
    handle: Handle,
    channel: ChannelId,
    input_closed: CancellationToken,
}

/// Exit code of a program that a keeper ended.
const TERMINATED: u32 = 143;

impl Run {
    async fn answer(self, answer: Answer, permit: OwnedSemaphorePermit) {
        let (output, follow) = answer.into_parts();
        let mut code = output.code;
        if self.send(&output.lines).await.is_err() {
            return;
        }
        if let Some(mut follow) = follow {
            code = TERMINATED;
            loop {
                let lines = tokio::select! {
                    () = self.input_closed.cancelled() => break,
                    lines = follow.next() => lines,
                };
                if self.send(&lines).await.is_err() {
                    return;
                }
            }
        }
        let _ = self.handle.exit_status_request(self.channel, code).await;
        let _ = self.handle.eof(self.channel).await;
        // Freed before the client can see the end, so that its next session finds room.
        drop(permit);
        let _ = self.handle.close(self.channel).await;
    }

    /// Sends lines in their order, neighbours of one stream together.
    async fn send(&self, lines: &[Line]) -> Result<(), ()> {
        for run in lines.chunk_by(|a, b| a.stderr == b.stderr) {
            let text: String = run.iter().map(|line| line.text.as_str()).collect();
            for piece in text.as_bytes().chunks(PIECE) {
                let piece = bytes::Bytes::copy_from_slice(piece);
                let sent = if run[0].stderr {
                    self.handle.extended_data(self.channel, 1, piece).await
                } else {
                    self.handle.data(self.channel, piece).await
                };
                sent.map_err(drop)?;
            }
        }
        Ok(())
    }
}

//! Listeners on 127.0.0.1 whose every connection dies with the lab: no accepted socket outlives
//! the cancellation, also not one that is in the middle of an answer.

use crate::error::LabError;
use axum::Router;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

/// The life of everything the lab starts: one token that ends it, one tracker that waits for it.
#[derive(Clone, Default)]
pub(crate) struct Life {
    pub(crate) end: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A TCP stream that fails as soon as the lab ends.
pub(crate) struct Guarded {
    stream: TcpStream,
    end: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Guarded {
    pub(crate) fn new(stream: TcpStream, end: &CancellationToken) -> Self {
        // Small answers must not wait for an acknowledgement; the lab's timing is part of drills.
        drop(stream.set_nodelay(true));
        Self {
            stream,
            end: Box::pin(end.clone().cancelled_owned()),
        }
    }

    fn over(&mut self, context: &mut Context<'_>) -> bool {
        self.end.as_mut().poll(context).is_ready()
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the lab ended")
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over(context) {
            return Poll::Ready(Err(ended()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.over(context) {
            return Poll::Ready(Err(ended()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

struct GuardedListener {
    listener: TcpListener,
    end: CancellationToken,
}

impl axum::serve::Listener for GuardedListener {
    type Io = Guarded;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (Guarded::new(stream, &self.end), peer),
                // Out of descriptors or a connection that died in the queue: the next may do.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Opens a listener on a free port of 127.0.0.1.
pub(crate) async fn listen() -> Result<(TcpListener, SocketAddr), LabError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(LabError::Listen)?;
    let at = listener.local_addr().map_err(LabError::Listen)?;
    Ok((listener, at))
}

/// Serves a router until the lab ends; says where.
pub(crate) async fn serve_http(router: Router, life: &Life) -> Result<SocketAddr, LabError> {
    let (listener, at) = listen().await?;
    let end = life.end.clone();
    let listener = GuardedListener {
        listener,
        end: end.clone(),
    };
    life.tasks.spawn(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(end.cancelled_owned());
        drop(serving.await);
    });
    Ok(at)
}

/// Something that accepts and says nothing sensible: stands for a service whose protocol the lab
/// does not speak (PostgreSQL, Redis, a second sshd).
pub(crate) async fn serve_mute(life: &Life) -> Result<SocketAddr, LabError> {
    let (listener, at) = listen().await?;
    let Life { end, tasks } = life.clone();
    let inner = tasks.clone();
    tasks.spawn(async move {
        loop {
            let stream = tokio::select! {
                () = end.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = stream else { continue };
            let mut stream = Guarded::new(stream, &end);
            inner.spawn(async move {
                let mut ignored = [0_u8; 512];
                while matches!(stream.read(&mut ignored).await, Ok(read) if read > 0) {}
            });
        }
    });
    Ok(at)
}

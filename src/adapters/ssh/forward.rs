//! Forwards: a private UNIX socket here to an address as a machine sees it. Shared while somebody
//! holds one, seen to reach a listener before it is handed out, made anew after a broken
//! connection, always under a name nobody used before.

use super::explain;
use super::link::Link;
use super::master::Master;
use cockpit_domain::ids::MachineId;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use openssh::{ForwardType, Socket};
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, Weak};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

/// Longest wait for the local master to take or cancel a forward.
const LOCAL_ANSWER: Duration = Duration::from_secs(2);
/// How long a refused forward may take to show: one round trip, which we know to be shorter than
/// the log-in.
const LONGEST_LOOK: Duration = Duration::from_millis(400);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Target {
    machine: MachineId,
    host: String,
    port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The forwards that are open, by target. The inner lock lets one caller open, the rest wait.
#[derive(Default)]
pub(super) struct Forwards(SyncMutex<HashMap<Target, Arc<Mutex<Weak<Open>>>>>);

impl Forwards {
    fn place(&self, target: &Target) -> Arc<Mutex<Weak<Open>>> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(table.entry(target.clone()).or_default())
    }

    pub(super) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// One open forward.
struct Open {
    socket: PathBuf,
    target: Target,
    master: Arc<Master>,
    runtime: Handle,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Cancelling leaves the file behind.
        drop(fs::remove_file(&self.socket));
        if self.master.is_up() {
            let (master, target) = (Arc::clone(&self.master), self.target.clone());
            let socket = std::mem::take(&mut self.socket);
            drop(
                self.runtime
                    .spawn(async move { cancel(&master, &socket, &target).await }),
            );
        }
    }
}

async fn cancel(master: &Master, socket: &Path, target: &Target) {
    let asked = master.session().close_port_forward(
        ForwardType::Local,
        Socket::from(socket),
        Socket::new(target.host.as_str(), target.port),
    );
    drop(timeout(LOCAL_ANSWER, asked).await);
}

/// A forward from a private UNIX socket here to an address as seen from a machine. Closed when
/// its last clone is dropped.
#[derive(Clone)]
pub struct Forward {
    /// Where to connect. Good while [`Forward::is_open`]; [`Forward::renewed`] gives the next.
    pub socket: PathBuf,
    open: Arc<Open>,
    link: Arc<Link>,
    forwards: Arc<Forwards>,
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward")
            .field("socket", &self.socket)
            .field("target", &self.open.target.to_string())
            .finish_non_exhaustive()
    }
}

impl Forward {
    /// Whether the connection under it stands, as far as is known here.
    pub fn is_open(&self) -> bool {
        self.open.master.is_up()
    }

    /// Waits until the connection under it is gone.
    pub async fn ended(&self) {
        self.open.master.ended().await;
    }

    /// This forward while it is open, else a new one to the same target on a fresh socket.
    pub async fn renewed(&self) -> Outcome<Self> {
        if self.is_open() {
            return Ok(self.clone());
        }
        let target = &self.open.target;
        open(&self.forwards, &self.link, &target.host, target.port).await
    }

    /// Looks end to end again, and says in words why nobody is there. For the moment in which a
    /// request over the socket ended with nothing.
    pub async fn check(&self) -> Outcome<()> {
        look(&self.link, &self.open).await
    }

    /// Gives this handle back and, if it was the last, waits until the forward is cancelled.
    pub async fn close(self) {
        let Self { open, .. } = self;
        if let Some(open) = Arc::into_inner(open) {
            let master = Arc::clone(&open.master);
            if master.is_up() {
                cancel(&master, &open.socket, &open.target).await;
            }
        }
    }
}

/// Opens a forward or shares the open one.
pub(super) async fn open(
    forwards: &Arc<Forwards>,
    link: &Arc<Link>,
    host: &str,
    port: u16,
) -> Outcome<Forward> {
    let target = Target {
        machine: link.machine().clone(),
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
    };
    if target.host.is_empty() || target.host.contains(|c: char| c.is_control() || c == '/') {
        return Err(Failure::new(
            FailureKind::Usage,
            "the tunnel's target is no host name",
        ));
    }
    let place = forwards.place(&target);
    let mut held = place.lock().await;
    let open = match held.upgrade() {
        Some(open) if open.master.is_up() => open,
        _ => {
            let open = Arc::new(make(link, target).await?);
            look(link, &open).await?;
            *held = Arc::downgrade(&open);
            open
        }
    };
    Ok(Forward {
        socket: open.socket.clone(),
        open,
        link: Arc::clone(link),
        forwards: Arc::clone(forwards),
    })
}

async fn make(link: &Arc<Link>, target: Target) -> Outcome<Open> {
    let mut again = true;
    loop {
        let master = link.up().await?;
        let socket = link.core().folder.fresh('f');
        let asked = master.session().request_port_forward(
            ForwardType::Local,
            Socket::from(socket.as_path()),
            Socket::new(target.host.as_str(), target.port),
        );
        match timeout(LOCAL_ANSWER, asked).await {
            Ok(Ok(())) => {
                return Ok(Open {
                    socket,
                    target,
                    master,
                    runtime: Handle::current(),
                });
            }
            refused => {
                drop(fs::remove_file(&socket));
                let (slow, there) = (refused.is_err(), master.answers().await);
                // Nothing was sent to the target: may be asked again, also where ssh is only slow.
                if again && (slow || !there) {
                    again = false;
                    if !there {
                        link.give_up(&master).await;
                    }
                    continue;
                }
                let (why, hint) = match refused {
                    Ok(Err(error)) => (
                        error.to_string(),
                        "see whether the folder of the sockets can be written",
                    ),
                    _ => (
                        "no answer from the ssh process".to_owned(),
                        "this computer may be too busy: try again",
                    ),
                };
                return Err(Failure::new(
                    FailureKind::Unreachable,
                    format!("ssh did not open the tunnel to {target}: {why}"),
                )
                .hint(hint));
            }
        }
    }
}

/// Connects through a forward. A refusal arrives as an end without a word, its reason in the log.
async fn look(link: &Arc<Link>, open: &Open) -> Outcome<()> {
    let _alone = link.forward_check.lock().await;
    let machine = link.machine().as_str();
    let lost = || explain::lost(machine, &open.master.log().since(0));
    let mark = open.master.log().mark();
    let reached = timeout(LOCAL_ANSWER, UnixStream::connect(&open.socket)).await;
    let Ok(Ok(mut stream)) = reached else {
        return Err(lost());
    };
    let patience = open
        .master
        .took()
        .clamp(Duration::from_millis(40), LONGEST_LOOK);
    let mut byte = [0];
    match timeout(patience, stream.read(&mut byte)).await {
        // Silent and open, or already talking.
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0) | Err(_)) => {
            let until = Instant::now() + Duration::from_millis(100);
            let mut lines = open.master.log().since(mark);
            while lines.is_empty() && open.master.is_up() && Instant::now() < until {
                sleep(Duration::from_millis(5)).await;
                lines = open.master.log().since(mark);
            }
            if !open.master.is_up() {
                return Err(lost());
            }
            let target = &open.target;
            Err(explain::forward(
                machine,
                &target.to_string(),
                target.port,
                &lines,
            ))
        }
    }
}

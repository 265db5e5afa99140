//! The way to an address: one HTTP client per tunnel socket, built again when the tunnel was.

use super::tunnels::{TunnelGuard, Tunnels};
use cockpit_domain::ids::MachineId;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Where connections are made.
pub(crate) enum Route {
    /// From this computer, over TCP.
    Direct,
    /// Through a machine's tunnel.
    Tunnel {
        tunnels: Arc<dyn Tunnels>,
        machine: MachineId,
        host: String,
        port: u16,
    },
}

/// How a client of this way is built.
#[derive(Clone, Copy)]
pub(crate) struct ClientShape {
    /// Whether TLS is spoken; only then are the system's root certificates loaded, because
    /// building a client fails where there are none.
    pub(crate) tls: bool,
    /// Longest wait for a connection.
    pub(crate) connect: Duration,
    /// Idle connections kept.
    pub(crate) idle: usize,
}

struct Held {
    client: Client,
    /// Keeps the forward open.
    guard: Option<Arc<dyn TunnelGuard>>,
    made: u64,
}

impl Held {
    fn is_broken(&self) -> bool {
        self.guard.as_ref().is_some_and(|guard| !guard.is_open())
    }
}

/// A client and the count of the making it comes from.
pub(crate) struct Dialled {
    pub(crate) client: Client,
    pub(crate) made: u64,
}

pub(crate) struct Way {
    route: Route,
    shape: ClientShape,
    held: Mutex<Option<Held>>,
}

impl Way {
    pub(crate) fn new(route: Route, shape: ClientShape) -> Self {
        Self {
            route,
            shape,
            held: Mutex::new(None),
        }
    }

    /// The words for "through `web1`", empty for a direct way.
    pub(crate) fn through(&self) -> String {
        match &self.route {
            Route::Direct => String::new(),
            Route::Tunnel { machine, .. } => format!(" through `{machine}`"),
        }
    }

    pub(crate) async fn client(&self) -> Outcome<Dialled> {
        let mut held = self.held.lock().await;
        let last = held.as_ref().map_or(0, |held| held.made);
        if held.as_ref().is_some_and(Held::is_broken) {
            *held = None;
        }
        self.fill(&mut held, last).await
    }

    /// What the tunnel itself says about a request that ended without a word.
    pub(crate) async fn trouble(&self) -> Option<Failure> {
        let guard = self.held.lock().await.as_ref()?.guard.clone()?;
        guard.trouble().await
    }

    /// After a connection of making `made` was refused: asks the tunnel once more, unless somebody
    /// else did meanwhile. `None` on a direct way, where asking again changes nothing.
    pub(crate) async fn again(&self, made: u64) -> Outcome<Option<Dialled>> {
        if matches!(self.route, Route::Direct) {
            return Ok(None);
        }
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.made == made) {
            *held = None;
        }
        self.fill(&mut held, made).await.map(Some)
    }

    async fn fill(&self, held: &mut Option<Held>, last: u64) -> Outcome<Dialled> {
        if let Some(held) = held {
            return Ok(Dialled {
                client: held.client.clone(),
                made: held.made,
            });
        }
        let (builder, guard) = match &self.route {
            Route::Direct => (self.builder(), None),
            Route::Tunnel {
                tunnels,
                machine,
                host,
                port,
            } => {
                let guard = tunnels.socket(machine, host, *port).await?;
                (self.builder().unix_socket(guard.path()), Some(guard))
            }
        };
        let client = builder.build().map_err(|error| no_client(&error))?;
        let made = last + 1;
        *held = Some(Held {
            client: client.clone(),
            guard,
            made,
        });
        Ok(Dialled { client, made })
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            // A redirect over a socket would go to the same socket, whatever host it names.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(self.shape.connect)
            // Shorter than any server's own idle limit, so that a request seldom meets a
            // connection that is just being closed.
            .pool_idle_timeout(Duration::from_secs(15))
            .pool_max_idle_per_host(self.shape.idle)
            .user_agent(concat!("relay-cockpit/", env!("CARGO_PKG_VERSION")));
        if self.shape.tls {
            builder.tls_info(true)
        } else {
            builder.tls_certs_only([])
        }
    }
}

fn no_client(error: &reqwest::Error) -> Failure {
    let text = super::transport::chain(error);
    if text.contains("CA certificates") {
        Failure::new(
            FailureKind::Config,
            "this computer has no CA certificates, so an https address cannot be checked",
        )
        .hint("install the package `ca-certificates`, or name a file in SSL_CERT_FILE")
    } else {
        Failure::new(
            FailureKind::Internal,
            format!("no HTTP client could be made: {text}"),
        )
    }
}

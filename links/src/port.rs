//! The one port of a node: accepts connections, lets in only who has the cluster's secret, and
//! hands each to what its protocol names: the actors' sessions or the HTTP router. A stranger is
//! bounded in time, number and memory; it never reaches anything behind the handshake.

mod activity;
mod handshakes;
mod refusals;
mod serving;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::socket::tune;
use crate::tls::{ALPN_ACTORS, ALPN_HTTP, Identity};
use handshakes::{Handshake, Handshakes};
use refusals::{Refusal, Refusals};

/// The version of what nodes say to each other over HTTP, in every request and answer.
pub const PROTOCOL: &str = "1";
/// The header that bears it.
pub const PROTOCOL_HEADER: &str = "wallaby-protocol";
/// How large the body of a request may be, in bytes, unless a route says otherwise
/// (`axum::extract::DefaultBodyLimit`).
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many connections may wait in the kernel to be accepted.
const BACKLOG: u32 = 1024;
/// How long no connection is accepted after the system refused one, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// An authenticated connection for the actors' sessions.
#[derive(Debug)]
pub struct ActorStream {
    /// The peer's end.
    pub peer: SocketAddr,
    /// This node's end.
    pub local: SocketAddr,
    /// The connection.
    pub stream: TlsStream<TcpStream>,
}

/// Why a port cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen}: {source}")]
pub struct PortError {
    /// The address that was asked for.
    pub listen: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

/// What a port bounds.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Handshakes at once; of more the oldest is ended.
    handshakes: usize,
    /// How long a handshake may take.
    handshake: Duration,
    /// HTTP connections at once; further ones are closed.
    connections: usize,
    /// How long the head of a request may take to arrive.
    head: Duration,
    /// How long a connection may rest.
    idle: Duration,
    /// How long requests at hand may still take when the port closes.
    farewell: Duration,
}

const LIMITS: Limits = Limits {
    handshakes: 256,
    handshake: Duration::from_secs(3),
    connections: 1024,
    head: Duration::from_secs(10),
    idle: Duration::from_secs(5 * 60),
    farewell: Duration::from_secs(2),
};

/// The open port of a node. Closes when dropped.
#[derive(Debug)]
pub struct Port {
    local: SocketAddr,
    closing: watch::Sender<bool>,
}

impl Port {
    /// Opens `listen` and serves connections from then on: those for the actors go into `actors`
    /// (and are closed if it is full), those for HTTP are answered by `http`. Port 0 takes any
    /// free port. To be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn bind(
        listen: SocketAddr,
        identity: Arc<Identity>,
        http: axum::Router,
        actors: mpsc::Sender<ActorStream>,
    ) -> Result<Self, PortError> {
        Self::bind_with(listen, &identity, http, actors, LIMITS)
    }

    fn bind_with(
        listen: SocketAddr,
        identity: &Identity,
        http: axum::Router,
        actors: mpsc::Sender<ActorStream>,
        limits: Limits,
    ) -> Result<Self, PortError> {
        let failed = |source| PortError { listen, source };
        let listener = listener(listen).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let (closing, closed) = watch::channel(false);
        let acceptor = Acceptor {
            tls: identity.acceptor(),
            router: serving::with_protocol(http),
            actors,
            handshakes: Handshakes::new(limits.handshakes),
            connections: Arc::new(Semaphore::new(limits.connections)),
            refusals: Refusals::default(),
            limits,
            closed,
        };
        tokio::spawn(Arc::new(acceptor).run(listener));
        Ok(Self { local, closing })
    }

    /// The address that is listened on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Accepts no more connections, lets requests at hand finish for up to two seconds, and
    /// returns once the address is free and all HTTP connections are closed.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        self.closing.closed().await;
    }
}

/// Resolves when the port closes.
async fn until(closed: &mut watch::Receiver<bool>) {
    // A port that was dropped is closed too.
    let _ = closed.wait_for(|closed| *closed).await;
}

fn listener(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(listen),
        socket2::Type::STREAM.nonblocking().cloexec(),
        Some(socket2::Protocol::TCP),
    )?;
    // A node that restarts takes its address again while old connections still linger.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&listen.into())?;
    socket.listen(BACKLOG.cast_signed())?;
    TcpListener::from_std(socket.into())
}

/// What all connections of a port share.
struct Acceptor {
    tls: tokio_rustls::TlsAcceptor,
    router: axum::Router,
    actors: mpsc::Sender<ActorStream>,
    handshakes: Handshakes,
    connections: Arc<Semaphore>,
    refusals: Refusals,
    limits: Limits,
    closed: watch::Receiver<bool>,
}

impl Acceptor {
    /// Accepts until the port closes; owns the listener, which is freed at the end.
    async fn run(self: Arc<Self>, listener: TcpListener) {
        let mut closed = self.closed.clone();
        tokio::select! {
            () = self.accept(&listener) => {}
            () = until(&mut closed) => {}
        }
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let handshake = self.handshakes.begin();
                    tokio::spawn(Arc::clone(self).admit(stream, peer, handshake));
                }
                Err(error) => {
                    self.refusals.report_accept(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn admit(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, mut handshake: Handshake) {
        let mut closed = self.closed.clone();
        let greeted = tokio::select! {
            greeted = self.greet(stream) => greeted,
            () = handshake.given_up() => Err(Refusal::Full("handshakes, and this was the oldest")),
            () = until(&mut closed) => return,
        };
        self.handshakes.end(&handshake);
        match greeted {
            Ok(stream) => self.hand_over(stream, peer).await,
            Err(refusal) => self.refusals.report(peer.ip(), &refusal),
        }
    }

    async fn greet(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Refusal> {
        tune(&stream).map_err(Refusal::Lost)?;
        match timeout(self.limits.handshake, self.tls.accept(stream)).await {
            Ok(greeted) => greeted.map_err(Refusal::from_handshake),
            Err(_) => Err(Refusal::Silent(self.limits.handshake)),
        }
    }

    async fn hand_over(&self, stream: TlsStream<TcpStream>, peer: SocketAddr) {
        let (socket, session) = stream.get_ref();
        match (session.alpn_protocol(), socket.local_addr()) {
            (Some(ALPN_ACTORS), Ok(local)) => {
                if self.actors.try_send(ActorStream { peer, local, stream }).is_err() {
                    self.refusals.report(peer.ip(), &Refusal::Full("actor sessions"));
                }
            }
            (Some(ALPN_HTTP), _) => self.serve(stream, peer).await,
            (_, Err(error)) => self.refusals.report(peer.ip(), &Refusal::Lost(error)),
            _ => self.refusals.report(peer.ip(), &Refusal::NoProtocol),
        }
    }

    async fn serve(&self, stream: TlsStream<TcpStream>, peer: SocketAddr) {
        let Ok(_permit) = self.connections.try_acquire() else {
            return self.refusals.report(peer.ip(), &Refusal::Full("HTTP connections"));
        };
        serving::serve(stream, peer, self.router.clone(), self.limits, self.closed.clone()).await;
    }
}

#[cfg(test)]
#[path = "port_tests.rs"]
mod tests;

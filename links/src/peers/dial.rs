//! Opens connections: resolves the name anew each time, tries its addresses in turn, and shakes
//! hands.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::socket::tune;
use crate::tls::Identity;

/// How long one address of a name may take to accept.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long a peer may take for the handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// The address is none, or its name is unknown.
    #[error("{0}")]
    Address(io::Error),
    /// Nobody accepts there.
    #[error("{0}")]
    Connect(io::Error),
    /// The peer does not shake hands.
    #[error("no handshake within {0:?}")]
    Slow(Duration),
    /// The handshake failed.
    #[error("{0}")]
    Handshake(io::Error),
}

impl DialError {
    /// The same error once more: errors inside others can only be borrowed.
    pub(super) fn same(&self) -> Self {
        match self {
            Self::Address(error) => Self::Address(same(error)),
            Self::Connect(error) => Self::Connect(same(error)),
            Self::Slow(after) => Self::Slow(*after),
            Self::Handshake(error) => Self::Handshake(same(error)),
        }
    }
}

fn same(error: &io::Error) -> io::Error {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => io::Error::new(error.kind(), tls.clone()),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// A connection to `address` (`host:port`), both sides authenticated.
pub(super) async fn dial(
    connector: &TlsConnector,
    address: &str,
) -> Result<TlsStream<TcpStream>, DialError> {
    let stream = connect(address).await?;
    tune(&stream).map_err(DialError::Connect)?;
    match timeout(HANDSHAKE_MAX, connector.connect(Identity::server_name(), stream)).await {
        Ok(greeted) => greeted.map_err(DialError::Handshake),
        Err(_) => Err(DialError::Slow(HANDSHAKE_MAX)),
    }
}

async fn connect(address: &str) -> Result<TcpStream, DialError> {
    let addresses = tokio::net::lookup_host(address).await.map_err(DialError::Address)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(CONNECT_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(DialError::Connect(last))
}

/// Opens the connections of the pool.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(tls: TlsConnector) -> Self {
        Self { tls }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Link>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Link>, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = self.tls.clone();
        Box::pin(async move {
            let address = uri.authority().map_or("", |authority| authority.as_str());
            Ok(TokioIo::new(Link(dial(&tls, address).await?)))
        })
    }
}

/// A pooled connection.
#[derive(Debug)]
pub(super) struct Link(TlsStream<TcpStream>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

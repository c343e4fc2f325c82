//! The client to other nodes: requests over pooled connections, and connections for the actors.
//! Every connection shows the cluster's certificate and asks for the peer's; every wait ends.

mod dial;
mod error;
mod paced;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

pub use error::LinkError;

use crate::port::{PROTOCOL, PROTOCOL_HEADER};
use crate::tls::Identity;
use dial::Connector;
use paced::{Paced, Progress};

/// How large an answer to [`Peers::request`] may be, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much of the answer to a refused request is read for its words, in bytes, and for how long.
const WORDS_BYTES_MAX: usize = 64 * 1024;
const WORDS_WAIT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept; less than a port keeps it.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// How many unused connections are kept for each peer.
const POOL_IDLE_MAX: usize = 8;

/// What goes wrong in a body that is sent.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// The client to all peers. Clones share its connections.
#[derive(Clone)]
pub struct Peers {
    identity: Arc<Identity>,
    client: Client<Connector, RequestBody>,
}

/// A whole answer, of a status from 200 to 299.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most [`ANSWER_BYTES_MAX`].
    pub body: Bytes,
}

impl Peers {
    /// A client that shows the certificate of `identity`.
    #[must_use]
    pub fn new(identity: Arc<Identity>) -> Self {
        let connector = Connector::new(identity.http_connector());
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector);
        Self { identity, client }
    }

    /// Sends a request to `address` (`host:port`) and reads the whole answer, all within `wait`.
    /// A request that may be repeated is sent once more if a pooled connection was closed under
    /// it.
    ///
    /// # Errors
    /// The peer is not reached, not of this cluster, not in time, or refuses; see [`LinkError`].
    pub async fn request(
        &self,
        address: &str,
        method: Method,
        path_and_query: &str,
        body: Bytes,
        wait: Duration,
    ) -> Result<Answer, LinkError> {
        let whole = async {
            let answer = self.send_again(address, &method, path_and_query, &[], body).await?;
            let (parts, body) = answer.into_parts();
            let body = collect(address, body, ANSWER_BYTES_MAX).await?;
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        timeout(wait, whole).await.unwrap_or_else(|_| Err(LinkError::timed_out(address, wait)))
    }

    /// Sends a request and gives the answer as soon as its head is there, within `wait`; the
    /// caller reads the body and bounds that.
    ///
    /// # Errors
    /// As for [`Peers::request`].
    pub async fn open(
        &self,
        address: &str,
        method: Method,
        path_and_query: &str,
        headers: &[(&str, String)],
        body: Bytes,
        wait: Duration,
    ) -> Result<Response<Incoming>, LinkError> {
        let head = self.send_again(address, &method, path_and_query, headers, body);
        timeout(wait, head).await.unwrap_or_else(|_| Err(LinkError::timed_out(address, wait)))
    }

    /// Sends `length` bytes of `body` by PUT and reads the whole answer. Gives up when nothing of
    /// the body could be sent, or no answer came after it, for `idle`.
    ///
    /// # Errors
    /// As for [`Peers::request`]; [`LinkError::Broken`] also if the body fails or has another
    /// length.
    pub async fn put<B>(
        &self,
        address: &str,
        path_and_query: &str,
        length: u64,
        body: B,
        idle: Duration,
    ) -> Result<Answer, LinkError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let progress = Progress::default();
        let body = Paced::new(body, length, progress.clone()).boxed_unsync();
        let length = ("content-length", length.to_string());
        let request = request(address, &Method::PUT, path_and_query, &[length], body)?;
        let whole = async {
            let answer = self.send(address, request).await?;
            let (parts, body) = answer.into_parts();
            let body = collect(address, body, ANSWER_BYTES_MAX).await?;
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::select! {
            answer = whole => answer,
            () = progress.stalled(idle) => Err(LinkError::timed_out(address, idle)),
        }
    }

    /// Opens a connection for the actors' sessions to `address` (`host:port`), within `wait`.
    ///
    /// # Errors
    /// The peer is not reached, not of this cluster, or not in time.
    pub async fn dial_actors(
        &self,
        address: &str,
        wait: Duration,
    ) -> Result<TlsStream<TcpStream>, LinkError> {
        let connector = self.identity.actors_connector();
        match timeout(wait, dial::dial(&connector, address)).await {
            Ok(dialled) => dialled.map_err(|error| LinkError::from_dial(address, error)),
            Err(_) => Err(LinkError::timed_out(address, wait)),
        }
    }

    /// Sends once, and once more if a connection broke and doing so twice is as doing so once.
    async fn send_again(
        &self,
        address: &str,
        method: &Method,
        path_and_query: &str,
        headers: &[(&str, String)],
        body: Bytes,
    ) -> Result<Response<Incoming>, LinkError> {
        let start = Instant::now();
        let again = || {
            let body = Full::new(body.clone()).map_err(|never| match never {}).boxed_unsync();
            request(address, method, path_and_query, headers, body)
        };
        match self.send(address, again()?).await {
            Err(LinkError::Broken { detail, .. }) if method.is_idempotent() => {
                tracing::debug!(address, after = ?start.elapsed(), "sending again: {detail}");
                self.send(address, again()?).await
            }
            answer => answer,
        }
    }

    async fn send(
        &self,
        address: &str,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, LinkError> {
        let answer = self.client.request(request).await;
        let answer =
            answer.map_err(|error: ClientError| LinkError::from_client(address, &error))?;
        check(address, answer).await
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Peers").field("identity", &self.identity).finish_non_exhaustive()
    }
}

fn request(
    address: &str,
    method: &Method,
    path_and_query: &str,
    headers: &[(&str, String)],
    body: RequestBody,
) -> Result<Request<RequestBody>, LinkError> {
    let uri = Uri::builder().scheme("http").authority(address).path_and_query(path_and_query);
    let uri = uri.build().map_err(|error| LinkError::not_an_address(address, &error))?;
    let mut request = Request::builder().method(method).uri(uri).header(PROTOCOL_HEADER, PROTOCOL);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(body).map_err(|error| LinkError::broken(address, &error))
}

/// An answer that is one: of our protocol, and of a status from 200 to 299.
async fn check(address: &str, answer: Response<Incoming>) -> Result<Response<Incoming>, LinkError> {
    let protocol = answer.headers().get(PROTOCOL_HEADER).map(|value| value.as_bytes().to_vec());
    let ours = protocol.as_deref() == Some(PROTOCOL.as_bytes());
    let status = answer.status();
    if ours && status.is_success() {
        return Ok(answer);
    }
    let words = words(address, answer).await;
    if !ours || status == StatusCode::UPGRADE_REQUIRED {
        let theirs = protocol.map_or_else(
            || "names no protocol version".to_owned(),
            |protocol| format!("speaks protocol {}", protocol.escape_ascii()),
        );
        let words =
            if ours { words } else { format!("it {theirs}, this program protocol {PROTOCOL}") };
        return Err(LinkError::OtherProtocol { address: address.to_owned(), words });
    }
    Err(LinkError::Refused { address: address.to_owned(), status, words })
}

/// What a refusal says: the field `error` of its JSON, or its text.
async fn words(address: &str, answer: Response<Incoming>) -> String {
    #[derive(serde::Deserialize)]
    struct Words {
        error: String,
    }
    let body = collect(address, answer.into_body(), WORDS_BYTES_MAX);
    let body = timeout(WORDS_WAIT, body).await.ok().and_then(Result::ok).unwrap_or_default();
    match serde_json::from_slice::<Words>(&body) {
        Ok(words) => words.error,
        Err(_) => String::from_utf8_lossy(&body).trim().to_owned(),
    }
}

/// The whole body, if it is no larger than `bytes_max`.
async fn collect(address: &str, mut body: Incoming, bytes_max: usize) -> Result<Bytes, LinkError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| LinkError::broken(address, &error))?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > bytes_max {
                let detail = format!("its answer has more than {bytes_max} bytes");
                return Err(LinkError::Broken { address: address.to_owned(), detail });
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;

//! Serves HTTP/1.1 on one authenticated connection: bounded heads, bounded rest, and the
//! protocol's version in every request and answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;
use tower_service::Service as _;

use super::activity::{Activity, UnderWay, Watched};
use super::{BODY_BYTES_MAX, Limits, PROTOCOL, PROTOCOL_HEADER};

/// How large the head of a request may be, in bytes, and how many headers it may have.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// How much of a body is read ahead, in bytes.
const READ_AHEAD_BYTES: usize = 256 * 1024;

/// The routes, behind a check of the protocol's version and a bound for bodies.
pub(super) fn with_protocol(router: Router) -> Router {
    router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(middleware::from_fn(check_protocol))
}

async fn check_protocol(request: Request, next: Next) -> Response {
    let spoken = request.headers().get(PROTOCOL_HEADER).map(HeaderValue::as_bytes);
    let mut answer = match spoken {
        Some(spoken) if spoken == PROTOCOL.as_bytes() => next.run(request).await,
        Some(other) => other_protocol(&format!("protocol {}", other.escape_ascii())),
        None => other_protocol("no protocol version"),
    };
    answer.headers_mut().insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
    answer
}

fn other_protocol(spoken: &str) -> Response {
    let words = format!(
        "the request names {spoken}, this node speaks protocol {PROTOCOL}: \
         all nodes and clients of a cluster need the same version"
    );
    let body = axum::Json(serde_json::json!({ "error": words }));
    (StatusCode::UPGRADE_REQUIRED, body).into_response()
}

/// Answers the requests of one connection until either side is done with it.
pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    mut closed: watch::Receiver<bool>,
) {
    let activity = Activity::new();
    let io = TokioIo::new(Watched::new(stream, activity.clone()));
    let service = service_fn(|request: http::Request<Incoming>| {
        let under_way = activity.request();
        answer(router.clone(), request, peer, under_way)
    });
    let mut connection = std::pin::pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_header_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .max_buf_size(READ_AHEAD_BYTES)
            .serve_connection(io, service)
    );
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = activity.expired(limits) => return,
        () = super::until(&mut closed) => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits.farewell, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, "an HTTP connection ended early: {error}");
    }
}

async fn answer(
    mut router: Router,
    request: http::Request<Incoming>,
    peer: SocketAddr,
    under_way: UnderWay,
) -> Result<http::Response<Answer>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let answer = router.call(request).await?;
    Ok(answer.map(|body| Answer { body, _under_way: under_way }))
}

/// The body of an answer; its request is under way until it is dropped.
struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! What a node answers about its blobs: `GET`, `HEAD` and `PUT` of `/v1/blobs/{digest}`. Knows
//! only this node's store. Errors are JSON: `{"error": "…"}`.
//!
//! In the query, `kind=checkpoint|partition` says what a blob is moved for, and `durable=1` of a
//! `HEAD` asks for an answer only once the blob would survive a loss of power.

use super::DURABLE;
use super::announced::BLOB_BYTES_MAX;
use super::file_body::FileBody;
use super::meter::{Kind, Meter};
use super::sink::{Sink, blocking};
use crate::blobs::{BlobError, BlobStore};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE,
};
use http::{HeaderMap, HeaderName, StatusCode, Uri};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use wallaby_core::ids::Digest;

/// How long a peer that gives a blob may send nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is still listened to after an answer that came before the end of the question, and
/// for how long: a connection that is closed at once may lose the answer.
const LINGER_BYTES: u64 = 64 << 20;
const LINGER: Duration = Duration::from_secs(5);

/// What the routes work with.
#[derive(Clone)]
struct Shelf {
    blobs: Arc<BlobStore>,
    meter: Arc<Meter>,
}

/// The routes of a node's blobs; the meter counts what goes through them.
pub fn routes(blobs: Arc<BlobStore>, meter: Arc<Meter>) -> axum::Router {
    let methods = get(send).head(tell).put(receive).fallback(not_allowed);
    axum::Router::new().route("/v1/blobs/{digest}", methods).with_state(Shelf { blobs, meter })
}

/// An answer that is not the one hoped for.
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    header: Option<(HeaderName, String)>,
}

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), header: None }
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        let status = match &error {
            BlobError::Missing { .. } => StatusCode::NOT_FOUND,
            BlobError::Mismatch { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            BlobError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            BlobError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            BlobError::Damaged { .. } | BlobError::Storage { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let words = Json(serde_json::json!({ "error": self.error }));
        let header = self.header.map(|header| [header]);
        match header {
            Some(header) => (self.status, header, words).into_response(),
            None => (self.status, words).into_response(),
        }
    }
}

type Named = Result<Path<String>, PathRejection>;

fn digest_of(named: Named) -> Result<Digest, Refusal> {
    let digits = named.map(|Path(digits)| digits).unwrap_or_default();
    Digest::from_hex(&digits).ok_or_else(|| {
        let shown: String = digits.chars().take(80).collect();
        let error = format!("blob {shown:?}: expected 64 hexadecimal digits");
        Refusal::new(StatusCode::BAD_REQUEST, error)
    })
}

fn kind_of(uri: &Uri) -> Kind {
    let fields = uri.query().unwrap_or_default().split('&');
    fields
        .filter_map(|field| field.strip_prefix("kind="))
        .next()
        .map_or(Kind::Other, Kind::from_name)
}

/// The header that tells a blob's [`Stamp`](wallaby_core::ids::Stamp).
pub(crate) const STAMP: HeaderName = HeaderName::from_static("wallaby-stamp");

/// `HEAD`: whether a blob is here, its length and its stamp.
async fn tell(State(shelf): State<Shelf>, named: Named, uri: Uri) -> Result<Response, Refusal> {
    let digest = digest_of(named)?;
    let durable = uri.query().unwrap_or_default().split('&').any(|field| field == DURABLE);
    let found = blocking(move || {
        let length = shelf.blobs.len(&digest)?;
        if durable {
            shelf.blobs.make_durable(&digest)?;
        }
        Ok((length, shelf.blobs.stamp(&digest).unwrap_or_default()))
    });
    let (length, stamp) = found.await?;
    let stamp = [(STAMP, stamp.0.to_string())];
    Ok((about(&digest, length), stamp, Body::empty()).into_response())
}

/// `GET`: a blob, or the rest of it.
async fn send(
    State(shelf): State<Shelf>,
    named: Named,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let digest = digest_of(named)?;
    let from = headers.get(RANGE).map(|range| start_of(range.as_bytes())).transpose()?;
    let blobs = Arc::clone(&shelf.blobs);
    let (file, length) = blocking(move || blobs.open_read(&digest)).await?;
    let start = from.unwrap_or(0);
    if from.is_some_and(|from| from >= length) {
        let error = format!("blob {digest} has {length} bytes, none from {start} on");
        let mut refusal = Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, error);
        refusal.header = Some((CONTENT_RANGE, format!("bytes */{length}")));
        return Err(refusal);
    }
    let body = FileBody::new(file, length, start, kind_of(&uri), Arc::clone(&shelf.meter));
    let body = Body::new(body);
    let about = about(&digest, length - start);
    Ok(match from {
        None => (about, body).into_response(),
        Some(from) => {
            let part = format!("bytes {from}-{}/{length}", length - 1);
            (StatusCode::PARTIAL_CONTENT, about, [(CONTENT_RANGE, part)], body).into_response()
        }
    })
}

/// The first byte that a `Range` asks for.
pub(super) fn start_of(range: &[u8]) -> Result<u64, Refusal> {
    let text = std::str::from_utf8(range).ok();
    let place = text.and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-'));
    let digits = place.filter(|place| place.bytes().all(|digit| digit.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        let error = format!("range \"{}\": expected bytes=N-", range.escape_ascii());
        Refusal::new(StatusCode::BAD_REQUEST, error)
    })
}

/// The headers of a blob of which `length` bytes follow.
fn about(digest: &Digest, length: u64) -> [(HeaderName, String); 4] {
    [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, length.to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, format!("\"{digest}\"")),
    ]
}

/// `PUT`: takes a blob; it is durable when the answer says so.
async fn receive(
    State(shelf): State<Shelf>,
    named: Named,
    uri: Uri,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    let taken = async {
        let (digest, length) = (digest_of(named)?, length_of(&headers)?);
        if is_here(&shelf.blobs, digest).await? {
            return Ok(StatusCode::OK);
        }
        let kind = kind_of(&uri);
        take(&shelf, digest, length, kind, &mut body).await.map(|()| StatusCode::CREATED)
    };
    let answer = match taken.await {
        Ok(status) => (status, Json(serde_json::json!({}))).into_response(),
        Err(refusal) => Refusal::into_response(refusal),
    };
    linger(body);
    answer
}

fn length_of(headers: &HeaderMap) -> Result<u64, Refusal> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(length) if length <= BLOB_BYTES_MAX => Ok(length),
        Some(length) => {
            let error = format!("content-length {length}: expected at most {BLOB_BYTES_MAX} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error))
        }
        None => {
            let error = "content-length: expected the number of bytes of the blob";
            Err(Refusal::new(StatusCode::LENGTH_REQUIRED, error))
        }
    }
}

/// Whether a blob is here; it is then durable, and no earlier order removes it.
async fn is_here(blobs: &Arc<BlobStore>, digest: Digest) -> Result<bool, BlobError> {
    let blobs = Arc::clone(blobs);
    let here = blocking(move || {
        blobs.make_durable(&digest)?;
        Ok(blobs.renew(&digest).is_some())
    });
    match here.await {
        Ok(here) => Ok(here),
        Err(BlobError::Missing { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes, verifies and names what comes.
async fn take(
    shelf: &Shelf,
    digest: Digest,
    length: u64,
    kind: Kind,
    body: &mut Body,
) -> Result<(), Refusal> {
    let mut sink = Sink::begin_aside(&shelf.blobs, digest).await?;
    while sink.length() < length {
        let stopped = match timeout(PATIENCE, body.frame()).await {
            Err(_) => {
                let error = format!("blob {digest}: nothing came for {PATIENCE:?}");
                return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, error));
            }
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                shelf.meter.received(kind, data.len() as u64);
                sink.write(data).await?;
                continue;
            }
            Ok(Some(Err(error))) => error.to_string(),
            Ok(None) => "it ended".to_owned(),
        };
        let came = sink.length();
        let error = format!("blob {digest}: {came} of {length} bytes came: {stopped}");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, error));
    }
    sink.finish(true).await?;
    Ok(())
}

/// Listens a little longer to a peer that is being answered before it has said everything.
fn linger(mut body: Body) {
    if http_body::Body::is_end_stream(&body) {
        return;
    }
    let listen = async move {
        let mut heard = 0;
        while heard < LINGER_BYTES {
            let Some(Ok(frame)) = body.frame().await else { return };
            heard += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
    };
    tokio::spawn(timeout(LINGER, listen));
}

async fn not_allowed() -> Refusal {
    let error = "a blob is asked for by GET or HEAD and given by PUT";
    let mut refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error);
    refusal.header = Some((ALLOW, "GET, HEAD, PUT".to_owned()));
    refusal
}

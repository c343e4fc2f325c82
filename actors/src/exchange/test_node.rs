//! What the tests of exchanges share: nodes with a store and a port on loopback, and sources that
//! do not do what they should.

use super::*;
use crate::test_disk::SmallDisk;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::HeaderMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use tempfile::TempDir;
use wallaby_links::port::Port;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

/// How long a test waits for what must come.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// How long a source may be silent where a test has one that is.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of any length that no two numbers share.
pub(super) fn bytes(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// The nodes of a cluster that has one secret.
pub(super) struct Cluster {
    pub(super) identity: Arc<Identity>,
}

impl Cluster {
    pub(super) fn new() -> Self {
        Self { identity: Arc::new(Identity::new(&Secret::generate()).unwrap()) }
    }

    pub(super) fn node(&self) -> TestNode {
        self.node_with(PATIENCE)
    }

    pub(super) fn node_with(&self, patience: Duration) -> TestNode {
        let folder = TempDir::new().unwrap();
        let store = BlobStore::open_with_cache(folder.path(), 0).unwrap();
        TestNode { folder: Some(folder), ..self.node_of(store, patience) }
    }

    /// A node whose disk has four megabytes.
    pub(super) fn small_node(&self, disk: &SmallDisk) -> TestNode {
        let store = BlobStore::open_with_cache(disk.path(), 0).unwrap();
        self.node_of(store, PATIENCE)
    }

    fn node_of(&self, store: BlobStore, patience: Duration) -> TestNode {
        let (blobs, meter) = (Arc::new(store), Arc::new(Meter::default()));
        let port = self.serve(routes(Arc::clone(&blobs), Arc::clone(&meter)));
        let peers = Peers::new(Arc::clone(&self.identity));
        let exchange =
            Exchange::with_patience(Arc::clone(&blobs), peers, Arc::clone(&meter), patience);
        TestNode {
            address: port.local_addr().to_string(),
            blobs,
            meter,
            exchange,
            _port: port,
            folder: None,
        }
    }

    pub(super) fn serve(&self, router: Router) -> Port {
        let (actors, _) = tokio::sync::mpsc::channel(1);
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Port::bind(anywhere, Arc::clone(&self.identity), router, actors).unwrap()
    }

    /// A source that gives `answer` to every question for a blob, by the place it is asked from.
    pub(super) fn source<A>(&self, answer: A) -> (Port, String)
    where
        A: Fn(u64) -> http::Response<Body> + Clone + Send + Sync + 'static,
    {
        let handler = move |headers: HeaderMap| {
            let from = headers.get("range").and_then(|range| {
                range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
            });
            let answer = answer(from.unwrap_or(0));
            async move { answer }
        };
        let port = self.serve(Router::new().route("/v1/blobs/{digest}", get(handler)));
        let address = port.local_addr().to_string();
        (port, address)
    }
}

/// A node with an own store.
pub(super) struct TestNode {
    pub(super) address: String,
    pub(super) blobs: Arc<BlobStore>,
    pub(super) meter: Arc<Meter>,
    pub(super) exchange: Exchange,
    _port: Port,
    pub(super) folder: Option<TempDir>,
}

impl TestNode {
    pub(super) fn put(&self, bytes: Vec<u8>) -> Digest {
        self.blobs.put(bytes, false).unwrap()
    }

    /// Fetches a partition from these sources, within bounds.
    pub(super) async fn fetch(
        &self,
        digest: Digest,
        sources: &[&str],
    ) -> Result<Fetched, FetchError> {
        let sources: Vec<String> = sources.iter().map(|&source| source.to_owned()).collect();
        let fetch = self.exchange.fetch(digest, &sources, false, Kind::Partition);
        tokio::time::timeout(LIMIT, fetch).await.expect("the fetch ends")
    }

    /// Bytes of partitions that came to this node and went from it.
    pub(super) fn flow(&self) -> Flow {
        self.meter.snapshot().partition
    }
}

/// The part of a blob from a place on, as an answer that says it is the whole rest.
pub(super) fn answer(whole: usize, from: u64, body: Body) -> http::Response<Body> {
    let rest = whole as u64 - from;
    let answer = http::Response::builder().header("content-length", rest);
    let answer = if from == 0 {
        answer
    } else {
        let range = format!("bytes {from}-{}/{whole}", whole - 1);
        answer.status(StatusCode::PARTIAL_CONTENT).header("content-range", range)
    };
    answer.body(body).unwrap()
}

/// A body that gives some bytes, and then breaks off or is silent for ever.
pub(super) struct Unreliable {
    bytes: Option<Bytes>,
    silent: bool,
}

impl Unreliable {
    pub(super) fn breaking(bytes: &[u8]) -> Body {
        Body::new(Self { bytes: Some(Bytes::copy_from_slice(bytes)), silent: false })
    }

    pub(super) fn silent(bytes: &[u8]) -> Body {
        Body::new(Self { bytes: Some(Bytes::copy_from_slice(bytes)), silent: true })
    }
}

impl http_body::Body for Unreliable {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        match self.bytes.take() {
            Some(bytes) => Poll::Ready(Some(Ok(http_body::Frame::data(bytes)))),
            None if self.silent => Poll::Pending,
            None => Poll::Ready(Some(Err(std::io::Error::other("pulled out")))),
        }
    }
}

/// How many files lie below a folder, blobs or not.
pub(super) fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

/// Waits until something is so.
pub(super) async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.expect("it becomes so");
}

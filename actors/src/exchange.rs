//! Blobs between nodes, over HTTP: fetched from whoever has them, given to whoever needs them,
//! verified before they get their name. Knows addresses and digests; never decides who holds what.
//!
//! Bytes stream both ways, so a blob of any size takes a few parts' worth of memory, and files are
//! read and written where blocking is allowed.

mod announced;
mod error;
mod file_body;
pub(crate) mod fuzzing;
mod limits;
mod meter;
mod routes;
mod sink;
mod transfer;

pub use error::{FetchError, Said};
pub use meter::{Flow, Kind, Meter, Traffic};
pub(crate) use routes::STAMP;
pub use routes::routes;

use crate::blobs::{BlobError, BlobStore};
use bytes::Bytes;
use file_body::FileBody;
use http::{Method, StatusCode};
use limits::Limits;
use sink::blocking;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use transfer::Order;
use wallaby_core::ids::Digest;
use wallaby_links::peers::{LinkError, Peers};

/// How long the last source that is left may send nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// A source before others may send nothing for this part of the patience, when it is asked first.
const HURRY: u32 = 5;
/// How long a peer that is given a blob may take nothing, or write it to disk at the end.
const PUSH_PATIENCE: Duration = Duration::from_secs(30);
/// How often somebody who wants a blob joins others' transfers that fail.
const JOINS_MAX: u32 = 4;

/// The blobs of this node and the ways to those of the others. Clones are the same exchange.
#[derive(Clone)]
pub struct Exchange {
    inner: Arc<Inner>,
}

struct Inner {
    blobs: Arc<BlobStore>,
    peers: Peers,
    meter: Arc<Meter>,
    limits: Limits,
    under_way: Mutex<BTreeMap<Digest, watch::Receiver<Outcome>>>,
    patience: Duration,
}

/// How a transfer ended, once it has: with the bytes of the blob, or why not.
type Outcome = Option<Result<u64, FetchError>>;

/// A blob that is here now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of the blob.
    pub bytes: u64,
    /// Whether it was moved for this call: not if it was here already, nor if it came by a
    /// transfer that another call had begun. So each transfer counts once.
    pub moved: bool,
    /// Milliseconds from the call to the end, waiting for a turn included.
    pub millis: u64,
}

impl Exchange {
    /// An exchange for a store, with nothing under way.
    pub fn new(blobs: Arc<BlobStore>, peers: Peers, meter: Arc<Meter>) -> Self {
        Self::with_patience(blobs, peers, meter, PATIENCE)
    }

    fn with_patience(
        blobs: Arc<BlobStore>,
        peers: Peers,
        meter: Arc<Meter>,
        patience: Duration,
    ) -> Self {
        let (limits, under_way) = (Limits::new(), Mutex::default());
        Self { inner: Arc::new(Inner { blobs, peers, meter, limits, under_way, patience }) }
    }

    /// The counters of what was moved.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.inner.meter
    }

    /// Sees to it that a blob is here: at once if it is, else by asking `sources` (`host:port`)
    /// one after the other. A source that stops for 1 s or breaks off is left for the next one,
    /// which goes on where it stopped, the last one if it stops for 5 s; if that was in vain, all
    /// are asked again and given 5 s each. One whose bytes are wrong is not asked again. All who want
    /// a blob share one transfer, and it goes on if they stop waiting. At most 8 blobs are moved
    /// at once, 3 from one source; the others wait.
    ///
    /// With `durable` the blob survives a loss of power once this returns. What is here already
    /// is not verified again; reading it does that.
    ///
    /// # Errors
    /// `Sources` with what each source said, `Store` if it cannot be kept here (see
    /// [`FetchError::is_full`]), `BrokenOff` if this process is stopping.
    pub async fn fetch(
        &self,
        digest: Digest,
        sources: &[String],
        durable: bool,
        kind: Kind,
    ) -> Result<Fetched, FetchError> {
        let began = Instant::now();
        let fetched = |bytes, moved| {
            let millis = began.elapsed().as_millis() as u64;
            Ok(Fetched { bytes, moved, millis })
        };
        let mut failed = FetchError::BrokenOff { digest };
        for _ in 0..JOINS_MAX {
            if let Some(bytes) = self.at_hand(digest, durable).await? {
                return fetched(bytes, false);
            }
            let order = Order { digest, sources: sources.to_vec(), durable, kind };
            let (mut outcome, ours) = self.transfer(order);
            let ended = outcome.wait_for(Option::is_some).await;
            match ended.ok().and_then(|ended| ended.clone()) {
                Some(Ok(bytes)) if ours => return fetched(bytes, true),
                Some(Ok(_)) => {}
                Some(Err(error)) if ours || error.speaks_for(sources) => return Err(error),
                Some(Err(error)) => failed = error,
                None => return Err(FetchError::BrokenOff { digest }),
            }
        }
        Err(failed)
    }

    /// Gives a blob to the node at `to` (`host:port`), unless it has it; once this returns, the
    /// blob survives a loss of power there.
    ///
    /// # Errors
    /// `Push` with what the other node said, `Store` if the blob is not here or cannot be read.
    pub async fn push(&self, digest: Digest, to: &str, kind: Kind) -> Result<(), FetchError> {
        let Inner { blobs, peers, meter, limits, .. } = &*self.inner;
        let _turn = limits.turn(to).await;
        let failed = |error: LinkError| FetchError::Push {
            digest,
            to: to.to_owned(),
            status: error.status().map(|status| status.as_u16()),
            why: transfer::why(&error),
        };
        let path = address_of(&digest, kind);
        let question = format!("{path}&{DURABLE}");
        let known = peers.request(to, Method::HEAD, &question, Bytes::new(), PUSH_PATIENCE).await;
        match known {
            Ok(_) => return Ok(()),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {}
            Err(error) => return Err(failed(error)),
        }
        let store = Arc::clone(blobs);
        let opened = blocking(move || store.open_read(&digest)).await;
        let (file, length) = opened.map_err(|error| FetchError::store(digest, error))?;
        let body = FileBody::new(file, length, 0, kind, Arc::clone(meter));
        peers.put(to, &path, length, body, PUSH_PATIENCE).await.map(drop).map_err(failed)
    }

    /// The length of a blob if it is here, and durable if it must be.
    async fn at_hand(&self, digest: Digest, durable: bool) -> Result<Option<u64>, FetchError> {
        let blobs = Arc::clone(&self.inner.blobs);
        let found = blocking(move || {
            let bytes = blobs.len(&digest)?;
            if durable {
                blobs.make_durable(&digest)?;
            }
            Ok(bytes)
        });
        match found.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(FetchError::store(digest, error)),
        }
    }

    /// The transfer of a blob that is under way, or one that begins now; whether it begins now.
    fn transfer(&self, order: Order) -> (watch::Receiver<Outcome>, bool) {
        let digest = order.digest;
        let mut under_way = self.inner.under_way();
        if let Some(outcome) = under_way.get(&digest) {
            return (outcome.clone(), false);
        }
        let (tell, outcome) = watch::channel(None);
        under_way.insert(digest, outcome.clone());
        let entry = Entry { inner: Arc::clone(&self.inner), digest };
        tokio::spawn(async move {
            let ended = transfer::run(&entry.inner, &order).await;
            // Whoever comes from now on begins anew; whoever is here learns how it ended.
            drop(entry);
            tell.send_replace(Some(ended));
        });
        (outcome, true)
    }
}

impl Inner {
    fn under_way(&self) -> MutexGuard<'_, BTreeMap<Digest, watch::Receiver<Outcome>>> {
        // A panic while the lock is held leaves a complete map behind.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transfer in the list of those under way, until it is dropped.
struct Entry {
    inner: Arc<Inner>,
    digest: Digest,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.inner.under_way().remove(&self.digest);
    }
}

/// In the query of a question: the answer may come only when the blob is durable.
const DURABLE: &str = "durable=1";

/// Path and query of a blob that is moved for a purpose.
fn address_of(digest: &Digest, kind: Kind) -> String {
    format!("/v1/blobs/{digest}?kind={}", kind.name())
}

#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
mod routes_tests;
#[cfg(test)]
mod test_node;

//! One blob on its way to this node: asks one source after the other, goes on where the last one
//! stopped, and finds out who gave wrong bytes. Runs once for all who want the blob.

use super::announced::Announced;
use super::error::{FetchError, Said};
use super::meter::Kind;
use super::sink::{Sink, blocking};
use super::{HURRY, Inner, address_of};
use crate::blobs::BlobError;
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use wallaby_core::ids::Digest;
use wallaby_links::peers::LinkError;

/// How often each source is asked at most, as long as bytes still come.
const ROUNDS_MAX: u32 = 8;

/// What is to be fetched.
pub(super) struct Order {
    pub(super) digest: Digest,
    pub(super) sources: Vec<String>,
    pub(super) durable: bool,
    pub(super) kind: Kind,
}

/// Who gave the bytes that are here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Givers {
    /// One source gave them all: the one at this place of the list.
    One(usize),
    /// Several did, or nobody knows.
    Several,
}

/// How it went with a source.
enum Pulled {
    /// All bytes of the blob are here.
    All,
    /// It has fewer bytes than we have from elsewhere.
    TooMany,
    /// It does not have the blob, and will not be asked again.
    Never(String),
    /// It stopped, or would not begin.
    Stopped(String),
}

struct Source {
    address: String,
    why: String,
    /// Whether it may be asked (again).
    trusted: bool,
}

/// Fetches a blob, unless it is here; returns its length in bytes.
///
/// # Errors
/// `Sources` if none of them gave it, `Store` if it cannot be kept.
pub(super) async fn run(exchange: &Inner, order: &Order) -> Result<u64, FetchError> {
    let store = |error| FetchError::store(order.digest, error);
    let (blobs, digest) = (Arc::clone(&exchange.blobs), order.digest);
    match blocking(move || blobs.len(&digest)).await {
        Ok(bytes) => return Ok(bytes),
        Err(BlobError::Missing { .. }) => {}
        Err(error) => return Err(store(error)),
    }
    let mut transfer = Transfer::new(exchange, order);
    for round in 0..ROUNDS_MAX {
        let (mut gained, mut hurried) = (false, false);
        for place in 0..transfer.sources.len() {
            if !transfer.sources[place].trusted {
                continue;
            }
            transfer.hurries =
                round == 0 && transfer.sources[place + 1..].iter().any(|s| s.trusted);
            hurried |= transfer.hurries;
            let _turn = exchange.limits.turn(&transfer.sources[place].address).await;
            match transfer.visit(place).await.map_err(store)? {
                Visited::Done(bytes) => return Ok(bytes),
                Visited::Gained => gained = true,
                Visited::InVain => {}
            }
        }
        if !gained && !hurried {
            break;
        }
    }
    Err(transfer.failure())
}

/// What a visit of a source brought.
enum Visited {
    Done(u64),
    Gained,
    InVain,
}

struct Transfer<'a> {
    exchange: &'a Inner,
    order: &'a Order,
    sources: Vec<Source>,
    /// Whether there are others to ask who may be faster.
    hurries: bool,
    givers: Givers,
    /// Bytes that came, also those that were forgotten again.
    taken: u64,
}

impl<'a> Transfer<'a> {
    fn new(exchange: &'a Inner, order: &'a Order) -> Self {
        let mut sources: Vec<Source> = Vec::new();
        for address in &order.sources {
            if sources.iter().all(|source| source.address != *address) {
                let why = "was not asked".to_owned();
                sources.push(Source { address: address.clone(), why, trusted: true });
            }
        }
        Self { exchange, order, sources, hurries: false, givers: Givers::Several, taken: 0 }
    }

    /// How long the source that is asked now may send nothing.
    fn patience(&self) -> Duration {
        let patience = self.exchange.patience;
        if self.hurries { patience / HURRY } else { patience }
    }

    /// Takes what a source has. The file is open only meanwhile: many may wait for their turn.
    async fn visit(&mut self, place: usize) -> Result<Visited, BlobError> {
        let before = self.taken;
        let mut sink = self.begin().await?;
        let stopped = match self.pull_all(&mut sink, place).await? {
            Ok(bytes) => return Ok(Visited::Done(bytes)),
            Err(stopped) => stopped,
        };
        sink.close().await?;
        tracing::debug!(
            digest = %self.order.digest,
            source = self.sources[place].address,
            why = stopped,
            "a source did not give a blob"
        );
        self.sources[place].why = stopped;
        Ok(if self.taken > before { Visited::Gained } else { Visited::InVain })
    }

    async fn begin(&self) -> Result<Sink, BlobError> {
        Sink::begin(&self.exchange.blobs, self.order.digest).await
    }

    /// Asks a source for the rest, and for everything if the bytes of several sources do not make
    /// the blob. Ends with its length once it has its name, or with what stopped the source.
    async fn pull_all(
        &mut self,
        sink: &mut Sink,
        place: usize,
    ) -> Result<Result<u64, String>, BlobError> {
        loop {
            if sink.length() == 0 {
                self.givers = Givers::One(place);
            } else if self.givers != Givers::One(place) {
                self.givers = Givers::Several;
            }
            let alone = self.givers == Givers::One(place);
            match self.pull(sink, place).await? {
                Pulled::All => match sink.finish(self.order.durable).await {
                    Ok(bytes) => return Ok(Ok(bytes)),
                    Err(error @ BlobError::Mismatch { .. }) => {
                        *sink = self.begin().await?;
                        if self.givers == Givers::One(place) {
                            self.sources[place].trusted = false;
                            return Ok(Err(format!("gave wrong bytes: {error}")));
                        }
                    }
                    Err(error) => return Err(error),
                },
                Pulled::TooMany if alone => {
                    return Ok(Err("has fewer bytes than it gave before".to_owned()));
                }
                Pulled::TooMany => sink.restart().await?,
                Pulled::Stopped(why) => return Ok(Err(why)),
                Pulled::Never(why) => {
                    self.sources[place].trusted = false;
                    return Ok(Err(why));
                }
            }
        }
    }

    /// Asks a source for the bytes that are not here, and takes them.
    async fn pull(&mut self, sink: &mut Sink, place: usize) -> Result<Pulled, BlobError> {
        let from = sink.length();
        let address = &self.sources[place].address;
        let path = address_of(&self.order.digest, self.order.kind);
        let range = (from > 0).then(|| ("range", format!("bytes={from}-")));
        let wait = self.patience();
        let peers = &self.exchange.peers;
        let opened =
            peers.open(address, Method::GET, &path, range.as_slice(), Bytes::new(), wait).await;
        let answer = match opened {
            Ok(answer) => answer,
            Err(error) => return Ok(refused(&error)),
        };
        match Announced::read(answer.status(), answer.headers(), from) {
            Ok(Announced::Rest(bytes)) => self.take(sink, answer.into_body(), bytes).await,
            Ok(Announced::All(bytes)) => {
                // It does not know how to go on in the middle.
                sink.restart().await?;
                self.givers = Givers::One(place);
                self.take(sink, answer.into_body(), bytes).await
            }
            Err(why) => Ok(Pulled::Stopped(why)),
        }
    }

    /// Takes `bytes` bytes, as long as they keep coming.
    async fn take(
        &mut self,
        sink: &mut Sink,
        mut body: Incoming,
        bytes: u64,
    ) -> Result<Pulled, BlobError> {
        let patience = self.patience();
        let mut taken = 0;
        while taken < bytes {
            let stopped = match timeout(patience, body.frame()).await {
                Err(_) => format!("sent nothing for {patience:?}"),
                Ok(None) => "ended too early".to_owned(),
                Ok(Some(Err(error))) => format!("broke off: {error}"),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    let length = data.len() as u64;
                    self.exchange.meter.received(self.order.kind, length);
                    if length <= bytes - taken {
                        taken += length;
                        self.taken += length;
                        sink.write(data).await?;
                        continue;
                    }
                    "sent more than it announced".to_owned()
                }
            };
            return Ok(Pulled::Stopped(format!("{stopped}, after {taken} of {bytes} bytes")));
        }
        Ok(Pulled::All)
    }

    /// What the sources said; the bytes that are here stay for the next time.
    fn failure(self) -> FetchError {
        let said = self.sources.into_iter();
        let said = said.map(|Source { address, why, .. }| Said { source: address, why }).collect();
        FetchError::Sources { digest: self.order.digest, said }
    }
}

fn refused(error: &LinkError) -> Pulled {
    match error.status() {
        Some(StatusCode::NOT_FOUND) => Pulled::Never("does not have it".to_owned()),
        Some(StatusCode::RANGE_NOT_SATISFIABLE) => Pulled::TooMany,
        _ => Pulled::Stopped(why(error)),
    }
}

/// What went wrong with a peer, without its address.
pub(super) fn why(error: &LinkError) -> String {
    error.to_string().replacen(error.address(), "it", 1)
}

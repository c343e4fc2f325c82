//! Groups what many callers append at the same moment into one commit: one fsync for all.
//! Keeps the order in which it was called. Never looks into an entry.

use super::error::JournalError;
use super::member::{not_leader, stop};
use super::raft::{Group, Raft};
use super::store::{Store, blocking};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use wallaby_core::ids::Seq;

/// Callers that may wait for their turn before further ones are held back.
pub(super) const QUEUE_REQUESTS_MAX: usize = 1_024;
/// A group is closed when it has grown to this, whoever else is waiting.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// What a handle of the journal asks of its writer.
pub(super) enum Request {
    /// Append these entries; answer with the number of the last.
    Append(Vec<Vec<u8>>, oneshot::Sender<Result<Seq, JournalError>>),
    /// Stop, and give the file back.
    Close(oneshot::Sender<Result<(), JournalError>>),
}

/// The one task that appends to a journal.
pub(super) struct Writer {
    pub(super) raft: Raft,
    pub(super) store: Arc<Store>,
    pub(super) requests: mpsc::Receiver<Request>,
}

/// Entries gathered for one commit, and who waits for how many of them.
#[derive(Default)]
struct Gathered {
    entries: Vec<Vec<u8>>,
    bytes: usize,
    waiting: Vec<(u64, oneshot::Sender<Result<Seq, JournalError>>)>,
    close: Option<oneshot::Sender<Result<(), JournalError>>>,
}

impl Writer {
    /// Serves requests until one of them closes the journal or no handle is left.
    pub(super) async fn run(mut self) {
        while let Some(request) = self.requests.recv().await {
            let mut gathered = self.gather(request);
            let close = gathered.close.take();
            self.commit(gathered).await;
            if let Some(closed) = close {
                let _ = closed.send(self.finish().await);
                return;
            }
        }
        if let Err(error) = self.finish().await {
            tracing::warn!(%error, "the journal was not closed in order");
        }
    }

    fn gather(&mut self, first: Request) -> Gathered {
        let mut gathered = Gathered::default();
        let mut next = Some(first);
        while let Some(request) = next {
            gathered.add(request);
            let full = gathered.close.is_some() || gathered.bytes >= GROUP_BYTES_MAX;
            next = if full { None } else { self.requests.try_recv().ok() };
        }
        gathered
    }

    async fn commit(&self, gathered: Gathered) {
        if gathered.entries.is_empty() {
            return;
        }
        let count = gathered.entries.len() as u64;
        let written = self.raft.client_write(Group(gathered.entries)).await;
        let written = written.map_err(|error| not_leader(&self.store, &error));
        let mut records = written.map(|answer| answer.data.records - count);
        for (entries, caller) in gathered.waiting {
            if let Ok(records) = &mut records {
                *records += entries;
            }
            // A caller that no longer waits has nothing to be told.
            let _ = caller.send(records.clone().map(|records| Seq(records - 1)));
        }
    }

    async fn finish(&self) -> Result<(), JournalError> {
        stop(&self.raft).await;
        blocking(&self.store, Store::close).await
    }
}

impl Gathered {
    fn add(&mut self, request: Request) {
        match request {
            Request::Append(entries, caller) => {
                self.bytes += entries.iter().map(Vec::len).sum::<usize>();
                self.waiting.push((entries.len() as u64, caller));
                self.entries.extend(entries);
            }
            Request::Close(caller) => self.close = Some(caller),
        }
    }
}

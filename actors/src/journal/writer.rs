//! Groups what many callers append at the same moment into one commit: one fsync for all.
//! Keeps the order in which it was called. Never looks into an entry.

use super::error::JournalError;
use super::group::Group;
use super::member::Member;
use super::store::{Store, blocking};
use openraft::error::{ClientWriteError, RaftError};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;
use wallaby_core::ids::{Seq, Term};

/// Callers that may wait for their turn before further ones are held back.
pub(super) const QUEUE_REQUESTS_MAX: usize = 1_024;
/// A group is closed when it has grown to this, whoever else is waiting.
const GROUP_BYTES_MAX: usize = 1 << 20;
/// How long a group may take to be committed when the journal is to be closed.
const PATIENCE_AT_CLOSE: Duration = Duration::from_secs(1);

/// Who waits to hear the number of the last entry.
type Appended = oneshot::Sender<Result<Seq, JournalError>>;

/// What a handle of the journal asks of its writer.
pub(super) enum Request {
    /// Append these entries, if need be in this term only; answer with the number of the last.
    Append(Vec<Vec<u8>>, Option<Term>, Appended),
    /// Stop, and give the file back.
    Close(oneshot::Sender<Result<(), JournalError>>),
}

/// The one task that appends to a journal.
pub(super) struct Writer {
    pub(super) member: Arc<Member>,
    pub(super) requests: mpsc::Receiver<Request>,
    /// What came while a group was gathered to which it cannot belong.
    pub(super) held: Option<Request>,
    /// How long a group may take to be committed. A member that stands alone has only its disk
    /// to wait for, and waits.
    pub(super) patience: Option<Duration>,
    /// Says that the journal is to be closed, and that others need not be waited for so long.
    pub(super) closing: Arc<Notify>,
}

/// Entries gathered for one commit, and who waits for how many of them.
#[derive(Default)]
struct Gathered {
    entries: Vec<Vec<u8>>,
    decided_in: Option<Term>,
    bytes: usize,
    waiting: Vec<(u64, Appended)>,
    close: Option<oneshot::Sender<Result<(), JournalError>>>,
}

impl Writer {
    /// Serves requests until one of them closes the journal or no handle is left.
    pub(super) async fn run(mut self) {
        while let Some(request) = self.next().await {
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

    async fn next(&mut self) -> Option<Request> {
        match self.held.take() {
            Some(request) => Some(request),
            None => self.requests.recv().await,
        }
    }

    fn gather(&mut self, first: Request) -> Gathered {
        let mut gathered = Gathered::default();
        let mut next = Some(first);
        while let Some(request) = next {
            if !gathered.takes(&request) {
                self.held = Some(request);
                break;
            }
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
        let group = Group { decided_in: gathered.decided_in, entries: gathered.entries };
        let mut records = self.committed(group).await.map(|records| records - count);
        for (entries, caller) in gathered.waiting {
            if let Ok(records) = &mut records {
                *records += entries;
            }
            // A caller that no longer waits has nothing to be told.
            let _ = caller.send(records.clone().map(|records| Seq(records - 1)));
        }
    }

    /// Commits a group; returns the number of records afterwards.
    async fn committed(&self, group: Group) -> Result<u64, JournalError> {
        let Some(patience) = self.patience else { return self.written(group).await };
        let mut written = pin!(timeout(patience, self.written(group)));
        let in_time = tokio::select! {
            in_time = &mut written => in_time.ok(),
            () = self.closing.notified() => {
                // Whoever comes next need not wait long either.
                self.closing.notify_one();
                timeout(PATIENCE_AT_CLOSE, written).await.ok().and_then(Result::ok)
            }
        };
        in_time.unwrap_or_else(|| Err(self.member.no_quorum()))
    }

    async fn written(&self, group: Group) -> Result<u64, JournalError> {
        let decided_in = group.decided_in;
        let deposed = |term| {
            let path = self.member.store.path().to_owned();
            JournalError::Deposed { path, term }
        };
        match (self.member.raft.client_write(group).await, decided_in) {
            (Ok(answer), Some(term)) if answer.data.deposed => Err(deposed(term)),
            (Ok(answer), _) => Ok(answer.data.records),
            (Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))), Some(term)) => {
                Err(deposed(term))
            }
            (Err(error), _) => Err(self.member.stopped(&error)),
        }
    }

    async fn finish(&self) -> Result<(), JournalError> {
        self.member.stop().await;
        blocking(&self.member.store, Store::close).await
    }
}

impl Gathered {
    /// Whether a request can share a commit with what is gathered.
    fn takes(&self, request: &Request) -> bool {
        match request {
            Request::Append(_, decided_in, _) => {
                self.entries.is_empty() || self.decided_in == *decided_in
            }
            Request::Close(_) => true,
        }
    }

    fn add(&mut self, request: Request) {
        match request {
            // What nobody waits for any more, and has not begun, need not be done.
            Request::Append(_, Some(_), caller) if caller.is_closed() => {}
            Request::Append(entries, decided_in, caller) => {
                self.decided_in = decided_in;
                self.bytes += entries.iter().map(Vec::len).sum::<usize>();
                self.waiting.push((entries.len() as u64, caller));
                self.entries.extend(entries);
            }
            Request::Close(caller) => self.close = Some(caller),
        }
    }
}

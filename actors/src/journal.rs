//! The replicated journal: a durable, ordered log of opaque entries, kept by Raft.
//! Owns one file and the member of the cluster that writes it; never knows what an entry means.
//!
//! Every entry is fsynced before it is acknowledged and carries a checksum, and an opening reads
//! and checks all of them: what comes back is what was appended, or an error that names the place.

mod audit;
mod blame;
mod codec;
mod error;
mod header;
mod log;
mod machine;
mod member;
mod network;
mod opening;
mod raft;
mod reading;
mod snapshot;
mod store;
mod tables;
mod writer;

pub use error::{JournalError, Place};

use raft::Raft;
use redb::{Database, Durability, ReadableDatabase};
use std::path::Path;
use std::sync::Arc;
use store::{Store, blocking};
use tables::View;
use tokio::sync::{mpsc, oneshot};
use wallaby_core::ids::{NodeId, Seq, Term};
use writer::{QUEUE_REQUESTS_MAX, Request, Writer};

/// Name of the field that holds the node whose journal it is.
const OWNER: &str = "owner";

/// An entry as it was appended, and its number.
pub type Record = (Seq, Vec<u8>);

/// A handle of an open journal; clones share it. When the last one is dropped the journal closes
/// by itself, a moment later; [`Journal::close`] waits for it.
#[derive(Clone)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
    raft: Raft,
    store: Arc<Store>,
}

/// What an opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Number of entries, all of them checked.
    pub entries: u64,
    /// What was wrong with the end of the file and what was done about it, in words. Nothing that
    /// was acknowledged is lost unless the words speak of an incomplete newest commit.
    pub torn: Option<String>,
}

impl Journal {
    /// Opens the journal at `path`, or creates it, and becomes its leader.
    ///
    /// # Errors
    /// `Damaged` if anything but the newest commit is not what was written, `Newer` if a newer
    /// build wrote it, `InUse` if it is open elsewhere, `Foreign` if it is another node's,
    /// `Full` if there is no space to go on.
    pub async fn open(path: &Path, node: NodeId) -> Result<(Self, Recovery), JournalError> {
        let file = path.to_owned();
        let opening = tokio::task::spawn_blocking(move || open_store(&file, node)).await;
        let closed = |_| JournalError::Closed { path: path.to_owned() };
        let (store, recovery) = opening.map_err(closed)??;
        let store = Arc::new(store);
        let raft = member::start(&store, node).await?;
        let (requests, received) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let writer = Writer { raft: raft.clone(), store: Arc::clone(&store), requests: received };
        tokio::spawn(writer.run());
        Ok((Self { requests, raft, store }, recovery))
    }

    /// The leader's reign. Rises at every opening.
    pub fn term(&self) -> Term {
        Term(self.raft.metrics().borrow().current_term)
    }

    /// Appends entries, in order and all or none, and returns the number of the last once they
    /// are fsynced and committed. What several callers append at the same moment shares an fsync.
    ///
    /// # Errors
    /// `Full`, `Storage` or `Damaged` if they could not be written: the journal then takes no
    /// more entries until it is opened again, and these may or may not be in it. `Empty` if
    /// there is nothing to append, `Closed` after [`Journal::close`].
    pub async fn append(&self, entries: Vec<Vec<u8>>) -> Result<Seq, JournalError> {
        if entries.is_empty() {
            return Err(JournalError::Empty { path: self.store.path().to_owned() });
        }
        self.ask(|answer| Request::Append(entries, answer)).await
    }

    /// All entries from `from` on, in order, each checked.
    ///
    /// # Errors
    /// `Damaged` or `Newer`, naming the entry; `Storage`; `Closed` after [`Journal::close`].
    pub async fn read(&self, from: Seq) -> Result<Vec<Record>, JournalError> {
        blocking(&self.store, move |store| store.read(|view| reading::records(view, from))).await
    }

    /// Makes everything durable and gives the file back. Other handles fail from then on.
    ///
    /// # Errors
    /// `Full` or `Storage` if the file could not be closed in order; nothing acknowledged is lost
    /// by that. `Closed` if it was closed before.
    pub async fn close(self) -> Result<(), JournalError> {
        self.ask(Request::Close).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Request,
    ) -> Result<T, JournalError> {
        let closed = || JournalError::Closed { path: self.store.path().to_owned() };
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

/// Reads a whole journal without becoming its leader. Writes nothing but what is needed to take
/// back an unfinished commit.
///
/// # Errors
/// As [`Journal::open`], and `Missing` if there is no such file.
pub fn read_journal(path: &Path) -> Result<(Vec<Record>, Recovery), JournalError> {
    let (store, recovery) = open_checked(path)?;
    let entries = store.read(reading::all_records)?;
    store.close()?;
    Ok((entries, recovery))
}

fn open_store(path: &Path, node: NodeId) -> Result<(Store, Recovery), JournalError> {
    opening::create_if_missing(path)?;
    let (store, recovery) = open_checked(path)?;
    match store.read(|view| view.field::<NodeId>(OWNER))? {
        Some(owner) if owner != node => {
            Err(JournalError::Foreign { path: path.to_owned(), owner, expected: node })
        }
        Some(_) => Ok((store, recovery)),
        None => {
            store.write(Durability::Immediate, |change| change.set_field(OWNER, &node))?;
            Ok((store, recovery))
        }
    }
}

fn open_checked(path: &Path) -> Result<(Store, Recovery), JournalError> {
    let opening::Opened { database, torn } = opening::open(path)?;
    let entries = audit(path, &database)?;
    if let Some(torn) = &torn {
        tracing::warn!(journal = %path.display(), entries, torn, "the journal was taken back");
    }
    Ok((Store::new(path.to_owned(), database), Recovery { entries, torn }))
}

fn audit(path: &Path, database: &Database) -> Result<u64, JournalError> {
    let transaction =
        database.begin_read().map_err(|error| JournalError::from_storage(path, error))?;
    audit::audit(&View { path, transaction: &transaction })
}

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod journal_tests;

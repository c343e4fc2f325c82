//! The replicated journal: a durable, ordered log of opaque entries, kept by Raft.
//! Owns one file and the member of the cluster that writes it; never knows what an entry means.
//!
//! [`Journal::open`] makes a journal of one member, which always leads. [`Journal::join`] makes a
//! member among others: it is founded once, by one of them or by several with the same list, asks
//! the others through a [`Transport`], and answers them with [`Journal::answer`]. Whoever leads
//! confirms it, learns its term, and appends in that term only.
//!
//! Every entry is fsynced before it is acknowledged and carries a checksum, and an opening reads
//! and checks all of them: what comes back is what was appended, or an error that names the place.

mod answering;
mod audit;
mod blame;
mod codec;
mod error;
pub(crate) mod fuzzing;
mod group;
mod header;
mod leadership;
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
mod transport;
mod writer;

pub use error::{JournalError, Place};
pub use leadership::Leadership;
pub use transport::{BoxFuture, Call, Transport, TransportError};

use member::Member;
use redb::{Database, Durability, ReadableDatabase};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, blocking};
use tables::View;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;
use wallaby_core::ids::{NodeId, Seq, Term};
use writer::{QUEUE_REQUESTS_MAX, Request, Writer};

/// How long a journal of several members waits for more than half of them to agree.
const PATIENCE: Duration = Duration::from_secs(10);

/// Name of the field that holds the node whose journal it is.
const OWNER: &str = "owner";

/// An entry as it was appended, and its number.
pub type Record = (Seq, Vec<u8>);

/// A handle of an open journal; clones share it. When the last one is dropped the journal closes
/// by itself, a moment later; [`Journal::close`] waits for it.
#[derive(Clone)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
    member: Arc<Member>,
    patience: Duration,
    closing: Arc<Notify>,
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
        let (store, recovery) = open_file(path, node).await?;
        let member = Member::alone(&store, node).await?;
        Ok((Self::of(member, None), recovery))
    }

    /// Opens the journal at `path`, or creates it, as a member among others, whom `transport`
    /// reaches. Does not wait for anybody to lead. A term that this member led when it last ran
    /// is over: if it leads again, then in a later one.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub async fn join(
        path: &Path,
        node: NodeId,
        transport: Arc<dyn Transport>,
    ) -> Result<(Self, Recovery), JournalError> {
        Self::join_patiently(path, node, transport, PATIENCE).await
    }

    async fn join_patiently(
        path: &Path,
        node: NodeId,
        transport: Arc<dyn Transport>,
        patience: Duration,
    ) -> Result<(Self, Recovery), JournalError> {
        let (store, recovery) = open_file(path, node).await?;
        let member = Member::among_others(&store, node, transport).await?;
        Ok((Self::of(member, Some(patience)), recovery))
    }

    fn of(member: Member, patience: Option<Duration>) -> Self {
        let member = Arc::new(member);
        let closing = Arc::new(Notify::new());
        let (requests, received) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let writer = Writer {
            member: Arc::clone(&member),
            requests: received,
            held: None,
            patience,
            closing: Arc::clone(&closing),
        };
        tokio::spawn(writer.run());
        Self { requests, member, patience: patience.unwrap_or(PATIENCE), closing }
    }

    /// Answers what another member asked by its [`Transport`].
    ///
    /// # Errors
    /// `Undecodable` if the bytes mean nothing; `Full`, `Storage`, `Damaged` or `NotLeader` if
    /// this member has stopped. Never panics.
    pub async fn answer(&self, call: Call, body: &[u8]) -> Result<Vec<u8>, JournalError> {
        self.member.answer(call, body).await
    }

    /// The node whose journal it is.
    pub fn node(&self) -> NodeId {
        self.member.node
    }

    /// Whether the journal has members yet, as far as this one knows.
    pub fn is_founded(&self) -> bool {
        !self.member.beliefs().voters.is_empty()
    }

    /// Makes these nodes, of which this is one, the first voters of a new journal. Several of
    /// them may do so with the same list, but no node whose journal was lost.
    ///
    /// # Errors
    /// `Members` if it is founded already, or this node is not among them.
    pub async fn found(&self, members: &[NodeId]) -> Result<(), JournalError> {
        self.member.found(members).await
    }

    /// Who leads, as far as this member knows; changes whenever that does.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.member.leadership.clone()
    }

    /// Hears from more than half of the voters that this member leads, and has applied all that
    /// was committed before it did. Returns the term, in which no other member was or will be so
    /// confirmed.
    ///
    /// # Errors
    /// `NoQuorum` if too few answer within `limit`, `NotLeader` if another member leads, or none.
    pub async fn confirm_lead(&self, limit: Duration) -> Result<Term, JournalError> {
        self.member.confirm(limit).await
    }

    /// Appends entries that were decided on in this term, as [`Journal::append`] does. They are
    /// committed in this term, or not at all.
    ///
    /// # Errors
    /// `Deposed` if this member does not lead in this term any more; `NoQuorum` if too few voters
    /// answer within ten seconds. In both cases the entries may or may not be in the journal, and
    /// may still come into it later in the same term: that is settled only once an entry appended
    /// after them is acknowledged. Otherwise as [`Journal::append`].
    pub async fn append_in(&self, term: Term, entries: Vec<Vec<u8>>) -> Result<Seq, JournalError> {
        self.check_some(&entries)?;
        if self.term() > term {
            return Err(JournalError::Deposed { path: self.path().to_owned(), term });
        }
        let asked = self.ask(|answer| Request::Append(entries, Some(term), answer));
        timeout(self.patience, asked).await.unwrap_or_else(|_| Err(self.member.no_quorum()))
    }

    /// Number of entries that [`Journal::read`] gives here; changes with every one.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.member.applied.clone()
    }

    /// Adds a member that follows and does not vote. Only where the lead is.
    ///
    /// # Errors
    /// `NotLeader`; `Members` if another change is under way; `NoQuorum` as for
    /// [`Journal::append_in`].
    pub async fn add_learner(&self, node: NodeId) -> Result<(), JournalError> {
        self.member.add_learner(node, self.patience).await
    }

    /// Makes these members, all of which follow already, the voters. A voter that is not among
    /// them leaves the journal. Only where the lead is.
    ///
    /// # Errors
    /// As [`Journal::add_learner`]; also `Members` if one of them does not follow.
    pub async fn change_voters(&self, voters: BTreeSet<NodeId>) -> Result<(), JournalError> {
        self.member.change_voters(voters, self.patience).await
    }

    /// Stands for election at once, if this member votes and does not lead: for when the leader
    /// is known to be dead. The others refuse while they still hear from it.
    ///
    /// # Errors
    /// `Full`, `Storage`, `Damaged` or `NotLeader` if this member has stopped.
    pub async fn elect(&self) -> Result<(), JournalError> {
        self.member.elect().await
    }

    /// The newest term that this member has heard of. Rises at every opening of a journal of one
    /// member.
    pub fn term(&self) -> Term {
        self.member.beliefs().term
    }

    /// Appends entries, in order and all or none, and returns the number of the last once they
    /// are fsynced and committed. What several callers append at the same moment shares an fsync.
    ///
    /// # Errors
    /// `Full`, `Storage` or `Damaged` if they could not be written: the journal then takes no
    /// more entries until it is opened again, and these may or may not be in it. `Empty` if
    /// there is nothing to append, `Closed` after [`Journal::close`].
    pub async fn append(&self, entries: Vec<Vec<u8>>) -> Result<Seq, JournalError> {
        self.check_some(&entries)?;
        self.ask(|answer| Request::Append(entries, None, answer)).await
    }

    /// All entries from `from` on that are applied here, in order, each checked.
    ///
    /// # Errors
    /// `Damaged` or `Newer`, naming the entry; `Storage`; `Closed` after [`Journal::close`].
    pub async fn read(&self, from: Seq) -> Result<Vec<Record>, JournalError> {
        blocking(&self.member.store, move |store| store.read(|view| reading::records(view, from)))
            .await
    }

    /// Makes everything durable and gives the file back. Other handles fail from then on.
    ///
    /// # Errors
    /// `Full` or `Storage` if the file could not be closed in order; nothing acknowledged is lost
    /// by that. `Closed` if it was closed before.
    pub async fn close(self) -> Result<(), JournalError> {
        self.closing.notify_one();
        self.ask(Request::Close).await
    }

    fn check_some(&self, entries: &[Vec<u8>]) -> Result<(), JournalError> {
        if entries.is_empty() {
            return Err(JournalError::Empty { path: self.path().to_owned() });
        }
        Ok(())
    }

    fn path(&self) -> &Path {
        self.member.store.path()
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Request,
    ) -> Result<T, JournalError> {
        let closed = || JournalError::Closed { path: self.path().to_owned() };
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

async fn open_file(path: &Path, node: NodeId) -> Result<(Arc<Store>, Recovery), JournalError> {
    let file = path.to_owned();
    let opening = tokio::task::spawn_blocking(move || open_store(&file, node)).await;
    let closed = |_| JournalError::Closed { path: path.to_owned() };
    let (store, recovery) = opening.map_err(closed)??;
    Ok((Arc::new(store), recovery))
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
#[cfg(test)]
mod lagging_tests;
#[cfg(test)]
mod members_tests;
#[cfg(test)]
mod storm_tests;
#[cfg(test)]
mod test_members;

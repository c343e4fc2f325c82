//! The Raft log and the vote, on disk. An entry counts as written once it is fsynced.
//! Never applies an entry, and never looks into one.

use super::error::{JournalError, Place};
use super::machine;
use super::raft::{Entry, LogId, StorageError, Types, Vote};
use super::store::{Store, blocking, read_failed, write_failed};
use super::tables::{self, Change, LOG, View, decode};
use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use redb::Durability;
use std::fmt::Debug;
use std::ops::{Range, RangeBounds};
use std::sync::Arc;
use wallaby_core::ids::NodeId;

/// Name of the field that holds the vote.
pub(super) const VOTE: &str = "vote";
/// Name of the field that holds the last log id that was cut off.
pub(super) const PURGED: &str = "purged";

/// Entries that travel to another member in one call; more only if a single one is larger.
const CALL_BYTES_MAX: usize = 1 << 20;

/// The log of one member; a cheap handle.
#[derive(Clone)]
pub(super) struct Log {
    store: Arc<Store>,
}

impl Log {
    /// The log inside this store.
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

/// Lays down the lead that this member held when it last ran, so that it must be elected anew
/// and its term rises. It keeps its vote: it cannot help another to the term it once led.
pub(super) fn resign(store: &Store, node: NodeId) -> Result<(), JournalError> {
    let Some(vote) = store.read(|view| view.field::<Vote>(VOTE))? else { return Ok(()) };
    if vote.leader_id().node_id != node.0 {
        return Ok(());
    }
    let resigned = Vote::new(vote.leader_id().term, vote.leader_id().node_id);
    store.write(Durability::None, |change| change.set_field(VOTE, &resigned))
}

/// Both ends of the log.
pub(super) fn state(view: &View<'_>) -> Result<LogState<Types>, JournalError> {
    let purged: Option<LogId> = view.field(PURGED)?;
    let last = view.last(&LOG)?;
    let last = last.map(|(index, payload)| {
        decode::<Entry>(view.path, Place::LogEntry(index), &payload).map(|entry| entry.log_id)
    });
    Ok(LogState { last_purged_log_id: purged, last_log_id: last.transpose()?.or(purged) })
}

/// The entries of a range, checked.
pub(super) fn entries(
    view: &View<'_>,
    range: impl RangeBounds<u64>,
) -> Result<Vec<Entry>, JournalError> {
    let mut entries = Vec::new();
    view.visit(&LOG, range, |index, payload| {
        entries.push(decode(view.path, Place::LogEntry(index), payload)?);
        Ok(())
    })?;
    Ok(entries)
}

/// The first entries of a range, as many as fit into one call and at least one.
fn some_entries(view: &View<'_>, range: Range<u64>) -> Result<Vec<Entry>, JournalError> {
    let some = view.some(&LOG, range, CALL_BYTES_MAX)?;
    let decoded = some
        .into_iter()
        .map(|(index, payload)| decode(view.path, Place::LogEntry(index), &payload));
    decoded.collect()
}

/// Cuts off the log up to an entry, unless more of it is cut off already.
pub(super) fn cut(change: &Change<'_>, last: LogId) -> Result<(), JournalError> {
    change.remove(&LOG, ..=last.index)?;
    let purged: Option<LogId> = change.field(PURGED)?;
    if purged.is_some_and(|purged| purged.index >= last.index) {
        return Ok(());
    }
    change.set_field(PURGED, &last)
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        let read = move |store: &Store| store.read(|view| entries(view, range));
        blocking(&self.store, read).await.map_err(read_failed)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        let read = move |store: &Store| store.read(|view| some_entries(view, start..end));
        blocking(&self.store, read).await.map_err(read_failed)
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Log;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        blocking(&self.store, |store| store.read(state)).await.map_err(read_failed)
    }

    async fn get_log_reader(&mut self) -> Log {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote = *vote;
        let write = move |store: &Store| {
            store.write(Durability::Immediate, |change| change.set_field(VOTE, &vote))
        };
        blocking(&self.store, write).await.map_err(write_failed)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let read = |store: &Store| store.read(|view| view.field(VOTE));
        blocking(&self.store, read).await.map_err(read_failed)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let encode = |entry: Entry| (entry.log_id.index, tables::encode(&entry));
        let payloads: Vec<_> = entries.into_iter().map(encode).collect();
        let write = move |store: &Store| {
            store.write(Durability::Immediate, |change| change.put(&LOG, payloads))
        };
        blocking(&self.store, write).await.map_err(write_failed)?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let write = move |store: &Store| {
            store.write(Durability::Immediate, |change| change.remove(&LOG, log_id.index..))
        };
        blocking(&self.store, write).await.map_err(write_failed)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        // Raft asks for this while the snapshot that covers these entries may still be under way
        // into the file. Cut before that, and a crash between the two would leave a hole.
        let applied = blocking(&self.store, |store| store.read(machine::last_applied)).await;
        if applied.map_err(read_failed)? < Some(log_id) {
            self.store.installed().await.map_err(write_failed)?;
        }
        // Losing a purge costs nothing but space: the snapshot it rests on is durable already.
        let write =
            move |store: &Store| store.write(Durability::None, |change| cut(change, log_id));
        blocking(&self.store, write).await.map_err(write_failed)
    }
}

//! Snapshots: how the records that a member lacks come to it, a piece at a time.
//!
//! A record never changes once it is applied anywhere, so a snapshot is a number of records, and
//! a member needs only those behind its own. Pieces lie in a table of their own until all are
//! there; nobody holds more than one piece in memory. Never decides who needs a snapshot.

use super::error::{JournalError, Place};
use super::machine::{APPLIED, Progress};
use super::raft::{SnapshotMeta, Vote};
use super::store::{Store, blocking};
use super::tables::{Change, INCOMING, Numbered, RECORDS};
use redb::Durability;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Content of one piece; more only if a single record is larger.
const PIECE_BYTES_MAX: usize = 1 << 20;

/// Where the content of a snapshot lies.
pub(super) struct Body {
    store: Arc<Store>,
    table: &'static Numbered,
    records: u64,
}

/// Some of a snapshot's records on their way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    /// Who leads, and therefore sends.
    pub(super) vote: Vote,
    /// Which snapshot.
    pub(super) meta: SnapshotMeta,
    /// Number of records in the whole of it.
    pub(super) records: u64,
    /// Number of the first record in `content`.
    pub(super) first: u64,
    /// Consecutive records; none only asks where to begin.
    pub(super) content: Vec<Vec<u8>>,
}

/// What became of a piece.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Taken {
    /// Send the records from this one on.
    UpTo(u64),
    /// The snapshot is complete and installed; the vote of the member.
    All(Vote),
    /// The sender does not lead any more; the vote of the member.
    Nothing(Vote),
}

impl Body {
    /// The first `records` records of this store.
    pub(super) fn of_records(store: Arc<Store>, records: u64) -> Self {
        Self { store, table: &RECORDS, records }
    }

    /// The `records` records of which those that this store lacks have come in.
    pub(super) fn of_incoming(store: Arc<Store>, records: u64) -> Self {
        Self { store, table: &INCOMING, records }
    }

    /// Number of records.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// The records from `first` on that make a piece; at least one if there is any.
    pub(super) async fn piece(&self, first: u64) -> Result<Vec<Vec<u8>>, JournalError> {
        let (table, records) = (self.table, self.records);
        blocking(&self.store, move |store| piece(store, table, first, records)).await
    }

    /// Adds the records that the store under change lacks to its own.
    pub(super) fn copy_into(&self, change: &Change<'_>) -> Result<(), JournalError> {
        let mut next = change.field::<Progress>(APPLIED)?.unwrap_or_default().records;
        if next > self.records {
            let found = format!("it has {} records, fewer than the {next} here", self.records);
            let place = Place::Field(super::machine::SNAPSHOT);
            return Err(JournalError::Damaged { path: change.path.to_owned(), place, found });
        }
        while next < self.records {
            let content = piece(&self.store, self.table, next, self.records)?;
            let numbers = next..;
            next += content.len() as u64;
            change.put(&RECORDS, numbers.zip(content))?;
        }
        change.remove(&INCOMING, ..)
    }
}

fn piece(
    store: &Store,
    table: &Numbered,
    first: u64,
    end: u64,
) -> Result<Vec<Vec<u8>>, JournalError> {
    let found = store.read(|view| view.some(table, first..end, PIECE_BYTES_MAX))?;
    let mut content = Vec::with_capacity(found.len());
    for (expected, (number, payload)) in (first..).zip(found) {
        if number != expected {
            return Err(table.gap(store.path(), expected));
        }
        content.push(payload);
    }
    if content.is_empty() && first < end {
        return Err(table.gap(store.path(), first));
    }
    Ok(content)
}

/// The place where the pieces of a snapshot gather at the member that needs it.
#[derive(Default)]
pub(super) struct Arrivals {
    /// The number after the last record that has come in.
    end: u64,
}

impl Arrivals {
    /// Throws away what an earlier process left.
    pub(super) fn clear(store: &Store) -> Result<(), JournalError> {
        store.write(Durability::None, |change| change.remove(&INCOMING, ..))
    }

    /// Stores the content of a piece if it continues what is here.
    ///
    /// Returns the number of the first record that is still missing.
    pub(super) async fn take(
        &mut self,
        store: &Arc<Store>,
        first: u64,
        content: Vec<Vec<u8>>,
    ) -> Result<u64, JournalError> {
        let end = self.end;
        self.end = blocking(store, move |store| put(store, end, first, content)).await?;
        Ok(self.end)
    }
}

fn put(store: &Store, end: u64, first: u64, content: Vec<Vec<u8>>) -> Result<u64, JournalError> {
    let progress = store.read(|view| view.field::<Progress>(APPLIED))?;
    let own = progress.unwrap_or_default().records;
    let next = own.max(end);
    if first != next || content.is_empty() {
        return Ok(next);
    }
    let after = next + content.len() as u64;
    store.write(Durability::None, |change| {
        if end <= own {
            change.remove(&INCOMING, ..)?;
        }
        change.put(&INCOMING, (first..).zip(content))
    })?;
    Ok(after)
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} records)", self.records)
    }
}

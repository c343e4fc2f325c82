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
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Content of one piece; more only if a single record is larger.
const PIECE_BYTES_MAX: usize = 1 << 20;

/// Where the content of a snapshot lies.
pub(super) enum Body {
    /// The first so many records of this store.
    Records(Arc<Store>, u64),
    /// So many records. What the member that installs them lacks has come in.
    Incoming(u64),
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
    /// Number of records.
    pub(super) fn records(&self) -> u64 {
        let (Self::Records(_, records) | Self::Incoming(records)) = self;
        *records
    }

    /// The records from `first` on that make a piece; at least one if there is any. None if they
    /// have only come in: a snapshot is sent from where it was taken.
    pub(super) async fn piece(&self, first: u64) -> Result<Vec<Vec<u8>>, JournalError> {
        let Self::Records(store, records) = self else { return Ok(Vec::new()) };
        let range = first..*records;
        blocking(store, move |store| taken_piece(store, range)).await
    }

    /// Adds the records that the store under change lacks to its own.
    pub(super) fn copy_into(&self, change: &Change<'_>) -> Result<(), JournalError> {
        let mut next = change.field::<Progress>(APPLIED)?.unwrap_or_default().records;
        let records = self.records();
        if next > records {
            let found = format!("it has {records} records, fewer than the {next} here");
            let place = Place::Field(super::machine::SNAPSHOT);
            return Err(JournalError::Damaged { path: change.path.to_owned(), place, found });
        }
        while next < records {
            let content = match self {
                Self::Records(store, _) => taken_piece(store, next..records)?,
                Self::Incoming(_) => {
                    let found = change.some(&INCOMING, next..records, PIECE_BYTES_MAX)?;
                    consecutive(change.path, &INCOMING, next, found)?
                }
            };
            let numbers = next..;
            next += content.len() as u64;
            change.put(&RECORDS, numbers.zip(content))?;
        }
        change.remove(&INCOMING, ..)
    }
}

fn taken_piece(store: &Store, range: Range<u64>) -> Result<Vec<Vec<u8>>, JournalError> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let first = range.start;
    let found = store.read(|view| view.some(&RECORDS, range, PIECE_BYTES_MAX))?;
    consecutive(store.path(), &RECORDS, first, found)
}

/// Payloads without their numbers, which must run from `first` on; at least one.
fn consecutive(
    path: &Path,
    table: &Numbered,
    first: u64,
    found: Vec<(u64, Vec<u8>)>,
) -> Result<Vec<Vec<u8>>, JournalError> {
    if found.is_empty() {
        return Err(table.gap(path, first));
    }
    let payload = |(expected, (number, payload))| {
        if number == expected { Ok(payload) } else { Err(table.gap(path, expected)) }
    };
    (first..).zip(found).map(payload).collect()
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
        write!(f, "Body({} records)", self.records())
    }
}

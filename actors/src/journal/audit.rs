//! Reads a whole journal and checks it: every checksum, every number, nothing missing.
//! Never writes and never repairs; it only says what is wrong, and where.

use super::error::{JournalError, Place};
use super::log::{PURGED, VOTE};
use super::machine::{APPLIED, Progress, SNAPSHOT, Taken};
use super::raft::{Entry, LogId, Vote};
use super::reading;
use super::tables::{LOG, Numbered, RECORDS, View, decode};
use std::path::Path;

/// Reads everything once.
///
/// Returns the number of records, those included that stand in the log but not yet in the
/// table of records.
pub(super) fn audit(view: &View<'_>) -> Result<u64, JournalError> {
    view.check_format()?;
    view.field::<Vote>(VOTE)?;
    view.field::<Taken>(SNAPSHOT)?;
    let purged: Option<LogId> = view.field(PURGED)?;
    let progress: Progress = view.field(APPLIED)?.unwrap_or_default();
    let end = contiguous(view, &RECORDS, 0, |_, _| Ok(()))?;
    if end != progress.records {
        return Err(surplus_or_gap(view.path, end, progress.records));
    }
    let first = purged.map_or(0, |purged| purged.index + 1);
    let log_end = contiguous(view, &LOG, first, |index, payload| {
        decode::<Entry>(view.path, Place::LogEntry(index), payload).map(drop)
    })?;
    let applied = progress.last.map_or(0, |last| last.index + 1);
    if log_end < applied {
        return Err(LOG.gap(view.path, log_end));
    }
    Ok(end + reading::waiting(view)?.len() as u64)
}

fn surplus_or_gap(path: &Path, end: u64, counted: u64) -> JournalError {
    if end < counted {
        return RECORDS.gap(path, end);
    }
    let found = format!("{counted} records were counted, but there are {end}");
    JournalError::Damaged { path: path.to_owned(), place: Place::Field(APPLIED), found }
}

/// Visits a whole table that must run from `first` without a gap; returns the number after the
/// last.
fn contiguous(
    view: &View<'_>,
    table: &Numbered,
    first: u64,
    mut visitor: impl FnMut(u64, &[u8]) -> Result<(), JournalError>,
) -> Result<u64, JournalError> {
    let mut expected = first;
    view.visit(table, .., |number, payload| {
        if number != expected {
            return Err(table.gap(view.path, expected));
        }
        expected += 1;
        visitor(number, payload)
    })?;
    Ok(expected)
}

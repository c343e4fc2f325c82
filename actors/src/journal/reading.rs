//! Reads the records of a journal in order. Checks each, changes nothing.

use super::Record;
use super::error::JournalError;
use super::log;
use super::machine::{APPLIED, Progress};
use super::raft::Entry;
use super::tables::{RECORDS, View};
use openraft::EntryPayload;
use wallaby_core::ids::Seq;

/// The records from `from` on that the state machine has.
pub(super) fn records(view: &View<'_>, from: Seq) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    view.visit(&RECORDS, from.0.., |number, payload| {
        records.push((Seq(number), payload.to_vec()));
        Ok(())
    })?;
    Ok(records)
}

/// All records of a journal that nobody leads: those of the state machine, and those of the log
/// that a crash kept from being applied, where they are known to be committed.
pub(super) fn all_records(view: &View<'_>) -> Result<Vec<Record>, JournalError> {
    let mut all = records(view, Seq(0))?;
    let waiting = waiting(view)?;
    all.extend((all.len() as u64..).map(Seq).zip(waiting));
    Ok(all)
}

/// The records in the log that are committed but not applied. What a single voter has written is
/// committed; of several, only the others can tell.
pub(super) fn waiting(view: &View<'_>) -> Result<Vec<Vec<u8>>, JournalError> {
    let progress: Progress = view.field(APPLIED)?.unwrap_or_default();
    if progress.membership.voter_ids().count() > 1 {
        return Ok(Vec::new());
    }
    let next = progress.last.map_or(0, |last| last.index + 1);
    let entries = log::entries(view, next..)?;
    let alone = |entry: &Entry| match &entry.payload {
        EntryPayload::Membership(membership) => membership.voter_ids().count() <= 1,
        EntryPayload::Normal(_) | EntryPayload::Blank => true,
    };
    Ok(entries.into_iter().take_while(alone).flat_map(group).collect())
}

fn group(entry: Entry) -> Vec<Vec<u8>> {
    match entry.payload {
        EntryPayload::Normal(group) if group.counts_at(&entry.log_id) => group.entries,
        EntryPayload::Normal(_) | EntryPayload::Blank | EntryPayload::Membership(_) => Vec::new(),
    }
}

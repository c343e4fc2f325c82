//! Every unit that was committed and every try that failed, as columns.

use super::numbers::{differences, short};
use super::running_time::RunningTime;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wallaby_core::ids::SlotId;
use wallaby_core::journal::{Commit, Entry, Record};
use wallaby_core::unit::{Step, Unit};

/// The committed units in order of their start, and the failed tries in the journal's order.
#[derive(Debug, Default, Serialize)]
pub(super) struct Units {
    /// Names of the slots in order: their numbers on a single node, `NODE.INDEX` on several.
    slots: Vec<String>,
    slot: Vec<usize>,
    trial: Vec<u32>,
    epoch: Vec<u32>,
    /// −1 is the validation.
    partition: Vec<i64>,
    /// Running time in milliseconds, as differences.
    start: Vec<i64>,
    millis: Vec<u64>,
    loss: Vec<Option<f64>>,
    /// As differences.
    term: Vec<i64>,
    /// The number of the assignment within its term, as differences.
    attempt: Vec<i64>,
    /// Which try of the unit it was, by place, where it was not the first.
    retried: BTreeMap<usize, u32>,
    failed: Vec<FailedTry>,
}

/// A try that failed.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct FailedTry {
    slot: usize,
    trial: u32,
    epoch: u32,
    partition: i64,
    /// Running time in milliseconds at which it was given up.
    at: u64,
    why: String,
}

impl Units {
    /// The units of a journal.
    pub(super) fn of(entries: &[Entry], time: &RunningTime) -> Self {
        let slots = slots_of(entries);
        let place = |slot: &SlotId| slots.iter().position(|other| other == slot).unwrap_or(0);
        let mut commits = Vec::new();
        let mut failed = Vec::new();
        let mut failures: BTreeMap<Unit, u32> = BTreeMap::new();
        for Entry { at, record } in entries {
            match record {
                Record::UnitCommitted(commit) => {
                    commits.push((commit, failures.remove(&commit.unit).unwrap_or(0) + 1));
                }
                Record::UnitFailed { unit, slot, failure, .. } => {
                    *failures.entry(*unit).or_default() += 1;
                    failed.push(FailedTry {
                        slot: place(slot),
                        trial: unit.trial.0,
                        epoch: unit.epoch.0,
                        partition: partition(unit),
                        at: time.at(*at),
                        why: failure.to_string(),
                    });
                }
                _ => {}
            }
        }
        commits.sort_by_key(|(commit, _)| commit.started);
        let slots = names(&slots);
        let places = commits.iter().map(|(commit, _)| place(&commit.slot)).collect();
        Self { slots, slot: places, failed, ..columns(&commits, time) }
    }

    /// Names of the slots.
    pub(super) fn slots(&self) -> &[String] {
        &self.slots
    }
}

/// Every slot that is mentioned, in order.
fn slots_of(entries: &[Entry]) -> Vec<SlotId> {
    let slot = |entry: &Entry| match &entry.record {
        Record::UnitCommitted(commit) => Some(commit.slot),
        Record::UnitFailed { slot, .. } => Some(*slot),
        _ => None,
    };
    entries.iter().filter_map(slot).collect::<BTreeSet<_>>().into_iter().collect()
}

/// As the live view names them, where there is one node.
fn names(slots: &[SlotId]) -> Vec<String> {
    let one_node = slots.windows(2).all(|pair| pair[0].node == pair[1].node);
    let name = |slot: &SlotId| match one_node {
        true => slot.index.to_string(),
        false => format!("{}.{}", slot.node.0, slot.index),
    };
    slots.iter().map(name).collect()
}

/// All columns but those about slots.
fn columns(commits: &[(&Commit, u32)], time: &RunningTime) -> Units {
    let all = || commits.iter().map(|(commit, _)| *commit);
    let retried = commits.iter().enumerate().filter(|(_, (_, tries))| *tries > 1);
    let loss = |commit: &Commit| commit.output.metrics.get("loss").copied().and_then(short);
    Units {
        trial: all().map(|commit| commit.unit.trial.0).collect(),
        epoch: all().map(|commit| commit.unit.epoch.0).collect(),
        partition: all().map(|commit| partition(&commit.unit)).collect(),
        start: differences(all().map(|commit| time.at(commit.started))),
        millis: all().map(|commit| commit.output.millis).collect(),
        loss: all().map(loss).collect(),
        term: differences(all().map(|commit| commit.fence.term.0)),
        attempt: differences(all().map(|commit| commit.fence.attempt)),
        retried: retried.map(|(at, (_, tries))| (at, *tries)).collect(),
        ..Units::default()
    }
}

fn partition(unit: &Unit) -> i64 {
    match unit.step {
        Step::Train(partition) => i64::from(partition.0),
        Step::Validate => -1,
    }
}

//! The engine in the manner of a script: one event in, and the whole list of commands compared.
//! Every event of every test also checks the invariants and replays the journal written so far.

#[path = "engine_tests/admission.rs"]
mod admission;
#[path = "engine_tests/dearth.rs"]
mod dearth;
#[path = "engine_tests/leader.rs"]
mod leader;
#[path = "engine_tests/losses.rs"]
mod losses;
#[path = "engine_tests/pauses.rs"]
mod pauses;
#[path = "engine_tests/results.rs"]
mod results;
#[path = "engine_tests/retention.rs"]
mod retention;
#[path = "engine_tests/storage.rs"]
mod storage;
#[path = "engine_tests/succession.rs"]
mod succession;

use super::*;
use crate::ids::Fence;
use crate::journal::{Commit, Conclusion, Creation, Decision, End};
use crate::membership::Offer;
use crate::testing::{
    attempt, creation, decided, ended, fence, joined, left, offer, output, proposed, rolled_back,
    slot, state, term_began, train, validation,
};
use crate::unit::{Failure, Output, Step, Unit};
use leader::Leader;

/// Records as an `Append` of time `millis`, the first of them at place `first`.
fn append(first: u64, millis: u64, records: impl IntoIterator<Item = Record>) -> Command {
    let entry = |record| Entry { at: Moment(millis), record };
    Command::Append { first: Seq(first), entries: records.into_iter().map(entry).collect() }
}

/// The order to start a unit from the untrained state.
fn begin(slot: SlotId, unit: Unit, fence: Fence) -> Command {
    let attempt = attempt(slot, unit, fence, None);
    start_of(attempt, None)
}

/// The order to start a unit from `input`, which is on node `source`.
fn go_on(slot: SlotId, unit: Unit, fence: Fence, input: Digest, source: u64) -> Command {
    let attempt = attempt(slot, unit, fence, Some(input));
    start_of(attempt, Some(NodeId(source)))
}

fn start_of(attempt: Try, source: Option<NodeId>) -> Command {
    let (config, closes_epoch) = (Default::default(), false);
    Command::StartUnit(Start { attempt, source, config, closes_epoch })
}

/// The same order, for the last partition of an epoch.
fn closing(command: Command) -> Command {
    match command {
        Command::StartUnit(start) => Command::StartUnit(Start { closes_epoch: true, ..start }),
        other => panic!("expected a start, got {other:?}"),
    }
}

/// The record of a result that counts.
fn commit(attempt: Try, started: u64, output: Output) -> Record {
    let Try { unit, fence, slot, .. } = attempt;
    Record::UnitCommitted(Commit { unit, fence, slot, started: Moment(started), output })
}

/// The record of a failed try.
fn failed(attempt: Try, failure: Failure) -> Record {
    let Try { unit, fence, slot, .. } = attempt;
    Record::UnitFailed { unit, fence, slot, failure }
}

/// The tries that these commands start.
fn started(commands: &[Command]) -> Vec<Try> {
    let start = |command: &Command| match command {
        Command::StartUnit(start) => Some(start.attempt),
        _ => None,
    };
    commands.iter().filter_map(start).collect()
}

/// The only try that these commands start.
fn only(commands: &[Command]) -> Try {
    match started(commands)[..] {
        [attempt] => attempt,
        _ => panic!("expected one start in {commands:#?}"),
    }
}

/// The records that these commands append.
fn appended(commands: &[Command]) -> Vec<Record> {
    let entries = |command: &Command| match command {
        Command::Append { entries, .. } => entries.clone(),
        _ => Vec::new(),
    };
    commands.iter().flat_map(entries).map(|entry| entry.record).collect()
}

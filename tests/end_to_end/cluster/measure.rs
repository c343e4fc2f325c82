//! How long a cluster takes to notice and to recover, told with `--nocapture`.

#![allow(clippy::print_stdout, reason = "figures for whoever asks for them")]

use super::api::Api;
use super::harness::Cluster;
use super::waiting::{DEADLINE, await_some, holds};
use std::time::{Duration, Instant};
use wallaby::wallaby_core::journal::Record;
use wallaby_actors::cluster::api_types::{NodeState, RunningInfo, UnitInfo};

/// Tells how long something took.
pub(crate) fn tell(what: &str, took: Duration) {
    println!("MEASURED {what}: {} ms", took.as_millis());
}

/// Tells how much memory something took.
pub(crate) fn tell_size(what: &str, bytes: u64) {
    println!("MEASURED {what}: {} KiB", bytes >> 10);
}

/// Tells how much more or less something was than something else.
pub(crate) fn tell_ratio(what: &str, ratio: f64) {
    println!("MEASURED {what}: {ratio:.2}");
}

/// Waits until `witness` knows that a node is gone or frozen.
#[track_caller]
pub(crate) fn await_detection(cluster: &Cluster, witness: &str, name: &str, since: Instant) {
    cluster.await_state(witness, name, &[NodeState::Suspected, NodeState::Left]);
    tell("a node is known to be gone", since.elapsed());
}

/// Waits until a unit is committed that was not under way when something happened: more than
/// `before` and as many as could be under way.
#[track_caller]
pub(crate) fn await_progress(cluster: &Cluster, study: &str, before: u64, since: Instant) {
    cluster.await_units(study, before + 1);
    tell("units are committed again", since.elapsed());
}

/// Waits until a unit that a node took with it runs elsewhere, or is committed from there.
#[track_caller]
pub(crate) fn await_rerun(cluster: &Cluster, study: &str, lost: &RunningInfo, since: Instant) {
    let elsewhere = |record: &Record| match record {
        Record::UnitCommitted(commit) => {
            UnitInfo::from(commit.unit) == lost.unit && commit.slot.node != lost.slot.node
        }
        _ => false,
    };
    await_some("the lost unit runs elsewhere", DEADLINE, || {
        let running = cluster.running(study)?;
        let runs = running.iter().any(|r| r.unit == lost.unit && r.node != lost.node);
        let entries = cluster.ask(|api: &Api, node| api.records(node, study))?;
        let done = entries.iter().any(|entry| elsewhere(&entry.record));
        holds(runs || done, || format!("{lost:?} was lost, these run: {running:?}"))
    });
    tell("the lost unit runs again", since.elapsed());
}

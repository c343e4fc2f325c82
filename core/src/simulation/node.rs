//! A simulated node: slots that compute by hashing, and a disk of checkpoints.

use crate::engine::{Start, Try};
use crate::ids::{Digest, Epoch, Moment, NodeId, PartitionId, TrialId};
use crate::membership::Offer;
use crate::seed::Seed;
use crate::unit::{Metrics, Output, Step, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// A unit being computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) attempt: Try,
    pub(super) began: Moment,
}

/// A node and its disk.
#[derive(Debug, Clone)]
pub(super) struct SimulatedNode {
    pub(super) id: NodeId,
    pub(super) offer: Offer,
    pub(super) alive: bool,
    pub(super) boot: u64,
    pub(super) jobs: BTreeMap<u32, Job>,
    /// Orders that wait for the job at hand to end.
    pub(super) next: BTreeMap<u32, Start>,
    /// The last result of each slot, which a new leader must hear of.
    pub(super) finished: BTreeMap<u32, (Try, Output)>,
    pub(super) states: BTreeSet<Digest>,
    pub(super) slowness: f64,
    /// Until then it neither computes nor says anything.
    pub(super) frozen_until: Moment,
    /// Until then its disk takes no checkpoint.
    pub(super) full_until: Moment,
    /// The next unit finds its data damaged.
    pub(super) data_damaged: bool,
}

impl SimulatedNode {
    /// A node that has just started, with an empty disk.
    pub(super) fn new(id: NodeId, offer: Offer, slowness: f64) -> Self {
        Self {
            id,
            offer,
            alive: true,
            boot: 1,
            jobs: BTreeMap::new(),
            next: BTreeMap::new(),
            finished: BTreeMap::new(),
            states: BTreeSet::new(),
            slowness,
            frozen_until: Moment(0),
            full_until: Moment(0),
            data_damaged: false,
        }
    }

    /// Takes an order as a trainer does: begins it, puts it aside while another job runs, ignores
    /// it if it is not newer than what it has. Whether it begins.
    pub(super) fn start(&mut self, start: &Start, now: Moment) -> bool {
        let slot = start.attempt.slot.index;
        let waits = self.next.get(&slot).map(|next| next.attempt.fence);
        let newest = waits.or(self.jobs.get(&slot).map(|job| job.attempt.fence));
        if !self.alive || newest.is_some_and(|newest| newest >= start.attempt.fence) {
            return false;
        }
        if self.jobs.contains_key(&slot) {
            self.next.insert(slot, start.clone());
            return false;
        }
        self.jobs.insert(slot, Job { attempt: start.attempt, began: now });
        true
    }

    /// What its trainers run, and what waits for them.
    pub(super) fn at_hand(&self) -> impl Iterator<Item = Try> {
        let running = self.jobs.values().map(|job| job.attempt);
        running.chain(self.next.values().map(|next| next.attempt))
    }

    /// Ends the job with this fence, if it is still at hand.
    pub(super) fn finish(&mut self, attempt: &Try) -> Option<Job> {
        let job = self.jobs.get(&attempt.slot.index).filter(|job| job.attempt == *attempt)?;
        let job = *job;
        self.jobs.remove(&attempt.slot.index);
        Some(job)
    }

    /// The process dies; its disk stays.
    pub(super) fn die(&mut self) {
        self.alive = false;
        self.jobs.clear();
        self.next.clear();
        self.finished.clear();
    }
}

/// What training on a partition makes of a state: a pure function, as the real one is.
pub(super) fn trained(
    input: Option<Digest>,
    trial: TrialId,
    epoch: Epoch,
    partition: PartitionId,
) -> Digest {
    let mut bytes = Seed::of_unit(0, trial, epoch, partition).0.to_vec();
    bytes.extend(input.map_or([0; 32], |state| state.0));
    Digest::of(&bytes)
}

/// The result of a unit on this input.
pub(crate) fn output(unit: Unit, input: Option<Digest>, millis: u64, diverges: bool) -> Output {
    let state = match unit.step {
        Step::Train(partition) => trained(input, unit.trial, unit.epoch, partition),
        Step::Validate => input.unwrap_or(Digest([0; 32])),
    };
    let loss = if diverges { f64::NAN } else { Seed(state.0).unit_interval() };
    let metrics = Metrics::from([("loss".to_owned(), loss), ("rows".to_owned(), 10.0)]);
    Output { state, bytes: 1, metrics, millis }
}

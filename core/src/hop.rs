//! The hop planner: which ready trial runs next on which idle slot.
//! A pure function from a small problem to a list of assignments; it keeps nothing.
//!
//! Model hopper parallelism after Nakandala et al., "Cerebro: A Data System for Optimized Deep
//! Learning Model Selection", VLDB 2020, section 5, without its barriers and with a fixed cyclic
//! order in place of a random one.

mod free;
mod load;
mod rotation;

pub(crate) use rotation::IDLE_MILLIS_MIN;

use crate::ids::{NodeId, PartitionId, SlotId, TrialId};
use crate::membership::View;
use crate::spec::Order;
use crate::unit::Step;
use std::collections::{BTreeMap, BTreeSet};

/// [`Candidate::since`] of a trial whose unit was lost with its node: it has waited longest of all.
pub const URGENT: u64 = 0;

/// [`Candidate::since`] from which on a trial is put off: its unit has failed again and again.
pub const DEFERRED: u64 = 1 << 32;

/// A trial that could start its next unit now.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Which trial.
    pub trial: TrialId,
    /// What it may do next; never empty. In `rotation` exactly one step; in `free` all partitions
    /// not yet visited, in the order of the cycle from where the trial is.
    pub steps: Vec<Step>,
    /// The node where its newest checkpoint is; `None` if it has none yet.
    pub place: Option<NodeId>,
    /// Rises with every trial that becomes ready: the smallest has waited longest. [`URGENT`] is
    /// before all, [`DEFERRED`] and more behind all others.
    pub since: u64,
    /// Expected duration of its next unit in milliseconds, on a node of ordinary speed.
    pub cost: f64,
    /// Expected work left until its last epoch, in the same milliseconds.
    pub remaining: f64,
}

/// A unit under way, as far as the planner cares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Busy {
    /// Expected time until the slot is idle again, in milliseconds.
    pub millis: f64,
}

/// A trial that is busy and will be ready soon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// What the cycle would have it do next.
    pub step: Step,
    /// Expected time until it is ready, in milliseconds.
    pub millis: f64,
    /// Expected duration of its next unit in milliseconds, on a node of ordinary speed.
    pub cost: f64,
}

/// Everything the planner looks at.
#[derive(Debug)]
pub struct Problem<'a> {
    /// The living nodes, their slots and their data.
    pub view: &'a View,
    /// Slots with a unit.
    pub busy: &'a BTreeMap<SlotId, Busy>,
    /// For how many milliseconds slots without one have been idle, now or lately; absent means just
    /// now.
    pub idle: &'a BTreeMap<SlotId, f64>,
    /// Trials that are ready.
    pub candidates: Vec<Candidate>,
    /// Trials that will be ready soon; only the `free` order looks at them.
    pub arrivals: Vec<Arrival>,
    /// Whether slots that are left idle now are taken by others.
    pub contended: bool,
    /// How slow a node is; 1 is ordinary, absent means 1.
    pub slowness: &'a BTreeMap<NodeId, f64>,
}

/// `trial` takes `step` on `slot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// Where.
    pub slot: SlotId,
    /// Who.
    pub trial: TrialId,
    /// What.
    pub step: Step,
}

/// Fills idle slots. Every slot and every trial occurs at most once; a step is only assigned to a
/// node that holds its data.
pub fn plan(order: Order, problem: Problem<'_>) -> Vec<Assignment> {
    let slots = problem.view.slots();
    let idle: BTreeSet<SlotId> = slots.filter(|slot| !problem.busy.contains_key(slot)).collect();
    if idle.is_empty() || problem.candidates.is_empty() {
        return Vec::new();
    }
    match order {
        Order::Rotation => rotation::plan(problem, idle),
        Order::Free => free::plan(problem, idle),
    }
}

/// The rotation: partitions in a cycle that starts at `trial mod partitions`.
pub fn rotation_order(trial: TrialId, partitions: u32) -> impl Iterator<Item = PartitionId> {
    let start = trial.0 % partitions.max(1);
    (0..partitions).map(move |at| PartitionId((start + at) % partitions))
}

/// The steps open to a trial that has visited `visited` in this epoch, in the order of the cycle:
/// in `rotation` the next one, in `free` all, from the one after the partition visited last.
pub fn open_steps(
    order: Order,
    trial: TrialId,
    visited: &[PartitionId],
    partitions: u32,
) -> Vec<Step> {
    if visited.len() >= partitions as usize {
        return vec![Step::Validate];
    }
    match order {
        // In rotation the visits are the beginning of the cycle.
        Order::Rotation => rotation_order(trial, partitions)
            .nth(visited.len())
            .map(Step::Train)
            .into_iter()
            .collect(),
        Order::Free => {
            let seen: BTreeSet<PartitionId> = visited.iter().copied().collect();
            let start = visited.last().map_or(trial, |last| TrialId(last.0 + 1));
            let cycle = rotation_order(start, partitions);
            cycle.filter(|partition| !seen.contains(partition)).map(Step::Train).collect()
        }
    }
}

#[cfg(test)]
#[path = "hop_tests.rs"]
mod tests;

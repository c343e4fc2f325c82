//! Priorities of the `rotation` order. A trial has one next step and one node that serves it: the
//! node where the trial is, if that holds the partition, else the first holder. At a free slot a
//! trial that need not hop goes first, then the one that has waited longest, ties by number. But
//! not for ever: where hops are made ahead of time hardly a trial needs one any more, and one whose
//! hop was lost with a node would wait for the end of all others.
//! Another holder serves only where waiting would cost more than the detour.

use super::load::{Load, take};
use super::{Assignment, Candidate, Problem};
use crate::ids::{NodeId, SlotId};
use std::collections::BTreeSet;

/// A detour is taken if the expected wait exceeds this many times the unit's own duration on the
/// other node. Taking any idle holder at once costs 1.03 to 1.15 of the makespan.
const DETOUR: f64 = 2.0;

/// After so many rounds of all trials a hop counts no longer against a trial. Fewer rounds cost
/// hops without need.
const ROUNDS: u64 = 4;

pub(super) fn plan(problem: Problem<'_>, mut idle: BTreeSet<SlotId>) -> Vec<Assignment> {
    let mut queue: Vec<(&Candidate, Vec<NodeId>)> = problem
        .candidates
        .iter()
        .map(|candidate| (candidate, serving_order(&problem, candidate)))
        .filter(|(_, holders)| !holders.is_empty())
        .collect();
    let newest = problem.candidates.iter().map(|candidate| candidate.since).max();
    let round = (problem.candidates.len() + problem.busy.len()) as u64;
    let patient = newest.unwrap_or_default().saturating_sub(ROUNDS * round);
    queue.sort_by_key(|(candidate, holders)| {
        let hops = candidate.place.is_some_and(|place| place != holders[0]);
        (hops && candidate.since >= patient, candidate.since, candidate.trial)
    });

    let mut assignments = Vec::new();
    let mut waiting = Vec::new();
    let mut load = Load::of_running(&problem);
    for (candidate, holders) in queue {
        let home = holders[0];
        match take(&mut idle, home) {
            Some(slot) => assignments.push(assign(slot, candidate)),
            None => waiting.push((candidate, holders, load.wait(home))),
        }
        load.add(&problem, home, problem.cost_on(candidate, home));
    }
    for (candidate, holders, wait) in waiting {
        let worth = |node: &NodeId| wait > DETOUR * problem.cost_on(candidate, *node);
        let detour = holders.iter().skip(1).filter(|node| worth(node));
        if let Some(slot) = { detour }.find_map(|node| take(&mut idle, *node)) {
            assignments.push(assign(slot, candidate));
        }
    }
    assignments
}

/// The nodes that can serve the candidate, the preferred one first.
fn serving_order(problem: &Problem<'_>, candidate: &Candidate) -> Vec<NodeId> {
    let mut holders = problem.view.holders(candidate.steps[0]);
    if let Some(at) = holders.iter().position(|node| Some(*node) == candidate.place) {
        holders[..=at].rotate_right(1);
    }
    holders
}

fn assign(slot: SlotId, candidate: &Candidate) -> Assignment {
    Assignment { slot, trial: candidate.trial, step: candidate.steps[0] }
}

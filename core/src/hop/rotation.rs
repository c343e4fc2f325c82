//! Priorities of the `rotation` order. A trial has one next step and one node that serves it: the
//! node where the trial is, if that holds the partition, else the first holder. At a free slot a
//! trial that need not hop goes first, then the one that has waited longest, ties by number. But
//! not for ever: where hops are made ahead of time hardly a trial needs one any more, and one whose
//! hop was lost with a node would wait for the end of all others.
//! Another holder serves only where waiting would cost more than the detour, or where its slot has
//! been idle for longer than the rotation leaves any slot idle: a node that has come in mid-study
//! is the home of no trial, and trials that stay where they are would never visit it. Among several
//! studies a slot is not left to others that this one has a right to.

use super::load::{Load, first_of, take};
use super::{Assignment, Candidate, DEFERRED, Problem, URGENT};
use crate::ids::{NodeId, SlotId};
use std::collections::BTreeSet;

/// A detour is taken if the expected wait exceeds this many times the unit's own duration on the
/// other node. Taking any idle holder at once costs 1.03 to 1.15 of the makespan.
const DETOUR: f64 = 2.0;

/// A slot that has been idle for this many times a trial's unit takes it over from a busy node.
/// Less costs equal trials on equal nodes hops and time; they leave no slot idle for so long.
const IDLE: f64 = 1.0;

/// But not before so many milliseconds: where units are shorter, what passes between them is no sign
/// of anything.
pub(crate) const IDLE_MILLIS_MIN: f64 = 100.0;

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
    let in_line = problem.candidates.iter().map(|candidate| candidate.since);
    let newest = in_line.filter(|since| *since < DEFERRED).max().unwrap_or_default();
    let round = (problem.candidates.len() + problem.busy.len()) as u64;
    let patient = newest.saturating_sub(ROUNDS * round).max(URGENT + 1);
    queue.sort_by_key(|(candidate, holders)| {
        let hops = candidate.place.is_some_and(|place| place != holders[0]);
        let waits = hops && candidate.since >= patient;
        (candidate.since >= DEFERRED, waits, candidate.since, candidate.trial)
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
    // Those at the busiest nodes first.
    waiting.sort_by(|(.., a), (.., b)| b.total_cmp(a));
    for (candidate, holders, wait) in waiting {
        let worth = |node: &NodeId| {
            let cost = problem.cost_on(candidate, *node);
            let patience = (IDLE * cost).max(IDLE_MILLIS_MIN);
            problem.contended
                || wait > DETOUR * cost
                || idle_millis(&problem, &idle, *node) > patience
        };
        let detour = holders
            .iter()
            .skip(1)
            .copied()
            .find(|node| first_of(&idle, *node).is_some() && worth(node));
        if let Some(slot) = detour.and_then(|node| take(&mut idle, node)) {
            assignments.push(assign(slot, candidate));
        }
    }
    assignments
}

/// For how long the idle slot of `node` that would be taken has been idle.
fn idle_millis(problem: &Problem<'_>, idle: &BTreeSet<SlotId>, node: NodeId) -> f64 {
    let slot = first_of(idle, node).and_then(|slot| problem.idle.get(&slot));
    slot.copied().unwrap_or(0.0)
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

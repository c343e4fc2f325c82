//! Priorities of the `free` order: the trial with the most work left goes first, to any idle node
//! that holds one of its open partitions.
//!
//! Where trials are scarce, that alone costs 1.12 of the shortest time for equal trials, because
//! it breaks up the rotation in which nobody waits for anybody. There, trials first go where the
//! cycle sends them, and an idle slot is kept for one that the cycle sends there in a moment.

use super::load::take;
use super::{Arrival, Assignment, Candidate, DEFERRED, Problem, URGENT};
use crate::ids::{NodeId, SlotId};
use crate::unit::Step;
use std::collections::BTreeSet;

/// A slot waits for an arriving trial for at most this part of the trial's unit. From 0.15 to 0.4
/// equal trials gain the same; beyond, studies on uneven nodes begin to lose.
const PATIENCE: f64 = 0.2;

/// Trials are scarce if there are fewer than this many for each slot: with more there is nearly
/// always another one to fill the gap.
const PLENTY: usize = 2;

pub(super) fn plan(problem: Problem<'_>, mut idle: BTreeSet<SlotId>) -> Vec<Assignment> {
    let mut queue: Vec<&Candidate> = problem.candidates.iter().collect();
    // Lost units first of all, and what keeps failing last.
    let class = |candidate: &Candidate| (candidate.since > URGENT, candidate.since >= DEFERRED);
    queue.sort_by(|a, b| {
        let remaining = b.remaining.total_cmp(&a.remaining);
        let waiting = (a.since, a.trial).cmp(&(b.since, b.trial));
        class(a).cmp(&class(b)).then(remaining).then(waiting)
    });
    let mut assignments = Vec::new();
    if are_scarce(&problem) {
        keep_for_arrivals(&problem, &mut idle);
        queue.retain(|candidate| {
            let stay = stay(&problem, candidate, &idle);
            let place = stay.or_else(|| follow_cycle(&problem, candidate, &idle));
            place.map(|place| assignments.push(assign(&mut idle, candidate, place))).is_none()
        });
    }
    for candidate in queue {
        let stay = stay(&problem, candidate, &idle);
        if let Some(place) = stay.or_else(|| go_anywhere(&problem, candidate, &idle)) {
            assignments.push(assign(&mut idle, candidate, place));
        }
    }
    assignments
}

fn are_scarce(problem: &Problem<'_>) -> bool {
    let trials = problem.candidates.len() + problem.busy.len();
    trials < PLENTY * problem.view.slots().count()
}

/// Takes slots out of `idle` for trials that the cycle will send there in a moment, unless it
/// sends somebody there now.
fn keep_for_arrivals(problem: &Problem<'_>, idle: &mut BTreeSet<SlotId>) {
    let sent = |candidate| follow_cycle(problem, candidate, idle).map(|(node, _)| node);
    let wanted: Vec<NodeId> = problem.candidates.iter().filter_map(sent).collect();
    for arrival in &problem.arrivals {
        let holders = problem.view.holders(arrival.step);
        let soon = |node: &NodeId| arrives_soon(problem, arrival, *node);
        let is_free = |node: &NodeId| has_slot(idle, *node) && !wanted.contains(node);
        if let Some(node) = holders.into_iter().find(|node| soon(node) && is_free(node)) {
            take(idle, node);
        }
    }
}

fn arrives_soon(problem: &Problem<'_>, arrival: &Arrival, node: NodeId) -> bool {
    let slowness = problem.slowness.get(&node).copied().unwrap_or(1.0);
    arrival.millis <= PATIENCE * arrival.cost * slowness
}

/// An open step on the idle node where the candidate is: no hop.
fn stay(
    problem: &Problem<'_>,
    candidate: &Candidate,
    idle: &BTreeSet<SlotId>,
) -> Option<(NodeId, Step)> {
    let place = candidate.place.filter(|place| has_slot(idle, *place))?;
    let step = candidate.steps.iter().find(|step| problem.view.holds(place, **step))?;
    Some((place, *step))
}

/// The cycle's next step on an idle node that holds it.
fn follow_cycle(
    problem: &Problem<'_>,
    candidate: &Candidate,
    idle: &BTreeSet<SlotId>,
) -> Option<(NodeId, Step)> {
    let step = candidate.steps[0];
    let node = problem.view.holders(step).into_iter().find(|node| has_slot(idle, *node))?;
    Some((node, step))
}

/// The earliest step in the cycle's order that some idle node can serve.
fn go_anywhere(
    problem: &Problem<'_>,
    candidate: &Candidate,
    idle: &BTreeSet<SlotId>,
) -> Option<(NodeId, Step)> {
    let nodes: BTreeSet<NodeId> = idle.iter().map(|slot| slot.node).collect();
    candidate.steps.iter().find_map(|step| {
        let node = nodes.iter().find(|node| problem.view.holds(**node, *step))?;
        Some((*node, *step))
    })
}

fn has_slot(idle: &BTreeSet<SlotId>, node: NodeId) -> bool {
    idle.iter().any(|slot| slot.node == node)
}

fn assign(
    idle: &mut BTreeSet<SlotId>,
    candidate: &Candidate,
    (node, step): (NodeId, Step),
) -> Assignment {
    let slot = take(idle, node).expect("the chosen node has an idle slot");
    Assignment { slot, trial: candidate.trial, step }
}

//! Priorities of the `free` order: the trial with the most work left goes first, to any idle node
//! that holds one of its open partitions; among those, the earliest in its rotation.

use super::load::take;
use super::{Assignment, Candidate, Problem};
use crate::ids::{NodeId, SlotId};
use crate::unit::Step;
use std::collections::BTreeSet;

pub(super) fn plan(problem: Problem<'_>, mut idle: BTreeSet<SlotId>) -> Vec<Assignment> {
    let mut queue: Vec<&Candidate> = problem.candidates.iter().collect();
    queue.sort_by(|a, b| {
        b.remaining.total_cmp(&a.remaining).then((a.since, a.trial).cmp(&(b.since, b.trial)))
    });
    let mut assignments = Vec::new();
    for candidate in queue {
        if idle.is_empty() {
            break;
        }
        if let Some((node, step)) = choose(&problem, candidate, &idle) {
            let slot = take(&mut idle, node).expect("the chosen node has an idle slot");
            assignments.push(Assignment { slot, trial: candidate.trial, step });
        }
    }
    assignments
}

/// An idle node and an open step it can serve: no hop before a hop, then in rotation order.
fn choose(
    problem: &Problem<'_>,
    candidate: &Candidate,
    idle: &BTreeSet<SlotId>,
) -> Option<(NodeId, Step)> {
    let nodes: BTreeSet<NodeId> = idle.iter().map(|slot| slot.node).collect();
    let serves = |node: NodeId| {
        let step = candidate.steps.iter().find(|step| problem.view.holds(node, **step))?;
        Some((node, *step))
    };
    let here = candidate.place.filter(|place| nodes.contains(place)).and_then(serves);
    let place_in_rotation = |step: Step| candidate.steps.iter().position(|s| *s == step);
    here.or_else(|| {
        nodes.iter().filter_map(|node| serves(*node)).min_by_key(|(_, s)| place_in_rotation(*s))
    })
}

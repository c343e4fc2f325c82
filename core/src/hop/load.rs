//! How long a candidate would have to wait for a node, from what the node runs and who queues.

use super::{Busy, Candidate, Problem};
use crate::ids::{NodeId, SlotId};
use std::collections::{BTreeMap, BTreeSet};

/// Expected work queued at each node, in milliseconds a slot.
pub(super) struct Load {
    waits: BTreeMap<NodeId, f64>,
}

impl Load {
    /// The load from units under way; candidates are added one by one as they are placed.
    pub(super) fn of_running(problem: &Problem<'_>) -> Self {
        let mut load = Self { waits: BTreeMap::new() };
        for (slot, busy) in problem.busy {
            load.add(problem, slot.node, busy.millis);
        }
        load
    }

    /// `millis` more work for `node`, spread over its slots.
    pub(super) fn add(&mut self, problem: &Problem<'_>, node: NodeId, millis: f64) {
        let slots = problem.view.node(node).map_or(1, |node| node.offer.slots.max(1));
        *self.waits.entry(node).or_default() += millis / f64::from(slots);
    }

    /// Expected wait at `node`.
    pub(super) fn wait(&self, node: NodeId) -> f64 {
        self.waits.get(&node).copied().unwrap_or(0.0)
    }
}

impl Problem<'_> {
    /// Expected duration of the candidate's next unit on `node`.
    pub(super) fn cost_on(&self, candidate: &Candidate, node: NodeId) -> f64 {
        candidate.cost * self.slowness.get(&node).copied().unwrap_or(1.0)
    }
}

impl Busy {
    /// A unit that was expected to take `expected` and has run for `elapsed` milliseconds. One
    /// that is overdue is expected to take as long again as it is late.
    pub fn after(expected: f64, elapsed: f64) -> Self {
        Self { millis: (expected - elapsed).abs() }
    }
}

/// The first idle slot of `node`.
pub(super) fn first_of(idle: &BTreeSet<SlotId>, node: NodeId) -> Option<SlotId> {
    let first = SlotId { node, index: 0 };
    let last = SlotId { node, index: u32::MAX };
    idle.range(first..=last).next().copied()
}

/// Takes the first idle slot of `node`.
pub(super) fn take(idle: &mut BTreeSet<SlotId>, node: NodeId) -> Option<SlotId> {
    let slot = first_of(idle, node)?;
    idle.remove(&slot);
    Some(slot)
}

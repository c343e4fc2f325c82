//! How long units take: learnt from those that finished, a factor for the trial and one for the
//! node. Guides priorities only; no result depends on it.

use crate::ids::{NodeId, TrialId};
use std::collections::BTreeMap;

/// Weight of a new observation in the running averages.
const WEIGHT: f64 = 0.25;

/// What is assumed before anything was observed.
const UNKNOWN_MILLIS: f64 = 1000.0;

/// Running averages of unit durations.
#[derive(Debug, Clone, Default)]
pub(super) struct Costs {
    trials: BTreeMap<TrialId, f64>,
    slowness: BTreeMap<NodeId, f64>,
    overall: Option<f64>,
}

impl Costs {
    /// A training unit of `trial` took `millis` on `node`.
    pub(super) fn observe(&mut self, trial: TrialId, node: NodeId, millis: u64) {
        let millis = (millis as f64).max(1e-3);
        let slowness = self.slowness.get(&node).copied().unwrap_or(1.0);
        let known = self.trials.get(&trial).copied();
        if let Some(expected) = known {
            let average = self.slowness.entry(node).or_insert(1.0);
            *average += WEIGHT * (millis / expected - *average);
            *average = average.clamp(0.01, 100.0);
        }
        let ordinary = millis / slowness;
        let blend = |old: Option<f64>| old.map_or(ordinary, |old| old + WEIGHT * (ordinary - old));
        self.trials.insert(trial, blend(known));
        self.overall = Some(blend(self.overall));
    }

    /// Expected milliseconds of a unit of `trial` on an ordinary node.
    pub(super) fn of(&self, trial: TrialId) -> f64 {
        self.trials.get(&trial).copied().or(self.overall).unwrap_or(UNKNOWN_MILLIS)
    }

    /// Expected milliseconds of a unit of which nothing is known.
    pub(super) fn any(&self) -> f64 {
        self.overall.unwrap_or(UNKNOWN_MILLIS)
    }

    /// How slow each observed node is.
    pub(super) fn slowness(&self) -> &BTreeMap<NodeId, f64> {
        &self.slowness
    }

    /// Expected milliseconds of a unit of `trial` on `node`.
    pub(super) fn on(&self, trial: TrialId, node: NodeId) -> f64 {
        self.of(trial) * self.slowness.get(&node).copied().unwrap_or(1.0)
    }

    /// A trial that has ended needs no memory.
    pub(super) fn forget(&mut self, trial: TrialId) {
        self.trials.remove(&trial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_node_is_told_from_a_large_trial() {
        let mut costs = Costs::default();
        for _ in 0..40 {
            costs.observe(TrialId(0), NodeId(1), 100);
            costs.observe(TrialId(0), NodeId(2), 1000);
            costs.observe(TrialId(1), NodeId(1), 600);
        }
        let ratio = costs.on(TrialId(0), NodeId(2)) / costs.on(TrialId(0), NodeId(1));
        assert!((5.0..20.0).contains(&ratio), "{ratio}");
        let ratio = costs.of(TrialId(1)) / costs.of(TrialId(0));
        assert!((3.0..9.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn an_unknown_trial_costs_what_others_cost() {
        let mut costs = Costs::default();
        assert_eq!(costs.of(TrialId(5)), UNKNOWN_MILLIS);
        costs.observe(TrialId(0), NodeId(1), 40);
        assert_eq!(costs.of(TrialId(5)), 40.0);
    }
}

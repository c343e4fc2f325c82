//! An engine among others: what they leave to it, and what it tells about its needs.

use super::Engine;
use crate::hop;
use crate::ids::{Digest, Moment, NodeId, SlotId, TrialId};
use crate::study::{Phase, Study};
use crate::trial::{Checkpoint, Trial};
use std::collections::BTreeSet;

/// What other studies leave to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Slots that run units of others.
    pub taken: BTreeSet<SlotId>,
    /// So many units may run at once.
    pub units_max: usize,
    /// Whether slots that are left idle now are taken by others.
    pub contended: bool,
}

impl Default for Bounds {
    /// Everything.
    fn default() -> Self {
        Self { taken: BTreeSet::new(), units_max: usize::MAX, contended: false }
    }
}

/// A checkpoint that should lie on two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precious {
    /// The checkpoint.
    pub state: Digest,
    /// Where it is needed next, if that is known.
    pub home: Option<NodeId>,
    /// Whether the copy must survive a loss of power.
    pub durable: bool,
}

impl Engine {
    /// So many nodes hold the study's data: more than may have joined yet. They tell what they have
    /// when they join, so what nobody tells of is not there.
    pub fn expect_nodes(&mut self, nodes: usize) {
        self.expected = Some(nodes);
    }

    /// On how many nodes a checkpoint should lie.
    pub(super) fn copies_wanted(&self) -> usize {
        self.view.nodes().count().max(self.expected.unwrap_or(1)).clamp(1, 2)
    }

    /// Sets the bounds for what follows.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Starts what can be started within the bounds.
    pub fn reconsider(&mut self, now: Moment) {
        self.now = self.now.max(now);
        self.advance();
        self.flush();
    }

    /// How many units run or could start if there were slots enough: trials under way, and those
    /// that would be proposed.
    pub fn demand(&self) -> usize {
        if self.study.phase != Phase::Running || self.cancelled || self.pausing.is_some() {
            return self.assignments.len();
        }
        let left = self.study.creation.spec.trials_max() - self.study.trials.len() as u64;
        let proposable = if self.exhausted { 0 } else { left as usize };
        self.readiness.len().saturating_add(proposable)
    }

    /// The checkpoints that trials may go on from and the best one, each with the node that will
    /// need it.
    pub fn precious(&self) -> Vec<Precious> {
        let trials = self.readiness.keys().flat_map(|trial| self.precious_of(*trial));
        trials.chain(self.precious_best()).collect()
    }

    /// As [`Engine::precious`], of those trials that have changed since this was last asked, and
    /// the best one. What nodes that come and go change is not told here.
    pub fn precious_anew(&mut self) -> Vec<Precious> {
        let stirred = std::mem::take(&mut self.stirred);
        let trials = stirred.into_iter().flat_map(|trial| self.precious_of(trial));
        trials.chain(self.precious_best()).collect()
    }

    fn precious_best(&self) -> Option<Precious> {
        let best = self.study.best().map(|(_, best)| best.state);
        best.map(|state| Precious { state, home: None, durable: true })
    }

    fn precious_of(&self, trial: TrialId) -> Vec<Precious> {
        let trial = self.study.trial(trial).filter(|trial| trial.end.is_none());
        let Some((trial, (newest, older))) =
            trial.and_then(|trial| Some((trial, trial.checkpoints.split_last()?)))
        else {
            return Vec::new();
        };
        let precious = |checkpoint: &Checkpoint, home| Precious {
            state: checkpoint.state,
            home,
            durable: self.closes_epoch(checkpoint),
        };
        // Of the others those that close an epoch, and what is kept for lying twice.
        let needed: BTreeSet<Digest> = trial.needed().map(|c| c.state).collect();
        let lasting = older.iter().filter(|c| {
            let kept = self.retention.keeps(&c.state);
            kept && (self.closes_epoch(c) || !needed.contains(&c.state))
        });
        let lasting = lasting.map(|checkpoint| precious(checkpoint, None));
        std::iter::once(precious(newest, self.home_of(trial))).chain(lasting).collect()
    }

    /// Whether the checkpoint is needed.
    pub fn keeps(&self, state: &Digest) -> bool {
        self.retention.keeps(state) || self.releases.iter().any(|(_, pending)| pending == state)
    }

    /// Whether the study stands still, with everything about it durable.
    pub fn is_at_rest(&self) -> bool {
        self.resting
    }

    fn closes_epoch(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.visited >= self.study.partitions()
    }

    /// Where the trial's next unit runs, or will run as far as that can be told.
    fn home_of(&self, trial: &Trial) -> Option<NodeId> {
        if let Some(node) = self.node_running(trial.id) {
            return Some(node);
        }
        let (order, partitions) = (self.study.creation.spec.order, self.study.partitions());
        let steps = hop::open_steps(order, trial.id, &trial.visited, partitions);
        let holders = self.view.holders(*steps.first()?);
        // A validation runs where the trial is, wherever that has its rows.
        let place = trial.newest().and_then(|checkpoint| self.locate(checkpoint));
        place.filter(|place| holders.contains(place)).or(holders.first().copied())
    }

    fn node_running(&self, trial: TrialId) -> Option<NodeId> {
        let mut running = self.assignments.iter();
        let found = running.find(|(_, assignment)| assignment.attempt.unit.trial == trial);
        found.map(|(slot, _)| slot.node)
    }

    /// The study, when the engine is no longer needed.
    pub fn into_study(self) -> Study {
        self.study
    }
}

//! Which checkpoints must be kept: those that live trials may go on from, and the best model.
//! Counts references, because two trials may have the same state.
//!
//! A trial's newest checkpoint that lies on two nodes stays until a newer one does: otherwise a node
//! that makes several in a row, faster than they are copied, could take all of them with it.

use crate::ids::{Digest, TrialId};
use crate::study::Study;
use crate::trial::Checkpoint;
use std::collections::{BTreeMap, BTreeSet};

/// Reference counts of kept checkpoints.
#[derive(Debug, Clone, Default)]
pub(super) struct Retention {
    counts: BTreeMap<Digest, u32>,
    trials: BTreeMap<TrialId, Vec<Digest>>,
    best: Option<Digest>,
}

impl Retention {
    /// What the study as it stands may keep: a new leader does not know yet what lies where.
    pub(super) fn of(study: &Study) -> Self {
        let mut retention = Self::default();
        for trial in &study.trials {
            let live = trial.checkpoints.iter().filter(|_| trial.end.is_none());
            retention.keep(study, trial.id, live.map(|c| c.state).collect());
        }
        retention
    }

    /// Takes in a change of `trial`, of whose checkpoints some are `safe`; returns those that nobody
    /// needs any more.
    pub(super) fn update(
        &mut self,
        study: &Study,
        trial: TrialId,
        safe: impl Fn(&Checkpoint) -> bool,
    ) -> Vec<Digest> {
        let live = study.trial(trial).filter(|trial| trial.end.is_none());
        let kept = live.map(|trial| {
            let needed: BTreeSet<Digest> = trial.needed().map(|c| c.state).collect();
            let newest = trial.newest().map(|c| c.state);
            let before = self.trials.get(&trial.id).map(Vec::as_slice).unwrap_or_default();
            let all = trial.checkpoints.iter();
            // As long as none is safe, none is given up.
            let from = trial.checkpoints.iter().rposition(&safe);
            let lasting = all.enumerate().filter(|(at, checkpoint)| {
                needed.contains(&checkpoint.state) || from.is_none_or(|from| *at == from)
            });
            // What was let go before, as after a roll-back, is not there any more.
            let there = |state: &Digest| Some(*state) == newest || before.contains(state);
            lasting.map(|(_, checkpoint)| checkpoint.state).filter(there).collect()
        });
        self.keep(study, trial, kept.unwrap_or_default())
    }

    fn keep(&mut self, study: &Study, trial: TrialId, kept: Vec<Digest>) -> Vec<Digest> {
        let best = study.best().map(|(_, best)| best.state);
        for state in kept.iter().chain(&best) {
            *self.counts.entry(*state).or_default() += 1;
        }
        let before = if kept.is_empty() {
            self.trials.remove(&trial)
        } else {
            self.trials.insert(trial, kept)
        };
        let before_best = std::mem::replace(&mut self.best, best);
        let mut released = Vec::new();
        for state in before.into_iter().flatten().chain(before_best) {
            self.release(state, &mut released);
        }
        released
    }

    fn release(&mut self, state: Digest, released: &mut Vec<Digest>) {
        let Some(count) = self.counts.get_mut(&state) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&state);
            released.push(state);
        }
    }

    /// Whether the checkpoint is needed.
    pub(super) fn keeps(&self, state: &Digest) -> bool {
        self.counts.contains_key(state)
    }

    /// All needed checkpoints.
    pub(super) fn all(&self) -> impl Iterator<Item = Digest> {
        self.counts.keys().copied()
    }
}

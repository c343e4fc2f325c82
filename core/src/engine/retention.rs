//! Which checkpoints must be kept: those that live trials may go on from, and the best model.
//! Counts references, because two trials may have the same state.

use crate::ids::{Digest, TrialId};
use crate::study::Study;
use std::collections::BTreeMap;

/// Reference counts of kept checkpoints.
#[derive(Debug, Clone, Default)]
pub(super) struct Retention {
    counts: BTreeMap<Digest, u32>,
    trials: BTreeMap<TrialId, Vec<Digest>>,
    best: Option<Digest>,
}

impl Retention {
    /// What the study as it stands keeps.
    pub(super) fn of(study: &Study) -> Self {
        let mut retention = Self::default();
        for trial in &study.trials {
            retention.update(study, trial.id);
        }
        retention
    }

    /// Takes in a change of `trial`; returns the checkpoints that nobody needs any more.
    pub(super) fn update(&mut self, study: &Study, trial: TrialId) -> Vec<Digest> {
        let live = study.trial(trial).filter(|trial| trial.end.is_none());
        let kept: Vec<Digest> =
            live.map(|t| t.checkpoints.iter().map(|c| c.state).collect()).unwrap_or_default();
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

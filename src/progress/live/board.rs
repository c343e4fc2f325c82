//! What the live view knows at a moment: a small extract of the study, and what the slots run.
//! Kept up to date record by record; never draws, never reads a clock.

use crate::progress::news::news;
use crate::progress::pace::{Mark, Pace};
use std::collections::BTreeMap;
use wallaby_actors::running::Running;
use wallaby_core::ids::{Moment, TrialId};
use wallaby_core::journal::{Commit, End, Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::trial::Best;
use wallaby_core::unit::Step;

/// How a trial did in its last training unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LastUnit {
    pub(crate) loss: f64,
    pub(crate) rows_per_second: f64,
}

/// How many trials there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) expected: u64,
    pub(crate) under_way: u64,
    pub(crate) stopped: u64,
    pub(crate) failed: u64,
    /// All that have ended, those stopped and failed included.
    pub(crate) ended: u64,
}

/// What there is to show.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) metric: String,
    pub(crate) epochs: u32,
    pub(crate) partitions: u32,
    pub(crate) slots: u32,
    /// The names of the slots where they have some: those of a cluster say which node's they are.
    pub(crate) places: Vec<String>,
    pub(crate) count: Count,
    pub(crate) mark: Mark,
    /// When `mark` was taken.
    pub(crate) marked: Moment,
    pub(crate) best: Option<(TrialId, Best)>,
    pub(crate) last_units: BTreeMap<TrialId, LastUnit>,
    pub(crate) running: Vec<Running>,
    /// Whether a pause was asked for.
    pub(crate) pausing: bool,
    pub(super) pace: Pace,
    pub(super) news: Vec<String>,
}

impl Board {
    /// A study as it stands when this process begins.
    pub(crate) fn new(study: &Study, slots: u32) -> Self {
        let spec = &study.creation.spec;
        let mut board = Self {
            metric: spec.objective.metric.clone(),
            epochs: spec.budget.epochs,
            partitions: study.partitions(),
            slots,
            count: Count { expected: spec.trials_max(), ..Count::default() },
            ..Self::default()
        };
        study.trials.iter().filter_map(|trial| trial.end.as_ref()).for_each(|end| board.end(end));
        board.survey(study);
        board
    }

    /// A record has become durable; `study` is as it is after it.
    pub(crate) fn entry(&mut self, study: &Study, entry: &Entry) {
        match &entry.record {
            Record::UnitCommitted(commit) => self.committed(commit),
            Record::TrialEnded { trial, end } => {
                self.last_units.remove(trial);
                self.end(end);
            }
            _ => {}
        }
        self.news.extend(news(study, entry));
        self.survey(study);
        self.marked = entry.at;
    }

    /// What has happened out of the ordinary since it was last asked.
    pub(crate) fn take_news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    fn committed(&mut self, commit: &Commit) {
        let metrics = &commit.output.metrics;
        if let (Step::Train(_), Some(loss)) = (commit.unit.step, metrics.get("loss")) {
            let seconds = commit.output.millis.max(1) as f64 / 1000.0;
            let rows_per_second = metrics.get("rows").unwrap_or(&0.0) / seconds;
            self.last_units.insert(commit.unit.trial, LastUnit { loss: *loss, rows_per_second });
        }
    }

    fn end(&mut self, end: &End) {
        self.count.ended += 1;
        match end {
            End::Stopped => self.count.stopped += 1,
            End::Failed(_) => self.count.failed += 1,
            End::Completed | End::OutOfBudget | End::Cancelled => {}
        }
    }

    fn survey(&mut self, study: &Study) {
        self.mark = self.pace.look(study);
        self.best = study.best();
        self.count.under_way = (study.trials.len() as u64).saturating_sub(self.count.ended);
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;

//! When new trials are proposed, and when the study is over.

use super::dearth::Dearth;
use super::{Command, Engine};
use crate::ids::TrialId;
use crate::journal::{Conclusion, End, Pause, Record};
use crate::search::Ask;
use crate::study::Phase;

impl Engine {
    /// Moves the study on after every event: new trials, new units, pause, end.
    pub(super) fn advance(&mut self) {
        let open = self.study.phase == Phase::Running && !self.cancelled;
        if open && self.pausing.is_none() && !self.is_out_of_time() {
            self.propose();
            self.dispatch();
            self.watch_for_stalls();
        } else {
            self.idle.clear();
            self.dearth = Dearth::default();
        }
        let running = self.study.phase == Phase::Running;
        let cancelled = self.cancelled && !matches!(self.study.phase, Phase::Ended(_));
        if (running || cancelled) && self.assignments.is_empty() {
            self.conclude();
        }
        self.rest();
    }

    /// Whether the wall-clock budget is spent.
    fn is_out_of_time(&self) -> bool {
        let limit = self.study.creation.spec.budget.wall_clock_seconds;
        limit.is_some_and(|seconds| {
            self.study.active_millis_at(self.now) >= seconds.saturating_mul(1000)
        })
    }

    /// Keeps enough trials under way for all slots. Twice as many as slots keep the slots busy
    /// while others wait for their partition; the last ones all start, because a remainder that
    /// starts late would run alone.
    fn propose(&mut self) {
        let left =
            self.study.creation.spec.trials_max().saturating_sub(self.study.trials.len() as u64);
        if left == 0 || self.exhausted {
            return;
        }
        let slots = self.view.slots().count().min(self.bounds.units_max) as u64;
        if slots == 0 {
            return;
        }
        let active = self.readiness.len() as u64;
        let wanted = match self.study.creation.spec.search.concurrency {
            Some(concurrency) => u64::from(concurrency.max(1)).saturating_sub(active),
            None if left <= 2 * slots => left,
            None => (2 * slots).saturating_sub(active),
        };
        for _ in 0..wanted.min(left) {
            if !self.propose_one() {
                break;
            }
        }
    }

    /// Asks the sampler for one trial; false if it has none left.
    fn propose_one(&mut self) -> bool {
        let spec = &self.study.creation.spec;
        let trial = TrialId(self.study.trials.len() as u32);
        let ask = Ask {
            space: &spec.search.space,
            seed: spec.seed,
            trial,
            trials: &self.study.trials,
            direction: spec.objective.direction,
        };
        let Some(point) = self.sampler.propose(&ask) else {
            self.exhausted = true;
            return false;
        };
        let mut config = spec.model.clone();
        config.extend(point);
        self.record(Record::TrialProposed { trial, config });
        self.make_ready(trial);
        true
    }

    fn watch_for_stalls(&mut self) {
        let stuck = self.assignments.is_empty() && !self.readiness.is_empty();
        if stuck && self.is_durable() {
            self.stall();
        } else {
            self.stalled = None;
        }
    }

    /// Nothing is under way: is it a pause, or the end?
    fn conclude(&mut self) {
        if self.cancelled {
            self.end_all(&End::Cancelled, Conclusion::Cancelled);
        } else if self.is_out_of_time() {
            self.end_all(&End::OutOfBudget, Conclusion::WallClockSpent);
        } else if self.readiness.is_empty() && self.nothing_left() {
            self.record(Record::StudyEnded { cause: Conclusion::TrialsSpent });
        } else if let Some(cause) = self.pausing.take() {
            self.record(Record::StudyPaused { cause });
        } else if let Some(cause) = self.full_everywhere() {
            self.record(Record::StudyPaused { cause });
        }
    }

    /// Ends all trials under way, and the study.
    fn end_all(&mut self, end: &End, cause: Conclusion) {
        let active: Vec<TrialId> = self.study.active().map(|trial| trial.id).collect();
        for trial in active {
            self.record(Record::TrialEnded { trial, end: end.clone() });
            self.settle(trial);
        }
        self.record(Record::StudyEnded { cause });
    }

    fn nothing_left(&self) -> bool {
        self.exhausted || self.study.trials.len() as u64 >= self.study.creation.spec.trials_max()
    }

    /// No node can store a checkpoint any more: there is nothing to wait for.
    fn full_everywhere(&self) -> Option<Pause> {
        let open = self.view.nodes().any(|(_, node)| node.takes_units());
        self.full.clone().filter(|_| !open)
    }

    fn is_durable(&self) -> bool {
        self.decided.is_empty() && self.durable == Some(self.newest_record())
    }

    fn rest(&mut self) {
        let still = self.study.phase != Phase::Running && self.assignments.is_empty();
        if still && self.is_durable() && !self.resting {
            self.resting = true;
            self.commands.push_back(Command::Rest);
        }
    }
}

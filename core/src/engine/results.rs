//! What comes back from trainers: accepted or refused by fence, committed, decided upon.

use super::{Assignment, Engine, Try};
use crate::ids::{SlotId, TrialId};
use crate::journal::{Commit, Decision, End, Pause, Record};
use crate::membership::Standing;
use crate::unit::{Failure, Output, Step};

/// A unit whose model panics this many times in a row fails its trial.
pub const PANICS_MAX: u32 = 3;

/// A unit that fails this many times in a row for whatever cause fails its trial. Higher, because
/// trainers and processes also die of other causes than the model.
pub const LOSSES_MAX: u32 = 16;

impl Engine {
    /// Ends the assignment that this report belongs to. `None` for a report that does not count:
    /// late, repeated, or from another leader's time and overtaken since.
    fn accept(&mut self, attempt: &Try) -> Option<Assignment> {
        let current = self.assignments.get(&attempt.slot).copied();
        if current.is_some_and(|assignment| assignment.attempt == *attempt) {
            return self.assignments.remove(&attempt.slot);
        }
        let inherited = Assignment::new(*attempt, self.now);
        self.may_inherit(attempt).then_some(inherited)
    }

    /// Whether a try that an earlier leader started still fits the trial.
    fn may_inherit(&self, attempt: &Try) -> bool {
        let trial = attempt.unit.trial;
        let assigned = self.assignments.values().any(|a| a.attempt.unit.trial == trial);
        let Some(trial) = self.study.trial(trial).filter(|_| !assigned) else { return false };
        attempt.fence.term < self.term
            && trial.failed.is_none_or(|failed| failed < attempt.fence)
            && self.view.holds(attempt.slot.node, attempt.unit.step)
            && trial.objection(&attempt.unit, self.study.partitions()).is_none()
            && trial.newest().map(|checkpoint| checkpoint.state) == attempt.input
    }

    /// A trainer says what it runs: a sign of life, or something an earlier leader started.
    pub(super) fn unit_running(&mut self, attempt: Try) {
        let now = self.now;
        let current = self.assignments.get_mut(&attempt.slot);
        if let Some(assignment) = current.filter(|assignment| assignment.attempt == attempt) {
            assignment.seen = now;
        } else if self.is_idle(attempt.slot) && self.may_inherit(&attempt) {
            self.assignments.insert(attempt.slot, Assignment::new(attempt, now));
            self.audit(|auditor| auditor.adopt(&attempt));
        }
    }

    fn is_idle(&self, slot: SlotId) -> bool {
        self.view.has_slot(slot) && !self.assignments.contains_key(&slot)
    }

    pub(super) fn unit_finished(&mut self, attempt: Try, output: Output) {
        let Some(assignment) = self.accept(&attempt) else { return };
        if let Some(failure) = self.objection_to(&attempt, &output) {
            return self.fail(&attempt, failure);
        }
        let unit = attempt.unit;
        if matches!(unit.step, Step::Train(_)) {
            self.costs.observe(unit.trial, attempt.slot.node, output.millis);
        }
        let (fence, slot, started) = (attempt.fence, attempt.slot, assignment.started);
        self.copies.entry(output.state).or_default().insert(slot.node);
        self.record(Record::UnitCommitted(Commit { unit, fence, slot, started, output }));
        if unit.step == Step::Validate {
            self.decide(unit.trial);
        }
        self.settle(unit.trial);
    }

    /// Results that are no numbers, or not the results that were asked for.
    fn objection_to(&self, attempt: &Try, output: &Output) -> Option<Failure> {
        let bad = output.metrics.iter().find(|(_, value)| !value.is_finite());
        if let Some((name, value)) = bad {
            return Some(Failure::Diverged(format!("{name} is {value}")));
        }
        let objective = &self.study.creation.spec.objective.metric;
        let validated = attempt.unit.step == Step::Validate;
        if validated && !output.metrics.contains_key(objective) {
            return Some(Failure::Refused(format!("no metric named {objective} was reported")));
        }
        None
    }

    pub(super) fn unit_failed(&mut self, attempt: Try, failure: Failure) {
        if self.accept(&attempt).is_some() {
            self.fail(&attempt, failure);
        }
    }

    /// A try that counted has failed.
    pub(super) fn fail(&mut self, attempt: &Try, failure: Failure) {
        let trial = attempt.unit.trial;
        match &failure {
            Failure::StorageFull(_) | Failure::StorageBroken(_) => {
                self.view.set_standing(attempt.slot.node, Standing::Full);
                self.full_since.insert(attempt.slot.node, self.now);
                let words = failure.to_string();
                self.full = Some(match failure {
                    Failure::StorageBroken(_) => Pause::StorageBroken(words),
                    _ => Pause::StorageFull(words),
                });
                return self.settle(trial);
            }
            Failure::DataUnusable(_) => {
                self.audit_loss_of_data(attempt);
                self.view.drop_data(attempt.slot.node, attempt.unit.step);
                return self.settle(trial);
            }
            _ => {}
        }
        let (unit, fence, slot) = (attempt.unit, attempt.fence, attempt.slot);
        self.record(Record::UnitFailed { unit, fence, slot, failure: failure.clone() });
        match failure {
            failure if self.is_fatal(trial, &failure) => {
                self.record(Record::TrialEnded { trial, end: End::Failed(failure) });
            }
            Failure::StateUnusable { state, .. } => self.forget_state(trial, state),
            _ => {}
        }
        self.settle(trial);
    }

    /// Whether trying again is of no use.
    fn is_fatal(&self, trial: TrialId, failure: &Failure) -> bool {
        let trial = self.study.trial(trial);
        let (failures, panics) = trial.map_or((0, 0), |trial| (trial.failures, trial.panics));
        match failure {
            Failure::Diverged(_) | Failure::Refused(_) => true,
            Failure::Panicked(_) => panics >= PANICS_MAX,
            _ => failures >= LOSSES_MAX,
        }
    }

    /// Asks the policy about the epoch that a trial has just validated.
    fn decide(&mut self, id: TrialId) {
        let trial = self.study.trial(id).expect("only a known trial is validated");
        let epoch = trial.epoch;
        if epoch.0 >= self.study.creation.spec.budget.epochs {
            return self.record(Record::TrialEnded { trial: id, end: End::Completed });
        }
        let decision = if epoch <= trial.decided {
            Decision::Continue
        } else {
            self.policy.decide(&self.study, id, epoch)
        };
        self.record(Record::EpochDecided { trial: id, epoch, decision });
        if decision == Decision::Stop {
            self.record(Record::TrialEnded { trial: id, end: End::Stopped });
        }
    }

    /// Decides what an earlier leader left undecided.
    pub(super) fn decide_overdue(&mut self) {
        let overdue = self.study.active().filter(|trial| trial.undecided);
        let overdue: Vec<TrialId> = overdue.map(|trial| trial.id).collect();
        for trial in overdue {
            self.decide(trial);
            self.settle(trial);
        }
    }

    /// After a unit: the trial gets in line again, or is forgotten if it has ended.
    pub(super) fn settle(&mut self, trial: TrialId) {
        if self.study.trial(trial).is_some_and(|trial| trial.end.is_none()) {
            self.make_ready(trial);
        } else {
            self.readiness.remove(&trial);
            self.costs.forget(trial);
        }
    }

    /// The auditor keeps its own account of who holds what.
    fn audit_loss_of_data(&mut self, attempt: &Try) {
        let (node, step) = (attempt.slot.node, attempt.unit.step);
        self.audit(|auditor| {
            auditor.lose_data(node, step);
            Ok(())
        });
    }
}

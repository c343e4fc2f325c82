//! From ready trials and idle slots to units: builds the planner's problem, carries out its plan.

use super::{Assignment, Command, Engine, Readiness, Start, Try};
use crate::hop::{self, Arrival, Busy, Candidate};
use crate::ids::{Epoch, Fence, SlotId, TrialId};
use crate::spec::Order;
use crate::trial::Trial;
use crate::unit::{Step, Unit};
use std::collections::BTreeMap;

/// A slot is not thought to be short of more than so many units.
const DEARTH_UNITS_MAX: f64 = 2.0;

impl Engine {
    pub(super) fn dispatch(&mut self) {
        self.watch_idle_slots();
        let waiting = self.assign();
        let idle = self.idle.keys().copied();
        let idle = idle.filter(|slot| waiting && !self.assignments.contains_key(slot));
        let most = DEARTH_UNITS_MAX * self.costs.any().max(hop::IDLE_MILLIS_MIN);
        self.dearth.note(idle, &self.bounds.taken, self.now, most);
    }

    /// Gives idle slots units; whether trials are left that could start one.
    fn assign(&mut self) -> bool {
        let room = self.bounds.units_max.saturating_sub(self.assignments.len());
        if room == 0 || self.idle.is_empty() {
            return false;
        }
        let candidates = self.candidates();
        if candidates.is_empty() {
            return false;
        }
        let count = candidates.len();
        let mut busy = self.busy();
        // How long another study's unit takes is not known here.
        let taken = self.bounds.taken.iter().map(|slot| (*slot, Busy { millis: self.costs.any() }));
        busy.extend(taken);
        let slowness = self.costs.slowness();
        let arrivals = self.arrivals(&busy);
        let idle = self.idle.iter().map(|(slot, since)| {
            let idle = self.now.millis_since(*since) as f64;
            (*slot, idle.max(self.dearth.of(*slot, self.now)))
        });
        let (view, busy, idle) = (&self.view, &busy, &idle.collect());
        let contended = self.bounds.contended;
        let problem = hop::Problem { view, busy, idle, contended, candidates, arrivals, slowness };
        let plan = hop::plan(self.study.creation.spec.order, problem);
        let started = plan.into_iter().take(room);
        let started = started.map(|assignment| self.start(assignment)).count();
        started < count
    }

    /// Keeps account of the slots that run nothing, neither for this study nor for another.
    fn watch_idle_slots(&mut self) {
        let taken =
            |slot: &SlotId| self.assignments.contains_key(slot) || self.bounds.taken.contains(slot);
        let before = std::mem::take(&mut self.idle);
        let since = |slot: &SlotId| before.get(slot).copied().unwrap_or(self.now);
        let idle = self.view.slots().filter(|slot| !taken(slot));
        self.idle = idle.map(|slot| (slot, since(&slot))).collect();
    }

    pub(super) fn is_assigned(&self, trial: TrialId) -> bool {
        self.assignments.values().any(|assignment| assignment.attempt.unit.trial == trial)
    }

    /// Trials that may start a unit now: not running, everything they build on durable, their
    /// checkpoint on a living node.
    fn candidates(&self) -> Vec<Candidate> {
        let running: Vec<TrialId> = self.running().map(|attempt| attempt.unit.trial).collect();
        let durable = |readiness: &Readiness| Some(readiness.after) <= self.durable;
        let ready = self.readiness.iter().filter(|(_, readiness)| durable(readiness));
        ready
            .filter(|(trial, _)| !running.contains(trial))
            .filter_map(|(trial, readiness)| self.candidate(*trial, *readiness))
            .collect()
    }

    fn candidate(&self, id: TrialId, readiness: Readiness) -> Option<Candidate> {
        let trial = self.study.trial(id)?;
        let place = match trial.newest() {
            None => None,
            Some(checkpoint) => Some(self.locate(checkpoint)?),
        };
        let (order, partitions) = (self.study.creation.spec.order, self.study.partitions());
        let cost = self.costs.of(id);
        Some(Candidate {
            trial: id,
            steps: hop::open_steps(order, id, &trial.visited, partitions),
            place,
            since: readiness.since,
            cost,
            remaining: cost * self.units_left(trial),
        })
    }

    /// Units until the last epoch, the validations included.
    fn units_left(&self, trial: &Trial) -> f64 {
        let units = f64::from(self.study.partitions()) + 1.0;
        let epochs = Epoch(self.study.creation.spec.budget.epochs);
        let left = f64::from((epochs.0 + 1).saturating_sub(trial.epoch.0));
        left * units - trial.visited.len() as f64
    }

    fn busy(&self) -> BTreeMap<SlotId, Busy> {
        let busy = |(slot, assignment): (&SlotId, &Assignment)| {
            let expected = self.costs.on(assignment.attempt.unit.trial, slot.node);
            let elapsed = self.now.millis_since(assignment.started) as f64;
            (*slot, Busy::after(expected, elapsed))
        };
        self.assignments.iter().map(busy).collect()
    }

    /// In the `free` order, what running trials would do next.
    fn arrivals(&self, busy: &BTreeMap<SlotId, Busy>) -> Vec<Arrival> {
        let order = self.study.creation.spec.order;
        let running = self.assignments.iter().filter(|_| order == Order::Free);
        let arrival = |(slot, assignment): (&SlotId, &Assignment)| {
            let id = assignment.attempt.unit.trial;
            let mut visited = self.study.trial(id)?.visited.clone();
            match assignment.attempt.unit.step {
                Step::Train(partition) => visited.push(partition),
                Step::Validate => visited.clear(),
            }
            let steps = hop::open_steps(order, id, &visited, self.study.partitions());
            let (millis, cost) = (busy.get(slot)?.millis, self.costs.of(id));
            Some(Arrival { step: *steps.first()?, millis, cost })
        };
        running.filter_map(arrival).collect()
    }

    fn start(&mut self, planned: hop::Assignment) {
        let trial = self.study.trial(planned.trial).expect("the planner assigns known trials");
        let newest = trial.newest();
        let source = newest.and_then(|checkpoint| self.locate(checkpoint));
        let unit = Unit { trial: trial.id, epoch: trial.epoch, step: planned.step };
        self.attempts += 1;
        let attempt = Try {
            slot: planned.slot,
            unit,
            fence: Fence { term: self.term, attempt: self.attempts },
            input: newest.map(|checkpoint| checkpoint.state),
        };
        let config = trial.config.clone();
        let closes_epoch = trial.visited.len() + 1 == self.study.partitions() as usize;
        self.assignments.insert(planned.slot, Assignment::new(attempt, self.now));
        self.stirred.insert(planned.trial);
        self.commands.push_back(Command::StartUnit(Start {
            attempt,
            source,
            config,
            closes_epoch,
        }));
    }
}

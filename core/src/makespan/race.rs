//! The planner's schedule: trials go through their epochs, each on its own.

use super::{Case, Durations, VALIDATION};
use crate::hop::{self, Arrival, Assignment, Busy, Candidate, Problem};
use crate::ids::{NodeId, PartitionId, SlotId, TrialId};
use crate::membership::{Offer, View};
use crate::spec::Order;
use crate::unit::Step;
use std::collections::BTreeMap;

/// Milliseconds of an ordinary unit, for the planner's estimates.
const UNIT_MILLIS: f64 = 1000.0;

/// A trial on its way.
#[derive(Debug, Clone, Default)]
struct Runner {
    epochs_done: u32,
    visited: Vec<PartitionId>,
    place: Option<NodeId>,
    since: u64,
    running: bool,
}

pub(super) struct Race<'a> {
    case: &'a Case,
    order: Order,
    view: View,
    slowness: BTreeMap<NodeId, f64>,
    durations: Durations,
    runners: Vec<Runner>,
    /// Until when, and what.
    running: BTreeMap<SlotId, (f64, Assignment)>,
    now: f64,
    waited: u64,
}

impl<'a> Race<'a> {
    pub(super) fn new(case: &'a Case, order: Order, seed: u64) -> Self {
        let durations = Durations::draw(case, seed);
        let mut view = View::default();
        for node in 0..case.nodes {
            let partitions = BTreeMap::from([(PartitionId(node), 0)]);
            let offer = Offer { slots: 1, partitions, validation: true };
            view.join(NodeId(u64::from(node)), 1, offer);
        }
        let slowness = (0..).map(NodeId).zip(durations.slowness.iter().copied()).collect();
        let runners = vec![Runner::default(); case.trials as usize];
        let running = BTreeMap::new();
        Self { case, order, view, slowness, durations, runners, running, now: 0.0, waited: 0 }
    }

    pub(super) fn run(mut self) -> f64 {
        loop {
            self.dispatch();
            let first = self.running.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0));
            let Some((slot, (end, assignment))) = first.map(|(slot, unit)| (*slot, *unit)) else {
                return self.now / self.durations.lower_bound();
            };
            self.running.remove(&slot);
            self.now = end;
            self.finish(assignment);
        }
    }

    fn dispatch(&mut self) {
        let left = |until: &f64| (until - self.now) * UNIT_MILLIS;
        let busy = self.running.iter();
        let busy = busy.map(|(slot, (until, _))| (*slot, Busy { millis: left(until) })).collect();
        let arrivals = self.running.values();
        let arrivals = arrivals.filter_map(|(until, a)| self.arrival(a, left(until))).collect();
        let candidates = (0..self.case.trials).filter_map(|trial| self.candidate(trial)).collect();
        let (view, slowness) = (&self.view, &self.slowness);
        let idle = BTreeMap::new();
        let (busy, idle) = (&busy, &idle);
        let problem =
            Problem { view, busy, idle, contended: false, candidates, arrivals, slowness };
        for assignment in hop::plan(self.order, problem) {
            let trial = assignment.trial.0 as usize;
            let units = if assignment.step == Step::Validate { VALIDATION } else { 1.0 };
            let node = assignment.slot.node.0 as usize;
            let end = self.now + self.durations.spend(trial, node, units);
            self.running.insert(assignment.slot, (end, assignment));
            self.runners[trial].running = true;
        }
    }

    fn candidate(&self, trial: u32) -> Option<Candidate> {
        let runner = &self.runners[trial as usize];
        if runner.running || runner.epochs_done >= self.case.epochs {
            return None;
        }
        let cost = self.durations.sizes[trial as usize] * UNIT_MILLIS;
        let epoch_units = f64::from(self.case.nodes) + VALIDATION;
        let epochs_left = f64::from(self.case.epochs - runner.epochs_done);
        Some(Candidate {
            trial: TrialId(trial),
            steps: hop::open_steps(self.order, TrialId(trial), &runner.visited, self.case.nodes),
            place: runner.place,
            since: hop::URGENT + 1 + runner.since,
            cost,
            remaining: cost * (epochs_left * epoch_units - runner.visited.len() as f64),
        })
    }

    fn arrival(&self, assignment: &Assignment, millis: f64) -> Option<Arrival> {
        let trial = assignment.trial;
        let mut visited = self.runners[trial.0 as usize].visited.clone();
        match assignment.step {
            Step::Train(partition) => visited.push(partition),
            Step::Validate => visited.clear(),
        }
        let steps = hop::open_steps(self.order, trial, &visited, self.case.nodes);
        let cost = self.durations.sizes[trial.0 as usize] * UNIT_MILLIS;
        Some(Arrival { step: *steps.first()?, millis, cost })
    }

    fn finish(&mut self, assignment: Assignment) {
        self.waited += 1;
        let runner = &mut self.runners[assignment.trial.0 as usize];
        runner.running = false;
        runner.since = self.waited;
        runner.place = Some(assignment.slot.node);
        match assignment.step {
            Step::Train(partition) => runner.visited.push(partition),
            Step::Validate => {
                runner.visited.clear();
                runner.epochs_done += 1;
            }
        }
    }
}

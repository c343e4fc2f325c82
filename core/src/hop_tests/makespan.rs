//! Whole studies of equal units in a loop without anything but the planner: the time until the
//! last trial is done, over the lower bound max(busiest slot, longest trial).

use super::*;

const EPOCHS: u32 = 5;
const UNIT_MILLIS: u64 = 100;
const VALIDATION_MILLIS: u64 = 20;

/// A trial on its way.
#[derive(Debug, Clone, Default)]
struct Runner {
    epoch: u32,
    visited: Vec<PartitionId>,
    place: Option<NodeId>,
    since: u64,
    running: bool,
}

/// A study of equal trials on nodes of one slot each.
struct Race {
    order: Order,
    view: View,
    partitions: u32,
    runners: Vec<Runner>,
    /// Until when, who and what.
    busy: BTreeMap<SlotId, (u64, Assignment)>,
    /// Since when slots have been idle.
    idle: BTreeMap<SlotId, u64>,
    now: u64,
    waited: u64,
}

impl Race {
    /// Each node holds its own partition first, and the ones of the `replicas - 1` nodes before.
    fn new(order: Order, trials: u32, nodes: u32, replicas: u32) -> Self {
        let mut view = View::default();
        for node in 0..nodes {
            let held = (0..replicas).map(|rank| (PartitionId((node + nodes - rank) % nodes), rank));
            let (partitions, validation) = (held.collect(), true);
            view.join(NodeId(u64::from(node) + 1), 1, Offer { slots: 1, partitions, validation });
        }
        let runners = vec![Runner { epoch: 1, ..Runner::default() }; trials as usize];
        let (busy, idle, now, waited) = (BTreeMap::new(), BTreeMap::new(), 0, 0);
        Self { order, view, partitions: nodes, runners, busy, idle, now, waited }
    }

    /// Milliseconds until all trials are done.
    fn run(mut self) -> u64 {
        loop {
            self.dispatch();
            let Some(next) = self.busy.values().map(|(until, _)| *until).min() else { break };
            self.now = next;
            let (done, busy) = self.busy.into_iter().partition(|(_, (until, _))| *until == next);
            self.busy = busy;
            let done: BTreeMap<SlotId, (u64, Assignment)> = done;
            done.into_values()
                .map(|(_, assignment)| assignment)
                .for_each(|assignment| self.finish(assignment));
        }
        assert!(self.runners.iter().all(|runner| runner.epoch > EPOCHS), "nobody is left behind");
        self.now
    }

    fn dispatch(&mut self) {
        let left = |(until, _): &(u64, Assignment)| Busy { millis: (until - self.now) as f64 };
        let busy = self.busy.iter().map(|(slot, unit)| (*slot, left(unit))).collect();
        let candidates = (0..).zip(&self.runners).filter_map(|(t, r)| self.candidate(t, r));
        let (candidates, slowness) = (candidates.collect(), BTreeMap::new());
        let arrivals = self.busy.values().filter_map(|unit| self.arrival(unit)).collect();
        let since = |slot: &SlotId| self.idle.get(slot).copied().unwrap_or(self.now);
        let idle = self.view.slots().filter(|slot| !self.busy.contains_key(slot));
        let idle: BTreeMap<SlotId, u64> = idle.map(|slot| (slot, since(&slot))).collect();
        let idle_for = idle.iter().map(|(slot, since)| (*slot, (self.now - since) as f64));
        let (view, busy, idle_for, slowness) = (&self.view, &busy, &idle_for.collect(), &slowness);
        self.idle = idle;
        let problem = Problem {
            view,
            busy,
            idle: idle_for,
            contended: false,
            candidates,
            arrivals,
            slowness,
        };
        for assignment in plan(self.order, problem) {
            let millis = match assignment.step {
                Step::Train(_) => UNIT_MILLIS,
                Step::Validate => VALIDATION_MILLIS,
            };
            self.runners[assignment.trial.0 as usize].running = true;
            self.busy.insert(assignment.slot, (self.now + millis, assignment));
        }
    }

    fn candidate(&self, trial: u32, runner: &Runner) -> Option<Candidate> {
        let steps = open_steps(self.order, TrialId(trial), &runner.visited, self.partitions);
        let (place, since, cost) = (runner.place, URGENT + 1 + runner.since, UNIT_MILLIS as f64);
        let units = (EPOCHS + 1).saturating_sub(runner.epoch) * (self.partitions + 1);
        let remaining = cost * (f64::from(units) - runner.visited.len() as f64);
        let ready = !runner.running && runner.epoch <= EPOCHS;
        ready.then_some(Candidate { trial: TrialId(trial), steps, place, since, cost, remaining })
    }

    fn arrival(&self, (until, assignment): &(u64, Assignment)) -> Option<Arrival> {
        let mut visited = self.runners[assignment.trial.0 as usize].visited.clone();
        match assignment.step {
            Step::Train(partition) => visited.push(partition),
            Step::Validate => visited.clear(),
        }
        let steps = open_steps(self.order, assignment.trial, &visited, self.partitions);
        let (millis, cost) = ((until - self.now) as f64, UNIT_MILLIS as f64);
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
                runner.epoch += 1;
            }
        }
    }
}

/// The makespan over the lower bound, for as many partitions as nodes.
fn ratio(order: Order, trials: u32, nodes: u32, replicas: u32) -> f64 {
    let trial = u64::from(EPOCHS) * (u64::from(nodes) * UNIT_MILLIS + VALIDATION_MILLIS);
    let slot = trial * u64::from(trials) / u64::from(nodes);
    Race::new(order, trials, nodes, replicas).run() as f64 / trial.max(slot) as f64
}

#[test]
fn rotation_comes_close_to_the_shortest_possible_time() {
    for (trials, nodes) in [(8, 8), (16, 8), (24, 8), (4, 8), (1, 1), (7, 1)] {
        let ratio = ratio(Order::Rotation, trials, nodes, 1);
        assert!(ratio <= 1.05, "{trials} trials on {nodes} nodes: {ratio}");
    }
}

#[test]
fn with_full_replication_trials_stay_and_no_time_is_lost() {
    for order in [Order::Rotation, Order::Free] {
        for (trials, nodes) in [(8, 8), (16, 8)] {
            let ratio = ratio(order, trials, nodes, nodes);
            assert!(ratio <= 1.05, "{order:?}, {trials} trials on {nodes} nodes: {ratio}");
        }
    }
}

#[test]
fn with_some_replication_no_more_than_a_twentieth_is_lost() {
    for (trials, nodes, replicas) in [(8, 8, 2), (16, 8, 2), (16, 8, 3), (12, 6, 2), (9, 4, 2)] {
        let ratio = ratio(Order::Rotation, trials, nodes, replicas);
        assert!(ratio <= 1.05, "{trials} trials, {nodes} nodes, {replicas} holders: {ratio}");
    }
}

#[test]
fn a_newcomer_is_used_although_no_trial_has_to_go_there() {
    // Three nodes hold everything among them; a fourth holds each partition as the last one.
    let mut race = Race::new(Order::Rotation, 8, 3, 2);
    let partitions = (0..3).map(|partition| (PartitionId(partition), 9));
    let (partitions, validation) = (partitions.collect(), true);
    race.view.join(NodeId(4), 1, Offer { slots: 1, partitions, validation });
    let unit = UNIT_MILLIS * 3 + VALIDATION_MILLIS;
    let all = u64::from(EPOCHS) * unit * 8;
    let ratio = race.run() as f64 / (all / 4) as f64;
    assert!(ratio <= 1.15, "{ratio} of the shortest time on four nodes");
}

#[test]
fn the_free_order_is_as_good_where_trials_are_scarce() {
    for (trials, nodes) in [(8, 8), (16, 16)] {
        let ratio = ratio(Order::Free, trials, nodes, 1);
        assert!(ratio <= 1.05, "{trials} trials on {nodes} nodes: {ratio}");
    }
}

#[test]
fn the_free_order_keeps_slots_busy_when_trials_outnumber_them() {
    let ratio = ratio(Order::Free, 16, 8, 1);
    assert!(ratio <= 1.05, "{ratio}");
}

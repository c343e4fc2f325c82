//! The simulated world: an agenda of happenings in virtual time, a journal, nodes, one leader at
//! a time. Authority is an oracle here: there are never two leaders, but there may be none.

use super::faults::Fault;
use super::node::{SimulatedNode, output};
use super::random::Random;
use super::{Failed, Outcome, Scenario, oracle};
use crate::engine::{Command, Engine, Event, Start, Try};
use crate::ids::{Digest, Moment, NodeId, Seq, SlotId, Term};
use crate::journal::{Entry, Record};
use crate::study::{Phase, Study};
use crate::unit::{Failure, Output, Step};
use std::collections::BTreeMap;

/// A history that takes longer than this has lost its way.
const STEPS_MAX: u64 = 400_000;

/// Something that will happen.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// A message reaches the leader, whoever that is then.
    Told(Event),
    /// A batch of this leader's records becomes durable.
    Durable { term: Term, entries: Vec<Entry> },
    /// An order reaches a node.
    Ordered(Start),
    /// A trainer comes to the end of a unit.
    Computed(Try),
    /// A node is up again.
    Booted(NodeId),
    /// A node that was thought dead is heard again.
    Heard(NodeId),
    /// A new leader is elected.
    Elected,
    /// A fault strikes.
    Struck(Fault),
    /// Trainers say what they run.
    Beaten,
    /// The leader's clock ticks.
    Ticked(Term),
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) scenario: Scenario,
    pub(super) random: Random,
    pub(super) now: Moment,
    agenda: BTreeMap<(Moment, u64), Happening>,
    planned: u64,
    pub(super) engine: Option<Engine>,
    pub(super) term: Term,
    pub(super) journal: Vec<Entry>,
    pub(super) nodes: BTreeMap<NodeId, SimulatedNode>,
    pub(super) outcome: Outcome,
    done: bool,
}

impl World {
    pub(super) fn new(seed: u64, scenario: Scenario) -> Self {
        let mut random = Random::new(seed);
        let node = |id: NodeId| {
            let slowness = if random.chance(0.2) { 1.0 + 4.0 * random.real() } else { 1.0 };
            (id, SimulatedNode::new(id, scenario.offer(id), slowness))
        };
        let nodes = scenario.nodes().into_iter().map(node).collect();
        let created = Record::StudyCreated(Box::new(scenario.creation()));
        let mut world = Self {
            seed,
            random,
            now: Moment(0),
            agenda: BTreeMap::new(),
            planned: 0,
            engine: None,
            term: Term(0),
            journal: vec![Entry { at: Moment(0), record: created }],
            nodes,
            outcome: Outcome::default(),
            done: false,
            scenario,
        };
        world.plan(0, Happening::Elected);
        world.plan(3000, Happening::Beaten);
        for _ in 0..world.scenario.faults {
            let fault = world.draw_fault();
            let horizon = world.horizon();
            let delay = world.random.from(0..=horizon);
            world.plan(delay, Happening::Struck(fault));
        }
        world
    }

    /// About as long as the study would take undisturbed, in milliseconds.
    fn horizon(&self) -> u64 {
        let scenario = &self.scenario;
        let units = u64::from(scenario.trials * scenario.epochs * (scenario.partitions + 1));
        let slots: u32 = scenario.slots.iter().sum();
        1 + units * scenario.unit_millis * scenario.spread / u64::from(slots.max(1))
    }

    pub(super) fn run(mut self) -> Result<Outcome, Failed> {
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            self.now = at;
            self.outcome.steps += 1;
            self.happen(happening);
            self.obey();
            self.check()?;
            if self.done {
                return self.judge();
            }
        }
        Err(self.failed("nothing happens any more, and the study has not ended".to_owned()))
    }

    fn check(&self) -> Result<(), Failed> {
        if let Some(violation) = self.engine.as_ref().and_then(Engine::violation) {
            return Err(self.failed(violation.to_string()));
        }
        if self.outcome.steps > STEPS_MAX {
            return Err(self.failed(format!("not done after {STEPS_MAX} steps")));
        }
        Ok(())
    }

    fn judge(&self) -> Result<Outcome, Failed> {
        let engine = self.engine.as_ref().expect("a leader has ended the study");
        oracle::judge(&self.scenario, &self.journal, engine, &self.outcome)
            .map_err(|what| self.failed(what))?;
        Ok(Outcome { millis: self.now.0, ..self.outcome })
    }

    pub(super) fn failed(&self, what: String) -> Failed {
        Failed { seed: self.seed, step: self.outcome.steps, millis: self.now.0, what }
    }

    /// Puts a happening on the agenda, `delay` milliseconds from now.
    pub(super) fn plan(&mut self, delay: u64, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((Moment(self.now.0 + delay), self.planned), happening);
    }

    /// Sends a message to the leader: sometimes slowly, sometimes twice.
    pub(super) fn tell(&mut self, event: Event) {
        if self.random.chance(self.scenario.duplicates) {
            self.outcome.duplicates += 1;
            let delay = self.random.from(0..=3000);
            self.plan(delay, Happening::Told(event.clone()));
        }
        let slow = self.random.chance(0.05);
        let delay = if slow { self.random.from(10..=1500) } else { self.random.from(0..=5) };
        self.plan(delay, Happening::Told(event));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Told(event) => self.deliver(event),
            Happening::Durable { term, entries } => self.persist(term, entries),
            Happening::Ordered(start) => self.order(start),
            Happening::Computed(attempt) => self.computed(attempt),
            Happening::Booted(node) => self.boot(node),
            Happening::Heard(node) => {
                if self.nodes[&node].alive {
                    self.introduce(node);
                }
            }
            Happening::Elected => self.elect(),
            Happening::Struck(fault) => self.strike(fault),
            Happening::Beaten => self.beat(),
            Happening::Ticked(term) => self.tick(term),
        }
    }

    fn deliver(&mut self, event: Event) {
        let now = self.now;
        if let Some(engine) = &mut self.engine {
            engine.handle(now, event);
        }
    }

    fn tick(&mut self, term: Term) {
        if term == self.term && self.engine.is_some() {
            self.deliver(Event::Ticked);
            self.plan(500, Happening::Ticked(term));
        }
    }

    /// Trainers say what they run and what waits, every three seconds.
    fn beat(&mut self) {
        let frozen = |node: &&SimulatedNode| node.frozen_until <= self.now;
        let nodes = self.nodes.values().filter(frozen);
        let at_hand: Vec<Try> = nodes.flat_map(SimulatedNode::at_hand).collect();
        at_hand.into_iter().for_each(|attempt| self.tell(Event::UnitRunning(attempt)));
        self.plan(3000, Happening::Beaten);
    }

    fn persist(&mut self, term: Term, entries: Vec<Entry>) {
        if term != self.term || self.engine.is_none() {
            return;
        }
        self.journal.extend(entries);
        self.deliver(Event::Appended(Seq(self.journal.len() as u64 - 1)));
    }

    /// A leader takes over from the journal; every living node tells it what it has and runs.
    fn elect(&mut self) {
        if self.engine.is_some() {
            return;
        }
        self.term = Term(self.term.0 + 1);
        self.outcome.elections += u64::from(self.term.0 > 1);
        let study = Study::replay(&self.journal).expect("what was decided can be replayed");
        let recorded = Seq(self.journal.len() as u64);
        let engine = Engine::new(study, recorded, self.term, Digest([0; 32]), self.now);
        self.engine = Some(engine);
        self.plan(500, Happening::Ticked(self.term));
        let alive = self.nodes.values().filter(|node| node.alive).map(|node| node.id);
        let alive: Vec<NodeId> = alive.collect();
        alive.into_iter().for_each(|node| self.introduce(node));
    }

    /// A node tells the leader that it is there, what it runs and what it has finished.
    pub(super) fn introduce(&mut self, id: NodeId) {
        let node = &self.nodes[&id];
        let (boot, offer) = (node.boot, node.offer.clone());
        let states = node.states.iter().map(|state| Event::StateStored { node: id, state: *state });
        let running = node.at_hand().map(Event::UnitRunning);
        let finished = node
            .finished
            .values()
            .map(|(attempt, output)| Event::UnitFinished(*attempt, output.clone()));
        let news: Vec<Event> = states.chain(running).chain(finished).collect();
        let delay = self.random.from(0..=400);
        self.plan(delay, Happening::Told(Event::NodeJoined { node: id, boot, offer }));
        for event in news {
            let delay = delay + self.random.from(0..=20);
            self.plan(delay, Happening::Told(event));
        }
    }

    fn boot(&mut self, id: NodeId) {
        let node = self.nodes.get_mut(&id).expect("nodes are never removed");
        node.alive = true;
        node.boot += 1;
        self.introduce(id);
    }

    /// Carries out the leader's commands.
    fn obey(&mut self) {
        while let Some(command) = self.engine.as_mut().and_then(Engine::poll) {
            match command {
                Command::Append { first, entries } => self.append(first, entries),
                Command::StartUnit(start) => {
                    let delay = self.random.from(0..=5);
                    self.plan(delay, Happening::Ordered(start));
                }
                Command::ReleaseState(state) => {
                    self.nodes.values_mut().for_each(|node| {
                        node.states.remove(&state);
                    });
                }
                Command::Rest => {
                    let ended = |engine: &Engine| matches!(engine.study().phase, Phase::Ended(_));
                    self.done = self.engine.as_ref().is_some_and(ended);
                    if !self.done {
                        self.plan(100, Happening::Told(Event::ResumeRequested));
                    }
                }
            }
        }
    }

    fn append(&mut self, first: Seq, entries: Vec<Entry>) {
        let commits = entries.iter().filter(|e| matches!(e.record, Record::UnitCommitted(_)));
        let rollbacks =
            entries.iter().filter(|e| matches!(e.record, Record::TrialRolledBack { .. }));
        self.outcome.commits += commits.count() as u64;
        self.outcome.rollbacks += rollbacks.count() as u64;
        // Batches become durable in order: a later one never before an earlier one.
        let pending = |h: &Happening| matches!(h, Happening::Durable { .. });
        let last = self.agenda.iter().filter(|(_, h)| pending(h)).map(|((at, _), _)| *at).max();
        let earliest = last.unwrap_or(self.now).millis_since(self.now);
        let delay = earliest + self.random.from(0..=20);
        debug_assert!(first.0 >= self.journal.len() as u64, "nothing durable is written again");
        self.plan(delay, Happening::Durable { term: self.term, entries });
    }

    /// An order reaches its node, which fetches the state it lacks and starts to compute.
    fn order(&mut self, start: Start) {
        let attempt = start.attempt;
        let needed = attempt.input;
        let has = |node: &SimulatedNode| needed.is_none_or(|state| node.states.contains(&state));
        let alive_with = |node: &SimulatedNode| node.alive && has(node);
        let source = start.source.and_then(|id| self.nodes.get(&id)).is_some_and(alive_with);
        let now = self.now;
        let node = self.nodes.get_mut(&attempt.slot.node).expect("orders go to known nodes");
        if node.frozen_until > now {
            let delay = node.frozen_until.millis_since(now);
            return self.plan(delay, Happening::Ordered(start));
        }
        if !node.start(&start, now) {
            return;
        }
        let at_hand = has(node);
        let slowness = node.slowness;
        match (at_hand, source, needed) {
            (true, ..) => {}
            (false, true, Some(state)) => {
                node.states.insert(state);
                self.tell(Event::StateStored { node: attempt.slot.node, state });
            }
            (_, _, state) => return self.report_unusable(attempt, state),
        }
        let size = self.scenario.size(attempt.unit.trial) * slowness;
        let jitter = 0.97 + 0.06 * self.random.real();
        let millis = self.scenario.unit_millis as f64 * size * jitter;
        self.plan(millis as u64, Happening::Computed(attempt));
    }

    fn report_unusable(&mut self, attempt: Try, state: Option<Digest>) {
        let state = state.expect("the untrained state is always at hand");
        if let Some(node) = self.nodes.get_mut(&attempt.slot.node) {
            node.finish(&attempt);
        }
        let detail = "missing".to_owned();
        self.tell(Event::UnitFailed(attempt, Failure::StateUnusable { state, detail }));
        self.begin_next(attempt.slot);
    }

    /// A trainer comes to the end of a unit, reports, and begins what waits.
    fn computed(&mut self, attempt: Try) {
        let node = self.nodes.get_mut(&attempt.slot.node).expect("nodes are never removed");
        if node.frozen_until > self.now {
            let delay = node.frozen_until.millis_since(self.now);
            return self.plan(delay, Happening::Computed(attempt));
        }
        let Some(job) = node.finish(&attempt) else { return };
        let millis = self.now.millis_since(job.began);
        match self.result(&attempt, millis) {
            Ok(output) => {
                let node = self.nodes.get_mut(&attempt.slot.node).expect("it was there");
                node.states.insert(output.state);
                node.finished.insert(attempt.slot.index, (attempt, output.clone()));
                self.tell(Event::UnitFinished(attempt, output));
            }
            Err(failure) => self.tell(Event::UnitFailed(attempt, failure)),
        }
        self.begin_next(attempt.slot);
    }

    fn begin_next(&mut self, slot: SlotId) {
        let node = self.nodes.get_mut(&slot.node).expect("nodes are never removed");
        if let Some(start) = node.next.remove(&slot.index) {
            self.order(start);
        }
    }

    /// What comes of a unit.
    fn result(&mut self, attempt: &Try, millis: u64) -> Result<Output, Failure> {
        let unit = attempt.unit;
        let always = self.scenario.always_panics(unit.trial);
        let panics = always || self.random.chance(self.scenario.panics);
        let node = self.nodes.get_mut(&attempt.slot.node).expect("nodes are never removed");
        if node.full_until > self.now {
            return Err(Failure::StorageFull("by chance".to_owned()));
        }
        if std::mem::take(&mut node.data_damaged) {
            // Mended from the source, and offered again.
            self.plan(3000, Happening::Heard(attempt.slot.node));
            return Err(Failure::DataUnusable("by chance".to_owned()));
        }
        if panics && unit.step != Step::Validate {
            return Err(Failure::Panicked("by chance".to_owned()));
        }
        let diverges = self.scenario.diverges(unit.trial) && unit.epoch.0 > 1;
        Ok(output(unit, attempt.input, millis, diverges))
    }

    /// The leader dies. Of the batches it had under way, some first ones may be durable.
    pub(super) fn kill_leader(&mut self) {
        if self.engine.take().is_none() {
            return;
        }
        let is_pending = |happening: &Happening| matches!(happening, Happening::Durable { .. });
        let pending = self.agenda.iter().filter(|(_, h)| is_pending(h)).map(|(at, _)| *at);
        let pending: Vec<(Moment, u64)> = pending.collect();
        let mut survive = true;
        for at in pending {
            survive &= self.random.chance(0.5);
            if let (true, Some(Happening::Durable { entries, .. })) =
                (survive, self.agenda.remove(&at))
            {
                self.journal.extend(entries);
            }
        }
        let delay = self.random.from(300..=1500);
        self.plan(delay, Happening::Elected);
    }
}

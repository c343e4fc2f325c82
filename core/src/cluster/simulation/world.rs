//! The simulated world: an agenda of happenings in virtual time, and everything they happen to.

use super::auditor::Auditor;
use super::faults::Fault;
use super::leader::Leader;
use super::letter::{Letter, Life, News, Order};
use super::machine::Machine;
use super::network::Link;
use super::scenario::StudyPlan;
use super::transfers::Transfer;
use super::{Outcome, Scenario, Trace, oracle};
use crate::cluster::{Catalog, StudyId, Ticket};
use crate::engine::Event;
use crate::ids::{Digest, Fence, Moment, SlotId, Stamp, Term};
use crate::journal::{Creation, Entry};
use crate::simulation::{Failed, Random};
use std::collections::{BTreeMap, BTreeSet};

/// A history that takes more steps than this has lost its way.
const STEPS_MAX: u64 = 3_000_000;

/// How long everything must be quiet before the end is judged.
const QUIET_MILLIS: u64 = 300_000;

/// Something that will happen.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// A letter arrives, if its session still lives.
    Delivered { from: Life, to: Life, session: u64, letter: Box<Letter> },
    /// The next batch of a leader's records becomes durable.
    Committed(Term),
    /// A leader hears that its records are durable.
    Durable(Term, Ticket),
    /// A leader's clock ticks.
    Ticked(Term),
    /// A leader hears that a process is gone.
    Gone(Life),
    /// A node tells what runs.
    Beaten { machine: usize, boot: u64 },
    /// The blobs of a node have been listed.
    Listed { machine: usize, boot: u64, term: Term, blobs: Vec<(Digest, Stamp)> },
    /// A trainer comes to the end of a unit.
    Computed { machine: usize, boot: u64, slot: SlotId, number: u64 },
    /// What was left of a blob has come, or not.
    Pulled { machine: usize, blob: Digest },
    /// A process starts.
    Booted(usize),
    /// A frozen machine may go on.
    Thawed { machine: usize },
    /// A session is lost; there is no other until then.
    SessionLost { a: usize, b: usize, until: Moment },
    /// The voters look who leads.
    Voted,
    /// Users look after their studies.
    Visited,
    /// A fault strikes.
    Struck(Fault),
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) scenario: Scenario,
    pub(super) random: Random,
    pub(super) now: Moment,
    agenda: BTreeMap<(Moment, u64), Happening>,
    planned: u64,
    pub(super) machines: Vec<Machine>,
    pub(super) links: BTreeMap<(usize, usize), Link>,
    pub(super) transfers: BTreeMap<(usize, Digest), Transfer>,
    /// How long a blob takes from node to node.
    pub(super) transfer_millis: BTreeMap<Digest, u64>,
    /// Units that trainers have begun.
    pub(super) jobs: u64,
    /// Nodes that have begun with an empty disk.
    pub(super) newborn: u64,
    /// Leaders that have not heard yet that they are deposed, and the newest.
    pub(super) leaders: BTreeMap<Term, Leader>,
    pub(super) term: Term,
    /// Since when nobody can lead.
    pub(super) leaderless: Option<Moment>,
    /// What is durable.
    pub(super) catalog: Catalog,
    pub(super) journals: BTreeMap<StudyId, Vec<Entry>>,
    pub(super) committed_at: Moment,
    pub(super) creations: Vec<Creation>,
    pub(super) users: super::users::Users,
    pub(super) auditor: Auditor,
    /// States of which a copy was damaged, or the last one lost with its disk.
    pub(super) damaged: BTreeSet<Digest>,
    /// Studies that have been on one node.
    pub(super) lonely: BTreeSet<StudyId>,
    /// Blobs of which a copy was damaged or lost with its disk.
    pub(super) hurt: BTreeSet<Digest>,
    pub(super) outcome: Outcome,
    /// Since when nothing is left to do.
    pub(super) quiet: Option<Moment>,
    pub(super) broken: Option<String>,
    lines: Option<Vec<String>>,
    /// Results that the trace has told of.
    told: BTreeSet<(Term, StudyId, Fence, SlotId)>,
}

impl World {
    pub(super) fn new(seed: u64, scenario: Scenario) -> Self {
        let machines = scenario.machines.iter().enumerate();
        let machines = machines.map(|(at, spec)| Machine::new(at, spec)).collect();
        let studies = scenario.studies.iter().enumerate();
        let creations: Vec<Creation> = studies.map(|(at, plan)| plan.creation(at)).collect();
        let mut world = Self {
            seed,
            random: Random::new(seed),
            now: Moment(0),
            agenda: BTreeMap::new(),
            planned: 0,
            machines,
            links: BTreeMap::new(),
            transfers: BTreeMap::new(),
            transfer_millis: BTreeMap::new(),
            jobs: 0,
            newborn: 0,
            leaders: BTreeMap::new(),
            term: Term(0),
            leaderless: Some(Moment(0)),
            catalog: Catalog::default(),
            journals: BTreeMap::new(),
            committed_at: Moment(0),
            users: super::users::Users::new(&scenario),
            auditor: Auditor::default(),
            outcome: Outcome::default(),
            quiet: None,
            broken: None,
            lines: None,
            told: BTreeSet::new(),
            damaged: BTreeSet::new(),
            lonely: BTreeSet::new(),
            hurt: BTreeSet::new(),
            creations,
            scenario,
        };
        for at in 0..world.machines.len() {
            let joins = world.scenario.machines[at].joins_at;
            world.plan(joins, Happening::Booted(at));
        }
        world.plan(1, Happening::Voted);
        world.plan(2, Happening::Visited);
        for _ in 0..world.scenario.faults {
            let stormy = world.scenario.stormy_millis;
            let (fault, delay) = (world.draw_fault(), world.random.from(0..=stormy));
            world.plan(delay, Happening::Struck(fault));
        }
        world
    }

    pub(super) fn run(mut self, mut trace: Option<&mut Trace>) -> Result<Outcome, Failed> {
        self.lines = trace.is_some().then(Vec::new);
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            self.now = at;
            self.outcome.steps += 1;
            if let Some(trace) = &mut trace
                && self.is_telling(&happening)
            {
                trace.push(format!("{:>8} ms  {}", at.0, super::oracle::words(&happening)));
            }
            self.happen(happening);
            if let (Some(trace), Some(lines)) = (&mut trace, &mut self.lines) {
                lines.drain(..).for_each(|line| trace.push(format!("{:>13}{line}", "")));
            }
            if let Some(what) = self.broken.take() {
                return Err(self.failed(what));
            }
            self.check_time()?;
            let quiet = self.quiet.is_some_and(|since| at.millis_since(since) >= QUIET_MILLIS);
            if quiet {
                oracle::judge(&self).map_err(|what| self.failed(what))?;
                self.outcome.studies = self.catalog.studies().count() as u64;
                return Ok(self.outcome);
            }
        }
        Err(self.failed("nothing happens any more".to_owned()))
    }

    fn check_time(&self) -> Result<(), Failed> {
        let work: u64 = self.scenario.studies.iter().map(StudyPlan::work_millis).sum();
        let limit = self.scenario.stormy_millis + 60 * work + 3_600_000;
        if self.outcome.steps > STEPS_MAX || self.now.0 > limit {
            return Err(self.failed(format!("not done: {}", oracle::what_is_open(self))));
        }
        Ok(())
    }

    pub(super) fn failed(&self, what: String) -> Failed {
        Failed { seed: self.seed, step: self.outcome.steps, millis: self.now.0, what }
    }

    /// A promise is broken. The first one counts.
    pub(super) fn accuse(&mut self, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(what());
        }
    }

    /// Notes something for the trace.
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(line());
        }
    }

    /// Puts a happening on the agenda, `delay` milliseconds from now.
    pub(super) fn plan(&mut self, delay: u64, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((Moment(self.now.0 + delay), self.planned), happening);
    }

    fn happen(&mut self, happening: Happening) {
        // What happens to a frozen machine happens when it thaws, in order.
        let place = self.place_of(&happening);
        if let Some(until) = place.and_then(|at| self.thaws_at(at)) {
            return self.plan(until.millis_since(self.now), happening);
        }
        match happening {
            Happening::Delivered { from, to, session, letter } => {
                self.delivered(from, to, session, *letter);
            }
            Happening::Committed(term) => self.commit(term),
            Happening::Durable(term, ticket) => self.durable(term, ticket),
            Happening::Ticked(term) => self.tick(term),
            Happening::Gone(life) => self.gone(life),
            Happening::Beaten { machine, boot } => self.beat(machine, boot),
            Happening::Listed { machine, boot, term, blobs } => {
                self.listed(machine, boot, term, blobs);
            }
            Happening::Computed { machine, boot, slot, number } => {
                self.computed(machine, boot, slot, number);
            }
            Happening::Pulled { machine, blob } => self.pulled(machine, blob),
            Happening::Booted(machine) => self.boot(machine),
            Happening::Thawed { machine } => self.thaw(machine),
            Happening::SessionLost { a, b, until } => {
                self.lose_session(a, b, until.millis_since(self.now));
            }
            Happening::Voted => self.vote(),
            Happening::Visited => self.visit_studies(),
            Happening::Struck(fault) => self.strike(fault),
        }
    }

    /// Whether a happening is worth a line of the trace: signs of life are not, nor is a result
    /// that was told before.
    fn is_telling(&mut self, happening: &Happening) -> bool {
        let Happening::Delivered { letter, .. } = happening else {
            use Happening::{Booted, Computed, Gone, SessionLost, Struck, Thawed};
            return matches!(
                happening,
                Struck(_)
                    | Booted(_)
                    | SessionLost { .. }
                    | Gone(_)
                    | Thawed { .. }
                    | Computed { .. }
            );
        };
        match &**letter {
            Letter::Order(_, Order::Report)
            | Letter::Beat(..)
            | Letter::News(_, News::Beat(_))
            | Letter::News(_, News::Told(_, Event::UnitRunning(_), _)) => false,
            Letter::News(term, News::Told(study, Event::UnitFinished(attempt, _), _)) => {
                self.told.insert((*term, *study, attempt.fence, attempt.slot))
            }
            _ => true,
        }
    }

    /// The machine that a happening needs awake.
    fn place_of(&self, happening: &Happening) -> Option<usize> {
        match happening {
            Happening::Delivered { to, .. } => Some(to.machine),
            Happening::Durable(term, _) | Happening::Ticked(term) => {
                self.leaders.get(term).map(|leader| leader.life.machine)
            }
            Happening::Beaten { machine, .. }
            | Happening::Listed { machine, .. }
            | Happening::Computed { machine, .. }
            | Happening::Pulled { machine, .. } => Some(*machine),
            _ => None,
        }
    }

    /// The plan of a study of the catalog or of a leader.
    pub(super) fn plan_of(&self, study: StudyId) -> Option<&StudyPlan> {
        let at = self.place_of_study(study)?;
        self.scenario.studies.get(at)
    }

    pub(super) fn creation_of(&self, study: StudyId) -> Option<&Creation> {
        self.creations.get(self.place_of_study(study)?)
    }

    /// Studies are numbered in the order of their creation, which may be another than planned.
    fn place_of_study(&self, study: StudyId) -> Option<usize> {
        let name = &self.catalog.study(study)?.study.creation.spec.name;
        self.creations.iter().position(|creation| creation.spec.name == *name)
    }

    /// The leader of the newest term, if there is one.
    pub(super) fn leader(&self) -> Option<&Leader> {
        self.leaders.get(&self.term)
    }
}

//! The engine: the deciding half of a leader. Takes one event at a time and answers with commands.
//!
//! It owns the study (a fold over the records it has decided), the view of the cluster and the
//! assignments under way. It never reads a clock and never waits: a record takes effect on the
//! study when it is decided, but nothing that follows from it is started before the journal says
//! that it is durable. An engine that loses its leadership is thrown away; its successor is made
//! from the journal.

mod admission;
mod bounds;
mod command;
mod costs;
mod dearth;
mod dispatch;
mod event;
mod losses;
mod results;
mod retention;

pub use bounds::{Bounds, Precious};
pub use command::{Command, Start};
pub use event::{Event, Try};
pub use losses::{FULL_MILLIS, LEASE_MILLIS_MAX, STALL_MILLIS_MAX};
pub use results::{LOSSES_MAX, PANICS_MAX};

use crate::hop;
use crate::ids::{Digest, Moment, NodeId, Seq, SlotId, Term, TrialId};
use crate::invariants::{Auditor, Violation};
use crate::journal::{Entry, Pause, Record};
use crate::membership::{Standing, View};
use crate::policy::{Policy, policy};
use crate::search::{Sampler, sampler};
use crate::study::{Phase, Study};
use crate::trial::Checkpoint;
use costs::Costs;
use dearth::Dearth;
use retention::Retention;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A unit under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Assignment {
    attempt: Try,
    started: Moment,
    /// When its trainer last said that it runs.
    seen: Moment,
}

impl Assignment {
    fn new(attempt: Try, now: Moment) -> Self {
        Self { attempt, started: now, seen: now }
    }
}

/// When a trial that is under way may run next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Readiness {
    /// Order in which trials became ready.
    since: u64,
    /// The record that must be durable first.
    after: Seq,
}

/// The engine of one study under one term.
pub struct Engine {
    study: Study,
    view: View,
    sampler: Box<dyn Sampler>,
    policy: Box<dyn Policy>,
    term: Term,
    attempts: u64,
    now: Moment,
    assignments: BTreeMap<SlotId, Assignment>,
    /// Trials under way, assigned or not.
    readiness: BTreeMap<TrialId, Readiness>,
    /// Trials whose checkpoints may be wanted elsewhere than when they were last asked for.
    stirred: BTreeSet<TrialId>,
    /// Nodes known to have a checkpoint.
    copies: BTreeMap<Digest, BTreeSet<NodeId>>,
    costs: Costs,
    /// How many nodes there should be, if that is known.
    expected: Option<usize>,
    /// Since when slots that could run a unit have been idle.
    idle: BTreeMap<SlotId, Moment>,
    dearth: Dearth,
    retention: Retention,
    /// Checkpoints to release once the record is durable.
    releases: VecDeque<(Seq, Digest)>,
    waited: u64,
    /// The sampler has nothing left.
    exhausted: bool,
    /// A pause is wanted as soon as the units under way are done.
    pausing: Option<Pause>,
    /// What the last node without room for checkpoints said.
    full: Option<Pause>,
    /// Since when nodes have had no room for checkpoints.
    full_since: BTreeMap<NodeId, Moment>,
    /// Somebody wants the study to end.
    cancelled: bool,
    /// What others leave to this study.
    bounds: Bounds,
    /// Since when nothing runs although trials are under way.
    stalled: Option<Moment>,
    /// Since when no living node has a trial's newest checkpoint.
    homeless: BTreeMap<TrialId, Moment>,
    resting: bool,
    next: Seq,
    durable: Option<Seq>,
    decided: Vec<Entry>,
    commands: VecDeque<Command>,
    auditor: Auditor,
    violation: Option<Violation>,
}

impl Engine {
    /// Takes over `study`, of which `recorded` records are durable, as the leader of `term`.
    pub fn new(study: Study, recorded: Seq, term: Term, numerics: Digest, now: Moment) -> Self {
        let search = &study.creation.spec.search;
        let mut engine = Self {
            sampler: sampler(search.sampler),
            policy: policy(search.policy),
            auditor: Auditor::new(&study, recorded),
            violation: None,
            retention: Retention::of(&study),
            study,
            view: View::default(),
            term,
            attempts: 0,
            now,
            assignments: BTreeMap::new(),
            readiness: BTreeMap::new(),
            stirred: BTreeSet::new(),
            copies: BTreeMap::new(),
            costs: Costs::default(),
            expected: None,
            idle: BTreeMap::new(),
            dearth: Dearth::default(),
            releases: VecDeque::new(),
            waited: 0,
            exhausted: false,
            pausing: None,
            full: None,
            full_since: BTreeMap::new(),
            cancelled: false,
            bounds: Bounds::default(),
            stalled: None,
            homeless: BTreeMap::new(),
            resting: false,
            next: recorded,
            durable: recorded.0.checked_sub(1).map(Seq),
            decided: Vec::new(),
            commands: VecDeque::new(),
        };
        // First of all, so that nothing starts before it is durable that this leader leads, and
        // trainers have time to say what they run.
        engine.record(Record::TermBegan { term, numerics });
        let active: Vec<TrialId> = engine.study.active().map(|trial| trial.id).collect();
        active.into_iter().for_each(|trial| engine.make_ready(trial));
        engine.decide_overdue();
        engine.flush();
        engine
    }

    /// Takes in an event. `now` never runs backwards.
    pub fn handle(&mut self, now: Moment, event: Event) {
        self.now = self.now.max(now);
        self.audit(|auditor| auditor.observe_event(&event));
        self.take_in(event);
        self.advance();
        self.flush();
    }

    /// The next command, in order.
    pub fn poll(&mut self) -> Option<Command> {
        let command = self.commands.pop_front()?;
        self.audit(|auditor| auditor.observe_command(&command));
        Some(command)
    }

    /// The study, with everything decided so far.
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// The cluster as this leader sees it.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The units under way.
    pub fn running(&self) -> impl Iterator<Item = &Try> {
        self.assignments.values().map(|assignment| &assignment.attempt)
    }

    /// The units under way, by slot, each with the moment at which it was assigned.
    pub fn running_since(&self) -> impl Iterator<Item = (&Try, Moment)> {
        self.assignments.values().map(|assignment| (&assignment.attempt, assignment.started))
    }

    /// The checkpoints that must be kept.
    pub fn kept_states(&self) -> impl Iterator<Item = Digest> {
        let pending = self.releases.iter().map(|(_, state)| *state);
        self.retention.all().chain(pending)
    }

    fn take_in(&mut self, event: Event) {
        match event {
            Event::NodeJoined { node, boot, offer } => self.node_joined(node, boot, offer),
            Event::NodeSuspected(node) => self.view.suspect(node),
            Event::NodeTrusted(node) => self.view.trust(node),
            Event::NodeDraining(node) => self.view.set_standing(node, Standing::Draining),
            Event::NodeLeft { node, boot } => self.node_left(node, boot),
            Event::SlotLost(slot) => self.slot_lost(slot),
            Event::StateStored { node, state } => self.state_stored(node, state),
            Event::UnitRunning(attempt) => self.unit_running(attempt),
            Event::UnitFinished(attempt, output) => self.unit_finished(attempt, output),
            Event::UnitFailed(attempt, failure) => self.unit_failed(attempt, failure),
            Event::Appended(through) => self.appended(through),
            Event::PauseRequested => self.pausing = Some(Pause::Requested),
            Event::ResumeRequested => self.resume(),
            Event::CancelRequested => self.cancelled = true,
            Event::Ticked => {
                self.end_leases();
                self.house_the_homeless();
                self.reopen_the_full();
            }
        }
    }

    fn appended(&mut self, through: Seq) {
        let through = through.0.min(self.next.0.saturating_sub(1));
        self.durable = self.durable.max(Some(Seq(through)));
        while let Some((seq, state)) = self.releases.front().copied() {
            if Some(seq) > self.durable {
                break;
            }
            self.releases.pop_front();
            if !self.retention.keeps(&state) {
                self.copies.remove(&state);
                self.commands.push_back(Command::ReleaseState(state));
            }
        }
    }

    fn resume(&mut self) {
        self.pausing = None;
        self.resting = false;
        self.stalled = None;
        self.full = None;
        let full = std::mem::take(&mut self.full_since);
        full.into_keys().for_each(|node| self.view.reopen(node));
        if matches!(self.study.phase, Phase::Paused(_)) {
            self.record(Record::StudyResumed);
            let after = self.newest_record();
            self.readiness.values_mut().for_each(|readiness| readiness.after = after);
        }
    }

    /// Decides a record: applies it to the study and queues it for the journal.
    fn record(&mut self, record: Record) {
        let entry = Entry { at: self.now, record };
        self.audit(|auditor| auditor.observe_entry(&entry));
        self.study.apply(&entry).expect("the engine decides only what fits the study");
        let seq = self.next;
        self.next = Seq(seq.0 + 1);
        if let Some(trial) = trial_of(&entry.record) {
            self.stirred.insert(trial);
            let (copies, wanted) = (&self.copies, self.copies_wanted());
            let safe = |checkpoint: &Checkpoint| {
                copies.get(&checkpoint.state).map_or(0, BTreeSet::len) >= wanted
            };
            let mut released = self.retention.update(&self.study, trial, safe);
            // What a roll-back leaves is about to be made again, bit by bit: a release could meet
            // the new copy. Whatever is not made again goes at the next start.
            if matches!(entry.record, Record::TrialRolledBack { .. }) {
                released.clear();
            }
            self.releases.extend(released.into_iter().map(|state| (seq, state)));
        }
        self.decided.push(entry);
    }

    /// The place of the newest decided record.
    fn newest_record(&self) -> Seq {
        Seq(self.next.0.saturating_sub(1))
    }

    /// The trial may run again as soon as everything decided so far is durable. Nodes die for many
    /// reasons, so a unit that was lost once is made up for at once. A trial whose unit keeps failing
    /// goes behind all others: if the unit takes its node down, they get on before it is tried again.
    fn make_ready(&mut self, trial: TrialId) {
        self.waited += 1;
        let failures = self.study.trial(trial).map_or(0, |trial| trial.failures);
        let since = match u64::from(failures) {
            0 => self.waited,
            1 => hop::URGENT,
            more => self.waited + (more - 1) * hop::DEFERRED,
        };
        let readiness = Readiness { since, after: self.newest_record() };
        self.readiness.insert(trial, readiness);
        self.stirred.insert(trial);
    }

    fn flush(&mut self) {
        if self.decided.is_empty() {
            return;
        }
        let entries = std::mem::take(&mut self.decided);
        let first = Seq(self.next.0 - entries.len() as u64);
        self.commands.push_back(Command::Append { first, entries });
    }

    /// Checks the seven invariants, at every step. The first violation stays.
    fn audit(&mut self, check: impl FnOnce(&mut Auditor) -> Result<(), Violation>) {
        let outcome = check(&mut self.auditor);
        if let (None, Err(violation)) = (&self.violation, outcome) {
            self.violation = Some(violation);
        }
    }

    /// The first broken invariant: a bug in the engine, never the fault of an event.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }
}

/// The trial that a record changes.
fn trial_of(record: &Record) -> Option<TrialId> {
    match record {
        Record::UnitCommitted(commit) => Some(commit.unit.trial),
        Record::TrialEnded { trial, .. } | Record::TrialRolledBack { trial, .. } => Some(*trial),
        _ => None,
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;

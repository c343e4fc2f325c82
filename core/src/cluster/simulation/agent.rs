//! What a node does with orders, and what it tells of them: as the agent and the trainers of the
//! product do.

use super::letter::{Letter, Life, News, Order};
use super::machine::Job;
use super::transfers::Waiting;
use super::world::{Happening, World};
use crate::cluster::{Report, StudyId};
use crate::engine::{Event, Start, Try};
use crate::ids::{Digest, Moment, SlotId, Stamp, Term};
use crate::simulation::output;
use crate::unit::{Failure, Output, Step};
use std::collections::BTreeMap;

/// How often a node tells what runs.
const BEAT_MILLIS: u64 = 1000;

/// Bytes that every node says it can take.
const ROOM: u64 = 1 << 40;

impl World {
    /// A process starts on a machine.
    pub(super) fn boot(&mut self, at: usize) {
        let machine = &mut self.machines[at];
        if machine.up || machine.gone {
            return;
        }
        machine.up = true;
        machine.boot += 1;
        machine.silent_since = None;
        let boot = machine.boot;
        self.plan(BEAT_MILLIS, Happening::Beaten { machine: at, boot });
    }

    /// An order of the leader of a term.
    pub(super) fn ordered(&mut self, at: usize, from: Life, term: Term, order: Order) {
        let machine = &mut self.machines[at];
        if machine.leader.is_some_and(|(_, known)| known > term) {
            return;
        }
        machine.leader = Some((from, term));
        match order {
            Order::Report => {
                let (boot, blobs) = (machine.boot, machine.disk.list());
                let delay = self.random.from(0..=30);
                self.plan(delay, Happening::Listed { machine: at, boot, term, blobs });
            }
            Order::Start { study, start, sources } => self.start(at, study, *start, sources),
            Order::Copy { blob, sources } => self.fetch(at, blob, sources, Waiting::Copy),
            Order::Release(blob, stamp) => {
                if machine.disk.release(&blob, stamp) {
                    self.outcome.released += 1;
                    self.audit_removal(at, blob);
                }
            }
            Order::Drain => machine.draining = true,
            Order::Leave => self.dismiss(at),
        }
    }

    fn start(&mut self, at: usize, study: StudyId, start: Start, sources: Vec<crate::ids::NodeId>) {
        let attempt = start.attempt;
        let Some(slot) = self.machines[at].slot(attempt.slot) else { return };
        if slot.at_hand.is_some_and(|(id, known)| id == study && known.fence >= attempt.fence) {
            return;
        }
        if slot.at_hand.is_some() {
            slot.overtaken = slot.at_hand;
        }
        (slot.at_hand, slot.finished) = (Some((study, attempt)), None);
        match attempt.input {
            None => self.ready(at, study, start, None),
            Some(state) => {
                self.fetch(at, state, sources, Waiting::Unit(study, Box::new(start)));
            }
        }
    }

    /// What a unit needs is at hand: the trainer may have it, unless it is overtaken.
    pub(super) fn ready(
        &mut self,
        at: usize,
        study: StudyId,
        start: Start,
        failure: Option<Failure>,
    ) {
        let attempt = start.attempt;
        let Some(slot) = self.machines[at].slot(attempt.slot) else { return };
        if slot.at_hand != Some((study, attempt)) {
            return;
        }
        match failure {
            Some(failure) => self.told(at, study, Event::UnitFailed(attempt, failure)),
            None => self.take(at, study, start),
        }
    }

    /// A trainer begins a unit, or puts it aside while another one runs.
    fn take(&mut self, at: usize, study: StudyId, start: Start) {
        let attempt = start.attempt;
        let Some(slot) = self.machines[at].slot(attempt.slot) else { return };
        let next = slot.next.as_ref().map(|(study, start)| (*study, start.attempt));
        let running = slot.running.as_ref().map(|job| (job.study, job.start.attempt));
        let newest = next.or(running).filter(|(id, _)| *id == study);
        if newest.is_some_and(|(_, newest)| newest.fence >= attempt.fence) {
            return;
        }
        if slot.running.is_some() {
            slot.next = Some((study, start));
            return;
        }
        self.begin(at, study, start);
    }

    fn begin(&mut self, at: usize, study: StudyId, start: Start) {
        self.jobs += 1;
        let (began, number, attempt) = (self.now, self.jobs, start.attempt);
        let jitter = 0.97 + 0.06 * self.random.real();
        let Some(plan) = self.plan_of(study) else { return };
        let size = plan.study.size(attempt.unit.trial) * self.machines[at].slowness;
        let mut millis = (plan.study.unit_millis as f64 * size * jitter) as u64;
        if self.obstacle(at, study, &attempt).is_some() {
            millis = 1;
        }
        let boot = self.machines[at].boot;
        if let Some(slot) = self.machines[at].slot(attempt.slot) {
            slot.running = Some(Job { study, start, began, number });
        }
        let slot = attempt.slot;
        self.plan(millis, Happening::Computed { machine: at, boot, slot, number });
    }

    /// What keeps a unit from beginning: its state or its data is not here.
    fn obstacle(&mut self, at: usize, study: StudyId, attempt: &Try) -> Option<Failure> {
        let disk = &self.machines[at].disk;
        if let Some(state) = attempt.input.filter(|state| !disk.contains(state)) {
            return Some(Failure::StateUnusable { state, detail: "missing".to_owned() });
        }
        let manifest = &self.creation_of(study)?.manifest;
        let data = match attempt.unit.step {
            Step::Train(partition) => manifest.partitions.get(partition.0 as usize),
            Step::Validate => Some(&manifest.validation),
        };
        let missing = data.is_none_or(|blob| !disk.contains(&blob.digest));
        missing.then(|| Failure::DataUnusable("missing".to_owned()))
    }

    /// A trainer comes to the end of a unit, reports, and begins what waits.
    pub(super) fn computed(&mut self, at: usize, boot: u64, slot: SlotId, number: u64) {
        if !self.machines[at].up || self.machines[at].boot != boot {
            return;
        }
        let Some(known) = self.machines[at].slot(slot) else { return };
        let Some(job) = known.running.take_if(|job| job.number == number) else { return };
        let (study, attempt) = (job.study, job.start.attempt);
        let millis = self.now.millis_since(job.began);
        let event = match self.result(at, study, &attempt, millis) {
            Ok(output) => Event::UnitFinished(attempt, output),
            Err(failure) => Event::UnitFailed(attempt, failure),
        };
        self.told(at, study, event);
        let next = self.machines[at].slot(slot).and_then(|slot| slot.next.take());
        if let Some((study, start)) = next {
            self.begin(at, study, start);
        }
    }

    /// What comes of a unit.
    fn result(
        &mut self,
        at: usize,
        study: StudyId,
        attempt: &Try,
        millis: u64,
    ) -> Result<Output, Failure> {
        if let Some(obstacle) = self.obstacle(at, study, attempt) {
            if matches!(obstacle, Failure::DataUnusable(_)) {
                self.outcome.bare += 1;
            }
            return Err(obstacle);
        }
        let Some(plan) = self.plan_of(study).cloned() else {
            return Err(Failure::StorageBroken("no such study".to_owned()));
        };
        let unit = attempt.unit;
        let panics = plan.study.always_panics(unit.trial) || self.random.chance(plan.study.panics);
        let machine = &mut self.machines[at];
        if machine.full_until > self.now && unit.step != Step::Validate {
            return Err(Failure::StorageFull("by chance".to_owned()));
        }
        if panics && unit.step != Step::Validate {
            return Err(Failure::Panicked("by chance".to_owned()));
        }
        let diverges = plan.study.diverges(unit.trial) && unit.epoch.0 > 1;
        let output = output(unit, attempt.input.or(Some(plan.untrained())), millis, diverges);
        machine.disk.insert(output.state);
        self.transfer_millis.insert(output.state, plan.checkpoint_millis);
        Ok(output)
    }

    /// A trainer tells something: the agent remembers it, and passes it on.
    fn told(&mut self, at: usize, study: StudyId, event: Event) {
        if let Event::UnitFinished(attempt, _) | Event::UnitFailed(attempt, _) = &event
            && let Some(slot) = self.machines[at].slot(attempt.slot)
        {
            let done = Some((study, *attempt));
            if slot.at_hand == done {
                slot.at_hand = None;
                slot.finished = Some((study, event.clone()));
            }
            if slot.overtaken == done {
                slot.overtaken = None;
            }
        }
        self.tell(at, study, event);
    }

    fn tell(&mut self, at: usize, study: StudyId, event: Event) {
        let stamp = event.made().and_then(|state| self.machines[at].disk.stamp(&state));
        self.news(at, News::Told(study, event, stamp));
    }

    pub(super) fn beat(&mut self, at: usize, boot: u64) {
        if !self.machines[at].up || self.machines[at].boot != boot {
            return;
        }
        for (study, event) in self.machines[at].at_hand() {
            self.tell(at, study, event);
        }
        if self.machines[at].draining {
            self.news(at, News::WantsToDrain);
        }
        self.plan(BEAT_MILLIS, Happening::Beaten { machine: at, boot });
    }

    /// The blobs of a node have been listed: it reports.
    pub(super) fn listed(
        &mut self,
        at: usize,
        boot: u64,
        term: Term,
        listed: Vec<(Digest, Stamp)>,
    ) {
        let machine = &self.machines[at];
        let current = machine.leader.is_some_and(|(_, known)| known == term);
        if !machine.up || machine.boot != boot || !current {
            return;
        }
        // What has come since the listing began, and counts, is told of too.
        let mut held: BTreeMap<Digest, Stamp> = listed.into_iter().collect();
        for state in machine.at_hand().iter().filter_map(|(_, event)| event.made()) {
            held.extend(machine.disk.stamp(&state).map(|stamp| (state, stamp)));
        }
        let lost = |(study, attempt): &(StudyId, Try)| {
            (*study, Event::UnitFailed(*attempt, Failure::TrainerLost))
        };
        let report = Report {
            node: machine.id,
            boot,
            name: format!("machine{at}"),
            slots: machine.slots.len() as u32,
            numerics: Digest([7; 32]),
            room: ROOM,
            held: held.into_iter().collect(),
            draining: machine.draining,
            told: machine.died_with.iter().map(lost).chain(machine.at_hand()).collect(),
        };
        self.news(at, News::Report(Box::new(report)));
    }

    /// A node tells its leader something.
    pub(super) fn news(&mut self, at: usize, news: News) {
        let machine = &self.machines[at];
        if let Some((leader, term)) = machine.leader {
            let from = machine.life();
            self.send(from, leader, Letter::News(term, news));
        }
    }

    /// A trainer dies; its successor is idle.
    pub(super) fn kill_trainer(&mut self, slot: SlotId, at: usize) {
        if !self.machines[at].up {
            return;
        }
        if let Some(known) = self.machines[at].slot(slot) {
            *known = super::machine::Slot::default();
            self.news(at, News::SlotLost(slot));
        }
    }

    /// A node may leave: its process ends.
    fn dismiss(&mut self, at: usize) {
        self.stop(at);
        let back = self.random.from(3_000..=30_000);
        // Whoever votes comes back; of the others some are gone for good.
        if at >= self.scenario.voters && self.random.chance(0.5) {
            self.machines[at].gone = true;
        } else {
            self.plan(back, Happening::Booted(at));
        }
    }

    /// The moment at which a frozen machine thaws, if it is frozen.
    pub(super) fn thaws_at(&self, at: usize) -> Option<Moment> {
        let until = self.machines[at].frozen_until;
        (until > self.now).then_some(until)
    }
}

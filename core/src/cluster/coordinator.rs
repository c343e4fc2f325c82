//! The leader's decisions: an engine for each study, and what the studies share.

mod copies;
mod detours;
mod events;
mod garbage;
mod host;
mod nodes;
mod repair;
mod seat;

pub use events::{ClusterCommand, ClusterEvent, Purpose, Report, Ticket};

use super::catalog::Catalog;
use super::placement::{self, Placement};
use super::record::{ClusterRecord, PRIORITY, StudyId, Wanted};
use super::share::{Claim, shares};
use crate::engine::{Bounds, Command, Event, Try};
use crate::ids::{Digest, Moment, NodeId, Seq, SlotId, Term};
use crate::invariants::Violation;
use crate::journal::{Creation, Entry, Record};
use crate::study::{Phase, Study};
use copies::Copies;
use detours::Detours;
use garbage::Garbage;
use host::Host;
use seat::Seat;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How long a holder of data may be away before another node takes its place.
pub(super) const REPLACE_MILLIS: u64 = 10_000;

/// How long data that was promised a study stays, while it is being uploaded.
const RESERVED_MILLIS: u64 = 3_600_000;

/// The deciding half of a cluster's leader, for one term.
pub struct Coordinator {
    term: Term,
    numerics: Digest,
    replicas: u32,
    now: Moment,
    seats: BTreeMap<StudyId, Seat>,
    names: BTreeMap<NodeId, String>,
    hosts: BTreeMap<NodeId, Host>,
    /// Since when the nodes that hold data are away; those never seen since the term began too.
    absent: BTreeMap<NodeId, Moment>,
    /// Data that is being uploaded, and until when it is kept.
    reserved: BTreeMap<Digest, Moment>,
    copies: Copies,
    detours: Detours,
    garbage: Garbage,
    decided: Vec<ClusterRecord>,
    tickets: u64,
    /// Batches that are not durable yet: the last record of each study in them.
    pending: VecDeque<(Ticket, BTreeMap<StudyId, Seq>)>,
    /// The blobs of studies that are being removed, each with the batch that tells of it.
    leaving: Vec<(Ticket, Vec<Digest>)>,
    commands: VecDeque<ClusterCommand>,
    violation: Option<Violation>,
}

impl Coordinator {
    /// Takes over the cluster that `catalog` tells of, as the leader of `term`, whose own numerics
    /// class is `numerics`. Data lies on `replicas` nodes.
    pub fn new(
        catalog: &Catalog,
        term: Term,
        numerics: Digest,
        replicas: u32,
        now: Moment,
    ) -> Self {
        let mut coordinator = Self {
            term,
            numerics,
            replicas,
            now,
            seats: BTreeMap::new(),
            names: catalog.nodes().map(|(id, name)| (id, name.to_owned())).collect(),
            hosts: BTreeMap::new(),
            absent: BTreeMap::new(),
            reserved: BTreeMap::new(),
            copies: Copies::default(),
            detours: Detours::default(),
            garbage: Garbage::default(),
            decided: Vec::new(),
            tickets: 0,
            pending: VecDeque::new(),
            leaving: Vec::new(),
            commands: VecDeque::new(),
            violation: None,
        };
        for (id, listed) in catalog.studies() {
            let (study, placement) = (listed.study.clone(), listed.placement.clone());
            let seat = Seat::new(study, listed.records, listed.priority, placement);
            coordinator.take_seat(id, seat);
            if listed.removed
                && let Some(seat) = coordinator.seats.get_mut(&id)
            {
                seat.remove();
            }
            coordinator.want(id, listed.wanted);
        }
        coordinator.flush();
        coordinator
    }

    /// Takes in an event. `now` never runs backwards.
    pub fn handle(&mut self, now: Moment, event: ClusterEvent) {
        self.now = self.now.max(now);
        if changes_much(&event) {
            self.copies.go_through_all();
        }
        match event {
            ClusterEvent::NodeReported(report) => self.node_reported(report),
            ClusterEvent::NodeSuspected(node) => self.node_suspected(node, true),
            ClusterEvent::NodeTrusted(node) => self.node_suspected(node, false),
            ClusterEvent::NodeDraining(node) => self.node_draining(node),
            ClusterEvent::NodeLeft { node, boot } => self.node_left(node, boot),
            ClusterEvent::SlotLost(slot) => self.tell_all(&Event::SlotLost(slot)),
            ClusterEvent::Arrived { node, blob, stamp } => {
                if !self.arrived(node, blob, stamp) {
                    return;
                }
            }
            ClusterEvent::Missed { node, blob } => self.copies.missed(node, blob, self.now),
            ClusterEvent::Study { study, event } => self.study_told(study, event),
            ClusterEvent::Created { creation, placement, priority } => {
                self.created(*creation, placement, priority);
            }
            ClusterEvent::Prioritised { study, priority } => self.prioritised(study, priority),
            ClusterEvent::Removed(study) => self.removed(study),
            ClusterEvent::Reserved(blobs) => self.reserve(blobs),
            ClusterEvent::Durable(ticket) => self.durable(ticket),
            ClusterEvent::Ticked => self.tick(),
        }
        self.settle();
        self.flush();
    }

    /// The next command, in order.
    pub fn poll(&mut self) -> Option<ClusterCommand> {
        self.commands.pop_front()
    }

    /// The ticket of the newest batch of records, durable or not.
    pub fn newest_ticket(&self) -> Ticket {
        Ticket(self.tickets)
    }

    /// Whether everything decided so far is durable.
    pub fn is_durable(&self) -> bool {
        self.pending.is_empty() && self.decided.is_empty()
    }

    /// Where data of these sizes would be placed now; the first holder of each blob is where to
    /// bring it.
    pub fn plan(&self, sizes: &[u64]) -> Placement {
        placement::place(sizes, &self.rooms(&self.numerics), self.replicas)
    }

    /// Nodes that are there and have a blob; those that are silent last.
    pub fn holders(&self, blob: &Digest) -> Vec<NodeId> {
        host::holders(&self.hosts, blob)
    }

    /// The study of this name, and the fingerprint of what determines its result.
    pub fn named(&self, name: &str) -> Option<(StudyId, Digest)> {
        let there = self.seats.iter().filter(|(_, seat)| !seat.is_removed());
        let mut seats = there.map(|(id, seat)| (*id, &seat.study().creation));
        let found = seats.find(|(_, creation)| creation.spec.name == name);
        found.map(|(id, creation)| (id, creation.fingerprint))
    }

    /// Whether a study was removed.
    pub fn is_removed(&self, study: StudyId) -> bool {
        self.seats.get(&study).is_some_and(Seat::is_removed)
    }

    /// The units under way, each with the moment at which it was assigned.
    pub fn running(&self) -> impl Iterator<Item = (StudyId, &Try, Moment)> {
        let live = self.seats.iter().filter_map(|(id, seat)| Some((*id, seat.engine()?)));
        live.flat_map(|(id, engine)| {
            engine.running_since().map(move |(attempt, since)| (id, attempt, since))
        })
    }

    /// Bytes of blobs that were removed because nobody needed them, and how many blobs.
    pub fn collected(&self) -> u64 {
        self.garbage.collected()
    }

    /// Whether nothing runs on a node any more.
    pub fn is_idle(&self, node: NodeId) -> bool {
        self.running().all(|(_, attempt, _)| attempt.slot.node != node)
    }

    /// The first broken invariant of any engine: a bug, never the fault of an event.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// The studies as decided so far, by number.
    pub fn studies(&self) -> impl Iterator<Item = (StudyId, &Study)> {
        self.seats.iter().map(|(id, seat)| (*id, seat.study()))
    }

    fn take_seat(&mut self, id: StudyId, mut seat: Seat) {
        // A study stays within the class of its first units: the same bits come only from there.
        let class = seat.study().numerics.first().copied().unwrap_or(self.numerics);
        seat.lead(self.term, class, self.now);
        for (node, host) in &self.hosts {
            if let Some(event) = seat.joined(*node, host, class) {
                seat.handle(self.now, event);
            }
        }
        self.seats.insert(id, seat);
        self.collect(id);
    }

    fn created(&mut self, creation: Creation, placement: Placement, priority: u32) {
        let id = StudyId(self.seats.len() as u32);
        let entry =
            Entry { at: self.now, record: Record::StudyCreated(Box::new(creation.clone())) };
        self.decided.push(ClusterRecord::Study { study: id, entry });
        self.decided.push(ClusterRecord::Placed { study: id, placement: placement.clone() });
        if priority != PRIORITY {
            self.decided.push(ClusterRecord::Prioritised { study: id, priority });
        }
        let seat = Seat::new(Study::new(creation), 0, priority, placement);
        for blob in seat.data() {
            self.reserved.remove(blob);
        }
        self.take_seat(id, seat);
    }

    fn prioritised(&mut self, study: StudyId, priority: u32) {
        if let Some(seat) = self.seats.get_mut(&study).filter(|seat| seat.priority != priority) {
            seat.priority = priority;
            self.decided.push(ClusterRecord::Prioritised { study, priority });
        }
    }

    fn removed(&mut self, study: StudyId) {
        let Some(seat) = self.seats.get_mut(&study).filter(|seat| !seat.is_removed()) else {
            return;
        };
        let blobs: Vec<Digest> = seat.data().copied().chain(seat.kept()).collect();
        if !seat.remove() {
            return;
        }
        self.decided.push(ClusterRecord::Removed { study });
        self.leaving.push((Ticket(self.tickets + 1), blobs));
    }

    /// Lets go of what belonged to studies of whose removal the journal tells now.
    fn let_go(&mut self, ticket: Ticket) {
        let leaving = std::mem::take(&mut self.leaving);
        let (due, rest): (Vec<_>, Vec<_>) = leaving.into_iter().partition(|(t, _)| *t <= ticket);
        self.leaving = rest;
        due.into_iter().flat_map(|(_, blobs)| blobs).for_each(|blob| self.release(blob));
    }

    /// What a study has is kept for it as it is.
    fn reserve(&mut self, blobs: Vec<Digest>) {
        let until = Moment(self.now.0 + RESERVED_MILLIS);
        let seats = &self.seats;
        let has = |blob: &Digest| seats.values().any(|seat| seat.has_data(blob));
        let blobs = blobs.into_iter().filter(|blob| !has(blob));
        self.reserved.extend(blobs.map(|blob| (blob, until)));
    }

    fn study_told(&mut self, id: StudyId, event: Event) {
        let event = self.detour(id, event);
        if let Some(wanted) = Wanted::by(&event) {
            return self.want_anew(id, wanted, event);
        }
        self.tell(id, event);
    }

    /// What users want of a study is recorded at once: what follows may take a while, and another
    /// leader may lead by then.
    fn want_anew(&mut self, id: StudyId, wanted: Wanted, event: Event) {
        let Some(seat) = self.seats.get_mut(&id).filter(|seat| seat.engine().is_some()) else {
            return;
        };
        // What is cancelled stays so.
        if seat.wanted == Wanted::Cancelled {
            return;
        }
        if seat.wanted != wanted {
            seat.wanted = wanted;
            self.decided.push(ClusterRecord::Wanted { study: id, wanted });
        }
        self.tell(id, event);
    }

    /// Goes on with what an earlier leader was asked for.
    fn want(&mut self, id: StudyId, wanted: Wanted) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.wanted = wanted;
        let pauses = seat.study().phase == Phase::Running || wanted == Wanted::Cancelled;
        if let Some(event) = wanted.event().filter(|_| pauses && seat.engine().is_some()) {
            self.tell(id, event);
        }
    }

    fn durable(&mut self, ticket: Ticket) {
        self.let_go(ticket);
        while let Some((first, _)) = self.pending.front() {
            if *first > ticket {
                break;
            }
            let Some((_, studies)) = self.pending.pop_front() else { break };
            studies.into_iter().for_each(|(id, seq)| self.tell(id, Event::Appended(seq)));
        }
    }

    fn tick(&mut self) {
        self.reserved.retain(|_, until| *until > self.now);
        self.end_detours();
        self.tell_all(&Event::Ticked);
        self.repair();
        self.collect_garbage();
    }

    fn tell_all(&mut self, event: &Event) {
        let ids: Vec<StudyId> = self.seats.keys().copied().collect();
        ids.into_iter().for_each(|id| self.tell(id, event.clone()));
    }

    /// Hands an event to a study. What it starts is bounded by what the others leave.
    fn tell(&mut self, id: StudyId, event: Event) {
        let taken = self.taken_by_others(id);
        let bounds = Bounds { taken, units_max: 0, contended: false };
        // What waits on a slot behind another study's unit is not taken over: its result counts.
        if let Event::UnitRunning(attempt) = &event
            && bounds.taken.contains(&attempt.slot)
        {
            return;
        }
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.set_bounds(bounds);
        seat.handle(self.now, event);
        self.collect(id);
    }

    fn taken_by_others(&self, id: StudyId) -> BTreeSet<SlotId> {
        let others = self.running().filter(|(study, ..)| *study != id);
        others.map(|(_, attempt, _)| attempt.slot).collect()
    }

    /// Shares the slots: first each study up to its share, those that have least of theirs first,
    /// then whatever is left to whoever can use it.
    fn settle(&mut self) {
        let slots: usize = self.hosts.values().map(|host| host.slots as usize).sum();
        let claim = |seat: &Seat| Some((seat.engine()?.demand(), seat.priority));
        let claims: BTreeMap<StudyId, Claim> = self
            .seats
            .iter()
            .filter_map(|(id, seat)| {
                let (demand, weight) = claim(seat)?;
                Some((*id, Claim { demand, weight }))
            })
            .collect();
        let shares = shares(&claims, slots);
        let running = |id: &StudyId| {
            let engine = self.seats.get(id).and_then(Seat::engine);
            engine.map_or(0, |engine| engine.running().count())
        };
        let hungry: BTreeSet<StudyId> =
            claims.iter().filter(|(id, it)| it.demand > running(id)).map(|(id, _)| *id).collect();
        let mut order: Vec<StudyId> = claims.keys().copied().collect();
        order.sort_by_key(|id| (running(id) * 1000 / shares[id].max(1), *id));
        for pass in 0..2 {
            for id in &order {
                let share = if pass == 0 { shares[id] } else { usize::MAX };
                let contended = pass == 0 && hungry.iter().any(|other| other != id);
                self.offer(*id, share, contended);
            }
            if claims.len() == 1 && pass == 0 && shares.values().all(|share| *share >= slots) {
                break;
            }
        }
        self.make_copies();
    }

    fn offer(&mut self, id: StudyId, units_max: usize, contended: bool) {
        let bounds = Bounds { taken: self.taken_by_others(id), units_max, contended };
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.set_bounds(bounds);
        seat.reconsider(self.now);
        self.collect(id);
    }

    /// Takes over what a study's engine wants done.
    fn collect(&mut self, id: StudyId) {
        let mut released = Vec::new();
        let Some(seat) = self.seats.get_mut(&id) else { return };
        while let Some(command) = seat.poll() {
            match command {
                Command::Append { entries, .. } => {
                    let records = entries.into_iter();
                    self.decided
                        .extend(records.map(|entry| ClusterRecord::Study { study: id, entry }));
                }
                Command::StartUnit(start) => {
                    let node = start.attempt.slot.node;
                    let input = start.attempt.input;
                    let sources = input.map(|state| host::holders(&self.hosts, &state));
                    if let Some(state) = start.attempt.input {
                        self.copies.under_way(node, state, self.now);
                    }
                    let mut sources: Vec<NodeId> = sources.unwrap_or_default();
                    if sources.is_empty() {
                        // Nobody has said that it has it: then whoever made it may.
                        sources.extend(start.source);
                    }
                    self.commands.push_back(ClusterCommand::Start { study: id, start, sources });
                }
                Command::ReleaseState(state) => released.push(state),
                Command::Rest => {}
            }
        }
        if let (None, Some(violation)) = (&self.violation, seat.violation()) {
            self.violation = Some(violation.clone());
        }
        seat.retire();
        released.into_iter().for_each(|state| self.release(state));
    }

    /// Removes a blob everywhere, unless another study has the same.
    fn release(&mut self, state: Digest) {
        if self.is_needed(&state) {
            return;
        }
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        nodes.into_iter().for_each(|node| self.remove_from(node, state));
    }

    fn is_needed(&self, blob: &Digest) -> bool {
        self.reserved.contains_key(blob)
            || self.seats.values().any(|seat| seat.keeps(blob) || seat.has_data(blob))
    }

    fn flush(&mut self) {
        if self.decided.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.decided);
        let mut last = BTreeMap::new();
        for record in &records {
            if let ClusterRecord::Study { study, .. } = record {
                let seat = self.seats.get_mut(study).expect("records are of studies with a seat");
                last.insert(*study, seat.number_next());
            }
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.pending.push_back((ticket, last));
        // Before everything that follows from earlier decisions, after all earlier batches.
        self.commands.push_back(ClusterCommand::Append { ticket, records });
    }
}

/// Whether an event may change where the checkpoints of many trials should lie, or data.
fn changes_much(event: &ClusterEvent) -> bool {
    match event {
        ClusterEvent::NodeReported(_)
        | ClusterEvent::NodeSuspected(_)
        | ClusterEvent::NodeTrusted(_)
        | ClusterEvent::NodeDraining(_)
        | ClusterEvent::NodeLeft { .. }
        | ClusterEvent::Created { .. }
        | ClusterEvent::Removed(_)
        | ClusterEvent::Ticked => true,
        ClusterEvent::SlotLost(_)
        | ClusterEvent::Arrived { .. }
        | ClusterEvent::Missed { .. }
        | ClusterEvent::Study { .. }
        | ClusterEvent::Prioritised { .. }
        | ClusterEvent::Reserved(_)
        | ClusterEvent::Durable(_) => false,
    }
}

#[cfg(test)]
mod tests;

//! A simulated leader: the real coordinator, and the hands that the product gives it.

use super::letter::{Letter, Life, News, Order};
use super::world::{Happening, World};
use crate::cluster::{ClusterCommand, ClusterEvent, ClusterRecord, Coordinator, Ticket};
use crate::engine::Event;
use crate::ids::{Digest, Moment, NodeId, Term};
use std::collections::{BTreeMap, VecDeque};

/// A node that does not report is asked again after this time.
const ASK_AGAIN_MILLIS: u64 = 500;

/// A silent node is suspected after this time, and taken for dead after the other.
const SUSPECTED_MILLIS: u64 = 1000;
const LEFT_MILLIS: u64 = 2000;

/// A node that is out of the leader's reach for so long is taken for gone, whatever gossip says.
const OUT_OF_REACH_MILLIS: u64 = 3000;

/// A node that has not answered for so long is out of reach, session or not.
const UNANSWERED_MILLIS: u64 = 3000;

/// A node that has reported.
#[derive(Debug, Clone, Copy)]
struct Known {
    life: Life,
    /// Since when letters do not come and go.
    out_of_reach: Option<Moment>,
    suspected: bool,
    draining: bool,
}

/// A leader, deposed or not.
pub(super) struct Leader {
    pub(super) life: Life,
    pub(super) term: Term,
    pub(super) coordinator: Coordinator,
    known: BTreeMap<NodeId, Known>,
    asked: BTreeMap<Life, Moment>,
    /// What is not durable yet.
    pub(super) batches: VecDeque<(Ticket, Vec<ClusterRecord>)>,
}

/// How a machine seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    Alive,
    Suspected,
    Left,
}

impl Leader {
    pub(super) fn new(life: Life, term: Term, world: &World) -> Self {
        let (catalog, replicas) = (&world.catalog, world.scenario.replicas);
        let coordinator = Coordinator::new(catalog, term, Digest([7; 32]), replicas, world.now);
        let (known, asked) = (BTreeMap::new(), BTreeMap::new());
        Self { life, term, coordinator, known, asked, batches: VecDeque::new() }
    }

    /// Whether a node should be asked for a report now.
    fn should_ask(&mut self, node: NodeId, life: Life, now: Moment) -> bool {
        if self.known.get(&node).is_some_and(|known| known.life == life) {
            return false;
        }
        let asked = self.asked.get(&life);
        if asked.is_some_and(|asked| now.millis_since(*asked) < ASK_AGAIN_MILLIS) {
            return false;
        }
        self.asked.insert(life, now);
        true
    }

    /// How a known life of a node is as far as letters to it tell.
    fn by_letters(&mut self, node: NodeId, life: Life, reached: bool, now: Moment) -> Presence {
        let known = self.known.get_mut(&node).filter(|known| known.life == life);
        let Some(known) = known else { return Presence::Alive };
        if reached {
            known.out_of_reach = None;
            return Presence::Alive;
        }
        let since = *known.out_of_reach.get_or_insert(now);
        if now.millis_since(since) < OUT_OF_REACH_MILLIS {
            Presence::Suspected
        } else {
            Presence::Left
        }
    }

    /// A known life of a node is suspected, or not any more; whether that is news.
    fn suspect(&mut self, node: NodeId, boot: u64, suspected: bool) -> bool {
        let known = self.known.get_mut(&node).filter(|known| known.life.boot == boot);
        known.is_some_and(|known| std::mem::replace(&mut known.suspected, suspected) != suspected)
    }

    /// A life of a node is over; whether it was known.
    fn forget(&mut self, node: NodeId, boot: u64) -> bool {
        let known = self.known.get(&node).is_some_and(|known| known.life.boot == boot);
        if known && let Some(known) = self.known.remove(&node) {
            self.asked.remove(&known.life);
        }
        known
    }
}

impl World {
    /// Whether this leader's process still runs.
    fn lives(&self, term: Term) -> bool {
        self.leaders.get(&term).is_some_and(|leader| {
            let machine = &self.machines[leader.life.machine];
            machine.up && machine.boot == leader.life.boot
        })
    }

    /// Tells a leader something, and carries out what it wants.
    pub(super) fn lead(&mut self, term: Term, event: ClusterEvent) {
        if !self.lives(term) {
            return;
        }
        let now = self.now;
        if let Some(leader) = self.leaders.get_mut(&term) {
            leader.coordinator.handle(now, event);
        }
        self.obey(term);
    }

    pub(super) fn obey(&mut self, term: Term) {
        let mut started = Vec::new();
        while let Some(command) =
            self.leaders.get_mut(&term).and_then(|leader| leader.coordinator.poll())
        {
            self.audit_command(term, &command);
            self.note(|| format!("{term} wants {}", super::oracle::command_words(&command)));
            match command {
                ClusterCommand::Append { ticket, records } => {
                    if term == self.term {
                        if let Some(leader) = self.leaders.get_mut(&term) {
                            leader.batches.push_back((ticket, records));
                        }
                        self.plan_commit(term);
                    }
                }
                ClusterCommand::Start { study, start, sources } => {
                    started.push((study, start.attempt));
                    let node = start.attempt.slot.node;
                    let start = Box::new(start);
                    self.order(term, node, Order::Start { study, start, sources });
                }
                ClusterCommand::Copy { node, blob, sources, .. } => {
                    self.order(term, node, Order::Copy { blob, sources });
                }
                ClusterCommand::Ask { node } => self.order(term, node, Order::Report),
                ClusterCommand::Release { node, blob, stamp } => {
                    self.order(term, node, Order::Release(blob, stamp));
                }
            }
        }
        self.audit_leader(term, &started);
    }

    fn order(&mut self, term: Term, node: NodeId, order: Order) {
        let Some(leader) = self.leaders.get(&term) else { return };
        let from = leader.life;
        if let Some(to) = leader.known.get(&node).map(|known| known.life) {
            self.send(from, to, Letter::Order(term, order));
        }
    }

    pub(super) fn tick(&mut self, term: Term) {
        if !self.lives(term) {
            return;
        }
        self.look_around(term);
        self.lead(term, ClusterEvent::Ticked);
        let Some(leader) = self.leaders.get(&term) else { return };
        let draining = leader.known.iter().filter(|(_, known)| known.draining);
        let done = draining.filter(|(node, _)| leader.coordinator.is_drained(**node));
        let done: Vec<NodeId> = done.map(|(node, _)| *node).collect();
        done.into_iter().for_each(|node| self.order(term, node, Order::Leave));
        self.plan(self.scenario.tick_millis, Happening::Ticked(term));
    }

    pub(super) fn durable(&mut self, term: Term, ticket: Ticket) {
        self.lead(term, ClusterEvent::Durable(ticket));
    }

    /// How a machine seems to a leader. Gossip goes round a cut between two machines.
    fn presence(&self, at: usize) -> Presence {
        let (machine, now) = (&self.machines[at], self.now);
        let silent = machine.silent_since.map(|since| now.millis_since(since));
        let slander = machine.slandered.filter(|(until, _)| *until > now);
        match (silent, slander) {
            (Some(LEFT_MILLIS..), _) | (_, Some((_, true))) => Presence::Left,
            (Some(SUSPECTED_MILLIS..), _) | (_, Some((_, false))) => Presence::Suspected,
            _ => Presence::Alive,
        }
    }

    /// Compares what gossip says with who has reported: newcomers are asked, losses are told.
    fn look_around(&mut self, term: Term) {
        for at in 0..self.machines.len() {
            let (id, life) = (self.machines[at].id, self.machines[at].life());
            let presence = self.presence(at);
            let now = self.now;
            let Some(from) = self.leaders.get(&term).map(|leader| leader.life) else { return };
            let answers = self.silence(from.machine, at) < UNANSWERED_MILLIS;
            let reached = self.has_session(from.machine, at) && answers;
            let Some(leader) = self.leaders.get_mut(&term) else { return };
            match presence.max(leader.by_letters(id, life, reached, now)) {
                Presence::Left => self.left(term, id, life.boot),
                Presence::Suspected => {
                    if leader.suspect(id, life.boot, true) {
                        self.lead(term, ClusterEvent::NodeSuspected(id));
                    }
                }
                Presence::Alive => {
                    let trusted = leader.suspect(id, life.boot, false);
                    let ask = leader.should_ask(id, life, now);
                    if trusted {
                        self.lead(term, ClusterEvent::NodeTrusted(id));
                    }
                    if ask {
                        self.send(from, life, Letter::Order(term, Order::Report));
                    }
                }
            }
        }
    }

    fn left(&mut self, term: Term, node: NodeId, boot: u64) {
        let leader = self.leaders.get_mut(&term);
        if leader.is_some_and(|leader| leader.forget(node, boot)) {
            self.lead(term, ClusterEvent::NodeLeft { node, boot });
        }
    }

    /// A process refuses connections.
    pub(super) fn gone(&mut self, life: Life) {
        let machine = &self.machines[life.machine];
        if machine.up || machine.boot != life.boot {
            return;
        }
        let id = machine.id;
        let terms: Vec<Term> = self.leaders.keys().copied().collect();
        terms.into_iter().for_each(|term| self.left(term, id, life.boot));
    }

    /// News for the leader of a term, from a life of a node.
    pub(super) fn hear(&mut self, term: Term, to: Life, from: Life, news: News) {
        let Some(leader) = self.leaders.get_mut(&term).filter(|leader| leader.life == to) else {
            return;
        };
        if let News::Report(report) = news {
            let known = Known {
                life: from,
                out_of_reach: None,
                suspected: false,
                draining: report.draining,
            };
            leader.asked.remove(&from);
            leader.known.insert(report.node, known);
            return self.lead(term, ClusterEvent::NodeReported(*report));
        }
        // News of somebody who has not introduced itself is of an earlier time.
        let found = leader.known.iter_mut().find(|(_, known)| known.life == from);
        let Some((node, known)) = found else { return };
        let node = *node;
        let event = match news {
            News::Report(_) => return,
            News::Told(study, event, stamp) => {
                if !belongs(&event, node) {
                    return;
                }
                if let (Event::UnitFinished(_, output), Some(stamp)) = (&event, stamp) {
                    let blob = output.state;
                    self.lead(term, ClusterEvent::Arrived { node, blob, stamp });
                }
                ClusterEvent::Study { study, event }
            }
            News::Arrived(blob, stamp) => ClusterEvent::Arrived { node, blob, stamp },
            News::Missed(blob) => ClusterEvent::Missed { node, blob },
            News::SlotLost(slot) => ClusterEvent::SlotLost(slot),
            News::WantsToDrain => {
                if std::mem::replace(&mut known.draining, true) {
                    return;
                }
                ClusterEvent::NodeDraining(node)
            }
        };
        self.lead(term, event);
    }

    /// Somebody asks the leader to let a node go.
    ///
    /// Not when too few are left: who drains the last nodes has stopped the cluster.
    pub(super) fn ask_to_drain(&mut self, at: usize) {
        let stays = |machine: &&super::machine::Machine| {
            machine.index != at && machine.up && !machine.draining
        };
        if self.machines.iter().filter(stays).count() < 2 {
            return;
        }
        let (term, node) = (self.term, self.machines[at].id);
        let Some(leader) = self.leaders.get_mut(&term) else { return };
        let Some(known) = leader.known.get_mut(&node) else { return };
        if !std::mem::replace(&mut known.draining, true) {
            self.lead(term, ClusterEvent::NodeDraining(node));
            self.order(term, node, Order::Drain);
        }
    }
}

/// Whether a node may tell this: only of its own slots, and nothing that only a leader knows.
fn belongs(event: &Event, node: NodeId) -> bool {
    match event {
        Event::UnitRunning(attempt)
        | Event::UnitFinished(attempt, _)
        | Event::UnitFailed(attempt, _) => attempt.slot.node == node,
        _ => false,
    }
}

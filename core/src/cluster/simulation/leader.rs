//! A simulated leader: the real coordinator, and the hands that the product gives it.

use super::letter::{Letter, Life, News, Order};
use super::world::{Happening, World};
use crate::cluster::{
    ClusterCommand, ClusterEvent, ClusterRecord, Coordinator, Presence, Roll, Sight, Ticket,
};
use crate::ids::{Digest, NodeId, Term};
use std::collections::VecDeque;

/// A silent node is suspected after this time, and taken for dead after the other.
const SUSPECTED_MILLIS: u64 = 1000;
const LEFT_MILLIS: u64 = 2000;

/// A leader, deposed or not.
pub(super) struct Leader {
    pub(super) life: Life,
    pub(super) term: Term,
    pub(super) coordinator: Coordinator,
    roll: Roll<Life>,
    /// What is not durable yet.
    pub(super) batches: VecDeque<(Ticket, Vec<ClusterRecord>)>,
}

impl Leader {
    pub(super) fn new(life: Life, term: Term, world: &World) -> Self {
        let (catalog, replicas) = (&world.catalog, world.scenario.replicas);
        let coordinator = Coordinator::new(catalog, term, Digest([7; 32]), replicas, world.now);
        Self { life, term, coordinator, roll: Roll::default(), batches: VecDeque::new() }
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
        if let Some(to) = leader.roll.life(node).copied() {
            self.send(from, to, Letter::Order(term, order));
        }
    }

    pub(super) fn tick(&mut self, term: Term) {
        if !self.lives(term) {
            return;
        }
        self.look_around(term);
        self.beat_time(term);
        self.lead(term, ClusterEvent::Ticked);
        let Some(leader) = self.leaders.get(&term) else { return };
        let mut done = leader.roll.draining();
        done.retain(|node| leader.coordinator.is_drained(*node));
        done.into_iter().for_each(|node| self.order(term, node, Order::Leave));
        self.plan(self.scenario.tick_millis, Happening::Ticked(term));
    }

    /// Asks the nodes for a sign of life by way of letters, from time to time.
    fn beat_time(&mut self, term: Term) {
        let Some(leader) = self.leaders.get_mut(&term) else { return };
        let Some(number) = leader.roll.beat(self.now) else { return };
        let (from, lives) = (leader.life, leader.roll.lives().copied().collect::<Vec<_>>());
        lives.into_iter().for_each(|life| self.send(from, life, Letter::Beat(term, number)));
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
            let session = self.has_session(from.machine, at);
            let Some(leader) = self.leaders.get_mut(&term) else { return };
            match leader.roll.look(id, &life, presence, session, now) {
                None => {}
                Some(Sight::Gone) => {
                    self.lead(term, ClusterEvent::NodeLeft { node: id, boot: life.boot });
                }
                Some(Sight::Suspected) => self.lead(term, ClusterEvent::NodeSuspected(id)),
                Some(Sight::Trusted) => self.lead(term, ClusterEvent::NodeTrusted(id)),
                Some(Sight::Unknown) => self.send(from, life, Letter::Order(term, Order::Report)),
            }
        }
    }

    /// A process refuses connections.
    pub(super) fn gone(&mut self, life: Life) {
        let machine = &self.machines[life.machine];
        if machine.up || machine.boot != life.boot {
            return;
        }
        let id = machine.id;
        let knows = |leader: &mut Leader| leader.roll.forget(id, &life);
        let terms: Vec<Term> =
            self.leaders.iter_mut().filter_map(|(term, it)| knows(it).then_some(*term)).collect();
        let (node, boot) = (id, life.boot);
        terms.into_iter().for_each(|term| self.lead(term, ClusterEvent::NodeLeft { node, boot }));
    }

    /// News for the leader of a term, from a life of a node.
    pub(super) fn hear(&mut self, term: Term, to: Life, from: Life, news: News) {
        let now = self.now;
        let Some(leader) = self.leaders.get_mut(&term).filter(|leader| leader.life == to) else {
            return;
        };
        if let News::Report(report) = news {
            leader.roll.reported(report.node, from, report.draining, now);
            return self.lead(term, ClusterEvent::NodeReported(*report));
        }
        // News of somebody who has not introduced itself is of an earlier time.
        let Some(node) = leader.roll.node(&from) else { return };
        let event = match news {
            News::Report(_) => return,
            News::Told(study, event, stamp) => {
                if !event.is_told_by(node) {
                    return;
                }
                if let (Some(blob), Some(stamp)) = (event.made(), stamp) {
                    self.lead(term, ClusterEvent::Arrived { node, blob, stamp });
                }
                ClusterEvent::Study { study, event }
            }
            News::Arrived(blob, stamp) => ClusterEvent::Arrived { node, blob, stamp },
            News::Missed(blob) => ClusterEvent::Missed { node, blob },
            News::SlotLost(slot) => ClusterEvent::SlotLost(slot),
            News::Beat(number) => return leader.roll.answered(node, number),
            News::WantsToDrain => {
                if !leader.roll.drain(node) {
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
        if leader.roll.drain(node) {
            self.lead(term, ClusterEvent::NodeDraining(node));
            self.order(term, node, Order::Drain);
        }
    }
}

//! The leader: the coordinator's hands, on the node that leads. Turns letters, gossip and
//! questions into events and carries out the commands; every decision is the coordinator's.

mod appender;
mod introductions;
mod questions;

pub(crate) use questions::{Found, Planned, Question, Submitted};

use super::agent::Mail;
use super::directory::Directory;
use super::letter::{Letter, News, Order};
use super::library::Library;
use crate::clock::Clock;
use crate::journal::{Journal, JournalError};
use appender::{Appender, Appending, Batch};
use introductions::Introductions;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wallaby_core::cluster::{
    ClusterCommand, ClusterEvent, Coordinator, Purpose, Report, Roll, Sight, StudyId, Ticket,
};
use wallaby_core::ids::{Digest, NodeId, Term};

/// How often the coordinator hears that time passes.
const TICK: Duration = Duration::from_millis(250);

/// What the leader is told.
pub(crate) enum LeaderMsg {
    /// A node writes; its session has this name.
    News { from: String, term: Term, news: News },
    /// Gossip about a node has changed.
    Gossip,
    /// A node refuses connections: its process is gone.
    Gone { name: String, boot: u64 },
    /// The journal is durable up to this batch.
    Durable(Ticket),
    /// The journal takes no more of this leader's records.
    Failed(JournalError),
    /// Somebody asks.
    Asked(Question),
    /// Time passes.
    Tick,
}

impl ractor::Message for LeaderMsg {}

/// What a leader is made from.
pub(crate) struct LeaderArgs {
    pub(crate) term: Term,
    pub(crate) numerics: Digest,
    pub(crate) replicas: u32,
    pub(crate) journal: Journal,
    pub(crate) library: Library,
    pub(crate) mail: Arc<dyn Mail>,
    pub(crate) directory: Directory,
}

/// Bytes that were moved for a study under this leader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) hopped: u64,
    pub(crate) copied: u64,
}

/// A leader's state.
pub(crate) struct LeaderState {
    coordinator: Coordinator,
    clock: Clock,
    term: Term,
    /// When it began to lead.
    began: Instant,
    appender: Appending,
    mail: Arc<dyn Mail>,
    directory: Directory,
    roll: Roll<String>,
    introductions: Introductions,
    /// What moves are for, so that their bytes can be counted.
    purposes: BTreeMap<(NodeId, Digest), (StudyId, Purpose)>,
    moved: BTreeMap<StudyId, Moved>,
    /// Letters that could not be sent yet, by session.
    unsent: Vec<(String, Letter)>,
    /// Answers that wait until a batch is durable.
    waiting: Vec<(Ticket, Box<dyn FnOnce() + Send>)>,
}

/// The actor that leads the cluster.
pub(crate) struct Leader;

impl Actor for Leader {
    type Msg = LeaderMsg;
    type State = LeaderState;
    type Arguments = LeaderArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<LeaderMsg>,
        args: LeaderArgs,
    ) -> Result<LeaderState, ActorProcessingErr> {
        let LeaderArgs { term, numerics, replicas, journal, library, mail, directory } = args;
        let mut clock = Clock::start();
        let now = clock.now();
        let coordinator =
            library.read(|catalog| Coordinator::new(catalog, term, numerics, replicas, now));
        let appender = Appender::start(journal, term, myself.clone());
        myself.send_after(TICK, || LeaderMsg::Tick);
        let mut state = LeaderState {
            coordinator,
            clock,
            term,
            began: Instant::now(),
            appender,
            mail,
            directory,
            roll: Roll::default(),
            introductions: Introductions::default(),
            purposes: BTreeMap::new(),
            moved: BTreeMap::new(),
            unsent: Vec::new(),
            waiting: Vec::new(),
        };
        state.look_around();
        state.obey();
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<LeaderMsg>,
        message: LeaderMsg,
        state: &mut LeaderState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            LeaderMsg::News { from, term, news } => {
                if term == state.term {
                    state.hear(&from, news);
                }
            }
            LeaderMsg::Gossip => state.look_around(),
            LeaderMsg::Gone { name, boot } => state.gone(&name, boot),
            LeaderMsg::Durable(ticket) => {
                state.take(ClusterEvent::Durable(ticket));
                state.answer_up_to(ticket);
            }
            LeaderMsg::Failed(error) => {
                // Somebody else leads, or nobody: whoever does has everything that was durable.
                tracing::warn!(term = state.term.0, %error, "this node leads no more");
                myself.stop(Some(error.to_string()));
                return Ok(());
            }
            LeaderMsg::Asked(question) => state.asked(question),
            LeaderMsg::Tick => {
                state.look_around();
                state.beat();
                state.send_again();
                state.take(ClusterEvent::Ticked);
                state.dismiss_drained();
                // Not an interval: after a standstill one tick is enough.
                myself.send_after(TICK, || LeaderMsg::Tick);
            }
        }
        state.obey();
        Ok(())
    }
}

impl LeaderState {
    fn take(&mut self, event: ClusterEvent) {
        self.coordinator.handle(self.clock.now(), event);
        let violation = self.coordinator.violation();
        debug_assert!(violation.is_none(), "{violation:?}");
    }

    fn obey(&mut self) {
        while let Some(command) = self.coordinator.poll() {
            match command {
                ClusterCommand::Append { ticket, records } => {
                    // The appender ends after a failure, which it has told.
                    let _ = self.appender.batches.send(Batch { ticket, records });
                }
                ClusterCommand::Start { study, start, sources } => {
                    let node = start.attempt.slot.node;
                    if let Some(state) = start.attempt.input {
                        self.purposes.insert((node, state), (study, Purpose::Hop));
                    }
                    self.order(node, Order::Start { study, start, sources });
                }
                ClusterCommand::Copy { node, blob, sources, durable, purpose, study } => {
                    self.purposes.insert((node, blob), (study, purpose));
                    let data = purpose == Purpose::Data;
                    self.order(node, Order::Copy { blob, sources, durable, data });
                }
                ClusterCommand::Ask { node } => self.order(node, Order::Report),
                ClusterCommand::Release { node, blob, stamp } => {
                    self.purposes.remove(&(node, blob));
                    self.order(node, Order::Release(blob, stamp));
                }
            }
        }
    }

    /// Orders something of a node. What is lost with a session shows: a unit by its lease, a copy
    /// by its silence.
    fn order(&mut self, node: NodeId, order: Order) {
        let Some(session) = self.roll.life(node) else { return };
        let letter = Letter::Order(self.term, order);
        // In order: what comes after one that could not be sent waits behind it.
        let waits = self.unsent.iter().any(|(to, _)| to == session);
        if waits || !self.mail.send(session, &letter) {
            self.unsent.push((session.to_owned(), letter));
        }
    }

    /// Asks the nodes for a sign of life by way of letters, from time to time.
    fn beat(&mut self) {
        let Some(number) = self.roll.beat(self.clock.now()) else { return };
        for session in self.roll.lives() {
            self.mail.send(session, &Letter::Beat(self.term, number));
        }
    }

    /// Sends what could not be sent before, unless its node has left.
    fn send_again(&mut self) {
        let mut stuck: BTreeSet<String> = BTreeSet::new();
        for (session, letter) in std::mem::take(&mut self.unsent) {
            let there = self.roll.node(&session).is_some();
            if there && (stuck.contains(&session) || !self.mail.send(&session, &letter)) {
                stuck.insert(session.clone());
                self.unsent.push((session, letter));
            }
        }
    }

    /// Compares what gossip and letters say with who has reported: newcomers are asked, losses are
    /// told.
    fn look_around(&mut self) {
        let now = self.clock.now();
        for listing in self.directory.all() {
            let (life, boot) = (listing.session(), listing.member.boot);
            let Some(id) = listing.id() else { continue };
            let session = self.mail.reaches(&life);
            match self.roll.look(id, &life, listing.presence, session, now) {
                None => {}
                Some(Sight::Gone) => self.left(id, &life, boot),
                Some(Sight::Suspected) => self.take(ClusterEvent::NodeSuspected(id)),
                Some(Sight::Trusted) => self.take(ClusterEvent::NodeTrusted(id)),
                Some(Sight::Unknown) => {
                    self.mail.send(&life, &Letter::Order(self.term, Order::Report));
                }
            }
        }
    }

    fn gone(&mut self, name: &str, boot: u64) {
        let listing = self.directory.named(name).filter(|listing| listing.member.boot == boot);
        let Some(listing) = listing else { return };
        let life = listing.session();
        if let Some(id) = listing.id().filter(|id| self.roll.forget(*id, &life)) {
            self.left(id, &life, boot);
        }
    }

    /// A life of a node that has reported is over.
    fn left(&mut self, node: NodeId, life: &str, boot: u64) {
        tracing::warn!(node = node.0, "a node has left");
        self.introductions.forget(life);
        self.purposes.retain(|(holder, _), _| *holder != node);
        self.take(ClusterEvent::NodeLeft { node, boot });
    }

    fn reported(&mut self, from: &str, report: Report) {
        self.roll.reported(report.node, from.to_owned(), report.draining, self.clock.now());
        self.take(ClusterEvent::NodeReported(report));
    }

    fn hear(&mut self, from: &str, news: News) {
        if let News::Report(introduction) = news {
            if let Some(report) = self.introductions.introduce(from, introduction) {
                self.reported(from, report);
            }
            return;
        }
        if let News::Holds { boot, blobs, last } = news {
            if let Some(report) = self.introductions.add_blobs(from, boot, blobs, last) {
                self.reported(from, report);
            }
            return;
        }
        // News of somebody who has not introduced itself is of an earlier time.
        let Some(node) = self.roll.node(&from.to_owned()) else { return };
        match news {
            News::Report(_) | News::Holds { .. } => {}
            News::Beat(number) => self.roll.answered(node, number),
            News::Told(study, event, stamp) => {
                if event.is_told_by(node) {
                    if let (Some(blob), Some(stamp)) = (event.made(), stamp) {
                        self.take(ClusterEvent::Arrived { node, blob, stamp });
                    }
                    self.take(ClusterEvent::Study { study, event });
                }
            }
            News::Arrived { blob, stamp, moved } => {
                self.count(node, blob, moved);
                self.take(ClusterEvent::Arrived { node, blob, stamp });
            }
            News::Missed { blob, why } => {
                tracing::warn!(node = node.0, %blob, why, "a blob could not be copied");
                self.take(ClusterEvent::Missed { node, blob });
            }
            News::SlotLost(slot) => {
                if slot.node == node {
                    self.take(ClusterEvent::SlotLost(slot));
                }
            }
            News::WantsToDrain => {
                if self.roll.drain(node) {
                    self.take(ClusterEvent::NodeDraining(node));
                }
            }
        }
    }

    fn count(&mut self, node: NodeId, blob: Digest, bytes: u64) {
        let Some((study, purpose)) = self.purposes.get(&(node, blob)) else { return };
        let moved = self.moved.entry(*study).or_default();
        match purpose {
            Purpose::Hop => moved.hopped += bytes,
            Purpose::Safety | Purpose::Data => moved.copied += bytes,
        }
    }

    /// Lets nodes go that want to leave and are not needed any more.
    fn dismiss_drained(&mut self) {
        for node in self.roll.draining() {
            if self.coordinator.is_drained(node) {
                self.order(node, Order::Leave);
            }
        }
    }

    fn answer_up_to(&mut self, ticket: Ticket) {
        let waiting = std::mem::take(&mut self.waiting);
        let (due, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(t, _)| *t <= ticket);
        self.waiting = rest;
        due.into_iter().for_each(|(_, answer)| answer());
    }
}

//! The agent: a node's own hands. Carries out what the leader orders, tells it what becomes of
//! that, and owns the trainers. Follows whoever leads in the newest term it has heard of.
//!
//! Everything it tells may be lost with a session. So what runs, and the last result of every
//! slot, is told again with every beat until a newer order shows that it arrived.

use super::directory::Directory;
use super::letter::{DIGESTS_MAX, Introduction, Letter, News, Order};
use super::workshop::Workshop;
use crate::black_box::BlackBox;
use crate::blobs::BlobStore;
use crate::exchange::{Exchange, FetchError, Fetched, Kind};
use crate::trainer::{Job, Reports, Trainer, TrainerArgs, TrainerMsg};
use crate::workbench::Workbench;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::{Event, Start, Try};
use wallaby_core::ids::{Digest, NodeId, SlotId, Stamp, Term};
use wallaby_core::unit::Failure;

/// How often the leader is told what runs; well below core's lease.
const BEAT: Duration = Duration::from_secs(1);

/// More deaths of trainers than this within [`DEATHS_WITHIN`] end the node.
const DEATHS_MAX: usize = 10;

/// Deaths longer ago than this are forgotten.
const DEATHS_WITHIN: Duration = Duration::from_secs(3600);

/// Where letters go.
pub(crate) trait Mail: Send + Sync + 'static {
    /// Sends a letter to a life of a node (`NAME#BOOT`); false if it was not sent.
    fn send(&self, to: &str, letter: &Letter) -> bool;

    /// Whether there is a way to a life of a node at this moment.
    fn reaches(&self, to: &str) -> bool;
}

/// What the agent is told.
pub(crate) enum AgentMsg {
    /// The leader of a term, whose session has this name, orders something.
    Order { from: String, term: Term, order: Order },
    /// From a trainer.
    Told(StudyId, Event),
    /// What a unit needs is at hand, or is not to be had.
    Ready { study: StudyId, start: Box<Start>, bench: Result<Arc<Workbench>, Failure> },
    /// A copy that was ordered is here, or not.
    Copied { blob: Digest, outcome: Result<Fetched, FetchError> },
    /// The blobs of this node have been listed, for a report to the leader of this term.
    Listed { term: Term, blobs: Vec<Digest> },
    /// Somebody wants this node to leave.
    Drain,
    /// Time passes.
    Beat,
}

impl ractor::Message for AgentMsg {}

/// What an agent is made from.
pub(crate) struct AgentArgs {
    pub(crate) node: NodeId,
    pub(crate) boot: u64,
    pub(crate) name: String,
    pub(crate) slots: u32,
    pub(crate) numerics: Digest,
    pub(crate) mail: Arc<dyn Mail>,
    pub(crate) directory: Directory,
    pub(crate) blobs: Arc<BlobStore>,
    pub(crate) exchange: Exchange,
    pub(crate) workshop: Workshop,
    /// Where trainers note what they run, and what was under way when the last process died.
    pub(crate) black_box: (BlackBox, Vec<(StudyId, Try)>),
    /// Tells others what this node does.
    pub(crate) activity: watch::Sender<Activity>,
}

/// What a node does, for others to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Units under way.
    pub(crate) running: usize,
    /// The node wants to leave.
    pub(crate) draining: bool,
    /// Its last checkpoint could not be stored.
    pub(crate) full: bool,
    /// The leader lets it go.
    pub(crate) dismissed: bool,
    /// Its trainers die too often.
    pub(crate) broken: Option<String>,
}

/// A slot as the agent knows it.
#[derive(Default)]
struct Slot {
    trainer: Option<ActorRef<TrainerMsg>>,
    /// The newest order, from when it came until it is done.
    at_hand: Option<(StudyId, Try)>,
    /// An older order that is still computed.
    overtaken: Option<(StudyId, Try)>,
    /// The last result, until a newer order shows that it arrived.
    finished: Option<(StudyId, Event)>,
}

/// An agent's state.
pub(crate) struct AgentState {
    args: AgentArgs,
    /// The leader's session and its term.
    leader: Option<(String, Term)>,
    slots: Vec<Slot>,
    trainers: BTreeMap<ActorId, u32>,
    reports: Reports,
    deaths: VecDeque<Instant>,
    draining: bool,
    /// Units that were under way when the last process died: told once to every leader.
    died_with: Vec<(StudyId, Try)>,
}

/// The actor that acts for a node.
pub(crate) struct Agent;

impl Actor for Agent {
    type Msg = AgentMsg;
    type State = AgentState;
    type Arguments = AgentArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<AgentMsg>,
        mut args: AgentArgs,
    ) -> Result<AgentState, ActorProcessingErr> {
        let agent = myself.clone();
        let reports: Reports = Arc::new(move |study, event| {
            // The trainers end with their agent.
            let _ = agent.cast(AgentMsg::Told(study, event));
        });
        let died_with = std::mem::take(&mut args.black_box.1);
        let slots = (0..args.slots).map(|_| Slot::default()).collect();
        let mut state = AgentState {
            args,
            leader: None,
            slots,
            trainers: BTreeMap::new(),
            reports,
            deaths: VecDeque::new(),
            draining: false,
            died_with,
        };
        for index in 0..state.args.slots {
            state.spawn_trainer(&myself, index).await?;
        }
        myself.send_after(BEAT, || AgentMsg::Beat);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<AgentMsg>,
        message: AgentMsg,
        state: &mut AgentState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AgentMsg::Order { from, term, order } => {
                if state.leader.as_ref().is_none_or(|(_, known)| *known <= term) {
                    state.leader = Some((from, term));
                    state.obey(&myself, term, order);
                }
            }
            AgentMsg::Told(study, event) => state.told(study, event),
            AgentMsg::Ready { study, start, bench } => state.ready(study, *start, bench),
            AgentMsg::Copied { blob, outcome } => state.copied(blob, outcome),
            AgentMsg::Listed { term, blobs } => state.report(term, &blobs),
            AgentMsg::Drain => {
                state.draining = true;
                state.news(News::WantsToDrain);
            }
            AgentMsg::Beat => {
                state.beat();
                // Not an interval: after a standstill one beat is enough.
                myself.send_after(BEAT, || AgentMsg::Beat);
            }
        }
        state.publish();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<AgentMsg>,
        event: SupervisionEvent,
        state: &mut AgentState,
    ) -> Result<(), ActorProcessingErr> {
        let (dead, why) = match event {
            SupervisionEvent::ActorFailed(dead, why) => (dead, why.to_string()),
            SupervisionEvent::ActorTerminated(dead, _, why) => (dead, why.unwrap_or_default()),
            _ => return Ok(()),
        };
        let Some(index) = state.trainers.remove(&dead.get_id()) else { return Ok(()) };
        tracing::error!(slot = index, why, "a trainer died");
        state.deaths.push_back(Instant::now());
        while state.deaths.front().is_some_and(|death| death.elapsed() > DEATHS_WITHIN) {
            state.deaths.pop_front();
        }
        if state.deaths.len() > DEATHS_MAX {
            let broken = format!("its trainers die, the last one of: {why}");
            state.args.activity.send_modify(|activity| activity.broken = Some(broken));
            return Ok(());
        }
        state.spawn_trainer(&myself, index).await?;
        state.news(News::SlotLost(SlotId { node: state.args.node, index }));
        state.publish();
        Ok(())
    }
}

impl AgentState {
    async fn spawn_trainer(
        &mut self,
        myself: &ActorRef<AgentMsg>,
        index: u32,
    ) -> Result<(), ActorProcessingErr> {
        let slot = SlotId { node: self.args.node, index };
        let args = TrainerArgs { slot, black_box: self.args.black_box.0.clone() };
        let (trainer, _) = Actor::spawn_linked(None, Trainer, args, myself.get_cell()).await?;
        // A new trainer has nothing to tell.
        let (reply, _) = tokio::sync::oneshot::channel();
        trainer.cast(TrainerMsg::Follow(Arc::clone(&self.reports), reply.into()))?;
        self.trainers.insert(trainer.get_id(), index);
        if let Some(slot) = self.slots.get_mut(index as usize) {
            *slot = Slot { trainer: Some(trainer), ..Slot::default() };
        }
        Ok(())
    }

    fn obey(&mut self, myself: &ActorRef<AgentMsg>, term: Term, order: Order) {
        match order {
            Order::Report => self.list(myself.clone(), term),
            Order::Start { study, start, sources } => self.start(myself, study, start, &sources),
            Order::Copy { blob, sources, durable, data } => {
                let kind = if data { Kind::Partition } else { Kind::Checkpoint };
                let sources = self.args.directory.addresses(&sources);
                let (exchange, agent) = (self.args.exchange.clone(), myself.clone());
                tokio::spawn(async move {
                    let outcome = exchange.fetch(blob, &sources, durable, kind).await;
                    let _ = agent.cast(AgentMsg::Copied { blob, outcome });
                });
            }
            // In order: the next one may start from it.
            Order::Release(blob, stamp) => {
                let blobs = &self.args.blobs;
                let removed = tokio::task::block_in_place(|| blobs.remove_up_to(&blob, stamp));
                if let Err(error) = removed {
                    tracing::warn!(%blob, %error, "a released blob stays");
                }
            }
            Order::Drain => self.draining = true,
            Order::Leave => {
                self.args.activity.send_modify(|activity| activity.dismissed = true);
            }
        }
    }

    /// Begins a unit: gets what it needs, outside the mailbox. An order that is not newer than
    /// the one at hand is a repetition.
    fn start(
        &mut self,
        myself: &ActorRef<AgentMsg>,
        study: StudyId,
        start: Start,
        sources: &[NodeId],
    ) {
        let attempt = start.attempt;
        let Some(slot) = self.slots.get_mut(attempt.slot.index as usize) else { return };
        if slot.at_hand.is_some_and(|(id, known)| id == study && known.fence >= attempt.fence) {
            return;
        }
        if slot.at_hand.is_some() {
            slot.overtaken = slot.at_hand;
        }
        (slot.at_hand, slot.finished) = (Some((study, attempt)), None);
        let sources = self.args.directory.addresses(sources);
        let (workshop, exchange) = (self.args.workshop.clone(), self.args.exchange.clone());
        let agent = myself.clone();
        tokio::spawn(async move {
            let bench = workshop.bench(study).await;
            let bench = match (bench, attempt.input) {
                (Err(why), _) => Err(Failure::StorageBroken(why)),
                (Ok(bench), None) => Ok(bench),
                (Ok(bench), Some(state)) => {
                    let outcome = exchange.fetch(state, &sources, false, Kind::Checkpoint).await;
                    let failed = outcome.as_ref().err().map(|error| unusable(state, error));
                    // Also what was here: the leader may not know, and have ordered it away.
                    if outcome.is_ok() {
                        let _ = agent.cast(AgentMsg::Copied { blob: state, outcome });
                    }
                    failed.map_or(Ok(bench), Err)
                }
            };
            let _ = agent.cast(AgentMsg::Ready { study, start: Box::new(start), bench });
        });
    }

    /// What a unit needs is at hand: the trainer may have it, unless it is overtaken.
    fn ready(&mut self, study: StudyId, start: Start, bench: Result<Arc<Workbench>, Failure>) {
        let attempt = start.attempt;
        let Some(slot) = self.slots.get_mut(attempt.slot.index as usize) else { return };
        if slot.at_hand != Some((study, attempt)) {
            return;
        }
        match (bench, &slot.trainer) {
            (Ok(bench), Some(trainer)) => {
                // One that has just died is replaced, and its unit given back.
                let _ = trainer.cast(TrainerMsg::Start(Box::new(Job { study, start, bench })));
            }
            (Ok(_), None) => {}
            (Err(failure), _) => self.told(study, Event::UnitFailed(attempt, failure)),
        }
    }

    /// A trainer tells something: remembers it, and passes it on.
    fn told(&mut self, study: StudyId, event: Event) {
        if let Event::UnitFinished(attempt, _) | Event::UnitFailed(attempt, _) = &event
            && let Some(slot) = self.slots.get_mut(attempt.slot.index as usize)
        {
            let full = matches!(&event, Event::UnitFailed(_, Failure::StorageFull(_)));
            self.args.activity.send_if_modified(|activity| {
                let news = activity.full != full;
                activity.full = full;
                news
            });
            let done = Some((study, *attempt));
            if slot.at_hand == done {
                slot.at_hand = None;
                slot.finished = Some((study, event.clone()));
            }
            if slot.overtaken == done {
                slot.overtaken = None;
            }
        }
        self.tell(study, event);
    }

    fn tell(&self, study: StudyId, event: Event) {
        let stamp = event.made().and_then(|state| self.args.blobs.stamp(&state));
        self.news(News::Told(study, event, stamp));
    }

    fn copied(&self, blob: Digest, outcome: Result<Fetched, FetchError>) {
        // What was here already is wanted anew: an order to remove it may be on its way.
        let stamp = |moved: bool| {
            let blobs = &self.args.blobs;
            if moved { blobs.stamp(&blob) } else { blobs.renew(&blob) }
        };
        self.news(match outcome.map(|fetched| (fetched, stamp(fetched.moved))) {
            Ok((fetched, Some(stamp))) => {
                let moved = if fetched.moved { fetched.bytes } else { 0 };
                News::Arrived { blob, stamp, moved }
            }
            Ok((_, None)) => News::Missed { blob, why: "it was removed at once".to_owned() },
            Err(error) => News::Missed { blob, why: error.to_string() },
        });
    }

    fn beat(&self) {
        for (study, event) in self.at_hand() {
            self.tell(study, event);
        }
        if self.draining {
            self.news(News::WantsToDrain);
        }
    }

    /// What runs or waits, and results that may not have arrived.
    fn at_hand(&self) -> Vec<(StudyId, Event)> {
        let mut all = Vec::new();
        for slot in &self.slots {
            let running = slot.overtaken.into_iter().chain(slot.at_hand);
            all.extend(running.map(|(study, attempt)| (study, Event::UnitRunning(attempt))));
            all.extend(slot.finished.clone());
        }
        all
    }

    /// Lists the blobs of this node for a report, where that may take its time.
    fn list(&self, agent: ActorRef<AgentMsg>, term: Term) {
        let blobs = Arc::clone(&self.args.blobs);
        tokio::task::spawn_blocking(move || {
            let listed = blobs.list().unwrap_or_else(|error| {
                tracing::error!(%error, "the blobs of this node cannot be listed");
                Vec::new()
            });
            let _ = agent.cast(AgentMsg::Listed { term, blobs: listed });
        });
    }

    fn report(&mut self, term: Term, blobs: &[Digest]) {
        if self.leader.as_ref().is_none_or(|(_, known)| *known != term) {
            return;
        }
        let lost = |(study, attempt): &(StudyId, Try)| {
            (*study, Event::UnitFailed(*attempt, Failure::TrainerLost))
        };
        let told: Vec<(StudyId, Event)> =
            self.died_with.iter().map(lost).chain(self.at_hand()).collect();
        let stamped = |blob: &Digest| (*blob, self.args.blobs.stamp(blob).unwrap_or_default());
        let mut blobs: BTreeMap<Digest, Stamp> = blobs.iter().map(stamped).collect();
        // What results have made since the listing began is told of too.
        for state in told.iter().filter_map(|(_, event)| event.made()) {
            blobs.extend(self.args.blobs.stamp(&state).map(|stamp| (state, stamp)));
        }
        let blobs: Vec<(Digest, Stamp)> = blobs.into_iter().collect();
        let boot = self.args.boot;
        self.news(News::Report(Introduction {
            node: self.args.node,
            boot,
            name: self.args.name.clone(),
            slots: self.args.slots,
            numerics: self.args.numerics,
            room: self.args.blobs.room(),
            draining: self.draining,
            told,
            empty: blobs.is_empty(),
        }));
        let parts = blobs.chunks(DIGESTS_MAX);
        let count = parts.len();
        for (at, part) in parts.enumerate() {
            let (blobs, last) = (part.to_vec(), at + 1 == count);
            self.news(News::Holds { boot, blobs, last });
        }
    }

    /// Tells the leader. What is lost on the way is told again, or asked for by the next leader.
    fn news(&self, news: News) {
        if let Some((leader, term)) = &self.leader {
            self.args.mail.send(leader, &Letter::News(*term, news));
        }
    }

    fn publish(&self) {
        let running = self.slots.iter().filter(|slot| slot.at_hand.is_some()).count();
        let draining = self.draining;
        self.args.activity.send_if_modified(|activity| {
            let news = (activity.running, activity.draining) != (running, draining);
            (activity.running, activity.draining) = (running, draining);
            news
        });
    }
}

/// What it means for a unit that its state cannot be had.
fn unusable(state: Digest, error: &FetchError) -> Failure {
    if error.is_full() {
        return Failure::StorageFull(error.to_string());
    }
    Failure::StateUnusable { state, detail: error.to_string() }
}

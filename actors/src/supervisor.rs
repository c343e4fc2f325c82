//! The supervisor: root of a node. Starts the other actors, replaces those that die, ends them all.
//!
//! Policy: a dead trainer is replaced and its unit given back; a dead scheduler is made again from
//! the journal under a new term; after too many deaths, or when the journal or the courier dies,
//! the node ends with an error. Nothing is lost by that: the journal has everything.

use crate::black_box::BlackBox;
use crate::clock::Clock;
use crate::courier::{Courier, CourierMsg};
use crate::journal::Journal;
use crate::journal_actor::{JournalActor, JournalMsg, ReplayError};
use crate::node::NodeError;
use crate::running::Running;
use crate::scheduler::{Hands, Scheduler, SchedulerArgs, SchedulerMsg};
use crate::trainer::{Trainer, TrainerArgs, TrainerMsg};
use crate::workbench::Workbench;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::{Event, Try};
use wallaby_core::ids::{Digest, NodeId, PartitionId, Seq, SlotId, Term};
use wallaby_core::membership::Offer;
use wallaby_core::study::Study;

/// More deaths of actors than this within [`DEATHS_WITHIN`] end the node.
const DEATHS_MAX: usize = 10;

/// Deaths longer ago than this are forgotten.
const DEATHS_WITHIN: Duration = Duration::from_secs(3600);

/// How long a replay of the journal may take.
const REPLAY: Duration = Duration::from_secs(600);

/// What the supervisor is told.
pub enum SupervisorMsg {
    /// For the scheduler.
    Tell(Event),
    /// The study has ended or is paused, and everything is durable.
    Rested,
    /// The journal takes no more records.
    JournalFailed(NodeError),
}

impl ractor::Message for SupervisorMsg {}

/// What a supervisor is made from.
pub struct SupervisorArgs {
    /// This node.
    pub node: NodeId,
    /// Number of slots.
    pub slots: u32,
    /// The node's numerics class.
    pub numerics: Digest,
    /// The journal, open.
    pub journal: Journal,
    /// What trainers work with.
    pub workbench: Arc<Workbench>,
    /// Where trainers note what they run, and what was under way when the last process died.
    pub black_box: (BlackBox, Vec<(StudyId, Try)>),
    /// Whether a paused study goes on.
    pub resume: bool,
    /// Tells observers how many records are durable.
    pub durable: watch::Sender<u64>,
    /// Tells observers what the slots run.
    pub running: watch::Sender<Vec<Running>>,
    /// Where the end of the node is told.
    pub ended: oneshot::Sender<Result<(), NodeError>>,
}

/// A supervisor's state.
pub struct SupervisorState {
    node: NodeId,
    boot: u64,
    clock: Clock,
    numerics: Digest,
    resume: bool,
    /// Somebody asked for a pause: it holds for every scheduler.
    pause_wanted: bool,
    journal: Journal,
    workbench: Arc<Workbench>,
    black_box: BlackBox,
    died_with: Vec<Try>,
    durable: watch::Sender<u64>,
    running: watch::Sender<Vec<Running>>,
    ended: Option<oneshot::Sender<Result<(), NodeError>>>,
    keeper: ActorRef<JournalMsg>,
    courier: ActorRef<CourierMsg>,
    trainers: Vec<ActorRef<TrainerMsg>>,
    scheduler: Option<ActorRef<SchedulerMsg>>,
    slots: BTreeMap<ActorId, u32>,
    /// When actors died, within the last hour.
    deaths: VecDeque<Instant>,
}

/// The root actor of a node.
pub struct Supervisor;

impl Actor for Supervisor {
    type Msg = SupervisorMsg;
    type State = SupervisorState;
    type Arguments = SupervisorArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMsg>,
        args: SupervisorArgs,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let cell = myself.get_cell();
        let journal_args = (args.journal.clone(), myself.clone());
        let (keeper, _) =
            Actor::spawn_linked(None, JournalActor, journal_args, cell.clone()).await?;
        let blobs = Arc::clone(&args.workbench.blobs);
        let (courier, _) = Actor::spawn_linked(None, Courier, blobs, cell).await?;
        let mut clock = Clock::start();
        let mut state = SupervisorState {
            node: args.node,
            boot: clock.now().0,
            clock,
            numerics: args.numerics,
            resume: args.resume,
            pause_wanted: false,
            journal: args.journal,
            workbench: args.workbench,
            black_box: args.black_box.0,
            died_with: args.black_box.1.into_iter().map(|(_, attempt)| attempt).collect(),
            durable: args.durable,
            running: args.running,
            ended: Some(args.ended),
            keeper,
            courier,
            trainers: Vec::new(),
            scheduler: None,
            slots: BTreeMap::new(),
            deaths: VecDeque::new(),
        };
        for index in 0..args.slots {
            let trainer = state.spawn_trainer(&myself, index).await?;
            state.trainers.push(trainer);
        }
        state.lead(&myself).await?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMsg>,
        message: SupervisorMsg,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Tell(event) => {
                state.pause_wanted |= event == Event::PauseRequested;
                state.tell(SchedulerMsg::Event(event));
            }
            SupervisorMsg::Rested => state.end(&myself, Ok(())),
            SupervisorMsg::JournalFailed(error) => state.end(&myself, Err(error)),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        let (dead, why) = match event {
            SupervisionEvent::ActorFailed(dead, why) => (dead, why.to_string()),
            SupervisionEvent::ActorTerminated(dead, _, why) => (dead, why.unwrap_or_default()),
            _ => return Ok(()),
        };
        if state.ended.is_some() {
            state.replace(&myself, dead, why).await?;
        }
        Ok(())
    }
}

impl SupervisorState {
    async fn replace(
        &mut self,
        myself: &ActorRef<SupervisorMsg>,
        dead: ActorCell,
        why: String,
    ) -> Result<(), ActorProcessingErr> {
        self.deaths.push_back(Instant::now());
        while self.deaths.front().is_some_and(|death| death.elapsed() > DEATHS_WITHIN) {
            self.deaths.pop_front();
        }
        tracing::error!(actor = %dead.get_id(), why, "an actor died");
        let was_scheduler = self.scheduler.as_ref().is_some_and(|s| s.get_id() == dead.get_id());
        let slot = self.slots.remove(&dead.get_id());
        if self.deaths.len() > DEATHS_MAX || (slot.is_none() && !was_scheduler) {
            self.end(myself, Err(NodeError::ActorDied(why)));
        } else if let Some(index) = slot {
            let trainer = match self.spawn_trainer(myself, index).await {
                Ok(trainer) => trainer,
                Err(error) => {
                    self.end(myself, Err(NodeError::ActorDied(format!("{why}; {error}"))));
                    return Ok(());
                }
            };
            self.trainers[index as usize] = trainer.clone();
            self.tell(SchedulerMsg::Replaced(index, trainer));
            self.tell(SchedulerMsg::Event(Event::SlotLost(SlotId { node: self.node, index })));
        } else if let Err(error) = self.lead(myself).await {
            self.end(myself, Err(NodeError::ActorDied(format!("{why}; {error}"))));
        }
        Ok(())
    }

    async fn spawn_trainer(
        &mut self,
        myself: &ActorRef<SupervisorMsg>,
        index: u32,
    ) -> Result<ActorRef<TrainerMsg>, ActorProcessingErr> {
        let slot = SlotId { node: self.node, index };
        let args = TrainerArgs { slot, black_box: self.black_box.clone() };
        let (trainer, _) = Actor::spawn_linked(None, Trainer, args, myself.get_cell()).await?;
        self.slots.insert(trainer.get_id(), index);
        Ok(trainer)
    }

    /// Starts a scheduler on what the journal holds now.
    async fn lead(&mut self, myself: &ActorRef<SupervisorMsg>) -> Result<(), ActorProcessingErr> {
        let replayed: Result<_, ReplayError> =
            ractor::call_t!(self.keeper, JournalMsg::Replay, REPLAY.as_millis() as u64)?;
        let entries = replayed?;
        let study = Study::replay(&entries).map_err(|(at, why)| format!("record {at}: {why}"))?;
        let partitions = (0..study.partitions()).map(|p| (PartitionId(p), 0)).collect();
        let offer = Offer { slots: self.trainers.len() as u32, partitions, validation: true };
        // The journal's term rises with every opening, a scheduler's also when it is replaced.
        let term = self.journal.term().max(Term(study.term.0 + 1));
        let args = SchedulerArgs {
            recorded: Seq(entries.len() as u64),
            study,
            term,
            numerics: self.numerics,
            node: (self.node, self.boot, offer),
            clock: self.clock,
            resume: self.resume && !self.pause_wanted,
            first: self.scheduler.is_none(),
            died_with: std::mem::take(&mut self.died_with),
            hands: Hands {
                journal: self.keeper.clone(),
                trainers: self.trainers.clone(),
                workbench: Arc::clone(&self.workbench),
                courier: self.courier.clone(),
                supervisor: myself.clone(),
                durable: self.durable.clone(),
                running: self.running.clone(),
            },
        };
        let (scheduler, _) = Actor::spawn_linked(None, Scheduler, args, myself.get_cell()).await?;
        if self.pause_wanted {
            scheduler.cast(SchedulerMsg::Event(Event::PauseRequested))?;
        }
        self.scheduler = Some(scheduler);
        Ok(())
    }

    fn tell(&self, message: SchedulerMsg) {
        if let Some(scheduler) = &self.scheduler {
            // One that has just died is made again from the journal.
            let _ = scheduler.cast(message);
        }
    }

    fn end(&mut self, myself: &ActorRef<SupervisorMsg>, how: Result<(), NodeError>) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(how);
            myself.stop(None);
        }
    }
}

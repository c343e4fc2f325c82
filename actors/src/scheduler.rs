//! The scheduler: the engine's hands. Turns messages into events and carries out the commands;
//! every decision is the engine's.

use crate::clock::Clock;
use crate::courier::CourierMsg;
use crate::journal_actor::JournalMsg;
use crate::running::{self, Running};
use crate::supervisor::SupervisorMsg;
use crate::trainer::{Job, Reports, TrainerMsg};
use crate::workbench::Workbench;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::{Command, Engine, Event, Try};
use wallaby_core::ids::{Digest, NodeId, Seq, Term};
use wallaby_core::membership::Offer;
use wallaby_core::study::Study;
use wallaby_core::unit::Failure;

/// How often the engine hears that time passes.
const TICK: Duration = Duration::from_millis(250);

/// How long the removal of what an earlier process left behind may take.
const SWEEP: Duration = Duration::from_secs(600);

/// How long a trainer may take to say what it runs. Its mailbox never waits for a computation.
const ANSWER_MILLIS: u64 = 5_000;

/// The number of the only study of a run.
const THE_STUDY: StudyId = StudyId(0);

/// What the scheduler is told.
pub enum SchedulerMsg {
    /// Something happened.
    Event(Event),
    /// The journal is durable up to here.
    Durable(Seq),
    /// A trainer was replaced.
    Replaced(u32, ActorRef<TrainerMsg>),
    /// Time passes.
    Tick,
}

impl ractor::Message for SchedulerMsg {}

/// What a scheduler is made from.
pub struct SchedulerArgs {
    /// The study as the journal tells it.
    pub study: Study,
    /// How many records that journal has.
    pub recorded: Seq,
    /// The term to lead; higher than all before.
    pub term: Term,
    /// The node's numerics class.
    pub numerics: Digest,
    /// The node itself, as a member of its own cluster.
    pub node: (NodeId, u64, Offer),
    /// The time.
    pub clock: Clock,
    /// Whether a paused study goes on.
    pub resume: bool,
    /// Whether no unit has run in this process yet, so that blobs nobody knows are of no use.
    pub first: bool,
    /// Units that were under way when the last process died.
    pub died_with: Vec<Try>,
    /// Those who carry out commands.
    pub hands: Hands,
}

/// Those who carry out the engine's commands.
pub struct Hands {
    /// Makes records durable.
    pub journal: ActorRef<JournalMsg>,
    /// Run units, by slot.
    pub trainers: Vec<ActorRef<TrainerMsg>>,
    /// What they work with.
    pub workbench: Arc<Workbench>,
    /// Removes blobs.
    pub courier: ActorRef<CourierMsg>,
    /// Ends the node.
    pub supervisor: ActorRef<SupervisorMsg>,
    /// Tells observers how many records are durable.
    pub durable: watch::Sender<u64>,
    /// Tells observers what the slots run.
    pub running: watch::Sender<Vec<Running>>,
}

/// A scheduler's state.
pub struct SchedulerState {
    engine: Engine,
    clock: Clock,
    hands: Hands,
}

/// The actor that leads a study.
pub struct Scheduler;

impl Actor for Scheduler {
    type Msg = SchedulerMsg;
    type State = SchedulerState;
    type Arguments = SchedulerArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<SchedulerMsg>,
        mut args: SchedulerArgs,
    ) -> Result<SchedulerState, ActorProcessingErr> {
        let now = args.clock.now();
        let engine = Engine::new(args.study, args.recorded, args.term, args.numerics, now);
        args.hands.durable.send_replace(args.recorded.0);
        let (node, boot, offer) = args.node;
        myself.cast(SchedulerMsg::Event(Event::NodeJoined { node, boot, offer }))?;
        for attempt in args.died_with {
            let lost = Event::UnitFailed(attempt, Failure::TrainerLost);
            myself.cast(SchedulerMsg::Event(lost))?;
        }
        if args.resume {
            myself.cast(SchedulerMsg::Event(Event::ResumeRequested))?;
        }
        myself.send_after(TICK, || SchedulerMsg::Tick);
        let mut state = SchedulerState { engine, clock: args.clock, hands: args.hands };
        if args.first {
            state.sweep().await?;
        }
        state.ask_trainers(&myself).await?;
        state.obey(&myself)?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SchedulerMsg>,
        message: SchedulerMsg,
        state: &mut SchedulerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SchedulerMsg::Event(event) => state.take(event),
            SchedulerMsg::Tick => {
                state.take(Event::Ticked);
                // Not an interval: after a standstill one tick is enough.
                myself.send_after(TICK, || SchedulerMsg::Tick);
            }
            SchedulerMsg::Durable(seq) => {
                state.hands.durable.send_replace(seq.0 + 1);
                state.take(Event::Appended(seq));
            }
            SchedulerMsg::Replaced(slot, trainer) => {
                // A new trainer has nothing to tell.
                let (reply, _) = tokio::sync::oneshot::channel();
                let _ = trainer.cast(TrainerMsg::Follow(reports(&myself), reply.into()));
                if let Some(place) = state.hands.trainers.get_mut(slot as usize) {
                    *place = trainer;
                }
            }
        }
        state.obey(&myself)
    }
}

impl SchedulerState {
    /// Introduces itself to the trainers and hears what they run and have done, before the first
    /// order: no report is lost, and nothing that runs is started again elsewhere.
    async fn ask_trainers(
        &self,
        myself: &ActorRef<SchedulerMsg>,
    ) -> Result<(), ActorProcessingErr> {
        for trainer in &self.hands.trainers {
            let asked =
                ractor::call_t!(trainer, TrainerMsg::Follow, ANSWER_MILLIS, reports(myself));
            // One that has just died is replaced, and its unit given back.
            for (_, event) in asked.unwrap_or_default() {
                myself.cast(SchedulerMsg::Event(event))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event) {
        self.engine.handle(self.clock.now(), event);
        debug_assert!(self.engine.violation().is_none(), "{:?}", self.engine.violation());
    }

    fn obey(&mut self, myself: &ActorRef<SchedulerMsg>) -> Result<(), ActorProcessingErr> {
        while let Some(command) = self.engine.poll() {
            match command {
                Command::Append { first, entries } => {
                    let scheduler = myself.clone();
                    self.hands.journal.cast(JournalMsg::Append { first, entries, scheduler })?;
                }
                Command::StartUnit(start) => {
                    let trainer = self.hands.trainers.get(start.attempt.slot.index as usize);
                    let trainer = trainer.ok_or("the engine uses only the slots it was offered")?;
                    // A trainer that has just died is replaced, and its unit given back.
                    let bench = Arc::clone(&self.hands.workbench);
                    let job = Job { study: THE_STUDY, start, bench };
                    let _ = trainer.cast(TrainerMsg::Start(Box::new(job)));
                }
                Command::ReleaseState(state) => {
                    self.hands.courier.cast(CourierMsg::Release(state))?
                }
                Command::Rest => self.hands.supervisor.cast(SupervisorMsg::Rested)?,
            }
        }
        running::publish(&self.engine, &self.hands.running);
        Ok(())
    }

    /// Removes what an earlier process left behind.
    async fn sweep(&self) -> Result<(), ActorProcessingErr> {
        let manifest = &self.engine.study().creation.manifest;
        let data = manifest.partitions.iter().chain([&manifest.validation]).map(|blob| blob.digest);
        let kept = data.chain(self.engine.kept_states()).collect();
        let courier = &self.hands.courier;
        Ok(ractor::call_t!(courier, CourierMsg::Sweep, SWEEP.as_millis() as u64, kept)?)
    }
}

/// Reports of trainers to a scheduler. One that is gone has a successor, which will ask.
fn reports(scheduler: &ActorRef<SchedulerMsg>) -> Reports {
    let scheduler = scheduler.clone();
    Arc::new(move |_, event| {
        let _ = scheduler.cast(SchedulerMsg::Event(event));
    })
}

//! The trainer: owns one slot. Takes orders and reports by message; the units themselves run on
//! a thread of its own, so that its mailbox never waits for a computation.

use crate::black_box::BlackBox;
use crate::scheduler::SchedulerMsg;
use crate::workbench::Workbench;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use wallaby_core::engine::{Event, LEASE_MILLIS_MAX, Start, Try};
use wallaby_core::ids::SlotId;
use wallaby_core::unit::{Failure, Output};

/// How often a trainer says what it runs; well below core's lease.
const BEAT: Duration = Duration::from_secs(3);
const _: () = assert!(3 * BEAT.as_millis() < LEASE_MILLIS_MAX as u128);

/// How the threads of trainers are called, before the number of their slot.
const THREAD_NAME: &str = "trainer-";

/// What a trainer is told.
pub enum TrainerMsg {
    /// Report to this scheduler from now on, and tell it what it cannot know: what runs, what
    /// waits, and the last result, which an earlier scheduler may not have lived to record.
    Follow(ActorRef<SchedulerMsg>, RpcReplyPort<Vec<Event>>),
    /// Start a unit. While another one runs, the newest order waits.
    Start(Box<Start>),
    /// From its thread: a unit has come to its end.
    Done(Try, Result<Output, Failure>),
    /// From its timer: tell the scheduler what runs.
    Beat,
}

impl ractor::Message for TrainerMsg {}

/// What a trainer is made from.
pub struct TrainerArgs {
    /// Its slot.
    pub slot: SlotId,
    /// What it works with.
    pub workbench: Arc<Workbench>,
    /// Where it notes what it runs.
    pub black_box: BlackBox,
}

/// A trainer's state.
pub struct TrainerState {
    scheduler: Option<ActorRef<SchedulerMsg>>,
    work: mpsc::Sender<Box<Start>>,
    running: Option<Try>,
    next: Option<Box<Start>>,
    /// The last result.
    finished: Option<Event>,
}

/// The actor that owns a slot.
pub struct Trainer;

impl Actor for Trainer {
    type Msg = TrainerMsg;
    type State = TrainerState;
    type Arguments = TrainerArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<TrainerMsg>,
        args: TrainerArgs,
    ) -> Result<TrainerState, ActorProcessingErr> {
        let (work, orders) = mpsc::channel();
        let trainer = myself.clone();
        let name = format!("{THREAD_NAME}{}", args.slot.index);
        let run = move || run_units(&args.workbench, &args.black_box, &orders, &trainer);
        std::thread::Builder::new().name(name).spawn(run)?;
        myself.send_after(BEAT, || TrainerMsg::Beat);
        Ok(TrainerState { scheduler: None, work, running: None, next: None, finished: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<TrainerMsg>,
        message: TrainerMsg,
        state: &mut TrainerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TrainerMsg::Follow(scheduler, reply) => {
                state.scheduler = Some(scheduler);
                // Whoever asked may be gone.
                let _ = reply.send(state.finished.iter().cloned().chain(state.at_hand()).collect());
            }
            TrainerMsg::Start(start) => state.take(start)?,
            TrainerMsg::Done(attempt, outcome) => state.finish(attempt, outcome)?,
            TrainerMsg::Beat => {
                state.at_hand().for_each(|event| state.report(event));
                // Not an interval: after a standstill one beat is enough.
                myself.send_after(BEAT, || TrainerMsg::Beat);
            }
        }
        Ok(())
    }
}

impl TrainerState {
    /// Begins a unit, or puts it aside while another one runs. An order that is not newer than
    /// what runs or waits is a repetition.
    fn take(&mut self, start: Box<Start>) -> Result<(), ActorProcessingErr> {
        let fence = start.attempt.fence;
        let newest = self.next.as_ref().map(|next| next.attempt).or(self.running);
        if newest.is_some_and(|newest| newest.fence >= fence) {
            return Ok(());
        }
        if self.running.is_some() {
            self.next = Some(start);
            return Ok(());
        }
        self.running = Some(start.attempt);
        Ok(self.work.send(start)?)
    }

    fn finish(
        &mut self,
        attempt: Try,
        outcome: Result<Output, Failure>,
    ) -> Result<(), ActorProcessingErr> {
        self.running = None;
        let event = match outcome {
            Ok(output) => Event::UnitFinished(attempt, output),
            Err(failure) => Event::UnitFailed(attempt, failure),
        };
        self.finished = Some(event.clone());
        self.report(event);
        match self.next.take() {
            Some(next) => self.take(next),
            None => Ok(()),
        }
    }

    /// What runs, and what waits for it to end: both keep their leases.
    fn at_hand(&self) -> impl Iterator<Item = Event> {
        let next = self.next.as_ref().map(|next| next.attempt);
        self.running.into_iter().chain(next).map(Event::UnitRunning)
    }

    /// A scheduler that is gone has a successor, which will ask.
    fn report(&self, event: Event) {
        if let Some(scheduler) = &self.scheduler {
            let _ = scheduler.cast(SchedulerMsg::Event(event));
        }
    }
}

/// The thread of a trainer: one unit after the other until the trainer is gone.
fn run_units(
    workbench: &Workbench,
    black_box: &BlackBox,
    orders: &mpsc::Receiver<Box<Start>>,
    trainer: &ActorRef<TrainerMsg>,
) {
    for start in orders {
        black_box.note(&start.attempt);
        let run = AssertUnwindSafe(|| workbench.execute(&start));
        let outcome =
            catch_unwind(run).unwrap_or_else(|panic| Err(Failure::Panicked(words(&*panic))));
        black_box.strike_out(&start.attempt);
        if trainer.cast(TrainerMsg::Done(start.attempt, outcome)).is_err() {
            return;
        }
    }
}

thread_local! {
    /// Where the last panic of this thread happened.
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics of trainer threads off the terminal: they are reported as failures of their
/// units. All other threads panic as before.
pub fn quiet_panics_of_trainers() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if thread.name().is_some_and(|name| name.starts_with(THREAD_NAME)) {
            let place = panic.location().map(ToString::to_string);
            PANICKED_AT.with_borrow_mut(|at| *at = place);
        } else {
            before(panic);
        }
    }));
}

/// The message of a panic, and where it happened.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "no message".to_owned());
    match PANICKED_AT.take() {
        Some(place) => format!("{text} (at {place})"),
        None => text,
    }
}

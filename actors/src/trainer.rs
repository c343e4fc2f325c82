//! The trainer: owns one slot. Takes orders and reports by message; the units themselves run on
//! a thread of its own, so that its mailbox never waits for a computation.

use crate::black_box::BlackBox;
use crate::workbench::Workbench;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::{Event, LEASE_MILLIS_MAX, Start, Try};
use wallaby_core::ids::SlotId;
use wallaby_core::unit::{Failure, Output};

/// How often a trainer says what it runs; well below core's lease.
const BEAT: Duration = Duration::from_secs(3);
const _: () = assert!(3 * BEAT.as_millis() < LEASE_MILLIS_MAX as u128);

/// How the threads of trainers are called, before the number of their slot.
const THREAD_NAME: &str = "trainer-";

/// Takes what a trainer reports.
pub type Reports = Arc<dyn Fn(StudyId, Event) + Send + Sync>;

/// A unit to run, and what to run it with.
pub struct Job {
    /// Of which study.
    pub study: StudyId,
    /// The order.
    pub start: Start,
    /// What the study's units work with.
    pub bench: Arc<Workbench>,
}

/// What a trainer is told.
pub enum TrainerMsg {
    /// Report here from now on, and tell what cannot be known there: what runs, what waits, and
    /// the last result, which an earlier scheduler may not have lived to record.
    Follow(Reports, RpcReplyPort<Vec<(StudyId, Event)>>),
    /// Start a unit. While another one runs, the newest order waits.
    Start(Box<Job>),
    /// From its thread: a unit has come to its end.
    Done(StudyId, Try, Result<Output, Failure>),
    /// From its timer: tell what runs.
    Beat,
}

impl ractor::Message for TrainerMsg {}

/// What a trainer is made from.
pub struct TrainerArgs {
    /// Its slot.
    pub slot: SlotId,
    /// Where it notes what it runs.
    pub black_box: BlackBox,
}

/// A trainer's state.
pub struct TrainerState {
    reports: Option<Reports>,
    work: mpsc::Sender<Box<Job>>,
    running: Option<(StudyId, Try)>,
    next: Option<Box<Job>>,
    /// The last result.
    finished: Option<(StudyId, Event)>,
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
        let run = move || run_units(&args.black_box, &orders, &trainer);
        std::thread::Builder::new().name(name).spawn(run)?;
        myself.send_after(BEAT, || TrainerMsg::Beat);
        Ok(TrainerState { reports: None, work, running: None, next: None, finished: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<TrainerMsg>,
        message: TrainerMsg,
        state: &mut TrainerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TrainerMsg::Follow(reports, reply) => {
                state.reports = Some(reports);
                // Whoever asked may be gone.
                let _ = reply.send(state.finished.iter().cloned().chain(state.at_hand()).collect());
            }
            TrainerMsg::Start(job) => state.take(job)?,
            TrainerMsg::Done(study, attempt, outcome) => state.finish(study, attempt, outcome)?,
            TrainerMsg::Beat => {
                state.at_hand().for_each(|(study, event)| state.report(study, event));
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
    ///
    /// Fences of one study are compared: those of two have nothing in common.
    fn take(&mut self, job: Box<Job>) -> Result<(), ActorProcessingErr> {
        let newest = self.next.as_ref().map(|next| (next.study, next.start.attempt));
        let newest = newest.or(self.running).filter(|(study, _)| *study == job.study);
        if newest.is_some_and(|(_, newest)| newest.fence >= job.start.attempt.fence) {
            return Ok(());
        }
        if self.running.is_some() {
            self.next = Some(job);
            return Ok(());
        }
        self.running = Some((job.study, job.start.attempt));
        Ok(self.work.send(job)?)
    }

    fn finish(
        &mut self,
        study: StudyId,
        attempt: Try,
        outcome: Result<Output, Failure>,
    ) -> Result<(), ActorProcessingErr> {
        self.running = None;
        let event = match outcome {
            Ok(output) => Event::UnitFinished(attempt, output),
            Err(failure) => Event::UnitFailed(attempt, failure),
        };
        self.finished = Some((study, event.clone()));
        self.report(study, event);
        match self.next.take() {
            Some(next) => self.take(next),
            None => Ok(()),
        }
    }

    /// What runs, and what waits for it to end: both keep their leases.
    fn at_hand(&self) -> impl Iterator<Item = (StudyId, Event)> {
        let next = self.next.as_ref().map(|next| (next.study, next.start.attempt));
        let all = self.running.into_iter().chain(next);
        all.map(|(study, attempt)| (study, Event::UnitRunning(attempt)))
    }

    fn report(&self, study: StudyId, event: Event) {
        if let Some(reports) = &self.reports {
            reports(study, event);
        }
    }
}

/// The thread of a trainer: one unit after the other until the trainer is gone.
fn run_units(
    black_box: &BlackBox,
    orders: &mpsc::Receiver<Box<Job>>,
    trainer: &ActorRef<TrainerMsg>,
) {
    for job in orders {
        let Job { study, start, bench } = *job;
        black_box.note(study, &start.attempt);
        let run = AssertUnwindSafe(|| bench.execute(&start));
        let outcome =
            catch_unwind(run).unwrap_or_else(|panic| Err(Failure::Panicked(words(&*panic))));
        black_box.strike_out(&start.attempt);
        if trainer.cast(TrainerMsg::Done(study, start.attempt, outcome)).is_err() {
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

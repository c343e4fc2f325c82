//! `wallaby run FILE` and what it shares with `wallaby resume RUN`.

use super::conclusion::conclude;
use super::{LOG, Manner, Outcome, Overrides, report, report_recovery, show};
use crate::advice::doubts;
use crate::best_state::best_state;
use crate::error::Error;
use crate::launch::{Session, THIS_NODE, choose_folder, open_device, prepare, read_study};
use crate::observer::Observer;
use crate::progress::{
    All, Events, Live, MetricsFile, Plain, Progress, Stage, Surroundings, Warnings, event_now,
};
use crate::results;
use crate::run_folder::{Lock, RunFolder};
use crate::signals::Signals;
use clap::Args;
use std::io::{stderr, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::watch;
use wallaby_actors::journal_actor::decode_records;
use wallaby_actors::node::{Node, NodeArgs};
use wallaby_actors::trainer::quiet_panics_of_trainers;
use wallaby_core::ids::{Digest, Seq};
use wallaby_core::study::{Phase, Study};
use wallaby_train::{Registry, canary};

/// Run a study, or go on with an unfinished run of the same study
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby run examples/digits.toml
  wallaby run examples/digits.toml --set search.policy=asha --set budget.trials=64 --run /tmp/asha

Ctrl-C pauses after the units at hand; a second Ctrl-C leaves at once. Either way, and after a
crash, the same command goes on from the last committed unit.")]
pub(super) struct RunArgs {
    /// The study file (TOML, or JSON if it ends in .json)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// The run folder; without it runs/<study>-<n>
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Start another run even if one of the same study is unfinished
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    manner: Manner,
}

pub(super) fn run(args: &RunArgs, registry: &Registry) -> Outcome {
    let file = read_study(&args.file, &args.overrides.to_list(), registry)?;
    open_device(&file)?;
    let slots = file.run.slots;
    let prepared = prepare(file)?;
    doubts(&prepared).iter().for_each(|doubt| report(doubt));
    let (folder, lock) = choose_folder(&prepared, args.run.as_deref(), args.new)?;
    let path = folder.path().to_owned();
    let open = Session::open(folder, lock, Some(prepared), registry);
    in_runtime(&path, async { drive(open.await?, slots, args.manner).await })
}

/// Opens a run and drives it to its end.
pub(super) fn go_on(
    folder: RunFolder,
    lock: Lock,
    slots: Option<u32>,
    manner: Manner,
    registry: &Registry,
) -> Outcome {
    let path = folder.path().to_owned();
    let open = Session::open(folder, lock, None, registry);
    in_runtime(&path, async {
        let session = open.await?;
        let slots = slots.or(session.file.run.slots);
        drive(session, slots, manner).await
    })
}

/// Runs on the actors' runtime; an error gets a hint about how to go on.
fn in_runtime(run: &std::path::Path, work: impl Future<Output = Outcome>) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Unexpected(error.to_string()))?;
    let outcome = runtime.block_on(work);
    // Trainer threads of a node that gave up may still compute; nobody waits for them.
    runtime.shutdown_background();
    outcome.or_else(|error| {
        report(&error.to_string());
        error.hint(run).iter().for_each(|hint| report(hint));
        Ok(error.code())
    })
}

async fn drive(session: Session, slots: Option<u32>, manner: Manner) -> Outcome {
    if session.journal_lost {
        let journal = session.folder.journal();
        report(&format!("{} is missing: the study starts from its beginning", journal.display()));
    }
    report_recovery(&session.recovery);
    let study = run_to_rest(&session, slots, manner).await;
    // Also after a failure: a journal that is closed in order needs no mending.
    let closed = session.journal.clone().close().await;
    let study = study?;
    closed?;
    conclude(&session, &study, manner)
}

/// Runs the study until it ends or pauses, and leaves its results in the folder.
async fn run_to_rest(
    session: &Session,
    slots: Option<u32>,
    manner: Manner,
) -> Result<Study, Error> {
    let mut study = session.study.clone();
    if !matches!(study.phase, Phase::Ended(_)) {
        let slots = slots.unwrap_or_else(|| available_parallelism().map_or(1, |n| n.get() as u32));
        let numerics = canary(&session.workbench.device);
        let numerics = numerics.map_err(|error| Error::Unexpected(error.to_string()))?;
        announce(session, slots, numerics, manner);
        let metrics = session.facts.problem.metrics();
        let file = MetricsFile::open(&session.folder, &study, metrics)?;
        study = follow(session, slots, numerics, manner, file).await?;
    }
    leave_results(session, &study).await?;
    Ok(study)
}

/// Writes the results; of a study that has ended all of them must be there.
async fn leave_results(session: &Session, study: &Study) -> Result<(), Error> {
    let ended = matches!(study.phase, Phase::Ended(_));
    match write_results(session, study).await {
        // What they lack may be what the study waits for; they are written again at its next rest.
        Err(error) if !ended => report(&error.to_string()),
        written => written?,
    }
    if ended {
        let mut about = session.folder.require()?;
        about.ended = true;
        session.folder.set_about(&about)?;
    }
    Ok(())
}

async fn write_results(session: &Session, study: &Study) -> Result<(), Error> {
    results::write_tables(&session.folder, study, &session.facts)?;
    if let Some(state) = best_state(session, study, report).await? {
        results::write_best(&session.folder, study, &session.facts, &state)?;
    }
    let entries = decode_records(session.journal.read(Seq(0)).await?)?;
    results::write_report(&session.folder, &entries, study, &session.facts)
}

/// Runs a node and watches it to its end; gives back the study as it then is.
async fn follow(
    session: &Session,
    slots: u32,
    numerics: Digest,
    manner: Manner,
    file: MetricsFile,
) -> Result<Study, Error> {
    let stage = stage(manner);
    stage.iter().for_each(Stage::make_way_for_panics);
    quiet_panics_of_trainers();
    // Before the node, so that none comes while nobody listens.
    let signals = Signals::listen();
    let signals = signals.map_err(|error| Error::Unexpected(format!("no signals: {error}")))?;
    let node = Node::start(NodeArgs {
        node: THIS_NODE,
        slots,
        numerics,
        journal: session.journal.clone(),
        workbench: Arc::clone(&session.workbench),
        running_folder: session.folder.join("running"),
    })
    .await?;
    let (pausing, paused) = watch::channel(false);
    let (durable, pause) = (node.durable(), node.pauser());
    let task = pause_on_signals(signals, node.pauser(), durable.clone(), pausing, stage.clone());
    tokio::spawn(task);
    let study = session.study.clone();
    let around = Surroundings::of_node(node.running(), paused);
    let start = |stage| Live::start(stage, &study, slots, around);
    let live = stage.clone().map(start);
    let progress = progress(manner, file, live);
    let mut observer = Observer::new(session.journal.clone(), study, session.recorded, progress);
    let watched = async {
        let followed = observer.follow(durable).await;
        if let Err(error) = &followed {
            aside(stage.as_ref(), || report(&format!("{error}; the study pauses")));
            pause();
        }
        followed
    };
    let (ended, followed) = tokio::join!(node.ended(), watched);
    ended?;
    match followed {
        Ok(()) => Ok(observer.into_study()),
        // What it saw last is not what the study has come to.
        Err(_) => {
            drop(observer);
            session.fold().await
        }
    }
}

/// Where the live view is to be drawn, if it is wanted. Diagnostics on standard error and a view
/// would write over each other.
fn stage(manner: Manner) -> Option<Stage> {
    let other = manner.plain || manner.quiet || manner.json;
    let diagnostics = std::env::var_os(LOG).is_some();
    if other || diagnostics { None } else { Stage::of_stdout() }
}

/// Beside the live view, if there is one.
fn aside(stage: Option<&Stage>, say: impl FnOnce()) {
    match stage {
        Some(stage) => stage.aside(say),
        None => say(),
    }
}

/// The first signal pauses, the second leaves at once. So does the first after the node has ended:
/// then there is nothing to pause, and results can be written again.
async fn pause_on_signals(
    mut signals: Signals,
    pause: impl Fn() + Send,
    durable: watch::Receiver<u64>,
    pausing: watch::Sender<bool>,
    stage: Option<Stage>,
) {
    for count in 1.. {
        signals.next().await;
        let ended = durable.has_changed().is_err();
        if ended || count > 1 {
            aside(stage.as_ref(), || std::process::exit(130));
        }
        let words = "pausing after the units at hand; once more to leave at once";
        aside(stage.as_ref(), || report(words));
        pausing.send_replace(true);
        pause();
    }
}

fn progress(manner: Manner, file: MetricsFile, live: Option<Live>) -> Box<dyn Progress> {
    let mut all: Vec<Box<dyn Progress>> = vec![Box::new(file)];
    if manner.json {
        all.push(Box::new(Events(stdout())));
    } else if let Some(live) = live {
        all.push(Box::new(live));
    } else if manner.quiet {
        all.push(Box::new(Warnings(stderr())));
    } else {
        all.push(Box::new(Plain::new(stdout())));
    }
    Box::new(All(all))
}

/// Says what is about to happen.
fn announce(session: &Session, slots: u32, numerics: Digest, manner: Manner) {
    let study = &session.study;
    if study.numerics.last().is_some_and(|before| *before != numerics) {
        report(
            "this machine is of another numerics class than the one this run began on: the study \
             goes on, but its bits cannot be reproduced",
        );
    }
    let spec = &study.creation.spec;
    let (trials, epochs) = (spec.trials_max(), spec.budget.epochs);
    let path = session.folder.path().display();
    let resumed = session.recorded.0 > 1;
    if manner.json {
        let event = serde_json::json!({
            "event": if resumed { "run_resumed" } else { "run_started" }, "run": path.to_string(),
            "study": spec.name, "trials": trials, "epochs": epochs,
            "partitions": study.partitions(), "slots": slots,
        });
        show(&event_now(event));
    } else if !manner.quiet {
        let verb = if resumed { "going on with" } else { "running" };
        let partitions = study.partitions();
        show(&format!(
            "{verb} {} in {path}: {trials} trials × {epochs} epochs over {partitions} partitions \
             on {slots} slots\n",
            spec.name,
        ));
    }
}

//! One run: a cluster comes up, a study is handed in, faults happen, the study ends, everything
//! is checked, and what was seen becomes a report.

use crate::fault::{Fault, strike};
use crate::measure::{Happened, duration, span};
use crate::plan::{Plan, Step};
use crate::reference::STUDY;
use crate::shared::checker::Checked;
use crate::stand::{Setting, Stand, await_that, now};
use crate::verdict::check_all;
use crate::watch::{Seen, Watch};
use crate::{report, timeline};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wallaby_actors::cluster::api_types::{NodeInfo, NodeState};

/// The study's name.
pub(crate) const NAME: &str = "digits";

/// The units of the study as its file describes it.
const UNITS: u64 = 720;

/// What a unit takes besides the time that is added to it, in milliseconds.
const OVERHEAD_MS: u64 = 20;

/// How long a cluster may take from the start of its containers to the first unit.
const FIRST_UNIT: Duration = Duration::from_secs(30);

/// How long a study may take over the undisturbed one.
const EXTRA: Duration = Duration::from_secs(180);

/// What a run came to.
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) seen: Seen,
    pub(crate) happened: Vec<Happened>,
    /// From the containers' start to the first committed unit, in milliseconds.
    pub(crate) first_unit: u64,
    /// What the checker found.
    pub(crate) verdict: Result<Checked, Vec<String>>,
    pub(crate) image_bytes: u64,
}

/// Runs a plan with the study as it is.
pub(crate) fn run(plan: &Plan) -> Outcome {
    run_with(plan, &[], UNITS)
}

/// Runs a plan with a study of so many units, changed by these settings.
pub(crate) fn run_with(plan: &Plan, settings: &[String], units: u64) -> Outcome {
    let slots = u64::from(3 + plan.trainers);
    let delay_ms = (plan.study.as_millis() as u64 * slots / units).saturating_sub(OVERHEAD_MS);
    let small_disk_mb = plan.small_disk.then_some(96);
    let setting = Setting { delay_ms: delay_ms.max(1), trainers: plan.trainers, small_disk_mb };
    let stand = Arc::new(Stand::up(setting));
    let outcome = on(&stand, plan, settings);
    report::write(&outcome, &timeline::page(&outcome));
    if outcome.verdict.is_err() {
        report::write_logs(&plan.name, &stand.logs());
    }
    outcome
}

fn on(stand: &Arc<Stand>, plan: &Plan, settings: &[String]) -> Outcome {
    let submit: Vec<&str> =
        ["submit", STUDY].into_iter().chain(settings.iter().map(|s| &**s)).collect();
    // Who comes after the study holds none of its data, and has little to do.
    let nodes = 3 + plan.trainers as usize;
    let whole = await_that(FIRST_UNIT, || alive(stand) == nodes);
    assert!(whole, "no cluster of {nodes} within {FIRST_UNIT:?}:\n{}", stand.logs());
    stand.wallaby(&submit);
    let watch = Watch::start(stand, NAME);
    let began = await_that(FIRST_UNIT, || watch.seen().commits() > 0);
    assert!(began, "no unit within {FIRST_UNIT:?}:\n{}", stand.logs());
    let origin = std::time::Instant::now();
    let happened = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for step in &plan.steps {
            let (watch, happened) = (&watch, &happened);
            scope.spawn(move || happen(stand, watch, step, origin, happened));
        }
    });
    let ended = await_that(plan.study + EXTRA, || watch.seen().ended());
    // Everybody is back before anything is compared.
    await_whole(stand, &watch, plan);
    let seen = watch.end();
    let mut happened = happened.into_inner().unwrap();
    happened.sort_by_key(|it: &Happened| it.began);
    let verdict = match ended {
        true => check_all(stand, &seen, NAME, settings, happened.len()),
        false => {
            Err(vec![format!("it has not ended after {} s more than undisturbed", EXTRA.as_secs())])
        }
    };
    let first_unit = span(&seen).map_or(0, |(first, _)| first.saturating_sub(stand.began));
    let image_bytes = stand.image_bytes;
    Outcome { plan: plan.clone(), seen, happened, first_unit, verdict, image_bytes }
}

/// How many nodes are there in the eyes of the first.
fn alive(stand: &Stand) -> usize {
    let asked = stand.command(&["exec", "-T", "node1", "wallaby", "nodes", "--json"]).output();
    let told = asked.map(|done| done.stdout).unwrap_or_default();
    let nodes: Vec<NodeInfo> = serde_json::from_slice(&told).unwrap_or_default();
    nodes.iter().filter(|node| node.state == NodeState::Alive).count()
}

/// A fault, from its time until everybody whom it hit is back.
fn happen(
    stand: &Stand,
    watch: &Watch,
    step: &Step,
    origin: std::time::Instant,
    happened: &Mutex<Vec<Happened>>,
) {
    let wait = step.at.saturating_sub(origin.elapsed());
    if await_that(wait, || watch.seen().ended()) {
        return;
    }
    let leader = watch.seen().leader().unwrap_or_default().to_owned();
    let began = now();
    let Some(active) = strike(stand, step.fault, &leader, step.lasts) else { return };
    let nodes: Vec<String> = active.hit.iter().map(|it| it.node.clone()).collect();
    let during = matches!(step.fault, Fault::Scale(..));
    if !during {
        await_that(step.lasts, || false);
    }
    active.heal();
    let healed = now();
    await_that(Duration::from_secs(30), || is_back(watch, &nodes, healed));
    let it = Happened { fault: step.fault, nodes, began, healed: now() };
    happened.lock().unwrap().push(it);
}

/// Whether all of these nodes have answered since, and nobody doubts them.
fn is_back(watch: &Watch, nodes: &[String], since: u64) -> bool {
    let seen = watch.seen();
    let latest = || seen.answers.iter().rev().take_while(|(at, _)| *at > since);
    let answered = |name: &String| latest().any(|(_, node)| node == name);
    let recently = now().saturating_sub(500).max(since);
    let doubted = seen
        .troubles
        .iter()
        .rev()
        .take(200)
        .any(|(at, _, node, _)| *at > recently && nodes.contains(node));
    nodes.iter().all(answered) && !doubted
}

fn await_whole(stand: &Stand, watch: &Watch, plan: &Plan) {
    let since = now();
    let scaled = plan.steps.iter().any(|step| matches!(step.fault, Fault::Scale(..)));
    await_that(Duration::from_secs(60), || {
        let all = stand.containers();
        let names: Vec<String> = all.iter().map(|it| it.node.clone()).collect();
        let run = all.iter().all(|it| it.pid != 0);
        (run && is_back(watch, &names, since)) || (scaled && now() > since + 3_000)
    });
}

/// The time that the plan's study takes undisturbed on the same cluster, in milliseconds.
pub(crate) fn undisturbed_time(study: Duration, trainers: u32) -> u64 {
    static KNOWN: Mutex<Vec<(Duration, u32, u64)>> = Mutex::new(Vec::new());
    let known = KNOWN.lock().unwrap().iter().find(|it| (it.0, it.1) == (study, trainers)).copied();
    if let Some((_, _, time)) = known {
        return time;
    }
    let mut plan = Plan::undisturbed(study);
    plan.trainers = trainers;
    let outcome = run(&plan);
    outcome.require();
    let time = duration(&outcome.seen);
    KNOWN.lock().unwrap().push((study, trainers, time));
    time
}

impl Outcome {
    /// The promises were kept.
    #[track_caller]
    pub(crate) fn require(&self) {
        if let Err(wrong) = &self.verdict {
            let folder = crate::docker::reports();
            panic!("{}: {}\n(see {})", self.plan.name, wrong.join("\n"), folder.display());
        }
    }
}

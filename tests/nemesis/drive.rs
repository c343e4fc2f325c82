//! One run: a cluster comes up, a study is handed in, faults happen, the study ends, everything
//! is checked, and what was seen becomes a report.

use crate::fault::{Fault, strike};
use crate::measure::{Happened, commits, duration, minorities};
use crate::plan::{Plan, Step};
use crate::reference::STUDY;
use crate::shared::checker::Checked;
use crate::stand::{Container, Setting, Stand, await_that, now};
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
    let (happened, missed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for step in &plan.steps {
            let (watch, happened, missed) = (&watch, &happened, &missed);
            scope.spawn(move || {
                if let Err(why) = happen(stand, watch, step, origin, happened) {
                    missed.lock().unwrap().push(format!("{}: {why}", step.fault.name()));
                }
            });
        }
    });
    let ended = await_that(plan.study + EXTRA, || watch.seen().ended());
    // Everybody is back before anything is compared.
    let whole = await_whole(stand, &watch, plan);
    let seen = watch.end();
    let mut happened = happened.into_inner().unwrap();
    happened.sort_by_key(|it: &Happened| it.began);
    let first_unit = commits(&seen).next().map_or(0, |(at, _)| at.0.saturating_sub(stand.began));
    let mut wrong = missed.into_inner().unwrap();
    // At random, faults meet nodes that another one has hit already.
    if plan.is_random {
        wrong.iter().for_each(|it| println!("{}: did not happen: {it}", plan.name));
        wrong.clear();
    }
    if !whole {
        wrong.push("not all nodes are back after a minute".to_owned());
    }
    if first_unit > FIRST_UNIT.as_millis() as u64 {
        wrong.push(format!("the first unit was committed {first_unit} ms after the start"));
    }
    wrong.extend(committed_in_a_minority(&seen, &happened, plan));
    if !ended {
        let extra = EXTRA.as_secs();
        wrong.push(format!("it has not ended after {extra} s more than undisturbed"));
    }
    let voters = if plan.small_disk { 2 } else { 3 };
    let checked = match ended {
        true => check_all(stand, &seen, NAME, settings, happened.len(), voters),
        false => Err(Vec::new()),
    };
    let verdict = match checked {
        Ok(checked) if wrong.is_empty() => Ok(checked),
        checked => Err(wrong.into_iter().chain(checked.err().into_iter().flatten()).collect()),
    };
    let image_bytes = stand.image_bytes;
    Outcome { plan: plan.clone(), seen, happened, first_unit, verdict, image_bytes }
}

/// What was recorded while no majority was there; and, where a plan is about that, that it was so.
fn committed_in_a_minority(seen: &Seen, happened: &[Happened], plan: &Plan) -> Vec<String> {
    let voters = ["node1", "node2", "node3"].map(str::to_owned);
    let stretches = minorities(happened, &voters);
    let mut wrong = Vec::new();
    for (from, to) in &stretches {
        let told = seen.counts.iter().filter(|(at, _)| (from..to).contains(&at));
        let counts: Vec<usize> = told.map(|(_, count)| *count).collect();
        if let (Some(first), Some(last)) = (counts.first(), counts.last())
            && first != last
        {
            wrong.push(format!("{} records were added without a majority", last - first));
        }
    }
    let long = stretches.iter().any(|(from, to)| to - from >= 2_000);
    if plan.name == "minority" && !long {
        wrong.push("there was no minority for two seconds".to_owned());
    }
    wrong
}

/// How many nodes are there in the eyes of the first.
fn alive(stand: &Stand) -> usize {
    let asked = stand.command(&["exec", "-T", "node1", "wallaby", "nodes", "--json"]).output();
    let told = asked.map(|done| done.stdout).unwrap_or_default();
    let nodes: Vec<NodeInfo> = serde_json::from_slice(&told).unwrap_or_default();
    nodes.iter().filter(|node| node.state == NodeState::Alive).count()
}

/// A fault, from its time until everybody whom it hit is back. An error if it did not happen.
fn happen(
    stand: &Stand,
    watch: &Watch,
    step: &Step,
    origin: std::time::Instant,
    happened: &Mutex<Vec<Happened>>,
) -> Result<(), &'static str> {
    let wait = step.at.saturating_sub(origin.elapsed());
    if await_that(wait, || watch.seen().ended()) {
        return Err("the study had ended");
    }
    let leader = watch.seen().leader().unwrap_or_default().to_owned();
    let before = stand.containers();
    let began = now();
    let Some(active) = strike(stand, step.fault, &leader, step.lasts) else {
        return Err("there was nobody whom it could hit");
    };
    let nodes: Vec<String> = active.hit.iter().map(|it| it.node.clone()).collect();
    let (done, led) = (active.done, nodes.contains(&leader));
    if step.fault.is_instant() {
        await_that(Duration::from_secs(30), || runs_anew(stand, &before, &nodes));
    } else if !matches!(step.fault, Fault::Scale(..)) {
        await_that(step.lasts, || false);
    }
    active.heal();
    let undone = now();
    await_that(Duration::from_secs(30), || is_back(watch, &nodes, undone));
    let it = Happened { fault: step.fault, nodes, led, began, undone, healed: now() };
    happened.lock().unwrap().push(it);
    if done { Ok(()) } else { Err("not all of it could be done") }
}

/// Whether the processes of all of these nodes are others than before.
fn runs_anew(stand: &Stand, before: &[Container], nodes: &[String]) -> bool {
    let pid = |all: &[Container], node: &String| {
        all.iter().filter(|it| it.node == *node).map(|it| it.pid).max().unwrap_or_default()
    };
    let all = stand.containers();
    nodes.iter().all(|node| ![0, pid(before, node)].contains(&pid(&all, node)))
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

/// Whether everybody is back.
fn await_whole(stand: &Stand, watch: &Watch, plan: &Plan) -> bool {
    let since = now();
    let scaled = plan.steps.iter().any(|step| matches!(step.fault, Fault::Scale(..)));
    await_that(Duration::from_secs(60), || {
        let all = stand.containers();
        let names: Vec<String> = all.iter().map(|it| it.node.clone()).collect();
        let run = all.iter().all(|it| it.pid != 0);
        (run && is_back(watch, &names, since)) || (scaled && now() > since + 3_000)
    })
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

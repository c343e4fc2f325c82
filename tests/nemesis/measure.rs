//! Figures from what was seen: how soon a fault was noticed, when work went on, what it cost.

use crate::fault::Fault;
use crate::watch::Seen;
use std::collections::{BTreeMap, BTreeSet};
use wallaby::wallaby_core::ids::Moment;
use wallaby::wallaby_core::journal::{Commit, Record};
use wallaby::wallaby_core::unit::Unit;
use wallaby_actors::cluster::api_types::NodeState;

/// A fault that happened.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub(crate) fault: Fault,
    /// The names of the nodes that were hit.
    pub(crate) nodes: Vec<String>,
    /// Whether the leader was among them.
    pub(crate) led: bool,
    /// Since when, in milliseconds since the epoch.
    pub(crate) began: u64,
    /// When it was undone, or the processes of those who were hit ran again.
    pub(crate) undone: u64,
    /// When all of them took part again.
    pub(crate) healed: u64,
}

/// What a fault came to; times in milliseconds after it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cost {
    /// When another node took notice: suspected the node, elected another leader, lost a unit.
    pub(crate) detected: Option<u64>,
    /// When the last unit that was under way on the nodes that were hit ran again, or counted.
    pub(crate) running: Option<u64>,
    /// Units that were begun again.
    pub(crate) redone: usize,
}

/// All commits, in order, with the moment at which they counted.
pub(crate) fn commits(seen: &Seen) -> impl Iterator<Item = (Moment, &Commit)> {
    seen.entries.iter().filter_map(|entry| match &entry.record {
        Record::UnitCommitted(commit) => Some((entry.at, commit)),
        _ => None,
    })
}

/// The moments of the first and of the last record of the study's work.
pub(crate) fn span(seen: &Seen) -> Option<(u64, u64)> {
    let first = commits(seen).map(|(_, commit)| commit.started.0).min()?;
    Some((first, commits(seen).map(|(at, _)| at.0).max()?))
}

/// How long the study's work took, in milliseconds.
pub(crate) fn duration(seen: &Seen) -> u64 {
    span(seen).map_or(0, |(first, last)| last - first)
}

/// What a fault came to.
pub(crate) fn cost(seen: &Seen, happened: &Happened) -> Cost {
    let began = happened.began;
    // What is noticed long after it was over has another reason.
    let over = happened.healed.max(began) + 5_000;
    let within = |at: u64| (began..over).contains(&at);
    let hit = |name: &str| happened.nodes.iter().any(|node| node == name);

    let suspected = seen.troubles.iter().find(|(at, witness, node, state)| {
        let whole = happened.nodes.len() > 2 || !hit(witness);
        within(*at) && hit(node) && whole && *state != NodeState::Draining
    });
    let first = |wanted: &dyn Fn(&Record) -> bool| {
        let found = seen.entries.iter().find(|entry| within(entry.at.0) && wanted(&entry.record));
        found.map(|entry| entry.at.0)
    };
    let elected = first(&|it| happened.led && matches!(it, Record::TermBegan { .. }));
    let lost = first(&|it| {
        let Record::UnitFailed { slot, .. } = it else { return false };
        seen.names.get(&slot.node.0).is_some_and(|name| hit(name))
    });
    let times = [suspected.map(|(at, ..)| *at), elected, lost];
    // What is noticed only when it is over was not noticed.
    let lasted = if happened.fault.is_instant() { over } else { happened.undone };
    let detected = times.into_iter().flatten().min().filter(|at| *at <= lasted);
    let detected = detected.map(|at| at.saturating_sub(began));

    // The unit that each slot ran last before the fault.
    let mut before: BTreeMap<(String, u32), (u64, Unit)> = BTreeMap::new();
    for (at, unit) in seen.running.iter().filter(|(at, _)| *at <= began && at + 2_000 > began) {
        before.insert((unit.node.clone(), unit.slot.index), (*at, unit.unit.into()));
    }
    let under_way: BTreeSet<Unit> =
        before.iter().filter(|((node, _), _)| hit(node)).map(|(_, (_, unit))| *unit).collect();
    // Begun again, or else counted at last.
    let again = commits(seen)
        .filter(|(at, commit)| at.0 > began && under_way.contains(&commit.unit))
        .map(|(at, commit)| commit.started.0.checked_sub(began).unwrap_or(at.0 - began))
        .max();
    Cost { detected, running: again, redone: redone(seen, began, over) }
}

/// Units that were seen under way in this time and that were begun later than that once more.
fn redone(seen: &Seen, from: u64, to: u64) -> usize {
    let mut last: BTreeMap<Unit, u64> = BTreeMap::new();
    let mut repeated = 0;
    for (_, commit) in commits(seen) {
        let before = last.insert(commit.unit, commit.started.0);
        repeated += usize::from(before.is_some() && (from..to).contains(&commit.started.0));
    }
    let given_up: BTreeSet<Unit> = seen
        .running
        .iter()
        .filter(|(at, _)| (from.saturating_sub(2_000)..to).contains(at))
        .filter(|(_, unit)| {
            let began_later = last.get(&unit.unit.into()).is_some_and(|at| *at > unit.since);
            began_later && last.get(&unit.unit.into()).is_some_and(|at| (from..to).contains(at))
        })
        .map(|(_, unit)| unit.unit.into())
        .collect();
    repeated + given_up.len()
}

/// The time that trainers computed for results that count at the end, over the time of the slots
/// whose processes could work, and both in milliseconds. What a node needs to come back, to be
/// noticed, to fetch what it lacks, counts against the cluster.
pub(crate) fn goodput(seen: &Seen, happened: &[Happened]) -> (f64, u64, u64) {
    let Some((first, last)) = span(seen) else { return (0.0, 0, 0) };
    // One that was rolled back is committed again.
    let units: BTreeMap<Unit, u64> =
        commits(seen).map(|(_, commit)| (commit.unit, commit.output.millis)).collect();
    let useful: u64 = units.values().sum();
    let mut capacity = 0;
    for (name, slots) in &seen.slots {
        let mut gone: Vec<(u64, u64)> = happened
            .iter()
            .filter(|it| it.fault.stops_work() && it.nodes.contains(name))
            .map(|it| (it.began.clamp(first, last), it.undone.clamp(first, last)))
            .collect();
        gone.sort_unstable();
        let mut lost = 0;
        let mut until = first;
        for (from, to) in gone {
            let from = from.max(until);
            lost += to.saturating_sub(from);
            until = until.max(to);
        }
        capacity += u64::from(*slots) * (last - first - lost);
    }
    (useful as f64 / capacity.max(1) as f64, useful, capacity)
}

/// When so many voters were out of reach at once that nobody could commit anything, as stretches
/// of time; at most one of `voters` was left.
pub(crate) fn minorities(happened: &[Happened], voters: &[String]) -> Vec<(u64, u64)> {
    let away = |it: &&Happened| {
        matches!(it.fault, Fault::Disconnect(_) | Fault::Down(_) | Fault::Pause(_))
            && it.nodes.iter().all(|node| voters.contains(node))
    };
    let all: Vec<&Happened> = happened.iter().filter(away).collect();
    let mut stretches = Vec::new();
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1).filter(|other| other.nodes != one.nodes) {
            let (from, to) = (one.began.max(other.began), one.undone.min(other.undone));
            // What was under way when the second one went may still come through.
            if from + SETTLED_MS < to && voters.len() - 2 <= voters.len() / 2 {
                stretches.push((from + SETTLED_MS, to));
            }
        }
    }
    stretches
}

/// How long after a majority is gone nothing more may come of what it had begun, in milliseconds.
const SETTLED_MS: u64 = 1_500;

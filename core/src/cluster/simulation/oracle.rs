//! The judge at the end of a simulated cluster: looks at the journal and at the disks.

use super::auditor::needs_any;
use super::letter::{Letter, News, Order};
use super::world::{Happening, World};
use crate::cluster::{ClusterCommand, Listed, StudyId};
use crate::ids::{Digest, NodeId};
use crate::journal::Conclusion;
use crate::simulation::{check_states, check_trial};
use crate::study::{Phase, Study};

pub(super) fn judge(world: &World) -> Result<(), String> {
    let Some(leader) = world.leader() else { return Err("nobody leads at the end".to_owned()) };
    for (id, listed) in world.catalog.studies() {
        let known = leader.coordinator.studies().find(|(study, _)| *study == id);
        if known.is_none_or(|(_, study)| *study != listed.study) {
            return Err(format!("the journal's {id} differs from the leader's"));
        }
        // One that was removed was judged then.
        if !listed.removed {
            judge_study(world, id, listed).map_err(|what| format!("{id}: {what}"))?;
        }
    }
    judge_disks(world)
}

/// What a study came to that is over.
pub(super) fn judge_study(world: &World, id: StudyId, listed: &Listed) -> Result<(), String> {
    let study = &listed.study;
    let plan = world.plan_of(id).ok_or("nobody submitted it")?;
    let untrained = Some(plan.untrained());
    let journal = world.journals.get(&id).map(Vec::as_slice).unwrap_or_default();
    let replayed = Study::replay(journal).map_err(|(at, why)| format!("record {at}: {why}"))?;
    if replayed != *study {
        return Err("the replayed study differs".to_owned());
    }
    check_states(journal, untrained)?;
    if study.phase == Phase::Ended(Conclusion::Cancelled) {
        let cancelled = world.users.cancelled.contains(&study.creation.spec.name);
        return cancelled.then_some(()).ok_or("nobody cancelled it".to_owned());
    }
    if study.phase != Phase::Ended(Conclusion::TrialsSpent) {
        return Err(format!("ended as {:?}", study.phase));
    }
    if study.trials.len() != plan.study.trials as usize {
        return Err(format!("{} trials of {}", study.trials.len(), plan.study.trials));
    }
    study.trials.iter().try_for_each(|trial| check_trial(&plan.study, trial, untrained))
}

/// Nothing lies anywhere that nobody needs, and what is kept lies on two nodes.
fn judge_disks(world: &World) -> Result<(), String> {
    let there: Vec<_> = world.machines.iter().filter(|m| m.up && !m.draining).collect();
    for machine in &there {
        for blob in machine.disk.blobs() {
            let needed = needs_any(&world.catalog, blob).is_some();
            if !needed && !is_data_of(world, machine.id, blob) {
                return Err(format!("{} keeps {blob}, which nobody needs", machine.life()));
            }
        }
    }
    for (id, listed) in world.catalog.studies() {
        let Some((_, best)) = listed.study.best() else { continue };
        let copies = there.iter().filter(|machine| machine.disk.contains(&best.state)).count();
        // Damage to what nobody reads is not noticed.
        if copies < there.len().min(2) && !world.damaged.contains(&best.state) {
            return Err(format!("the best state of {id} lies on {copies} nodes"));
        }
    }
    Ok(())
}

/// Whether a blob is data that is placed on this node, or not yet on all whom it is placed on.
fn is_data_of(world: &World, node: NodeId, blob: &Digest) -> bool {
    let has = |holder: &NodeId| {
        let mut machines = world.machines.iter();
        machines.any(|m| m.up && m.id == *holder && m.disk.contains(blob))
    };
    world.catalog.studies().filter(|(_, listed)| !listed.removed).any(|(_, listed)| {
        let manifest = &listed.study.creation.manifest;
        let placed = manifest.partitions.iter().zip(&listed.placement);
        let mut placed = placed.filter(|(data, _)| data.digest == *blob);
        manifest.validation.digest == *blob
            || placed.any(|(_, holders)| holders.contains(&node) || !holders.iter().all(has))
    })
}

/// Why a history is not over.
pub(super) fn what_is_open(world: &World) -> String {
    let studies = world.catalog.studies().map(|(id, listed)| {
        let ended = listed.study.trials.iter().filter(|trial| trial.end.is_some()).count();
        let (phase, placement) = (&listed.study.phase, &listed.placement);
        format!("{id} {phase:?} with {ended} ended trials, placed on {placement:?}")
    });
    let studies: Vec<String> = studies.collect();
    let leader = world.leader().map(|leader| leader.life.to_string()).unwrap_or_default();
    format!("{}; {} leads", studies.join(", "), leader)
}

/// A happening, short.
pub(super) fn words(happening: &Happening) -> String {
    match happening {
        Happening::Delivered { from, to, letter, .. } => {
            format!("{from} to {to}: {}", letter_words(letter))
        }
        Happening::Struck(fault) => format!("fault: {fault:?}"),
        Happening::Computed { machine, slot, .. } => {
            format!("machine {machine} computed on {slot}")
        }
        Happening::Booted(machine) => format!("machine {machine} starts"),
        other => format!("{other:?}"),
    }
}

fn letter_words(letter: &Letter) -> String {
    match letter {
        Letter::Order(term, Order::Start { study, start, sources }) => {
            let (unit, fence) = (start.attempt.unit, start.attempt.fence);
            format!(
                "{term}: start {study} {unit} ({fence}) on {}, from {sources:?}",
                start.attempt.slot
            )
        }
        Letter::Order(term, Order::Copy { blob, sources }) => {
            format!("{term}: copy {} from {sources:?}", short(blob))
        }
        Letter::Order(term, Order::Release(blob, _)) => format!("{term}: release {}", short(blob)),
        Letter::Order(term, order) => format!("{term}: {order:?}"),
        Letter::Beat(term, number) => format!("{term}: beat {number}"),
        Letter::News(term, News::Report(report)) => {
            let (node, blobs, told) = (report.node, report.held.len(), report.told.len());
            format!("{term}: {node} reports {blobs} blobs, tells {told} things")
        }
        Letter::News(term, News::Arrived(blob, _)) => format!("{term}: {} arrived", short(blob)),
        Letter::News(term, News::Missed(blob)) => format!("{term}: {} missed", short(blob)),
        Letter::News(term, News::Told(study, event, _)) => {
            format!("{term}: {study} {}", told(event))
        }
        Letter::News(term, news) => format!("{term}: {news:?}"),
    }
}

fn told(event: &crate::engine::Event) -> String {
    use crate::engine::Event;
    match event {
        Event::UnitFinished(attempt, output) => {
            format!("finished {} ({}): {}", attempt.unit, attempt.fence, short(&output.state))
        }
        Event::UnitFailed(attempt, failure) => {
            format!("failed {} ({}): {failure}", attempt.unit, attempt.fence)
        }
        Event::UnitRunning(attempt) => format!("runs {} ({})", attempt.unit, attempt.fence),
        other => format!("{other:?}"),
    }
}

/// A command, short.
pub(super) fn command_words(command: &ClusterCommand) -> String {
    match command {
        ClusterCommand::Append { ticket, records } => {
            format!("{} records in batch {}", records.len(), ticket.0)
        }
        ClusterCommand::Start { study, start, sources } => {
            let input = start.attempt.input.as_ref().map(short).unwrap_or_default();
            format!(
                "{study} {} on {} from {input} of {sources:?}",
                start.attempt.unit, start.attempt.slot
            )
        }
        ClusterCommand::Copy { node, blob, sources, purpose, .. } => {
            format!("{} on {node} from {sources:?} ({purpose:?})", short(blob))
        }
        ClusterCommand::Ask { node } => format!("a report of {node}"),
        ClusterCommand::Release { node, blob, .. } => format!("{} released on {node}", short(blob)),
    }
}

fn short(digest: &Digest) -> String {
    digest.to_string()[..8].to_owned()
}

//! The judge at the end of a history: looks at the journal only, and at what must follow from it.

use super::node::trained;
use super::{Outcome, Scenario};
use crate::engine::Engine;
use crate::hop::rotation_order;
use crate::ids::{Digest, Epoch, TrialId};
use crate::journal::{Conclusion, End, Entry, Record};
use crate::spec::{Order, PolicyKind};
use crate::study::{Phase, Study};
use crate::trial::Trial;
use crate::unit::Step;
use std::collections::BTreeMap;

pub(super) fn judge(
    scenario: &Scenario,
    journal: &[Entry],
    engine: &Engine,
    outcome: &Outcome,
) -> Result<(), String> {
    let study = Study::replay(journal).map_err(|(at, why)| format!("record {at}: {why}"))?;
    if study != *engine.study() {
        return Err("the replayed study differs from the leader's".to_owned());
    }
    if study.phase != Phase::Ended(Conclusion::TrialsSpent) {
        return Err(format!("ended as {:?}", study.phase));
    }
    if study.trials.len() != scenario.trials as usize {
        return Err(format!("{} trials of {}", study.trials.len(), scenario.trials));
    }
    if scenario.faults == 0 && outcome.rollbacks > 0 {
        return Err("a trial was rolled back although nothing was lost".to_owned());
    }
    check_states(journal, None)?;
    study.trials.iter().try_for_each(|trial| check_trial(scenario, trial, None))
}

/// Every committed state must follow from the one before it, also across roll-backs. A trial
/// begins with the state `untrained`.
pub(crate) fn check_states(journal: &[Entry], untrained: Option<Digest>) -> Result<(), String> {
    let mut states: BTreeMap<(TrialId, Epoch, u32), Digest> = BTreeMap::new();
    let mut progress: BTreeMap<TrialId, (Epoch, u32)> = BTreeMap::new();
    for entry in journal {
        match &entry.record {
            Record::TrialRolledBack { trial, epoch, visited } => {
                progress.insert(*trial, (*epoch, *visited));
                states.retain(|(t, e, v), _| t != trial || (*e, *v) <= (*epoch, *visited));
            }
            Record::UnitCommitted(commit) => {
                let unit = commit.unit;
                let before =
                    states.range((unit.trial, Epoch(0), 0)..=(unit.trial, Epoch(u32::MAX), 0));
                let before = before.last().map(|(_, state)| *state);
                let Step::Train(partition) = unit.step else {
                    if before != Some(commit.output.state) {
                        return Err(format!("{unit} measured another state than the newest"));
                    }
                    continue;
                };
                if commit.output.state
                    != trained(before.or(untrained), unit.trial, unit.epoch, partition)
                {
                    return Err(format!("{unit} did not start from the newest state"));
                }
                let (epoch, visited) = progress.entry(unit.trial).or_insert((unit.epoch, 0));
                *visited = if *epoch == unit.epoch { *visited + 1 } else { 1 };
                *epoch = unit.epoch;
                states.insert((unit.trial, unit.epoch, *visited), commit.output.state);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A trial must have ended for a reason that the scenario gives, and in `rotation` with the state
/// of an undisturbed run that began with the state `untrained`.
pub(crate) fn check_trial(
    scenario: &Scenario,
    trial: &Trial,
    untrained: Option<Digest>,
) -> Result<(), String> {
    let id = trial.id;
    let epochs = trial.results.len() as u32;
    let expected = match &trial.end {
        Some(End::Completed) => epochs == scenario.epochs && !scenario.always_panics(id),
        Some(End::Stopped) => scenario.policy != PolicyKind::None,
        Some(End::Failed(_)) => {
            let bad = scenario.diverges(id) || scenario.always_panics(id);
            bad || scenario.panics > 0.0 || scenario.faults > 0
        }
        _ => false,
    };
    if !expected {
        return Err(format!("{id} ended as {:?} after {epochs} epochs", trial.end));
    }
    let whole = matches!(trial.end, Some(End::Completed | End::Stopped));
    if whole && scenario.order == Order::Rotation {
        let undisturbed = undisturbed_state(scenario, id, epochs, untrained);
        if trial.last_state != undisturbed {
            return Err(format!("{id} ended with another state than undisturbed"));
        }
    }
    Ok(())
}

/// The state of a trial after so many epochs in which nothing went wrong.
fn undisturbed_state(
    scenario: &Scenario,
    id: TrialId,
    epochs: u32,
    untrained: Option<Digest>,
) -> Option<Digest> {
    let epochs = (1..=epochs).map(Epoch);
    let visits = epochs.flat_map(|e| rotation_order(id, scenario.partitions).map(move |p| (e, p)));
    visits.fold(untrained, |state, (epoch, partition)| Some(trained(state, id, epoch, partition)))
}

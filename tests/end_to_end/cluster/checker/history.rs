//! No unit is lost or committed twice: an account of the commits that is kept apart from the
//! fold that the program itself makes, and compared with it.

use std::collections::{BTreeMap, BTreeSet};
use wallaby::wallaby_core::ids::{Epoch, PartitionId, TrialId};
use wallaby::wallaby_core::journal::{End, Entry, Record};
use wallaby::wallaby_core::study::Study;
use wallaby::wallaby_core::unit::Step;

/// What the history of a study came to.
pub(super) struct Told {
    pub(super) repeated: usize,
    pub(super) failures: usize,
}

/// The commits of a trial that count, in order, each with the number of its record.
#[derive(Default)]
struct Counted(Vec<(Epoch, Step, usize)>);

impl Counted {
    fn commit(&mut self, epoch: Epoch, step: Step, record: usize) -> Option<usize> {
        let before = self.0.iter().find(|(e, s, _)| (*e, *s) == (epoch, step));
        let before = before.map(|(_, _, record)| *record);
        self.0.push((epoch, step, record));
        before
    }

    /// Forgets what came after `visited` partitions of `epoch`; how much that was.
    fn roll_back(&mut self, epoch: Epoch, visited: u32) -> usize {
        let (mut seen, before) = (0, self.0.len());
        self.0.retain(|(e, step, _)| match step {
            Step::Train(_) if *e == epoch => {
                seen += 1;
                seen <= visited
            }
            Step::Train(_) | Step::Validate => *e < epoch,
        });
        before - self.0.len()
    }

    fn times(&self, epoch: Epoch, step: Step) -> usize {
        self.0.iter().filter(|(e, s, _)| (*e, *s) == (epoch, step)).count()
    }
}

pub(super) fn check(
    entries: &[Entry],
    study: &Study,
    failing: &BTreeSet<u32>,
    wrong: &mut Vec<String>,
) -> Told {
    let mut trials: BTreeMap<TrialId, Counted> = BTreeMap::new();
    let mut told = Told { repeated: 0, failures: 0 };
    for (record, entry) in entries.iter().enumerate() {
        match &entry.record {
            Record::UnitCommitted(commit) => {
                let unit = commit.unit;
                let counted = trials.entry(unit.trial).or_default();
                if let Some(before) = counted.commit(unit.epoch, unit.step, record) {
                    wrong.push(format!("{unit} is committed twice: records {before} and {record}"));
                }
            }
            Record::TrialRolledBack { trial, epoch, visited } => {
                told.repeated += trials.entry(*trial).or_default().roll_back(*epoch, *visited);
            }
            Record::UnitFailed { .. } => told.failures += 1,
            _ => {}
        }
    }
    let spec = &study.creation.spec;
    let trials_max = spec.trials_max();
    if study.trials.len() as u64 != trials_max {
        wrong.push(format!("it has {} trials, expected {trials_max}", study.trials.len()));
    }
    for trial in &study.trials {
        let counted = trials.remove(&trial.id).unwrap_or_default();
        match &trial.end {
            Some(End::Completed) => {}
            Some(End::Failed(_)) if failing.contains(&trial.id.0) => continue,
            end => {
                wrong.push(format!("{} ended as {end:?}, expected Completed", trial.id));
                continue;
            }
        }
        let partitions = (0..study.partitions()).map(|p| Step::Train(PartitionId(p)));
        let steps: Vec<Step> = partitions.chain([Step::Validate]).collect();
        for (epoch, step) in
            (1..=spec.budget.epochs).flat_map(|e| steps.iter().map(move |s| (e, s)))
        {
            let times = counted.times(Epoch(epoch), *step);
            if times != 1 {
                let id = trial.id;
                wrong.push(format!("{id}, epoch {epoch}, {step:?} counts {times} times, not once"));
            }
        }
        let expected = steps.len() * spec.budget.epochs as usize;
        if counted.0.len() != expected {
            let (id, found) = (trial.id, counted.0.len());
            wrong.push(format!("{id}: {found} commits count, expected {expected}"));
        }
        if trial.results.len() != spec.budget.epochs as usize {
            let (id, found) = (trial.id, trial.results.len());
            wrong.push(format!(
                "{id}: the fold has {found} epochs, expected {}",
                spec.budget.epochs
            ));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rolled_back_does_not_count_and_what_is_repeated_is_found() {
        let train = |partition| Step::Train(PartitionId(partition));
        let mut counted = Counted::default();
        assert_eq!(counted.commit(Epoch(1), train(1), 4), None);
        assert_eq!(counted.commit(Epoch(1), train(0), 5), None);
        assert_eq!(counted.commit(Epoch(1), Step::Validate, 6), None);
        assert_eq!(counted.commit(Epoch(2), train(1), 7), None);
        assert_eq!(counted.roll_back(Epoch(1), 1), 3);
        assert_eq!(counted.commit(Epoch(1), train(0), 8), None);
        assert_eq!(counted.commit(Epoch(1), train(1), 9), Some(4));
        assert_eq!(counted.times(Epoch(1), train(1)), 2);
        assert_eq!(counted.times(Epoch(1), Step::Validate), 0);
    }
}

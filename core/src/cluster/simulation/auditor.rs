//! Watches a simulated cluster from outside at every step: what no coordinator may want, and no
//! order may do.

use super::world::World;
use crate::cluster::{Catalog, ClusterCommand, Coordinator, StudyId};
use crate::engine::Try;
use crate::ids::{Digest, SlotId, Term, TrialId};
use crate::study::Study;
use crate::trial::Trial;
use crate::unit::Step;
use std::collections::BTreeMap;

/// What the auditor remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Auditor {
    /// How many commands it has looked at.
    pub(super) commands: u64,
}

impl World {
    /// A leader wants something: it must be sound by its own knowledge.
    pub(super) fn audit_command(&mut self, term: Term, command: &ClusterCommand) {
        self.auditor.commands += 1;
        let Some(leader) = self.leaders.get(&term) else { return };
        let coordinator = &leader.coordinator;
        let wrong = match command {
            ClusterCommand::Append { .. } | ClusterCommand::Ask { .. } => None,
            ClusterCommand::Start { study, start, sources } => {
                let attempt = &start.attempt;
                let manifest = coordinator.studies().find(|(id, _)| id == study);
                let manifest = manifest.map(|(_, study)| &study.creation.manifest);
                let data = manifest.and_then(|manifest| match attempt.unit.step {
                    Step::Train(partition) => manifest.partitions.get(partition.0 as usize),
                    Step::Validate => Some(&manifest.validation),
                });
                let node = attempt.slot.node;
                let holds =
                    data.is_some_and(|blob| coordinator.holders(&blob.digest).contains(&node));
                if !holds {
                    Some(format!("{study} {} starts on {node}, which lacks its data", attempt.unit))
                } else if let Some(state) = &attempt.input {
                    let holders = coordinator.holders(state);
                    let named = sources.iter().any(|source| holders.contains(source));
                    // If nobody has said that it has it, whoever made it is named.
                    let maker = start.source.is_some_and(|maker| *sources == [maker]);
                    (!named && !maker).then(|| {
                        format!("{study} {} starts from {state} of {sources:?}", attempt.unit)
                    })
                } else {
                    None
                }
            }
            ClusterCommand::Copy { node, blob, sources, .. } => {
                let holders = coordinator.holders(blob);
                let named = sources.iter().any(|source| holders.contains(source));
                (!named).then(|| format!("{node} is to fetch {blob} from {sources:?}"))
            }
            ClusterCommand::Release { node, blob, .. } => {
                // What is damaged may go while others have it.
                let last = coordinator.holders(blob).is_empty();
                let mut studies = coordinator.studies().filter(|_| last);
                let needing = studies.find(|(_, study)| needs(study, blob));
                let bared = self.bared_by_the_loss_of(coordinator, blob);
                let bared = bared.map(|(id, trial)| {
                    format!("{blob} is released on {node}, nothing of {trial} of {id} lies twice")
                });
                let needing =
                    needing.map(|(id, _)| format!("{blob} is released on {node}, {id} needs it"));
                needing.or(bared)
            }
        };
        if let Some(wrong) = wrong {
            self.accuse(|| format!("{term}: {wrong}"));
        }
    }

    /// After a leader's step: the engines' invariants, and one unit a slot over all studies.
    pub(super) fn audit_leader(&mut self, term: Term, _started: &[(StudyId, Try)]) {
        let Some(leader) = self.leaders.get(&term) else { return };
        let coordinator = &leader.coordinator;
        let mut wrong = coordinator.violation().map(ToString::to_string);
        let mut slots: BTreeMap<SlotId, StudyId> = BTreeMap::new();
        for (study, attempt, _) in coordinator.running() {
            if let Some(other) = slots.insert(attempt.slot, study) {
                wrong = Some(format!("{} runs units of {other} and of {study}", attempt.slot));
            }
        }
        if let Some(wrong) = wrong {
            self.accuse(|| format!("{term}: {wrong}"));
        }
    }

    /// A blob has been removed from a disk by order: it may not have been the last one that
    /// somebody needs.
    pub(super) fn audit_removal(&mut self, at: usize, blob: Digest) {
        let needed = needs_any(&self.catalog, &blob);
        let elsewhere = self.machines.iter().any(|machine| machine.disk.contains(&blob));
        if let Some(study) = needed.filter(|_| !elsewhere) {
            self.accuse(|| format!("machine {at} removes {blob}, the last one; {study} needs it"));
        }
    }

    /// A live trial of which this is a checkpoint, and of which nothing lies on two nodes, neither
    /// as far as its leader knows nor in truth. What faults have taken since the leader decided
    /// does not count against it, and a study that was on one node had nobody to give copies to.
    fn bared_by_the_loss_of(
        &self,
        coordinator: &Coordinator,
        blob: &Digest,
    ) -> Option<(StudyId, TrialId)> {
        let lies_twice = |state: &Digest| {
            let disks = self.machines.iter().filter(|machine| machine.disk.contains(state));
            disks.count() >= 2 || coordinator.holders(state).len() >= 2
        };
        let studies = coordinator.studies().filter(|(id, _)| !self.lonely.contains(id));
        let live = studies.flat_map(|(id, study)| study.active().map(move |trial| (id, trial)));
        let states = |trial: &Trial| {
            let states = trial.checkpoints.iter().map(|checkpoint| checkpoint.state);
            states.collect::<Vec<_>>()
        };
        let mut its = live.filter(|(_, trial)| states(trial).contains(blob));
        // Of two trials with the same state the one that let go of it first is not bared now.
        let (Some((id, trial)), None) = (its.next(), its.next()) else { return None };
        let states = states(trial);
        let spared = states.iter().any(|state| lies_twice(state) || self.hurt.contains(state));
        (!spared).then_some((id, trial.id))
    }
}

/// Whether a live trial of the study may go on from this state, or it is the best.
fn needs(study: &Study, state: &Digest) -> bool {
    let mut kept = study.active().flat_map(|trial| trial.needed());
    let best = study.best().map(|(_, best)| best.state);
    best == Some(*state) || kept.any(|checkpoint| checkpoint.state == *state)
}

/// A study of the journal that needs this state.
pub(super) fn needs_any(catalog: &Catalog, state: &Digest) -> Option<StudyId> {
    let mut studies = catalog.studies();
    studies.find(|(_, listed)| needs(&listed.study, state)).map(|(id, _)| id)
}

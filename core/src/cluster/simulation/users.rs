//! The people: they submit studies, steer them, and resume those that wait for a person.

use super::scenario::Scenario;
use super::world::{Happening, World};
use crate::cluster::{ClusterEvent, StudyId};
use crate::engine::Event;
use crate::ids::{Digest, Moment};
use crate::journal::Pause;
use crate::study::Phase;
use std::collections::BTreeSet;

/// How often they look.
const VISIT_MILLIS: u64 = 1000;

/// What became of a planned study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Submission {
    /// It is submitted then.
    Planned(Moment),
    /// Its data was brought, and it is submitted a little later.
    Uploaded,
    /// It is there, or was.
    Done,
}

/// The people.
#[derive(Debug, Clone)]
pub(super) struct Users {
    submissions: Vec<Submission>,
    /// Studies that somebody has cancelled.
    pub(super) cancelled: Vec<String>,
    /// Studies that somebody has paused, and nobody resumed.
    pub(super) paused: BTreeSet<StudyId>,
}

impl Users {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let at = scenario.studies.iter().map(|plan| Submission::Planned(Moment(plan.at)));
        Self { submissions: at.collect(), cancelled: Vec::new(), paused: BTreeSet::new() }
    }
}

impl World {
    pub(super) fn visit_studies(&mut self) {
        self.plan(VISIT_MILLIS, Happening::Visited);
        if !self.leader().is_some_and(|leader| self.machines[leader.life.machine].is_well(self.now))
        {
            return;
        }
        (0..self.creations.len()).for_each(|at| self.submit(at));
        self.resume_what_waits();
        self.remove_what_is_over();
    }

    /// Submits a study until it is in the journal.
    fn submit(&mut self, at: usize) {
        let creation = self.creations[at].clone();
        if self.catalog.named(&creation.spec.name).is_some() {
            self.users.submissions[at] = Submission::Done;
            return;
        }
        let submission = self.users.submissions[at];
        match submission {
            Submission::Planned(due) if due <= self.now && self.bring_data(at) => {
                self.users.submissions[at] = Submission::Uploaded;
            }
            Submission::Uploaded if self.random.chance(0.5) => self.create(at),
            _ => {}
        }
    }

    /// Brings a study's data to where the leader says; false if that could not be done.
    fn bring_data(&mut self, at: usize) -> bool {
        let manifest = self.creations[at].manifest.clone();
        let blobs: Vec<_> = manifest.partitions.iter().chain([&manifest.validation]).collect();
        let sizes: Vec<u64> = blobs.iter().map(|blob| blob.bytes).collect();
        let digests: Vec<Digest> = blobs.iter().map(|blob| blob.digest).collect();
        let Some(leader) = self.leader() else { return false };
        let placement = leader.coordinator.plan(&sizes);
        self.lead(self.term, ClusterEvent::Reserved(digests.clone()));
        for (blob, holders) in digests.into_iter().zip(placement) {
            let now = self.now;
            let takes = |id: &crate::ids::NodeId| {
                let of = |machine: &&super::machine::Machine| machine.id == *id;
                let machine = self.machines.iter().find(of)?;
                let takes = machine.is_well(now) && machine.full_until <= now;
                takes.then_some(machine.index)
            };
            let Some(holder) = holders.iter().find_map(takes) else { return false };
            let stamp = self.machines[holder].disk.insert(blob);
            self.transfer_millis.insert(blob, self.scenario.studies[at].partition_millis);
            let node = self.machines[holder].id;
            self.lead(self.term, ClusterEvent::Arrived { node, blob, stamp });
        }
        true
    }

    fn create(&mut self, at: usize) {
        let creation = self.creations[at].clone();
        // Where the blobs are now, as a client tells that has just brought them.
        let manifest = &creation.manifest;
        let digests: Vec<Digest> =
            manifest.partitions.iter().chain([&manifest.validation]).map(|b| b.digest).collect();
        for blob in &digests {
            let well = self.machines.iter().filter(|machine| machine.is_well(self.now));
            let has = well.filter_map(|machine| Some((machine.id, machine.disk.stamp(blob)?)));
            let has: Vec<_> = has.collect();
            for (node, stamp) in has {
                self.lead(self.term, ClusterEvent::Arrived { node, blob: *blob, stamp });
            }
        }
        let Some(leader) = self.leader() else { return };
        let coordinator = &leader.coordinator;
        if coordinator.named(&creation.spec.name).is_some() {
            return;
        }
        if digests.iter().any(|blob| coordinator.holders(blob).is_empty()) {
            self.users.submissions[at] = Submission::Planned(self.now);
            return;
        }
        let sizes: Vec<u64> = manifest.partitions.iter().map(|blob| blob.bytes).collect();
        let placement = coordinator.plan(&sizes);
        let priority = self.scenario.studies[at].priority;
        let creation = Box::new(creation);
        self.lead(self.term, ClusterEvent::Created { creation, placement, priority });
    }

    /// Studies that stand still for want of room, or because somebody wanted it, go on.
    fn resume_what_waits(&mut self) {
        let paused = &self.users.paused;
        let waits = self.catalog.studies().filter(|(id, listed)| match &listed.study.phase {
            Phase::Paused(Pause::DataLost(_)) => paused.contains(id),
            Phase::Paused(_) => true,
            Phase::Running | Phase::Ended(_) => false,
        });
        let waits: Vec<StudyId> = waits.map(|(id, _)| id).collect();
        for study in waits {
            if self.random.chance(0.4) {
                self.steer(study, Event::ResumeRequested);
            }
        }
    }

    /// Some studies are removed when they are over and others are not.
    fn remove_what_is_over(&mut self) {
        if self.quiet.is_some() {
            return;
        }
        let over = self
            .catalog
            .studies()
            .filter(|(_, listed)| !listed.removed && matches!(listed.study.phase, Phase::Ended(_)));
        let over: Vec<StudyId> = over.map(|(id, _)| id).collect();
        for study in over {
            if self.random.chance(0.02) {
                self.lead(self.term, ClusterEvent::Removed(study));
            }
        }
    }

    /// Tells the leader what somebody wants of a study.
    pub(super) fn steer(&mut self, study: StudyId, event: Event) {
        self.lead(self.term, ClusterEvent::Study { study, event });
    }

    /// One of the studies that have not ended.
    pub(super) fn some_study(&mut self) -> Option<StudyId> {
        let open = self.catalog.studies();
        let open = open.filter(|(_, listed)| !matches!(listed.study.phase, Phase::Ended(_)));
        let open: Vec<StudyId> = open.map(|(id, _)| id).collect();
        (!open.is_empty()).then(|| self.random.pick(&open))
    }
}

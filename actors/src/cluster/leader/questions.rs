//! What users want of a leader, and what it answers.

use super::super::directory::{Listing, Presence};
use super::super::letter::Order;
use super::{LeaderState, Moved};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use wallaby_core::cluster::{ClusterEvent, Placement, StudyId};
use wallaby_core::engine::{Event, Try};
use wallaby_core::ids::{Digest, Moment, NodeId, Stamp};
use wallaby_core::journal::Creation;
use wallaby_core::study::Phase;

/// For how long a new leader plans nothing before everybody has reported.
const REPORTS_WAIT: Duration = Duration::from_secs(5);

/// The other end of a question.
pub(super) type Answered<T> = oneshot::Sender<T>;

/// Where a blob was found, and its stamp there.
pub(crate) type Found = (NodeId, Digest, Stamp);

/// What somebody asks.
pub(crate) enum Question {
    /// Where data of these digests and sizes should go; it is kept for an hour.
    Plan { blobs: Vec<(Digest, u64)>, answer: Answered<Planned> },
    /// Begin a study whose data is where these nodes say that it is.
    Submit { creation: Box<Creation>, priority: u32, held: Vec<Found>, answer: Answered<Submitted> },
    /// Pause, resume or cancel a study.
    Tell { study: StudyId, event: Event, answer: Answered<bool> },
    /// Set a study's share.
    Prioritise { study: StudyId, priority: u32, answer: Answered<()> },
    /// Remove a study; false if it is not over.
    Remove { study: StudyId, answer: Answered<bool> },
    /// Let a node leave.
    Drain { node: NodeId, answer: Answered<bool> },
    /// What runs.
    Running(Answered<Vec<(StudyId, Try, Moment)>>),
    /// How many copies of each study's data are still to be made.
    Lacking(Answered<BTreeMap<StudyId, u64>>),
    /// What was moved, by study.
    Traffic(Answered<BTreeMap<StudyId, Moved>>),
}

/// Where data should go.
pub(crate) struct Planned {
    /// The holders of each blob.
    pub(crate) placement: Placement,
    /// Who has each blob now.
    pub(crate) held: Vec<Vec<NodeId>>,
    /// Whether nodes that are there have not yet told this leader what they have room for.
    pub(crate) early: bool,
}

/// What became of a submission.
pub(crate) enum Submitted {
    /// The study has begun, as the journal tells.
    Begun(StudyId),
    /// There is one of this name, and it is the same.
    Known(StudyId),
    /// There is one of this name, and it is another one.
    NameTaken,
    /// Data of it is nowhere.
    DataMissing(usize),
}

impl LeaderState {
    pub(super) fn asked(&mut self, question: Question) {
        match question {
            Question::Plan { blobs, answer } => {
                let sizes: Vec<u64> = blobs.iter().map(|(_, bytes)| *bytes).collect();
                let placement = self.coordinator.plan(&sizes);
                let digests: Vec<Digest> = blobs.into_iter().map(|(digest, _)| digest).collect();
                let held = digests.iter().map(|blob| self.coordinator.holders(blob)).collect();
                self.take(ClusterEvent::Reserved(digests));
                let early = self.is_early();
                let _ = answer.send(Planned { placement, held, early });
            }
            Question::Submit { creation, priority, held, answer } => {
                self.submit(creation, priority, held, answer);
            }
            Question::Tell { study, event, answer } => self.tell(study, event, answer),
            Question::Prioritise { study, priority, answer } => {
                self.take(ClusterEvent::Prioritised { study, priority });
                self.when_durable(move || answer.send(()).unwrap_or_default());
            }
            Question::Remove { study, answer } => {
                self.take(ClusterEvent::Removed(study));
                let removed = self.coordinator.is_removed(study);
                self.when_durable(move || answer.send(removed).unwrap_or_default());
            }
            Question::Drain { node, answer } => {
                let known = self.roll.life(node).is_some();
                if known && self.roll.drain(node) {
                    self.take(ClusterEvent::NodeDraining(node));
                    self.order(node, Order::Drain);
                }
                let _ = answer.send(known);
            }
            Question::Running(answer) => {
                let running = self.coordinator.running();
                let _ = answer.send(running.map(|(id, attempt, at)| (id, *attempt, at)).collect());
            }
            Question::Lacking(answer) => {
                let ids = self.coordinator.studies().map(|(id, _)| id);
                let lacking = ids.map(|id| (id, self.coordinator.data_lacking(id) as u64));
                let _ = answer.send(lacking.collect());
            }
            Question::Traffic(answer) => drop(answer.send(self.moved.clone())),
        }
    }

    fn submit(
        &mut self,
        creation: Box<Creation>,
        priority: u32,
        held: Vec<Found>,
        answer: Answered<Submitted>,
    ) {
        if let Some((study, fingerprint)) = self.coordinator.named(&creation.spec.name) {
            let same = fingerprint == creation.fingerprint;
            // Its data may have been lost, and its submitter has brought it anew.
            for (node, blob, stamp) in held.into_iter().filter(|_| same) {
                self.take(ClusterEvent::Arrived { node, blob, stamp });
            }
            // What is known may not be durable yet.
            let known = if same { Submitted::Known(study) } else { Submitted::NameTaken };
            return self.when_durable(move || drop(answer.send(known)));
        }
        for (node, blob, stamp) in held {
            self.take(ClusterEvent::Arrived { node, blob, stamp });
        }
        let manifest = &creation.manifest;
        let data = manifest.partitions.iter().chain([&manifest.validation]);
        let nowhere = data.filter(|blob| self.coordinator.holders(&blob.digest).is_empty());
        let missing = nowhere.count();
        if missing > 0 {
            let _ = answer.send(Submitted::DataMissing(missing));
            return;
        }
        let sizes: Vec<u64> = manifest.partitions.iter().map(|blob| blob.bytes).collect();
        let placement = self.coordinator.plan(&sizes);
        let study = StudyId(self.coordinator.studies().count() as u32);
        self.take(ClusterEvent::Created { creation, placement, priority });
        self.when_durable(move || drop(answer.send(Submitted::Begun(study))));
    }

    /// Whether somebody who is there is still to report to this leader. One that does not for long
    /// is out of its reach.
    fn is_early(&self) -> bool {
        let known = |id: NodeId| self.roll.life(id).is_some();
        let alive = |listing: &Listing| listing.presence == Presence::Alive;
        let silent = |listing: &Listing| listing.id().is_some_and(|id| !known(id));
        let young = self.began.elapsed() < REPORTS_WAIT;
        young && self.directory.all().iter().any(|listing| alive(listing) && silent(listing))
    }

    /// Answers false if the study is over.
    fn tell(&mut self, study: StudyId, event: Event, answer: Answered<bool>) {
        let mut studies = self.coordinator.studies();
        let known = studies.find(|(id, _)| *id == study);
        let open = known.is_some_and(|(_, study)| !matches!(study.phase, Phase::Ended(_)));
        drop(studies);
        if open {
            self.take(ClusterEvent::Study { study, event });
        }
        self.when_durable(move || {
            let _ = answer.send(open);
        });
    }

    /// Answers as soon as everything decided so far is durable.
    fn when_durable(&mut self, answer: impl FnOnce() + Send + 'static) {
        let ticket = self.coordinator.newest_ticket();
        if self.coordinator.is_durable() {
            answer();
        } else {
            self.waiting.push((ticket, Box::new(answer)));
        }
    }
}

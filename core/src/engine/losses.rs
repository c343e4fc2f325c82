//! What happens when nodes, trainers or checkpoints are lost, and when nothing can go on.

use super::{Assignment, Engine, Event, Try};
use crate::ids::{Digest, Epoch, Moment, NodeId, PartitionId, SlotId, TrialId};
use crate::journal::{Pause, Record};
use crate::membership::{Offer, Standing};
use crate::study::Phase;
use crate::trial::{Checkpoint, Trial};
use crate::unit::{Failure, Step};
use std::collections::BTreeSet;

/// How long nothing may run before the engine gives up waiting for absent nodes: trials whose
/// checkpoints are gone roll back, and without data the study pauses.
pub const STALL_MILLIS_MAX: u64 = 5_000;

/// How long a node without room for checkpoints gets no units, in milliseconds: somebody may have
/// made room. Longer than a study stands still before it pauses.
pub const FULL_MILLIS: u64 = 2 * STALL_MILLIS_MAX;

/// How long a trainer may be silent about a unit before the unit is taken from it. Catches what
/// gossip cannot see: a cut between two nodes, a trainer that lost its order.
pub const LEASE_MILLIS_MAX: u64 = 15_000;

impl Engine {
    pub(super) fn node_joined(&mut self, node: NodeId, boot: u64, offer: Offer) {
        if let Some(earlier) = self.view.node(node).map(|known| known.boot).filter(|b| *b < boot) {
            self.node_left(node, earlier);
        }
        // Slots beyond the new offer are gone, with what they ran.
        let gone = |slot: &SlotId| slot.node == node && slot.index >= offer.slots;
        let gone: Vec<SlotId> = self.assignments.keys().copied().filter(gone).collect();
        if !self.view.join(node, boot, offer) {
            return;
        }
        gone.into_iter().for_each(|slot| self.slot_lost(slot));
        let waits_for_data = matches!(self.study.phase, Phase::Paused(Pause::DataLost(_)));
        if waits_for_data && self.pausing.is_none() && self.lost_data().is_none() {
            self.take_in(Event::ResumeRequested);
        }
    }

    pub(super) fn node_left(&mut self, node: NodeId, boot: u64) {
        if self.view.leave(node, boot).is_none() {
            return;
        }
        let slots: Vec<SlotId> = self.assignments.keys().copied().collect();
        slots.into_iter().filter(|slot| slot.node == node).for_each(|slot| self.slot_lost(slot));
        self.copies.values_mut().for_each(|nodes| {
            nodes.remove(&node);
        });
        let idle = self.study.active().map(|trial| trial.id);
        let idle: Vec<TrialId> = idle.filter(|trial| !self.is_assigned(*trial)).collect();
        idle.into_iter().for_each(|trial| self.roll_back_if_lost(trial));
    }

    /// Takes units from trainers that have been silent for too long.
    pub(super) fn end_leases(&mut self) {
        let silent = |a: &Assignment| self.now.millis_since(a.seen) > LEASE_MILLIS_MAX;
        let silent = self.assignments.values().filter(|assignment| silent(assignment));
        let slots: Vec<SlotId> = silent.map(|assignment| assignment.attempt.slot).collect();
        for slot in slots {
            self.audit(|auditor| auditor.observe_event(&Event::SlotLost(slot)));
            self.slot_lost(slot);
        }
    }

    pub(super) fn slot_lost(&mut self, slot: SlotId) {
        if let Some(assignment) = self.assignments.remove(&slot) {
            let lost: Try = assignment.attempt;
            self.fail(&lost, Failure::TrainerLost);
        }
    }

    pub(super) fn state_stored(&mut self, node: NodeId, state: Digest) {
        if self.retention.keeps(&state) && self.view.node(node).is_some() {
            self.copies.entry(state).or_default().insert(node);
        }
    }

    /// A living node that has a checkpoint which is needed: the one that made it, else one with a
    /// copy.
    pub(super) fn locate(&self, checkpoint: &Checkpoint) -> Option<NodeId> {
        let copies = self.copies.get(&checkpoint.state).into_iter().flatten().copied();
        let mut nodes = std::iter::once(checkpoint.node).chain(copies);
        nodes.find(|node| self.view.node(*node).is_some())
    }

    /// The newest checkpoint that `trial` can go on from, other than the state `but`.
    fn newest_living(&self, trial: &Trial, but: Option<Digest>) -> Option<Checkpoint> {
        let needed: BTreeSet<Digest> = trial.needed().map(|c| c.state).collect();
        let lives = |c: &&Checkpoint| {
            // One that may have been released counts only where it is known to be, and where nodes
            // tell what they have, so does any.
            let told = self.copies.get(&c.state).is_some_and(|nodes| !nodes.is_empty());
            let known = told || (self.expected.is_none() && needed.contains(&c.state));
            known && self.retention.keeps(&c.state) && self.locate(c).is_some()
        };
        let fits = |c: &&Checkpoint| {
            let (epoch, visited) = self.resumption(trial, **c);
            trial.can_roll_back(epoch, visited, self.study.partitions())
        };
        let others = trial.checkpoints.iter().rev().filter(|c| Some(c.state) != but);
        others.filter(lives).find(fits).copied()
    }

    /// The newest checkpoint turned out to be unusable: go on from the one before.
    pub(super) fn forget_state(&mut self, id: TrialId, state: Digest) {
        let Some(trial) = self.study.trial(id) else { return };
        let target = self.newest_living(trial, Some(state));
        self.roll_back(id, target);
    }

    /// Rolls a trial back to its newest checkpoint on a living node, if the newest is on none.
    fn roll_back_if_lost(&mut self, id: TrialId) {
        let Some(trial) = self.study.trial(id) else { return };
        let Some(newest) = trial.newest() else { return };
        if self.locate(newest).is_none() {
            let target = self.newest_living(trial, None);
            self.roll_back(id, target);
            self.make_ready(id);
        }
    }

    /// To a checkpoint, or to the untrained state.
    fn roll_back(&mut self, id: TrialId, target: Option<Checkpoint>) {
        let Some(trial) = self.study.trial(id) else { return };
        let (epoch, visited) =
            target.map_or((Epoch(1), 0), |checkpoint| self.resumption(trial, checkpoint));
        self.record(Record::TrialRolledBack { trial: id, epoch, visited });
    }

    /// Where `trial` goes on from a checkpoint. One that closes the trial's current epoch leaves
    /// only the validation to do.
    fn resumption(&self, trial: &Trial, checkpoint: Checkpoint) -> (Epoch, u32) {
        if checkpoint.epoch == trial.epoch {
            (checkpoint.epoch, checkpoint.visited)
        } else {
            checkpoint.resumes_at(self.study.partitions())
        }
    }

    /// Trials whose newest checkpoint has been on no living node for too long go on from an older
    /// one, while others run.
    pub(super) fn house_the_homeless(&mut self) {
        if self.study.phase != Phase::Running || self.view.nodes().next().is_none() {
            return self.homeless.clear();
        }
        let waiting = self.readiness.keys().filter_map(|id| self.study.trial(*id));
        let waiting = waiting.filter(|trial| !self.is_assigned(trial.id));
        let lost = |trial: &&Trial| trial.newest().is_some_and(|c| self.locate(c).is_none());
        let homeless: BTreeSet<TrialId> = waiting.filter(lost).map(|trial| trial.id).collect();
        self.homeless.retain(|trial, _| homeless.contains(trial));
        for trial in homeless {
            let since = *self.homeless.entry(trial).or_insert(self.now);
            if self.now.millis_since(since) >= STALL_MILLIS_MAX {
                self.homeless.remove(&trial);
                self.roll_back_if_lost(trial);
            }
        }
    }

    /// Nothing runs although trials are under way: wait a while, then do what can be done.
    pub(super) fn stall(&mut self) {
        let since = *self.stalled.get_or_insert(self.now);
        if self.view.nodes().next().is_none() || self.now.millis_since(since) < STALL_MILLIS_MAX {
            return;
        }
        self.stalled = None;
        let active: Vec<TrialId> = self.study.active().map(|trial| trial.id).collect();
        active.into_iter().for_each(|trial| self.roll_back_if_lost(trial));
        if let Some(cause) = self.lost_data().or_else(|| self.full_somewhere()) {
            self.record(Record::StudyPaused { cause });
        }
    }

    /// A node that could not store a checkpoint is missed.
    /// Gives nodes that have been full for a while another chance.
    pub(super) fn reopen_the_full(&mut self) {
        let now = self.now;
        let over = |since: &Moment| now.millis_since(*since) >= FULL_MILLIS;
        let due: Vec<NodeId> = self
            .full_since
            .iter()
            .filter(|(_, since)| over(since))
            .map(|(node, _)| *node)
            .collect();
        self.full_since.retain(|_, since| !over(since));
        due.into_iter().for_each(|node| self.view.reopen(node));
    }

    fn full_somewhere(&self) -> Option<Pause> {
        let mut nodes = self.view.nodes();
        let full = nodes.any(|(_, node)| node.standing == Standing::Full);
        self.full.clone().filter(|_| full)
    }

    /// Which data no living node holds, if any.
    fn lost_data(&self) -> Option<Pause> {
        let steps = (0..self.study.partitions()).map(|p| Step::Train(PartitionId(p)));
        let lost: Vec<String> = steps
            .chain([Step::Validate])
            .filter(|step| !self.view.nodes().any(|(id, _)| self.view.holds(id, *step)))
            .map(|step| step.to_string())
            .collect();
        let no_holder = || format!("no living node holds {}", lost.join(", "));
        (!lost.is_empty()).then(no_holder).map(Pause::DataLost)
    }
}

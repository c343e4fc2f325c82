//! The auditor's account of one trial: what is committed, what state it is in, what is decided.

use super::{Violation, require};
use crate::ids::{Digest, Epoch, PartitionId, Seq};
use crate::journal::{Commit, Decision};
use crate::trial::Trial;
use crate::unit::{Step, Unit};
use std::collections::BTreeMap;

/// For how many epochs states are remembered: longer than a trial remembers its checkpoints.
const EPOCHS: u32 = 9;

/// What the auditor knows of a trial under way.
#[derive(Debug, Clone)]
pub(super) struct Account {
    epoch: Epoch,
    visited: Vec<PartitionId>,
    /// What the epoch before visited.
    earlier: Vec<PartitionId>,
    validated: bool,
    /// States by progress: (epoch, partitions visited in it).
    states: BTreeMap<(Epoch, u32), Digest>,
    newest_record: Seq,
}

impl Account {
    /// A trial proposed by record `seq`.
    pub(super) fn new(seq: Seq) -> Self {
        Self {
            epoch: Epoch(1),
            visited: Vec::new(),
            earlier: Vec::new(),
            validated: false,
            states: BTreeMap::new(),
            newest_record: seq,
        }
    }

    /// A trial that an earlier leader left.
    pub(super) fn of(trial: &Trial) -> Self {
        let states = trial.checkpoints.iter().map(|c| ((c.epoch, c.visited), c.state)).collect();
        Self {
            epoch: trial.epoch,
            visited: trial.visited.clone(),
            earlier: trial.visited_before().to_vec(),
            validated: trial.undecided,
            states,
            newest_record: Seq(0),
        }
    }

    /// Nothing of the trial starts before record `seq` is durable.
    pub(super) fn wait_for(&mut self, seq: Seq) {
        self.newest_record = seq;
    }

    pub(super) fn newest_record(&self) -> Seq {
        self.newest_record
    }

    /// The newest committed state.
    pub(super) fn state(&self) -> Option<Digest> {
        self.states.last_key_value().map(|(_, state)| *state)
    }

    /// Whether `unit` is one that may come next.
    pub(super) fn check_next(&self, unit: &Unit, partitions: u32) -> Result<(), Violation> {
        require(1, unit.epoch == self.epoch && !self.validated, || {
            format!("{unit}, but the trial is in {}, validated: {}", self.epoch, self.validated)
        })?;
        match unit.step {
            Step::Train(partition) => {
                let fresh = partition.0 < partitions && !self.visited.contains(&partition);
                require(1, fresh, || format!("{unit} is committed already, or no such partition"))
            }
            Step::Validate => require(6, self.visited.len() == partitions as usize, || {
                format!("{unit} after {} of {partitions} partitions", self.visited.len())
            }),
        }
    }

    pub(super) fn commit(
        &mut self,
        commit: &Commit,
        partitions: u32,
        seq: Seq,
    ) -> Result<(), Violation> {
        self.check_next(&commit.unit, partitions)?;
        self.newest_record = seq;
        match commit.unit.step {
            Step::Validate => self.validated = true,
            Step::Train(partition) => {
                self.visited.push(partition);
                let progress = (self.epoch, self.visited.len() as u32);
                self.states.insert(progress, commit.output.state);
            }
        }
        Ok(())
    }

    pub(super) fn decide(
        &mut self,
        epoch: Epoch,
        decision: Decision,
        seq: Seq,
    ) -> Result<(), Violation> {
        require(6, self.validated && epoch == self.epoch, || {
            format!("{epoch} is decided in {}, validated: {}", self.epoch, self.validated)
        })?;
        self.newest_record = seq;
        self.validated = false;
        if decision == Decision::Continue {
            self.epoch = Epoch(epoch.0 + 1);
            self.earlier = std::mem::take(&mut self.visited);
            self.states.retain(|(made_in, _), _| made_in.0 + EPOCHS >= epoch.0);
        }
        Ok(())
    }

    pub(super) fn roll_back(&mut self, epoch: Epoch, visited: u32, seq: Seq) {
        if epoch < self.epoch {
            self.visited = std::mem::take(&mut self.earlier);
        }
        self.epoch = epoch;
        self.visited.truncate(visited as usize);
        self.validated = false;
        self.states.retain(|progress, _| *progress <= (epoch, visited));
        self.newest_record = seq;
    }
}

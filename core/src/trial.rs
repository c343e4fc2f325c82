//! One trial as the journal tells it: configuration, progress, checkpoints, results.
//! Changed only by folding records; says what may come next but never chooses.

use crate::ids::{Digest, Epoch, Fence, NodeId, PartitionId, TrialId};
use crate::journal::{Commit, Decision, End};
use crate::spec::Direction;
use crate::unit::{Failure, Metrics, Step, Unit};
use crate::value::Config;

/// How many of its newest checkpoints a trial remembers; the leader decides which of them are kept.
const RECENT: usize = 8;

/// A stored state of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The blob.
    pub state: Digest,
    /// Its size.
    pub bytes: u64,
    /// The epoch in which it was made.
    pub epoch: Epoch,
    /// How many partitions of that epoch it has seen.
    pub visited: u32,
    /// The node that made it.
    pub node: NodeId,
}

impl Checkpoint {
    /// Where a trial stands that goes on from here: in the middle of the epoch, or at the
    /// beginning of the next one.
    pub fn resumes_at(&self, partitions: u32) -> (Epoch, u32) {
        if self.visited >= partitions {
            (Epoch(self.epoch.0 + 1), 0)
        } else {
            (self.epoch, self.visited)
        }
    }
}

/// What an epoch of a trial came to.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochResult {
    /// Which epoch.
    pub epoch: Epoch,
    /// The validation metrics and `train_loss`, the mean loss over the rows trained on.
    pub metrics: Metrics,
    /// The state that was measured.
    pub state: Digest,
}

/// The best epoch of a trial by the study's objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// Which epoch; the earlier of equals.
    pub epoch: Epoch,
    /// The objective there.
    pub value: f64,
    /// The state there.
    pub state: Digest,
}

/// A trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its number.
    pub id: TrialId,
    /// Its complete configuration.
    pub config: Config,
    /// How it ended; `None` while it is under way.
    pub end: Option<End>,
    /// The epoch it is in, from 1.
    pub epoch: Epoch,
    /// The partitions visited in this epoch, in order.
    pub visited: Vec<PartitionId>,
    /// Checkpoints that a live trial may go on from, oldest first: the last epoch boundary and the
    /// newest ones. Most of them are no longer kept, see [`Trial::needed`].
    pub checkpoints: Vec<Checkpoint>,
    /// Validated epochs, in order.
    pub results: Vec<EpochResult>,
    /// The best of them.
    pub best: Option<Best>,
    /// Whether the current epoch is validated and waits for the policy.
    pub undecided: bool,
    /// The last epoch that the policy has decided; it is not asked again after a roll-back.
    pub decided: Epoch,
    /// The unit that has failed and is still to be done, perhaps after older ones that a
    /// roll-back has brought back.
    pub failing: Option<Unit>,
    /// Failed tries since that unit failed first.
    pub failures: u32,
    /// How many of them were panics of the model.
    pub panics: u32,
    /// The newest failed try: those up to it are overtaken.
    pub failed: Option<Fence>,
    /// The newest state ever committed: what the trial ends with.
    pub last_state: Option<Digest>,
    /// Mean loss and rows of each visit of this epoch.
    losses: Vec<(f64, f64)>,
    /// Visits and losses of the epoch before, to which the trial may have to roll back.
    earlier: (Vec<PartitionId>, Vec<(f64, f64)>),
}

impl Trial {
    /// A trial that has not run yet.
    pub fn new(id: TrialId, config: Config) -> Self {
        Self {
            id,
            config,
            end: None,
            epoch: Epoch(1),
            visited: Vec::new(),
            checkpoints: Vec::new(),
            results: Vec::new(),
            best: None,
            undecided: false,
            decided: Epoch(0),
            failing: None,
            failures: 0,
            panics: 0,
            failed: None,
            last_state: None,
            losses: Vec::new(),
            earlier: Default::default(),
        }
    }

    /// The checkpoint that the next unit starts from; `None` for the untrained state.
    pub fn newest(&self) -> Option<&Checkpoint> {
        self.checkpoints.last()
    }

    /// Whether the trial has visited all `partitions` of its epoch and is to be validated.
    pub fn is_at_boundary(&self, partitions: u32) -> bool {
        self.visited.len() >= partitions as usize
    }

    /// Why `unit` cannot be this trial's next, `None` if it can.
    pub fn objection(&self, unit: &Unit, partitions: u32) -> Option<String> {
        if self.end.is_some() {
            return Some("the trial has ended".to_owned());
        }
        if unit.epoch != self.epoch {
            return Some(format!("the trial is in {}", self.epoch));
        }
        if self.undecided {
            return Some(format!("{} waits for a decision", self.epoch));
        }
        match unit.step {
            Step::Validate if !self.is_at_boundary(partitions) => {
                Some(format!("only {} of {partitions} partitions are visited", self.visited.len()))
            }
            Step::Train(partition) if partition.0 >= partitions => {
                Some(format!("there are only {partitions} partitions"))
            }
            Step::Train(partition) if self.visited.contains(&partition) => {
                Some("it is committed already".to_owned())
            }
            _ => None,
        }
    }

    /// The partitions visited in the epoch before, as far as they are still of use.
    pub fn visited_before(&self) -> &[PartitionId] {
        &self.earlier.0
    }

    /// Takes in a result that [`Trial::objection`] has no objection to.
    pub(crate) fn commit(&mut self, commit: &Commit, objective: &str, direction: Direction) {
        if self.failing == Some(commit.unit) {
            (self.failing, self.failures, self.panics) = (None, 0, 0);
        }
        match commit.unit.step {
            Step::Train(partition) => self.commit_training(partition, commit),
            Step::Validate => self.commit_validation(commit, objective, direction),
        }
    }

    fn commit_training(&mut self, partition: PartitionId, commit: &Commit) {
        let metric = |name: &str| commit.output.metrics.get(name).copied().unwrap_or(0.0);
        self.visited.push(partition);
        self.losses.push((metric("loss"), metric("rows")));
        self.last_state = Some(commit.output.state);
        self.checkpoints.push(Checkpoint {
            state: commit.output.state,
            bytes: commit.output.bytes,
            epoch: self.epoch,
            visited: self.visited.len() as u32,
            node: commit.slot.node,
        });
        self.prune();
    }

    fn commit_validation(&mut self, commit: &Commit, objective: &str, direction: Direction) {
        let mut metrics = commit.output.metrics.clone();
        if let Some(loss) = self.training_loss() {
            metrics.insert("train_loss".to_owned(), loss);
        }
        let value = metrics.get(objective).copied();
        let state = commit.output.state;
        self.results.push(EpochResult { epoch: self.epoch, metrics, state });
        self.undecided = true;
        if let Some(value) = value
            && self.best.is_none_or(|best| direction.better(value, best.value))
        {
            self.best = Some(Best { epoch: self.epoch, value, state });
        }
    }

    /// Remembers the newest checkpoints and the newest one of an earlier epoch: the state that this
    /// epoch began with. What was visited is known of this epoch and the one before, so of those
    /// further back only the ends are of use.
    fn prune(&mut self) {
        let all = std::mem::take(&mut self.checkpoints);
        let boundary = all.iter().rposition(|c| c.epoch < self.epoch);
        let recent = all.len().saturating_sub(RECENT);
        let of_use = |at: usize| {
            let ends = all.get(at + 1).is_none_or(|next| next.epoch > all[at].epoch);
            ends || all[at].epoch.0 + 1 >= self.epoch.0
        };
        let kept = |at: &usize| Some(*at) == boundary || (*at >= recent && of_use(*at));
        self.checkpoints = (0..all.len()).filter(kept).map(|at| all[at]).collect();
    }

    /// The checkpoints that are always kept: the newest two, and the state that this epoch began
    /// with.
    pub fn needed(&self) -> impl Iterator<Item = &Checkpoint> {
        let newest = self.checkpoints.len().saturating_sub(2);
        let boundary = self.checkpoints.iter().rposition(|c| c.epoch < self.epoch);
        let numbered = self.checkpoints.iter().enumerate();
        numbered.filter(move |(at, _)| *at >= newest || Some(*at) == boundary).map(|(_, c)| c)
    }

    /// Takes in that a try has failed.
    pub(crate) fn fail(&mut self, unit: Unit, fence: Fence, failure: &Failure) {
        self.failing.get_or_insert(unit);
        self.failures += 1;
        self.panics += u32::from(matches!(failure, Failure::Panicked(_)));
        self.failed = self.failed.max(Some(fence));
    }

    /// Takes in the policy's decision about the current epoch.
    pub(crate) fn decide(&mut self, decision: Decision) {
        self.undecided = false;
        self.decided = self.decided.max(self.epoch);
        if decision == Decision::Continue {
            self.epoch = Epoch(self.epoch.0 + 1);
            self.earlier = (std::mem::take(&mut self.visited), std::mem::take(&mut self.losses));
        }
    }

    /// Forgets everything after (`epoch`, `visited`), except the best epoch: it was measured, and
    /// its state is kept apart from the trial's own checkpoints. Of those before it only
    /// what the epoch began with is left.
    pub(crate) fn roll_back(&mut self, epoch: Epoch, visited: u32) {
        let kept = |c: &Checkpoint| (c.epoch, c.visited) <= (epoch, visited);
        self.checkpoints.retain(kept);
        // Whether others before are still kept is not known here; what this epoch began with is.
        let last = self.checkpoints.len().saturating_sub(1);
        let boundary = self.checkpoints.iter().rposition(|c| c.epoch < epoch);
        let boundary = boundary.filter(|_| epoch == self.epoch);
        let mut at = 0;
        self.checkpoints.retain(|_| {
            at += 1;
            at == last + 1 || Some(at - 1) == boundary
        });
        self.last_state = self.newest().map(|checkpoint| checkpoint.state);
        if epoch < self.epoch {
            // Further back than one epoch, only its beginning is left to roll back to.
            (self.visited, self.losses) = std::mem::take(&mut self.earlier);
        }
        self.epoch = epoch;
        self.visited.truncate(visited as usize);
        self.losses.truncate(visited as usize);
        self.undecided = false;
        self.results.retain(|result| result.epoch < epoch);
    }

    /// Whether the trial can go on in `epoch` after `visited` partitions: there is a checkpoint of
    /// exactly that progress (or it is the very beginning), and it is known what was visited.
    pub(crate) fn can_roll_back(&self, epoch: Epoch, visited: u32, partitions: u32) -> bool {
        let known = match self.epoch.0.checked_sub(epoch.0) {
            Some(0) => self.visited.len(),
            Some(1) => self.earlier.0.len(),
            Some(_) => 0,
            None => return false,
        };
        let place = |c: &Checkpoint| {
            (c.epoch, c.visited) == (epoch, visited) || c.resumes_at(partitions) == (epoch, visited)
        };
        let beginning = (epoch, visited) == (Epoch(1), 0);
        visited as usize <= known && (beginning || self.checkpoints.iter().any(place))
    }

    /// Mean loss of the visits of this epoch so far, weighted by rows.
    pub fn training_loss(&self) -> Option<f64> {
        let rows: f64 = self.losses.iter().map(|(_, rows)| rows).sum();
        let sum: f64 = self.losses.iter().map(|(loss, rows)| loss * rows).sum();
        (rows > 0.0).then(|| sum / rows)
    }
}

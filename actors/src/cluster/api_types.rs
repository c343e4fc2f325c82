//! What nodes and clients of a cluster say to each other as JSON. Words only: who answers what
//! is the server's affair, and how it is shown the client's.
//!
//! Both sides ignore fields that they do not know, so that a newer one may say more.

use serde::{Deserialize, Serialize};
use std::fmt;
use wallaby_core::ids::{Epoch, PartitionId, SlotId, TrialId};
use wallaby_core::unit::{Step, Unit};

/// The version of the HTTP interface, sent with every request.
pub const PROTOCOL: u32 = 1;

/// The header that carries [`PROTOCOL`].
pub const PROTOCOL_HEADER: &str = "wallaby-protocol";

/// Any answer other than a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A sentence: what was refused and what was expected.
    pub error: String,
}

/// `GET /v1/hello`: who a node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol it speaks.
    pub protocol: u32,
    /// Its build.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u64,
    /// Its life: nanoseconds since the epoch at its start.
    pub boot: u64,
    /// Whether its cluster has been founded.
    pub founded: bool,
    /// Who votes.
    pub voters: Vec<Voter>,
    /// The leader's number, if one is known.
    pub leader: Option<u64>,
    /// The leader's term.
    pub term: u64,
}

/// A node that votes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Voter {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// What a node does in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Votes, and schedules.
    Leader,
    /// Votes.
    Voter,
    /// Receives the journal without a vote, to become a voter.
    Learner,
    /// Trains without a vote.
    Trainer,
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Voter => "voter",
            Role::Learner => "learner",
            Role::Trainer => "trainer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How a node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// Heard of lately.
    Alive,
    /// Not heard of for a while; it may come back.
    Suspected,
    /// Gone.
    Left,
    /// Finishes the units at hand and takes no more.
    Draining,
    /// Has no room for another checkpoint, and takes no units.
    Full,
}

impl NodeState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            NodeState::Alive => "alive",
            NodeState::Suspected => "suspected",
            NodeState::Left => "left",
            NodeState::Draining => "draining",
            NodeState::Full => "full",
        }
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// An element of `GET /v1/nodes`, which is ordered by `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Its process, on its own machine.
    pub pid: u32,
    /// Units that it runs at the same time.
    pub slots: u32,
    /// Its address, `host:port`.
    pub api: String,
    /// How it is doing.
    pub state: NodeState,
    /// Its life: nanoseconds since the epoch at its start.
    pub boot: u64,
    /// Its build.
    pub version: String,
    /// How many partitions it holds, of all studies.
    pub partitions: u64,
    /// How many units it runs.
    pub running: u32,
    /// Its numerics class, in hexadecimal digits.
    pub numerics: String,
    /// The bytes that it stores.
    pub bytes: u64,
}

/// `POST /v1/studies/plan`: a study that is about to be submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// The name that it is to have.
    pub name: String,
    /// The digest of everything that determines its result, 64 hexadecimal digits.
    pub fingerprint: String,
    /// Its data: the partitions in order, then the validation rows.
    pub blobs: Vec<PlannedBlob>,
}

/// A blob that is to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBlob {
    /// Its BLAKE3, 64 hexadecimal digits.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
}

/// The answer to [`PlanRequest`]; both lists are as long as `blobs` was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanAnswer {
    /// The name of the study, if there is one of this name and fingerprint already.
    pub study: Option<String>,
    /// Who is to hold each blob; the first is where to send it.
    pub holders: Vec<Vec<Holder>>,
    /// Whether nobody has it yet.
    pub missing: Vec<bool>,
}

/// A node that is to hold a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its name.
    pub name: String,
    /// Its address, `host:port`.
    pub api: String,
}

/// The answer to `POST /v1/studies`: 201 for a new study, 200 for one that was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// The study's name.
    pub name: String,
    /// The study's number.
    pub id: u64,
}

/// Where a study stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StudyPhase {
    /// Its units run.
    Running,
    /// No unit starts until it is resumed.
    Paused,
    /// It is over.
    Ended,
}

impl StudyPhase {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            StudyPhase::Running => "running",
            StudyPhase::Paused => "paused",
            StudyPhase::Ended => "ended",
        }
    }
}

impl fmt::Display for StudyPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// `GET /v1/studies/NAME`, and an element of `GET /v1/studies`, which is ordered by `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyInfo {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub phase: StudyPhase,
    /// Why it is paused, or why it ended, in words.
    pub cause: Option<String>,
    /// Its share of the slots is proportional to this, from 1 to 100.
    pub priority: u32,
    /// Trials that have ended.
    pub trials_done: u64,
    /// The most trials there will be.
    pub trials_max: u64,
    /// Units that are committed, validations included.
    pub units_done: u64,
    /// The objective's metric; empty from a node that is too old to tell.
    #[serde(default)]
    pub metric: String,
    /// The best trial so far.
    pub best: Option<BestInfo>,
    /// Slots that run a unit of it.
    pub slots_in_use: u32,
    /// Bytes of checkpoints that went from node to node with their trials.
    pub bytes_hopped: u64,
    /// Bytes that were copied for safety.
    pub bytes_copied: u64,
    /// Copies of its data that are still to be made, until every part of it lies on as many nodes
    /// as the cluster's `replicas`, or on all if they are fewer; `None` when nobody leads.
    #[serde(default)]
    pub data_lacking: Option<u64>,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// How many records it has.
    pub records: u64,
}

/// The best trial of a study.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestInfo {
    /// Its number.
    pub trial: u32,
    /// Its objective.
    pub objective: f64,
}

/// An element of `GET /v1/studies/NAME/running`, which is ordered by slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningInfo {
    /// Where: `{node, index}`.
    pub slot: SlotId,
    /// The node's name.
    pub node: String,
    /// What.
    pub unit: UnitInfo,
    /// Since when, in milliseconds since the epoch on the leader's clock.
    pub since: u64,
}

/// A unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitInfo {
    /// The trial.
    pub trial: TrialId,
    /// The epoch, from 1.
    pub epoch: Epoch,
    /// The partition; `None` for the validation.
    pub partition: Option<PartitionId>,
}

impl From<Unit> for UnitInfo {
    fn from(unit: Unit) -> Self {
        let partition = match unit.step {
            Step::Train(partition) => Some(partition),
            Step::Validate => None,
        };
        Self { trial: unit.trial, epoch: unit.epoch, partition }
    }
}

impl From<UnitInfo> for Unit {
    fn from(info: UnitInfo) -> Self {
        let step = info.partition.map_or(Step::Validate, Step::Train);
        Self { trial: info.trial, epoch: info.epoch, step }
    }
}

/// `PUT /v1/studies/NAME/priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorityBody {
    /// From 1 to 100.
    pub priority: u32,
}

//! What the world tells the engine, in the past tense.

use crate::ids::{Digest, Fence, NodeId, Seq, SlotId};
use crate::membership::Offer;
use crate::unit::{Failure, Output, Unit};
use serde::{Deserialize, Serialize};

/// One try of a unit, as a trainer reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// Where it runs or ran.
    pub slot: SlotId,
    /// Which unit.
    pub unit: Unit,
    /// The fence of its assignment.
    pub fence: Fence,
    /// The state it started from; `None` for the untrained state.
    pub input: Option<Digest>,
}

/// An input of the engine. Any event may come late, twice or out of order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A node came, or says anew what it offers.
    NodeJoined {
        /// The node.
        node: NodeId,
        /// Which of its lives.
        boot: u64,
        /// What it brings.
        offer: Offer,
    },
    /// A node's heartbeats are late.
    NodeSuspected(NodeId),
    /// A suspected node's heartbeats are back.
    NodeTrusted(NodeId),
    /// A node wants to leave when its units are done.
    NodeDraining(NodeId),
    /// A life of a node is over, and with it all it ran.
    NodeLeft {
        /// The node.
        node: NodeId,
        /// Which of its lives.
        boot: u64,
    },
    /// A trainer died; what it ran is lost, its successor is idle.
    SlotLost(SlotId),
    /// A node holds a verified copy of a checkpoint.
    StateStored {
        /// The node.
        node: NodeId,
        /// The checkpoint.
        state: Digest,
    },
    /// A trainer runs this: told every few seconds, and to every new leader.
    UnitRunning(Try),
    /// A unit is done.
    UnitFinished(Try, Output),
    /// A unit is not done.
    UnitFailed(Try, Failure),
    /// The journal is durable up to and including this record.
    Appended(Seq),
    /// Somebody wants the study to stand still.
    PauseRequested,
    /// Somebody wants the study to go on.
    ResumeRequested,
    /// Somebody wants the study to end as soon as its units under way are done.
    CancelRequested,
    /// Time has passed.
    Ticked,
}

impl Event {
    /// The state that a result tells of.
    pub fn made(&self) -> Option<Digest> {
        match self {
            Event::UnitFinished(_, output) => Some(output.state),
            _ => None,
        }
    }

    /// Whether a node may tell this: only of its own slots, and nothing that only a leader knows.
    pub fn is_told_by(&self, node: NodeId) -> bool {
        match self {
            Event::UnitRunning(attempt)
            | Event::UnitFinished(attempt, _)
            | Event::UnitFailed(attempt, _) => attempt.slot.node == node,
            _ => false,
        }
    }
}

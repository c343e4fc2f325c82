//! What the world tells the coordinator, and what it wants done.

use crate::cluster::placement::Placement;
use crate::cluster::record::{ClusterRecord, StudyId};
use crate::engine::{Event, Start};
use crate::ids::{Digest, NodeId, SlotId, Stamp};
use crate::journal::Creation;

/// A batch of records on its way to the journal; rises with every batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// What a node tells a leader about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The node.
    pub node: NodeId,
    /// Which of its lives: rises with every start of the process.
    pub boot: u64,
    /// Its name.
    pub name: String,
    /// Number of slots.
    pub slots: u32,
    /// Its numerics class.
    pub numerics: Digest,
    /// Bytes that it can take.
    pub room: u64,
    /// All blobs that it has, each with its stamp; what its results made among them.
    pub held: Vec<(Digest, Stamp)>,
    /// Whether it wants to leave.
    pub draining: bool,
    /// What its trainers run, and their last results.
    pub told: Vec<(StudyId, Event)>,
}

/// An input of the coordinator. Any event may come late, twice or out of order.
#[derive(Debug, Clone, PartialEq)]
pub enum ClusterEvent {
    /// A node came, or says anew what it has.
    NodeReported(Report),
    /// A node's heartbeats are late.
    NodeSuspected(NodeId),
    /// A suspected node's heartbeats are back.
    NodeTrusted(NodeId),
    /// A node wants to leave when its units are done and others have what it has.
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
    /// A node has a verified copy of a blob, or has made it. Comes before the result of the unit
    /// that made it.
    Arrived {
        /// The node.
        node: NodeId,
        /// The blob.
        blob: Digest,
        /// Tells this time from earlier ones.
        stamp: Stamp,
    },
    /// A node could not get a blob.
    Missed {
        /// The node.
        node: NodeId,
        /// The blob.
        blob: Digest,
    },
    /// Something for one study.
    Study {
        /// Which study.
        study: StudyId,
        /// What.
        event: Event,
    },
    /// A study was submitted, its data is where [`super::Coordinator::plan`] said.
    Created {
        /// What it is made of.
        creation: Box<Creation>,
        /// Where its partitions are.
        placement: Placement,
        /// Its share of the slots.
        priority: u32,
    },
    /// A study's share of the slots changes.
    Prioritised {
        /// Which study.
        study: StudyId,
        /// Its share.
        priority: u32,
    },
    /// Somebody removes a study that is over.
    Removed(StudyId),
    /// Data is about to be brought for a study that will be submitted.
    Reserved(Vec<Digest>),
    /// The journal is durable up to and including this batch.
    Durable(Ticket),
    /// Time has passed.
    Ticked,
}

/// Why a blob moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A trial's checkpoint goes where its next unit runs.
    Hop,
    /// A checkpoint should not be lost with one node.
    Safety,
    /// A node is to hold data.
    Data,
}

/// An output of the coordinator; carried out in order.
#[derive(Debug, Clone, PartialEq)]
pub enum ClusterCommand {
    /// Append these to the journal, then tell [`ClusterEvent::Durable`].
    Append {
        /// Names the batch.
        ticket: Ticket,
        /// The records, in order; durable together or not at all.
        records: Vec<ClusterRecord>,
    },
    /// Start a unit.
    Start {
        /// Of which study.
        study: StudyId,
        /// What, where, from which state.
        start: Start,
        /// Who has that state; the node itself may be among them.
        sources: Vec<NodeId>,
    },
    /// Bring a blob to a node.
    Copy {
        /// Where to.
        node: NodeId,
        /// What.
        blob: Digest,
        /// Who has it.
        sources: Vec<NodeId>,
        /// Whether it must survive a loss of power.
        durable: bool,
        /// What for.
        purpose: Purpose,
        /// For which study; of several, the first.
        study: StudyId,
    },
    /// Ask a node for a report: it may have missed something.
    Ask {
        /// Whom.
        node: NodeId,
    },
    /// Remove a blob from a node, unless it has come anew.
    Release {
        /// Where.
        node: NodeId,
        /// What.
        blob: Digest,
        /// The newest stamp of it that is known.
        stamp: Stamp,
    },
}

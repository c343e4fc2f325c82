//! What leaders and nodes write to each other, as in the product.

use crate::cluster::{Report, StudyId};
use crate::engine::{Event, Start};
use crate::ids::{Digest, NodeId, SlotId, Stamp, Term};
use std::fmt;

/// One life of a machine: what sessions are between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Life {
    pub(super) machine: usize,
    pub(super) boot: u64,
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "machine {}#{}", self.machine, self.boot)
    }
}

/// A letter.
#[derive(Debug, Clone)]
pub(super) enum Letter {
    Order(Term, Order),
    /// From the leader of a term: say this number back.
    Beat(Term, u64),
    News(Term, News),
}

/// What a leader wants of a node.
#[derive(Debug, Clone)]
pub(super) enum Order {
    Report,
    Start { study: StudyId, start: Box<Start>, sources: Vec<NodeId> },
    Copy { blob: Digest, sources: Vec<NodeId> },
    Release(Digest, Stamp),
    Drain,
    Leave,
}

/// What a node tells a leader.
#[derive(Debug, Clone)]
pub(super) enum News {
    Report(Box<Report>),
    /// With the stamp of what a result made, if it is still there.
    Told(StudyId, Event, Option<Stamp>),
    Arrived(Digest, Stamp),
    Missed(Digest),
    SlotLost(SlotId),
    WantsToDrain,
    Beat(u64),
}

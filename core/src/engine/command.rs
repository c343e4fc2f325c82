//! What the engine wants done, in the imperative.

use super::event::Try;
use crate::ids::{Digest, NodeId, Seq};
use crate::journal::Entry;
use crate::value::Config;
use serde::{Deserialize, Serialize};

/// An output of the engine; carried out in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Append these to the journal, then tell [`super::Event::Appended`].
    Append {
        /// The place of the first one.
        first: Seq,
        /// The records, in order; durable together or not at all.
        entries: Vec<Entry>,
    },
    /// Start a unit.
    StartUnit(Start),
    /// Nobody needs this checkpoint any more.
    ReleaseState(Digest),
    /// The study has ended or is paused, its journal is durable, and no unit is under way.
    Rest,
}

/// The order to start a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// What, where, under which fence, from which state.
    pub attempt: Try,
    /// A living node that has the state it starts from; `None` for the untrained state.
    pub source: Option<NodeId>,
    /// The trial's configuration.
    pub config: Config,
    /// Whether the state it makes closes the epoch: such a checkpoint must survive a power loss,
    /// the others can be made again from it.
    pub closes_epoch: bool,
}

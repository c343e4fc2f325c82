//! The small newtypes that name things: trials, epochs, partitions, nodes, slots, blobs.
//! Nothing here decides; an id is never computed from another kind of id.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $repr:ty, $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number!(
    /// One point of the search space with its model; numbered from 0 in order of proposal.
    TrialId, u32, "trial "
);
number!(
    /// A pass over all partitions, numbered from 1. Epoch 0 is the untrained state.
    Epoch, u32, "epoch "
);
number!(
    /// A fixed slice of the training data, numbered from 0.
    PartitionId, u32, "partition "
);
number!(
    /// A process of the cluster. Identity is this number, never an address.
    NodeId, u64, "node "
);
number!(
    /// The leader's reign: the term of the replicated journal, rising at every change of leader.
    Term, u64, "term "
);
number!(
    /// The place of a record in the journal, numbered from 0.
    Seq, u64, "record "
);

number!(
    /// Which of the times at which a node got a blob, made or fetched: rises within a life of the
    /// node, over all its blobs. 0 is what lay there before that life. Who orders a blob removed
    /// names the stamp that he knows of: one that has come anew since stays.
    Stamp, u64, "stamp "
);

/// One compute device of a node; a slot runs at most one unit at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlotId {
    /// The node that owns the device.
    pub node: NodeId,
    /// The slot's number on that node, from 0.
    pub index: u32,
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}.{}", self.node.0, self.index)
    }
}

/// Fencing number of one try of a unit. A completion is accepted only with the fence of the
/// assignment that is current; everything late, repeated or from another leader's time is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fence {
    /// Under which leader the unit was assigned.
    pub term: Term,
    /// Counts all assignments of that leader, from 1.
    pub attempt: u64,
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "term {} attempt {}", self.term.0, self.attempt)
    }
}

/// BLAKE3 digest of a blob: the name under which partitions and checkpoints are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Parses 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A moment in milliseconds on the caller's clock (milliseconds since the Unix epoch in the
/// product, virtual time in simulations). Core never reads a clock.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// Milliseconds from `earlier` to `self`, zero if the order is the other way round.
    pub fn millis_since(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_hexadecimal_form() {
        let digest = Digest::of(b"wallaby");
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex("12"), None);
    }

    #[test]
    fn fences_order_by_term_before_attempt() {
        let fence = |term, attempt| Fence { term: Term(term), attempt };
        assert!(fence(1, 9) < fence(2, 1));
    }
}

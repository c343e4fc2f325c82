//! What nodes write to each other: orders of the leader to a node, news of a node to the leader.
//! Small things only; blobs go over HTTP. Bytes that are no letter are an error, never a panic.

use serde::{Deserialize, Serialize};
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::{Event, Start};
use wallaby_core::ids::{Digest, NodeId, SlotId, Stamp, Term};

/// The version of the letters; nodes of another one are not let in.
const FORMAT: u8 = 2;

/// How many digests go into one letter, with their stamps at most 42 bytes each.
pub(crate) const DIGESTS_MAX: usize = 16_384;

/// A letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Letter {
    /// From the leader of a term to a node.
    Order(Term, Order),
    /// From the leader of a term to a node: say this number back.
    Beat(Term, u64),
    /// From a node to the leader of a term.
    News(Term, News),
}

/// What a leader wants of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Say who you are, what you have and what you run.
    Report,
    /// Start a unit; the state it starts from is on these nodes.
    Start { study: StudyId, start: Start, sources: Vec<NodeId> },
    /// Get a blob from one of these nodes.
    Copy { blob: Digest, sources: Vec<NodeId>, durable: bool, data: bool },
    /// Remove a blob, unless it has come anew since it had this stamp.
    Release(Digest, Stamp),
    /// Take no more units: you are about to leave.
    Drain,
    /// Others have all that you had: leave.
    Leave,
}

/// What a node tells a leader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum News {
    /// The answer to [`Order::Report`].
    Report(Introduction),
    /// More blobs that belong to the report, which the last part ends.
    Holds { boot: u64, blobs: Vec<(Digest, Stamp)>, last: bool },
    /// Something for a study; of a result the stamp of the state, if that is still here.
    Told(StudyId, Event, Option<Stamp>),
    /// A blob is here now; so many bytes were moved for it.
    Arrived { blob: Digest, stamp: Stamp, moved: u64 },
    /// A blob could not be had.
    Missed { blob: Digest, why: String },
    /// A trainer died and has a successor.
    SlotLost(SlotId),
    /// The node wants to leave.
    WantsToDrain,
    /// The number of a [`Letter::Beat`].
    Beat(u64),
}

/// A node as it introduces itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub(crate) node: NodeId,
    pub(crate) boot: u64,
    pub(crate) name: String,
    pub(crate) slots: u32,
    pub(crate) numerics: Digest,
    /// Bytes free where its blobs lie.
    pub(crate) room: u64,
    pub(crate) draining: bool,
    pub(crate) told: Vec<(StudyId, Event)>,
    /// Whether no [`News::Holds`] follows: it has no blobs.
    pub(crate) empty: bool,
}

impl Letter {
    /// The bytes to send.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let bytes = postcard::to_extend(self, vec![FORMAT]);
        bytes.expect("letters hold nothing that postcard cannot write")
    }

    /// Reads what [`Letter::encode`] wrote; an error says what is wrong.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        match bytes.split_first() {
            Some((&FORMAT, body)) => match postcard::take_from_bytes(body) {
                Ok((letter, [])) => Ok(letter),
                Ok((_, rest)) => Err(format!("{} bytes too many", rest.len())),
                Err(error) => Err(error.to_string()),
            },
            Some((format, _)) => Err(format!("format {format}, expected {FORMAT}")),
            None => Err("it is empty".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_survive_their_bytes_and_anything_else_is_an_error() {
        let copy = Order::Copy {
            blob: Digest::of(b"x"),
            sources: vec![NodeId(1), NodeId(7)],
            durable: true,
            data: false,
        };
        let letter = Letter::Order(Term(3), copy);
        let bytes = letter.encode();
        assert_eq!(Letter::decode(&bytes), Ok(letter));
        for length in 0..bytes.len() {
            assert!(Letter::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert!(Letter::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Letter::decode(&[9, 9, 9]).is_err());
    }
}

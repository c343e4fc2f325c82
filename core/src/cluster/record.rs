//! The format of a cluster's journal: records of studies, and what concerns the studies together.

use super::placement::Placement;
use crate::engine::Event;
use crate::ids::NodeId;
use crate::journal::{DecodeError, Entry};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// The newest version of the record format that this build reads. A record is written in the first
/// version that knows it, so that older nodes read all that they can.
pub const CLUSTER_FORMAT: u16 = 2;

/// The priorities that a study may have; shares of the slots are proportional to them.
pub const PRIORITIES: RangeInclusive<u32> = 1..=100;

/// The priority of a study that was given none.
pub const PRIORITY: u32 = 10;

/// A study of the cluster, numbered from 0 in order of submission.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct StudyId(pub u32);

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "study {}", self.0)
    }
}

/// Everything that can happen to a cluster, in the past tense.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ClusterRecord {
    /// A node was seen for the first time, or under a new name.
    NodeNamed {
        /// The node.
        node: NodeId,
        /// Its name.
        name: String,
    },
    /// Something happened to a study; its first entry is its creation.
    Study {
        /// Which study.
        study: StudyId,
        /// What.
        entry: Entry,
    },
    /// It was decided which nodes hold a study's data.
    Placed {
        /// Which study.
        study: StudyId,
        /// The holders of each partition.
        placement: Placement,
    },
    /// A study's share of the slots was set.
    Prioritised {
        /// Which study.
        study: StudyId,
        /// One of [`PRIORITIES`].
        priority: u32,
    },
    /// Somebody asked for a study to run, pause or end. What follows from it may take as long as
    /// the units under way; this says that it will not be forgotten.
    Wanted {
        /// Which study.
        study: StudyId,
        /// What is wanted of it.
        wanted: Wanted,
    },
    /// Somebody removed a study that was over: its name is free, its data of no use. Since version 2.
    Removed {
        /// Which study.
        study: StudyId,
    },
}

/// What users want of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Wanted {
    /// It is to run.
    #[default]
    Running,
    /// It is to pause when its units are done.
    Paused,
    /// It is to end when its units are done.
    Cancelled,
}

impl Wanted {
    /// What an event of a user asks for.
    pub(super) fn by(event: &Event) -> Option<Self> {
        match event {
            Event::PauseRequested => Some(Wanted::Paused),
            Event::ResumeRequested => Some(Wanted::Running),
            Event::CancelRequested => Some(Wanted::Cancelled),
            _ => None,
        }
    }

    /// The event that asks an engine for it.
    pub(super) fn event(self) -> Option<Event> {
        match self {
            Wanted::Running => None,
            Wanted::Paused => Some(Event::PauseRequested),
            Wanted::Cancelled => Some(Event::CancelRequested),
        }
    }
}

impl ClusterRecord {
    /// The first version that knows this record.
    fn version(&self) -> u16 {
        match self {
            ClusterRecord::Removed { .. } => 2,
            _ => 1,
        }
    }

    /// The bytes to store: the format version, then the record in postcard.
    pub fn encode(&self) -> Vec<u8> {
        let version = self.version().to_le_bytes().to_vec();
        postcard::to_extend(self, version).expect("records hold nothing that postcard cannot write")
    }

    /// Reads what [`ClusterRecord::encode`] wrote.
    ///
    /// # Errors
    /// A newer format, or bytes that are no record. Never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |what: String| DecodeError::Malformed(what);
        let (version, body) =
            bytes.split_first_chunk().ok_or_else(|| malformed("too short".to_owned()))?;
        match u16::from_le_bytes(*version) {
            0 => return Err(malformed("format 0".to_owned())),
            1..=CLUSTER_FORMAT => {}
            found => return Err(DecodeError::Newer { found }),
        }
        match postcard::take_from_bytes(body) {
            Ok((record, [])) => Ok(record),
            Ok((_, rest)) => Err(malformed(format!("{} bytes too many", rest.len()))),
            Err(error) => Err(malformed(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Moment;
    use crate::testing::{creation, journal};

    #[test]
    fn records_survive_their_bytes_and_damage_is_refused() {
        let entry = journal(creation(1, 1, 2), vec![]).remove(0);
        let records = [
            ClusterRecord::NodeNamed { node: NodeId(3), name: "node3".to_owned() },
            ClusterRecord::Study { study: StudyId(1), entry: Entry { at: Moment(5), ..entry } },
            ClusterRecord::Placed { study: StudyId(1), placement: vec![vec![NodeId(1)]] },
            ClusterRecord::Prioritised { study: StudyId(1), priority: 10 },
            ClusterRecord::Wanted { study: StudyId(1), wanted: Wanted::Paused },
            ClusterRecord::Removed { study: StudyId(1) },
        ];
        for record in records {
            let bytes = record.encode();
            assert_eq!(ClusterRecord::decode(&bytes), Ok(record));
            assert!(ClusterRecord::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(ClusterRecord::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        }
        assert_eq!(ClusterRecord::decode(&[9, 0, 1]), Err(DecodeError::Newer { found: 9 }));
        assert!(ClusterRecord::decode(&[1]).is_err());
    }
}

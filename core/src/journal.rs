//! The format of the journal: what is recorded, and how a record becomes bytes and back.
//! Records say what was decided and what was done; replaying them recomputes no decision.

use crate::ids::{Digest, Epoch, Fence, Moment, SlotId, Term, TrialId};
use crate::spec::Spec;
use crate::unit::{Failure, Output, Unit};
use crate::value::Config;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the record format that this build writes, and the newest it reads.
pub const FORMAT: u16 = 1;

/// A record and the moment at which it was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, on the leader's clock.
    pub at: Moment,
    /// What.
    pub record: Record,
}

/// Everything that can happen to a study, in the past tense.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// The first record of every journal.
    StudyCreated(Box<Creation>),
    /// A leader took over: after a start, a restart or an election.
    TermBegan {
        /// Its term, higher than all before.
        term: Term,
        /// The class of its arithmetic: nodes of one class produce the same bits.
        numerics: Digest,
    },
    /// The sampler proposed a configuration.
    TrialProposed {
        /// The new trial, numbered without gaps.
        trial: TrialId,
        /// Complete: defaults, fixed settings and the sampled point.
        config: Config,
    },
    /// A unit finished and its result counts.
    UnitCommitted(Commit),
    /// The policy saw the metrics of an epoch.
    EpochDecided {
        /// The trial at its epoch boundary.
        trial: TrialId,
        /// The epoch just validated.
        epoch: Epoch,
        /// What becomes of the trial.
        decision: Decision,
    },
    /// A try of a unit failed.
    UnitFailed {
        /// Which unit.
        unit: Unit,
        /// Which try.
        fence: Fence,
        /// Where.
        slot: SlotId,
        /// Why.
        failure: Failure,
    },
    /// A trial's newer checkpoints are gone; it goes on from an older one.
    TrialRolledBack {
        /// The trial.
        trial: TrialId,
        /// The epoch it goes on in.
        epoch: Epoch,
        /// How many partitions of that epoch stay visited.
        visited: u32,
    },
    /// A trial will not run again.
    TrialEnded {
        /// The trial.
        trial: TrialId,
        /// How it ended.
        end: End,
    },
    /// No unit starts until the study is resumed.
    StudyPaused {
        /// Why, in words.
        cause: Pause,
    },
    /// The study goes on.
    StudyResumed,
    /// The study is over.
    StudyEnded {
        /// Why.
        cause: Conclusion,
    },
}

/// What a study is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Creation {
    /// What is searched and how.
    pub spec: Spec,
    /// The partitions and the validation rows.
    pub manifest: Manifest,
    /// The whole study file in canonical form, opaque to core.
    pub document: String,
    /// Digest of everything that determines the result.
    pub fingerprint: Digest,
}

/// The blobs of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The partitions in order.
    pub partitions: Vec<Blob>,
    /// The validation rows.
    pub validation: Blob,
    /// What the data asks of a model, opaque to core.
    pub problem: String,
}

/// A blob of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// Its number of rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// The result of a unit that counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Which unit.
    pub unit: Unit,
    /// Which try.
    pub fence: Fence,
    /// Where it ran.
    pub slot: SlotId,
    /// When it was started, on the leader's clock.
    pub started: Moment,
    /// What it produced.
    pub output: Output,
}

/// What a policy says at an epoch boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Train on.
    Continue,
    /// Stop the trial here.
    Stop,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It ran all its epochs.
    Completed,
    /// The policy stopped it.
    Stopped,
    /// The study's budget ran out first.
    OutOfBudget,
    /// It cannot go on.
    Failed(Failure),
    /// The study was cancelled.
    Cancelled,
}

/// Why a study stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pause {
    /// Somebody asked for it.
    Requested,
    /// No living node can store checkpoints.
    StorageFull(String),
    /// A partition has no holder left.
    DataLost(String),
    /// No living node can use its storage.
    StorageBroken(String),
}

/// Why a study is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conclusion {
    /// All trials of the budget (or of the grid) have ended.
    TrialsSpent,
    /// The wall-clock budget is spent.
    WallClockSpent,
    /// Somebody cancelled it.
    Cancelled,
}

/// Bytes that are not a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Written by a newer Wallaby.
    #[error("record format {found} is newer than {FORMAT}, the newest this version reads")]
    Newer {
        /// The version found.
        found: u16,
    },
    /// Not a record at all.
    #[error("not a journal record: {0}")]
    Malformed(String),
}

impl Entry {
    /// The bytes to store: the format version, then the entry in postcard.
    pub fn encode(&self) -> Vec<u8> {
        let version = FORMAT.to_le_bytes().to_vec();
        postcard::to_extend(self, version).expect("records hold nothing that postcard cannot write")
    }

    /// Reads what [`Entry::encode`] wrote.
    ///
    /// # Errors
    /// A newer format, or bytes that are no record. Never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |what: &str| DecodeError::Malformed(what.to_owned());
        let (version, body) = bytes.split_first_chunk().ok_or_else(|| malformed("too short"))?;
        let found = u16::from_le_bytes(*version);
        match found {
            0 => return Err(malformed("format 0")),
            1..=FORMAT => {}
            _ => return Err(DecodeError::Newer { found }),
        }
        match postcard::take_from_bytes(body) {
            Ok((entry, [])) => Ok(entry),
            Ok((_, rest)) => Err(malformed(&format!("{} bytes too many", rest.len()))),
            Err(error) => Err(malformed(&error.to_string())),
        }
    }
}

#[cfg(test)]
mod format_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PartitionId;
    use crate::unit::Step;
    use proptest::prelude::*;

    fn committed() -> Entry {
        let unit = Unit { trial: TrialId(3), epoch: Epoch(2), step: Step::Train(PartitionId(1)) };
        let output = Output {
            state: Digest::of(b"state"),
            bytes: 5,
            metrics: [("loss".to_owned(), 0.25)].into(),
            millis: 7,
        };
        let commit = Commit {
            unit,
            fence: Fence { term: Term(1), attempt: 9 },
            slot: SlotId { node: crate::ids::NodeId(1), index: 0 },
            started: Moment(3),
            output,
        };
        Entry { at: Moment(10), record: Record::UnitCommitted(commit) }
    }

    #[test]
    fn a_record_survives_its_bytes() {
        let entry = committed();
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut bytes = committed().encode();
        bytes[..2].copy_from_slice(&(FORMAT + 1).to_le_bytes());
        assert_eq!(Entry::decode(&bytes), Err(DecodeError::Newer { found: FORMAT + 1 }));
    }

    #[test]
    fn bytes_after_the_record_are_refused() {
        let mut bytes = committed().encode();
        bytes.push(0);
        assert!(matches!(Entry::decode(&bytes), Err(DecodeError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut versioned = FORMAT.to_le_bytes().to_vec();
            versioned.extend(&bytes);
            let _ = Entry::decode(&bytes);
            let _ = Entry::decode(&versioned);
        }

        #[test]
        fn a_truncated_record_is_refused(keep in 0usize..60) {
            let bytes = committed().encode();
            prop_assume!(keep < bytes.len());
            prop_assert!(Entry::decode(&bytes[..keep]).is_err());
        }
    }
}

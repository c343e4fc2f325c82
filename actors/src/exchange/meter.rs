//! Counts the bytes of blobs that go out of this process and come in, by what they are for.
//! Counts what was moved, also in vain; never what headers and encryption add.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a blob is moved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The state of a trial.
    Checkpoint,
    /// A part of the data.
    Partition,
    /// Anything else.
    Other,
}

impl Kind {
    /// Its name in addresses: `checkpoint`, `partition`, `other`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Checkpoint => "checkpoint",
            Kind::Partition => "partition",
            Kind::Other => "other",
        }
    }

    /// The kind of this name; `Other` for every name that is not known.
    pub fn from_name(name: &str) -> Self {
        match name {
            "checkpoint" => Kind::Checkpoint,
            "partition" => Kind::Partition,
            _ => Kind::Other,
        }
    }
}

/// The counters of one process; share it by `Arc`.
#[derive(Debug, Default)]
pub struct Meter {
    checkpoint: Counters,
    partition: Counters,
    other: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    fn flow(&self) -> Flow {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Flow { sent: read(&self.sent), received: read(&self.received) }
    }
}

impl Meter {
    /// Counts bytes that went out.
    pub fn sent(&self, kind: Kind, bytes: u64) {
        self.counters(kind).sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that came in.
    pub fn received(&self, kind: Kind, bytes: u64) {
        self.counters(kind).received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> Traffic {
        Traffic {
            checkpoint: self.checkpoint.flow(),
            partition: self.partition.flow(),
            other: self.other.flow(),
        }
    }

    fn counters(&self, kind: Kind) -> &Counters {
        match kind {
            Kind::Checkpoint => &self.checkpoint,
            Kind::Partition => &self.partition,
            Kind::Other => &self.other,
        }
    }
}

/// Bytes moved since the process started, by what they were for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// States of trials.
    pub checkpoint: Flow,
    /// Parts of the data.
    pub partition: Flow,
    /// Everything else.
    pub other: Flow,
}

impl Traffic {
    /// All kinds together.
    pub fn total(&self) -> Flow {
        let flows = [self.checkpoint, self.partition, self.other];
        flows.iter().fold(Flow::default(), |sum, flow| Flow {
            sent: sum.sent + flow.sent,
            received: sum.received + flow.received,
        })
    }
}

/// Bytes that went out and came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Bytes that were handed to the network.
    pub sent: u64,
    /// Bytes that came from the network.
    pub received: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_and_its_own_counters() {
        let meter = Meter::default();
        for (bytes, kind) in [(1, Kind::Checkpoint), (20, Kind::Partition), (300, Kind::Other)] {
            assert_eq!(Kind::from_name(kind.name()), kind);
            meter.sent(kind, bytes);
            meter.received(kind, 2 * bytes);
        }
        let traffic = meter.snapshot();
        assert_eq!(traffic.partition, Flow { sent: 20, received: 40 });
        assert_eq!(traffic.total(), Flow { sent: 321, received: 642 });
        assert_eq!(Kind::from_name("..."), Kind::Other);
    }
}

//! The types with which the journal fills in Raft, and the settings of its timing.
//! Holds no state and does no work.

use super::group::Group;
use super::snapshot::Body;
use openraft::{Config, SnapshotPolicy};
use serde::{Deserialize, Serialize};

openraft::declare_raft_types!(
    /// Raft over groups of opaque entries.
    pub(super) Types:
        D = Group,
        R = Applied,
        NodeId = u64,
        Node = openraft::BasicNode,
        SnapshotData = Body,
);

/// The handle of the running Raft member.
pub(super) type Raft = openraft::Raft<Types>;
/// The place of a log entry: leader and index.
pub(super) type LogId = openraft::LogId<u64>;
/// One entry of the Raft log.
pub(super) type Entry = openraft::Entry<Types>;
/// Whom a member has voted for, and in which term.
pub(super) type Vote = openraft::Vote<u64>;
/// A member's failure to store or read, which stops it.
pub(super) type StorageError = openraft::StorageError<u64>;
/// The cluster as of some log entry.
pub(super) type StoredMembership = openraft::StoredMembership<u64, openraft::BasicNode>;
/// What a snapshot contains, without its content.
pub(super) type SnapshotMeta = openraft::SnapshotMeta<u64, openraft::BasicNode>;

/// What applying one Raft entry did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Applied {
    /// Number of records in the journal afterwards.
    pub(super) records: u64,
    /// Whether the entry was decided in another term than the one it stands in, and so left out.
    pub(super) deposed: bool,
}

/// A snapshot this often lets the log be cut, so that no record is stored twice for long.
const ENTRIES_BETWEEN_SNAPSHOTS: u64 = 2_000;
/// A member that lags by less than this is brought up to date from the log.
const ENTRIES_KEPT_AFTER_SNAPSHOT: u64 = 500;

/// A piece of a snapshot may take this long; the last one is answered once all are installed.
const PIECE_MS_MAX: u64 = 20_000;

/// Timing and housekeeping. Heartbeats and elections are those measured for three voters. A
/// member that stands alone does not tick: it has nobody to hear from, and is elected on request.
pub(super) fn settings(ticks: bool) -> Config {
    Config {
        cluster_name: "wallaby".to_owned(),
        heartbeat_interval: 100,
        election_timeout_min: 300,
        election_timeout_max: 600,
        install_snapshot_timeout: PIECE_MS_MAX,
        enable_tick: ticks,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES_BETWEEN_SNAPSHOTS),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT_AFTER_SNAPSHOT,
        replication_lag_threshold: ENTRIES_BETWEEN_SNAPSHOTS + ENTRIES_KEPT_AFTER_SNAPSHOT,
        ..Config::default()
    }
}

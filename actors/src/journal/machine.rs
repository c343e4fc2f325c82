//! The state machine: the table of records itself. Applying an entry appends its records.
//! Never fsyncs on its own account: what a crash takes from it is applied again from the log.

use super::error::JournalError;
use super::log;
use super::raft::{Applied, Entry, LogId, SnapshotMeta, StorageError, StoredMembership, Types};
use super::snapshot::Body;
use super::store::{Store, blocking, read_failed, write_failed};
use super::tables::{Change, RECORDS, View};
use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, Snapshot};
use redb::Durability;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::watch;

/// Name of the field that holds [`Progress`].
pub(super) const APPLIED: &str = "applied";
/// Name of the field that holds [`Taken`].
pub(super) const SNAPSHOT: &str = "snapshot";

/// How far the state machine has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The last log entry applied.
    pub(super) last: Option<LogId>,
    /// The cluster as of that entry.
    pub(super) membership: StoredMembership,
    /// Number of records, and so the sequence number of the next.
    pub(super) records: u64,
}

/// The newest snapshot. Its content is the first `records` records: they never change, so it
/// needs no copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) meta: SnapshotMeta,
    pub(super) records: u64,
}

/// The state machine of one member; a cheap handle.
#[derive(Clone)]
pub(super) struct Machine {
    store: Arc<Store>,
    records: watch::Sender<u64>,
}

impl Machine {
    /// The state machine inside this store.
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, records: watch::Sender::new(0) }
    }

    /// Tells how many records it has, from now on.
    pub(super) async fn watched(&self) -> Result<watch::Receiver<u64>, JournalError> {
        let read = |store: &Store| store.read(|view| view.field::<Progress>(APPLIED));
        let progress = blocking(&self.store, read).await?;
        self.tell(progress.unwrap_or_default().records);
        Ok(self.records.subscribe())
    }

    fn tell(&self, records: u64) {
        self.records.send_if_modified(|told| std::mem::replace(told, records) != records);
    }

    fn snapshot_of(&self, taken: Taken) -> Snapshot<Types> {
        let body = Body::Records(Arc::clone(&self.store), taken.records);
        Snapshot { meta: taken.meta, snapshot: Box::new(body) }
    }
}

fn apply(change: &Change<'_>, entries: Vec<Entry>) -> Result<Vec<Applied>, JournalError> {
    let mut progress: Progress = change.field(APPLIED)?.unwrap_or_default();
    let mut replies = Vec::with_capacity(entries.len());
    for entry in entries {
        progress.last = Some(entry.log_id);
        let mut deposed = false;
        match entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                progress.membership = StoredMembership::new(Some(entry.log_id), membership);
            }
            EntryPayload::Normal(group) if group.counts_at(&entry.log_id) => {
                let first = progress.records;
                progress.records += group.entries.len() as u64;
                change.put(&RECORDS, (first..).zip(group.entries))?;
            }
            EntryPayload::Normal(_) => deposed = true,
        }
        replies.push(Applied { records: progress.records, deposed });
    }
    change.set_field(APPLIED, &progress)?;
    Ok(replies)
}

/// The last log entry of which the state machine knows.
pub(super) fn last_applied(view: &View<'_>) -> Result<Option<LogId>, JournalError> {
    Ok(view.field::<Progress>(APPLIED)?.and_then(|progress| progress.last))
}

fn take_snapshot(change: &Change<'_>) -> Result<Taken, JournalError> {
    let progress: Progress = change.field(APPLIED)?.unwrap_or_default();
    let last = progress.last.map(|last| last.to_string()).unwrap_or_default();
    let meta = SnapshotMeta {
        last_log_id: progress.last,
        last_membership: progress.membership,
        snapshot_id: format!("{last}-{}", progress.records),
    };
    let taken = Taken { meta, records: progress.records };
    change.set_field(SNAPSHOT, &taken)?;
    Ok(taken)
}

/// Takes over a snapshot and cuts off the log that it covers, both or neither.
fn install(change: &Change<'_>, meta: SnapshotMeta, body: &Body) -> Result<(), JournalError> {
    body.copy_into(change)?;
    let progress = Progress {
        last: meta.last_log_id,
        membership: meta.last_membership.clone(),
        records: body.records(),
    };
    if let Some(last) = meta.last_log_id {
        log::cut(change, last)?;
    }
    change.set_field(SNAPSHOT, &Taken { meta, records: progress.records })?;
    change.set_field(APPLIED, &progress)
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Machine;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let read = |store: &Store| store.read(|view| view.field::<Progress>(APPLIED));
        let progress = blocking(&self.store, read).await.map_err(read_failed)?.unwrap_or_default();
        Ok((progress.last, progress.membership))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Applied>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let write =
            move |store: &Store| store.write(Durability::None, |change| apply(change, entries));
        let replies = blocking(&self.store, write).await.map_err(write_failed)?;
        if let Some(last) = replies.last() {
            self.tell(last.records);
        }
        Ok(replies)
    }

    async fn get_snapshot_builder(&mut self) -> Machine {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Body>, StorageError> {
        Ok(Box::new(Body::Incoming(0)))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        body: Box<Body>,
    ) -> Result<(), StorageError> {
        let meta = meta.clone();
        let records = body.records();
        let write = move |store: &Store| {
            store.write(Durability::Immediate, |change| install(change, meta, &body))
        };
        let installed = blocking(&self.store, write).await.map_err(write_failed);
        self.store.set_installing(false);
        installed?;
        self.tell(records);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let read = |store: &Store| store.read(|view| view.field::<Taken>(SNAPSHOT));
        let taken = blocking(&self.store, read).await.map_err(read_failed)?;
        Ok(taken.map(|taken| self.snapshot_of(taken)))
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    /// Fsyncs what has been applied, for the log may be cut on the strength of it.
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        let write = |store: &Store| store.write(Durability::Immediate, take_snapshot);
        let taken = blocking(&self.store, write).await.map_err(write_failed)?;
        Ok(self.snapshot_of(taken))
    }
}

//! Appends the leader's records to the journal, in order and outside its mailbox: batches that
//! come while others are written share the next commit.

use super::LeaderMsg;
use crate::journal::Journal;
use ractor::ActorRef;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use wallaby_core::cluster::{ClusterRecord, Ticket};
use wallaby_core::ids::Term;

/// Records that become durable together.
pub(super) struct Batch {
    pub(super) ticket: Ticket,
    pub(super) records: Vec<ClusterRecord>,
}

/// The appender at work. It ends when this is dropped: what a leader that is gone has decided and
/// not handed over yet must not come after what its successor begins with.
pub(super) struct Appending {
    pub(super) batches: mpsc::UnboundedSender<Batch>,
    task: AbortHandle,
}

impl Drop for Appending {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task that appends.
pub(super) struct Appender {
    journal: Journal,
    term: Term,
    leader: ActorRef<LeaderMsg>,
    batches: mpsc::UnboundedReceiver<Batch>,
}

impl Appender {
    /// Starts the task; it ends with what is returned, or after its first failure.
    pub(super) fn start(journal: Journal, term: Term, leader: ActorRef<LeaderMsg>) -> Appending {
        let (batches, received) = mpsc::unbounded_channel();
        let appender = Self { journal, term, leader, batches: received };
        let task = tokio::spawn(appender.run()).abort_handle();
        Appending { batches, task }
    }

    async fn run(mut self) {
        while let Some(first) = self.batches.recv().await {
            let mut group = vec![first];
            while let Ok(next) = self.batches.try_recv() {
                group.push(next);
            }
            let last = group.iter().map(|batch| batch.ticket).max().unwrap_or_default();
            let records = group.iter().flat_map(|batch| &batch.records);
            let records = records.map(ClusterRecord::encode).collect();
            match self.journal.append_in(self.term, records).await {
                // A leader that is gone needs to know nothing.
                Ok(_) => drop(self.leader.cast(LeaderMsg::Durable(last))),
                Err(error) => {
                    let _ = self.leader.cast(LeaderMsg::Failed(error));
                    return;
                }
            }
        }
    }
}

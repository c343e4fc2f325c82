//! Appends the leader's records to the journal, in order and outside its mailbox: batches that
//! come while others are written share the next commit.

use super::LeaderMsg;
use crate::journal::Journal;
use ractor::ActorRef;
use tokio::sync::mpsc;
use wallaby_core::cluster::{ClusterRecord, Ticket};
use wallaby_core::ids::Term;

/// Records that become durable together.
pub(super) struct Batch {
    pub(super) ticket: Ticket,
    pub(super) records: Vec<ClusterRecord>,
}

/// The task that appends.
pub(super) struct Appender {
    journal: Journal,
    term: Term,
    leader: ActorRef<LeaderMsg>,
    batches: mpsc::UnboundedReceiver<Batch>,
}

impl Appender {
    /// Starts the task; it ends with the leader, or after its first failure.
    pub(super) fn start(
        journal: Journal,
        term: Term,
        leader: ActorRef<LeaderMsg>,
    ) -> mpsc::UnboundedSender<Batch> {
        let (sender, batches) = mpsc::unbounded_channel();
        tokio::spawn(Self { journal, term, leader, batches }.run());
        sender
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

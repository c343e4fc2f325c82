//! The journal as an actor: takes batches of records, makes them durable in order, says so.
//! Batches that arrive while others are written share the next commit.

use crate::journal::{Journal, JournalError};
use crate::node::NodeError;
use crate::scheduler::SchedulerMsg;
use crate::supervisor::SupervisorMsg;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::mpsc;
use wallaby_core::ids::Seq;
use wallaby_core::journal::{DecodeError, Entry};

/// How many batches may wait. The engine has at most a few for each unit under way.
const QUEUE_BATCHES_MAX: usize = 4096;

/// What the journal is told.
pub enum JournalMsg {
    /// Append these records, the first of which is `first`, and tell the scheduler.
    Append {
        /// Where the leader expects the first record to stand.
        first: Seq,
        /// The records.
        entries: Vec<Entry>,
        /// Who wants to know.
        scheduler: ActorRef<SchedulerMsg>,
    },
    /// Read everything, after all that was appended before.
    Replay(RpcReplyPort<Result<Vec<Entry>, ReplayError>>),
}

impl ractor::Message for JournalMsg {}

/// Why a journal cannot be replayed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplayError {
    /// The store cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record is not a record.
    #[error("{seq} of the journal: {error}")]
    Record {
        /// Which one.
        seq: Seq,
        /// What is wrong with it.
        error: DecodeError,
    },
}

/// Decodes what a journal holds.
///
/// # Errors
/// The first record that is none, by number.
pub fn decode_records(records: Vec<(Seq, Vec<u8>)>) -> Result<Vec<Entry>, ReplayError> {
    let decode = |(seq, bytes): (Seq, Vec<u8>)| {
        Entry::decode(&bytes).map_err(|error| ReplayError::Record { seq, error })
    };
    records.into_iter().map(decode).collect()
}

/// The actor that owns the journal.
pub struct JournalActor;

impl Actor for JournalActor {
    type Msg = JournalMsg;
    type State = mpsc::Sender<JournalMsg>;
    type Arguments = (Journal, ActorRef<SupervisorMsg>);

    async fn pre_start(
        &self,
        _: ActorRef<JournalMsg>,
        (journal, supervisor): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let (queue, requests) = mpsc::channel(QUEUE_BATCHES_MAX);
        tokio::spawn(Writer { journal, supervisor, requests }.run());
        Ok(queue)
    }

    async fn handle(
        &self,
        _: ActorRef<JournalMsg>,
        message: JournalMsg,
        queue: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        Ok(queue.send(message).await?)
    }
}

/// Writes batch after batch, outside the mailbox.
struct Writer {
    journal: Journal,
    supervisor: ActorRef<SupervisorMsg>,
    requests: mpsc::Receiver<JournalMsg>,
}

/// Batches that become durable together.
#[derive(Default)]
struct Group {
    first: Option<Seq>,
    records: Vec<Vec<u8>>,
    scheduler: Option<ActorRef<SchedulerMsg>>,
}

impl Writer {
    async fn run(mut self) {
        while let Some(request) = self.requests.recv().await {
            let mut group = Group::default();
            let mut request = Some(request);
            while let Some(JournalMsg::Append { first, entries, scheduler }) = request {
                group.first.get_or_insert(first);
                group.records.extend(entries.iter().map(Entry::encode));
                group.scheduler = Some(scheduler);
                request = self.requests.try_recv().ok();
            }
            if let Err(error) = self.commit(group).await {
                let _ = self.supervisor.cast(SupervisorMsg::JournalFailed(error));
                // The node ends for this reason, and for no other that would hide it: requests
                // that are still on their way find somebody to take them.
                while self.requests.recv().await.is_some() {}
                return;
            }
            if let Some(JournalMsg::Replay(reply)) = request {
                let _ = reply.send(self.replay().await);
            }
        }
    }

    async fn commit(&self, group: Group) -> Result<(), NodeError> {
        let (Some(first), Some(scheduler)) = (group.first, group.scheduler) else { return Ok(()) };
        let expected = Seq(first.0 + group.records.len() as u64 - 1);
        let last = self.journal.append(group.records).await?;
        if last != expected {
            let found = format!("record {} was written as {}", expected.0, last.0);
            return Err(NodeError::ActorDied(format!(
                "somebody else appends to the journal: {found}"
            )));
        }
        let _ = scheduler.cast(SchedulerMsg::Durable(last));
        Ok(())
    }

    async fn replay(&self) -> Result<Vec<Entry>, ReplayError> {
        decode_records(self.journal.read(Seq(0)).await?)
    }
}

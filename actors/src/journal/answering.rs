//! The other side of the transport: reads what another member asks, has it done, writes the
//! answer. Never asks anybody anything.

use super::error::JournalError;
use super::member::Member;
use super::raft::{LogId, Types};
use super::snapshot::{Body, Piece, Taken};
use super::tables::encode;
use super::transport::Call;
use openraft::Snapshot;
use openraft::raft::{AppendEntriesRequest, VoteRequest};
use serde::de::DeserializeOwned;

impl Member {
    /// Answers another member.
    pub(super) async fn answer(&self, call: Call, body: &[u8]) -> Result<Vec<u8>, JournalError> {
        match call {
            Call::Append => {
                let request: AppendEntriesRequest<Types> = self.read(body)?;
                check_order(&request).map_err(|found| self.undecodable(found))?;
                let answer = self.raft.append_entries(request).await;
                answer.map(|answer| encode(&answer)).map_err(|error| self.stopped(&error))
            }
            Call::Vote => {
                let request: VoteRequest<u64> = self.read(body)?;
                let answer = self.raft.vote(request).await;
                answer.map(|answer| encode(&answer)).map_err(|error| self.stopped(&error))
            }
            Call::Snapshot => self.take(self.read(body)?).await.map(|taken| encode(&taken)),
        }
    }

    /// Takes a piece of a snapshot, and installs the snapshot if it was the last.
    async fn take(&self, piece: Piece) -> Result<Taken, JournalError> {
        let mut arrivals = self.arrivals.lock().await;
        let vote = self.raft.with_raft_state(|state| *state.vote_ref()).await;
        let vote = vote.map_err(|error| self.stopped(&error))?;
        // Votes are ordered only in part; what cannot be compared must not pass either.
        if !matches!(piece.vote.partial_cmp(&vote), Some(order) if order.is_ge()) {
            return Ok(Taken::Nothing(vote));
        }
        let next = arrivals.take(&self.store, piece.first, piece.content).await?;
        if next < piece.records {
            return Ok(Taken::UpTo(next));
        }
        let body = Box::new(Body::Incoming(piece.records));
        let snapshot = Snapshot { meta: piece.meta, snapshot: body };
        self.store.set_installing(true);
        let installed = self.raft.install_full_snapshot(piece.vote, snapshot).await;
        self.store.set_installing(false);
        installed.map(|answer| Taken::All(answer.vote)).map_err(|error| self.stopped(&error))
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, JournalError> {
        read(body).map_err(|found| self.undecodable(found))
    }

    fn undecodable(&self, found: String) -> JournalError {
        JournalError::Undecodable { path: self.store.path().to_owned(), found }
    }
}

/// What another member asks, or what is wrong with its bytes.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(body) {
        Ok((request, [])) => Ok(request),
        Ok((_, rest)) => Err(format!("{} bytes too many", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// Raft takes for granted that entries follow each other.
pub(super) fn check_order(request: &AppendEntriesRequest<Types>) -> Result<(), String> {
    let after = |place: LogId| place.index.saturating_add(1);
    let mut expected = request.prev_log_id.map_or(0, after);
    for entry in &request.entries {
        if entry.log_id.index != expected {
            return Err(format!("log entry {} instead of {expected}", entry.log_id.index));
        }
        expected = after(entry.log_id);
    }
    Ok(())
}

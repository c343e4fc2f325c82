//! The way from this member to the others: turns what Raft asks into bytes and answers back.
//! Never touches the log or the state machine, except to read the records of a snapshot it sends.

use super::raft::{SnapshotMeta, Types, Vote};
use super::snapshot::{Body, Piece, Taken};
use super::store::read_failed;
use super::tables::encode;
use super::transport::{Call, Transport, TransportError};
use openraft::error::{
    Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Timeout,
    Unreachable,
};
use openraft::network::{Backoff, RPCOption, RPCTypes};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, OptionalSend, RaftNetwork, RaftNetworkFactory, Snapshot};
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use wallaby_core::ids::NodeId;

/// How long a member that cannot be reached is left alone.
const BACKOFF: Duration = Duration::from_millis(200);
/// How often in a row a piece of a snapshot is sent before Raft is told.
const TRIES_OF_A_PIECE: u32 = 5;
/// The pause between them.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Makes the connections of one member.
pub(super) struct Connections {
    pub(super) node: NodeId,
    pub(super) transport: Arc<dyn Transport>,
}

/// The connection to one other member.
pub(super) struct Peer {
    node: NodeId,
    peer: NodeId,
    transport: Arc<dyn Transport>,
}

/// How a call failed.
enum Failure {
    NoAnswer(TransportError, Call, Duration),
    Unreadable(postcard::Error),
}

impl RaftNetworkFactory<Types> for Connections {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, _: &BasicNode) -> Peer {
        let transport = Arc::clone(&self.transport);
        Peer { node: self.node, peer: NodeId(target), transport }
    }
}

impl Peer {
    async fn call<T: DeserializeOwned>(
        &self,
        call: Call,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<T, Failure> {
        let sent = self.transport.send(self.peer, call, body, timeout).await;
        let answer = sent.map_err(|error| Failure::NoAnswer(error, call, timeout))?;
        postcard::from_bytes(&answer).map_err(Failure::Unreadable)
    }

    fn timed_out(&self, call: Call, timeout: Duration) -> Timeout<u64> {
        let action = match call {
            Call::Append => RPCTypes::AppendEntries,
            Call::Vote => RPCTypes::Vote,
            Call::Snapshot => RPCTypes::InstallSnapshot,
        };
        Timeout { action, id: self.node.0, target: self.peer.0, timeout }
    }

    fn in_raft(&self, failure: &Failure) -> RPCError<u64, BasicNode, RaftError<u64>> {
        match failure {
            Failure::NoAnswer(TransportError::TimedOut, call, timeout) => {
                self.timed_out(*call, *timeout).into()
            }
            Failure::NoAnswer(error @ TransportError::Unreachable(_), ..) => {
                Unreachable::new(error).into()
            }
            Failure::NoAnswer(error @ TransportError::Refused(_), ..) => {
                NetworkError::new(error).into()
            }
            Failure::Unreadable(error) => NetworkError::new(error).into(),
        }
    }

    fn in_stream(&self, failure: &Failure) -> StreamingError<Types, Fatal<u64>> {
        match failure {
            Failure::NoAnswer(TransportError::TimedOut, call, timeout) => {
                self.timed_out(*call, *timeout).into()
            }
            Failure::NoAnswer(error @ TransportError::Unreachable(_), ..) => {
                Unreachable::new(error).into()
            }
            Failure::NoAnswer(error @ TransportError::Refused(_), ..) => {
                NetworkError::new(error).into()
            }
            Failure::Unreadable(error) => NetworkError::new(error).into(),
        }
    }

    /// Sends what the member lacks of a snapshot, piece by piece. It says itself what that is:
    /// records never change, so those it has need not travel, whoever sent them.
    async fn stream(
        &self,
        vote: Vote,
        meta: SnapshotMeta,
        body: Body,
        timeout: Duration,
    ) -> Result<SnapshotResponse<u64>, StreamingError<Types, Fatal<u64>>> {
        let mut piece = Piece { vote, meta, records: body.records(), first: 0, content: vec![] };
        loop {
            match self.hand_over(&piece, timeout).await? {
                Taken::All(vote) | Taken::Nothing(vote) => return Ok(SnapshotResponse::new(vote)),
                Taken::UpTo(next) => {
                    let storage = |error| StreamingError::StorageError(read_failed(error));
                    piece.first = next;
                    piece.content = body.piece(next).await.map_err(storage)?;
                    if piece.content.is_empty() {
                        let found = TransportError::Refused(format!("it asks for record {next}"));
                        return Err(NetworkError::new(&found).into());
                    }
                }
            }
        }
    }

    async fn hand_over(
        &self,
        piece: &Piece,
        timeout: Duration,
    ) -> Result<Taken, StreamingError<Types, Fatal<u64>>> {
        let mut tries = 1;
        loop {
            match self.call(Call::Snapshot, encode(piece), timeout).await {
                Ok(taken) => return Ok(taken),
                Err(failure) if tries >= TRIES_OF_A_PIECE => return Err(self.in_stream(&failure)),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }
}

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RPCError<u64, BasicNode, RaftError<u64>>> {
        let answer = self.call(Call::Append, encode(&request), option.hard_ttl()).await;
        answer.map_err(|failure| self.in_raft(&failure))
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, RPCError<u64, BasicNode, RaftError<u64>>> {
        let answer = self.call(Call::Vote, encode(&request), option.hard_ttl()).await;
        answer.map_err(|failure| self.in_raft(&failure))
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<Types, Fatal<u64>>> {
        let stream = self.stream(vote, snapshot.meta, *snapshot.snapshot, option.hard_ttl());
        tokio::select! {
            biased;
            closed = pin!(cancel) => Err(closed.into()),
            done = stream => done,
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(BACKOFF))
    }
}

//! The way to the journal's other members. A journal of one member has none: every call answers
//! that the member cannot be reached. Never touches the log or the state machine.

use super::raft::Types;
use openraft::error::{InstallSnapshotError, RPCError, RaftError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use openraft::{BasicNode, RaftNetwork, RaftNetworkFactory};
use thiserror::Error;

/// Makes the connections of a member that stands alone.
pub(super) struct Alone;

/// A member to which there is no connection.
pub(super) struct Peer {
    node: u64,
}

#[derive(Debug, Error)]
#[error("node {node} cannot be reached, expected a journal of one member")]
struct NoConnection {
    node: u64,
}

type Failure<E = openraft::error::Infallible> = RPCError<u64, BasicNode, RaftError<u64, E>>;

impl RaftNetworkFactory<Types> for Alone {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, _node: &BasicNode) -> Peer {
        Peer { node: target }
    }
}

impl Peer {
    fn unreachable(&self) -> Unreachable {
        Unreachable::new(&NoConnection { node: self.node })
    }
}

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        _request: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, Failure> {
        Err(self.unreachable().into())
    }

    async fn install_snapshot(
        &mut self,
        _request: InstallSnapshotRequest<Types>,
        _option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, Failure<InstallSnapshotError>> {
        Err(self.unreachable().into())
    }

    async fn vote(
        &mut self,
        _request: VoteRequest<u64>,
        _option: RPCOption,
    ) -> Result<VoteResponse<u64>, Failure> {
        Err(self.unreachable().into())
    }
}

//! Carries the journal's calls to other voters: HTTP over mutual TLS, addresses from gossip.

use super::directory::Directory;
use crate::journal::{BoxFuture, Call, Transport, TransportError};
use http::Method;
use std::time::Duration;
use wallaby_core::ids::NodeId;
use wallaby_links::peers::{LinkError, Peers};

/// The journal's way to its other members.
pub(crate) struct RaftLinks {
    pub(crate) peers: Peers,
    pub(crate) directory: Directory,
}

/// The last part of the path that a call is sent to.
pub(crate) fn call_name(call: Call) -> &'static str {
    match call {
        Call::Append => "append",
        Call::Vote => "vote",
        Call::Snapshot => "snapshot",
    }
}

/// The call of this name.
pub(crate) fn named_call(name: &str) -> Option<Call> {
    [Call::Append, Call::Vote, Call::Snapshot].into_iter().find(|call| call_name(*call) == name)
}

impl Transport for RaftLinks {
    fn send(
        &self,
        to: NodeId,
        call: Call,
        body: Vec<u8>,
        timeout: Duration,
    ) -> BoxFuture<Result<Vec<u8>, TransportError>> {
        let (peers, listing) = (self.peers.clone(), self.directory.numbered(to));
        Box::pin(async move {
            let Some(listing) = listing else {
                return Err(TransportError::Unreachable(format!("{to} has not been heard of")));
            };
            // Whoever has this number now says so: a reused address answers for another one.
            let path = format!("/v1/raft/{}?to={}", call_name(call), to.0);
            let address = &listing.member.address;
            let answer = peers.request(address, Method::POST, &path, body.into(), timeout).await;
            match answer {
                Ok(answer) => Ok(answer.body.to_vec()),
                Err(LinkError::TimedOut { .. }) => Err(TransportError::TimedOut),
                Err(error @ LinkError::Refused { .. }) => {
                    Err(TransportError::Refused(error.to_string()))
                }
                Err(error) => Err(TransportError::Unreachable(error.to_string())),
            }
        })
    }
}

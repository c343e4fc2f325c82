//! Starts the Raft member that keeps a journal and makes it lead.
//! Never touches the file itself.

use super::error::JournalError;
use super::log::{self, Log};
use super::machine::Machine;
use super::network::Alone;
use super::raft::{Raft, settings};
use super::store::{Store, blocking};
use openraft::{BasicNode, ServerState};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use wallaby_core::ids::NodeId;

/// A member that stands alone is elected in a few fsyncs; a disk slower than this is broken.
const ELECTION_MS_MAX: u64 = 30_000;

/// Starts the member, has it elected, and returns once it may answer for the whole journal.
pub(super) async fn start(store: &Arc<Store>, node: NodeId) -> Result<Raft, JournalError> {
    blocking(store, log::resign).await?;
    let refused = |error: &dyn Display| not_leader(store, error);
    let config = settings().validate().map_err(|error| refused(&error))?;
    let log = Log::new(Arc::clone(store));
    let machine = Machine::new(Arc::clone(store));
    let raft = Raft::new(node.0, Arc::new(config), Alone, log, machine)
        .await
        .map_err(|error| refused(&error))?;
    match lead(store, &raft, node).await {
        Ok(()) => Ok(raft),
        Err(error) => {
            stop(&raft).await;
            Err(error)
        }
    }
}

async fn lead(store: &Store, raft: &Raft, node: NodeId) -> Result<(), JournalError> {
    let refused = |error: &dyn Display| not_leader(store, error);
    if raft.is_initialized().await.map_err(|error| refused(&error))? {
        raft.trigger().elect().await.map_err(|error| refused(&error))?;
    } else {
        let members = [(node.0, BasicNode::default())];
        raft.initialize(std::collections::BTreeMap::from(members))
            .await
            .map_err(|error| refused(&error))?;
    }
    raft.wait(Some(Duration::from_millis(ELECTION_MS_MAX)))
        .state(ServerState::Leader, "the only member leads")
        .await
        .map_err(|error| refused(&error))?;
    raft.ensure_linearizable().await.map_err(|error| refused(&error))?;
    Ok(())
}

/// Stops the member; its file stays open.
pub(super) async fn stop(raft: &Raft) {
    if let Err(error) = raft.shutdown().await {
        tracing::warn!(%error, "the journal's member did not stop in order");
    }
}

/// The error of a call that Raft refused: the failure of the file behind it, if there was one.
pub(super) fn not_leader(store: &Store, error: &dyn Display) -> JournalError {
    let path = store.path().to_owned();
    store.failure().unwrap_or_else(|| JournalError::NotLeader { path, found: error.to_string() })
}

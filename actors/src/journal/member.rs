//! The Raft member that keeps a journal: starts it, has it lead, changes who belongs to it.
//! Never touches the file itself.

use super::error::JournalError;
use super::leadership::{self, Leadership};
use super::log::{self, Log};
use super::machine::Machine;
use super::network::Connections;
use super::raft::{Raft, settings};
use super::snapshot::Arrivals;
use super::store::{Store, blocking};
use super::transport::{Alone, Transport};
use openraft::error::{CheckIsLeaderError, ClientWriteError, InitializeError, RaftError};
use openraft::{BasicNode, ServerState};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout, timeout_at};
use wallaby_core::ids::{NodeId, Term};

/// A member that stands alone is elected in a few fsyncs; a disk slower than this is broken.
const ELECTION_MS_MAX: u64 = 30_000;
/// Pause between two tries to hear from more than half of the voters.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A running member.
pub(super) struct Member {
    pub(super) node: NodeId,
    pub(super) raft: Raft,
    pub(super) store: Arc<Store>,
    pub(super) arrivals: Mutex<Arrivals>,
    pub(super) leadership: watch::Receiver<Leadership>,
    pub(super) applied: watch::Receiver<u64>,
}

/// The answer of a call that changes who belongs to a journal.
type Changed<T> = Result<T, RaftError<u64, ClientWriteError<u64, BasicNode>>>;

impl Member {
    /// Starts a member that stands alone, has it elected, and returns once it may answer for the
    /// whole journal.
    pub(super) async fn alone(store: &Arc<Store>, node: NodeId) -> Result<Self, JournalError> {
        let member = Self::start(store, node, Arc::new(Alone), false).await?;
        match member.lead(node).await {
            Ok(()) => Ok(member),
            Err(error) => {
                member.stop().await;
                Err(error)
            }
        }
    }

    /// Starts a member among others, which is elected or not.
    pub(super) async fn among_others(
        store: &Arc<Store>,
        node: NodeId,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, JournalError> {
        blocking(store, Arrivals::clear).await?;
        Self::start(store, node, transport, true).await
    }

    async fn start(
        store: &Arc<Store>,
        node: NodeId,
        transport: Arc<dyn Transport>,
        ticks: bool,
    ) -> Result<Self, JournalError> {
        blocking(store, move |store| log::resign(store, node)).await?;
        let config = settings(ticks).validate().map_err(|error| not_leader(store, &error))?;
        let log = Log::new(Arc::clone(store));
        let machine = Machine::new(Arc::clone(store));
        let applied = machine.watched().await?;
        let connections = Connections { node, transport };
        let raft = Raft::new(node.0, Arc::new(config), connections, log, machine)
            .await
            .map_err(|error| not_leader(store, &error))?;
        // Its first report is out when it answers for the first time.
        raft.with_raft_state(|_| ()).await.map_err(|error| not_leader(store, &error))?;
        let leadership = leadership::watched(&raft);
        let arrivals = Mutex::default();
        Ok(Self { node, raft, store: Arc::clone(store), arrivals, leadership, applied })
    }

    async fn lead(&self, node: NodeId) -> Result<(), JournalError> {
        match self.beliefs().voters.len() {
            0 => self.found(&[node]).await?,
            1 => self.elect().await?,
            voters => {
                let found = format!("it has {voters} voters, expected this node alone");
                let path = self.store.path().to_owned();
                return Err(JournalError::NotLeader { path, found });
            }
        }
        self.raft
            .wait(Some(Duration::from_millis(ELECTION_MS_MAX)))
            .state(ServerState::Leader, "the only member leads")
            .await
            .map_err(|error| self.stopped(&error))?;
        self.raft.ensure_linearizable().await.map_err(|error| self.stopped(&error))?;
        Ok(())
    }

    /// What the member believes at this moment.
    pub(super) fn beliefs(&self) -> Leadership {
        Leadership::of(&self.raft.metrics().borrow())
    }

    /// Gives a new journal its first members.
    pub(super) async fn found(&self, members: &[NodeId]) -> Result<(), JournalError> {
        let nodes = members.iter().map(|member| (member.0, BasicNode::default()));
        match self.raft.initialize(nodes.collect::<BTreeMap<_, _>>()).await {
            Ok(()) => Ok(()),
            Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {
                Err(self.unchanged("it is founded already".to_owned()))
            }
            Err(RaftError::APIError(error)) => Err(self.unchanged(error.to_string())),
            Err(error) => Err(self.stopped(&error)),
        }
    }

    /// Stands for election.
    pub(super) async fn elect(&self) -> Result<(), JournalError> {
        self.raft.trigger().elect().await.map_err(|error| self.stopped(&error))
    }

    /// Hears from more than half of the voters that this member leads, and has applied all that
    /// was committed before. Returns the term of that lead.
    pub(super) async fn confirm(&self, limit: Duration) -> Result<Term, JournalError> {
        let deadline = Instant::now() + limit;
        loop {
            let confirmed = timeout_at(deadline, self.raft.ensure_linearizable()).await;
            match confirmed.map_err(|_| self.no_quorum())? {
                // The first entry of its term at the latest, and so of no other leader.
                Ok(Some(place)) => return Ok(Term(place.leader_id.term)),
                Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_))) => {}
                Ok(None) => return Err(self.stopped(&"nothing is committed")),
                Err(error) => return Err(self.stopped(&error)),
            }
            if Instant::now() + BETWEEN_TRIES >= deadline {
                return Err(self.no_quorum());
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    /// Adds a member that follows and does not vote.
    pub(super) async fn add_learner(
        &self,
        node: NodeId,
        limit: Duration,
    ) -> Result<(), JournalError> {
        let added = self.raft.add_learner(node.0, BasicNode::default(), false);
        self.changed(limit, added).await
    }

    /// Makes these members the voters; those that were and are not any more leave.
    pub(super) async fn change_voters(
        &self,
        voters: BTreeSet<NodeId>,
        limit: Duration,
    ) -> Result<(), JournalError> {
        let voters: BTreeSet<u64> = voters.into_iter().map(|voter| voter.0).collect();
        self.changed(limit, self.raft.change_membership(voters, false)).await
    }

    async fn changed<T>(
        &self,
        limit: Duration,
        change: impl Future<Output = Changed<T>>,
    ) -> Result<(), JournalError> {
        match timeout(limit, change).await.map_err(|_| self.no_quorum())? {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error))) => {
                Err(self.unchanged(error.to_string()))
            }
            Err(error) => Err(self.stopped(&error)),
        }
    }

    /// Stops the member; its file stays open.
    pub(super) async fn stop(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "the journal's member did not stop in order");
        }
    }

    /// The error of a call that Raft refused: the failure of the file behind it, if there was one.
    pub(super) fn stopped(&self, error: &dyn Display) -> JournalError {
        not_leader(&self.store, error)
    }

    /// The error of a call to which too few voters answered.
    pub(super) fn no_quorum(&self) -> JournalError {
        JournalError::NoQuorum { path: self.store.path().to_owned() }
    }

    fn unchanged(&self, found: String) -> JournalError {
        JournalError::Members { path: self.store.path().to_owned(), found }
    }
}

fn not_leader(store: &Store, error: &dyn Display) -> JournalError {
    let path = store.path().to_owned();
    store.failure().unwrap_or_else(|| JournalError::NotLeader { path, found: error.to_string() })
}

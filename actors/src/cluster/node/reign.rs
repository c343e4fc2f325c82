//! Leads the cluster whenever the journal says that this node does.

use super::super::agent::Mail;
use super::super::directory::{Directory, keys};
use super::super::leader::{Leader, LeaderArgs, LeaderMsg};
use super::super::library::Library;
use super::ClusterNodeError;
use super::census::Census;
use super::gossiping::Values;
use crate::journal::{Journal, Leadership};
use ractor::{Actor, ActorRef, ActorStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use wallaby_core::cluster::ClusterRecord;
use wallaby_core::ids::{Digest, Term};

/// How long the other voters may take to confirm a lead.
const CONFIRM: Duration = Duration::from_secs(2);

/// How often a leader looks whether the voters are those that should vote.
const CENSUS: Duration = Duration::from_secs(1);

/// What a node needs to lead.
pub(super) struct Reign {
    pub(super) journal: Journal,
    pub(super) library: Library,
    pub(super) numerics: Digest,
    pub(super) replicas: u32,
    pub(super) mail: Arc<dyn Mail>,
    pub(super) directory: Directory,
    pub(super) gossip: Values,
    pub(super) lead: watch::Sender<Option<ActorRef<LeaderMsg>>>,
    pub(super) voters: Vec<String>,
    /// This node's name.
    pub(super) name: String,
}

impl Reign {
    /// Leads and stops leading, until the journal ends.
    pub(super) async fn keep(self, fail: mpsc::Sender<ClusterNodeError>) {
        let mut leadership = self.journal.leadership();
        let mut leading: Option<(Term, ActorRef<LeaderMsg>)> = None;
        let mut census: Option<JoinHandle<()>> = None;
        loop {
            let now = leadership.borrow_and_update().clone();
            self.tell(&now);
            let current = leading.as_ref().is_some_and(|(term, leader)| {
                let ended =
                    matches!(leader.get_status(), ActorStatus::Stopping | ActorStatus::Stopped);
                now.me && *term == now.term && !ended
            });
            if !current {
                if let Some((_, leader)) = leading.take() {
                    self.lead.send_replace(None);
                    leader.stop(None);
                }
                if now.me {
                    leading = self.begin().await;
                }
            }
            tokio::select! {
                changed = leadership.changed() => if changed.is_err() {
                    let error = "its journal has stopped".to_owned();
                    let _ = fail.send(ClusterNodeError::Died(error)).await;
                    return;
                },
                () = tokio::time::sleep(CENSUS) => {
                    if leading.is_some() && census.as_ref().is_none_or(JoinHandle::is_finished) {
                        // On its own: a change that is dropped halfway stays halfway.
                        census = Some(tokio::spawn(self.census().hold(now)));
                    }
                }
            }
        }
    }

    /// Starts a leader once the lead is confirmed and everything recorded is folded.
    async fn begin(&self) -> Option<(Term, ActorRef<LeaderMsg>)> {
        let term = match self.journal.confirm_lead(CONFIRM).await {
            Ok(term) => term,
            Err(error) => {
                tracing::debug!(%error, "the lead is not confirmed");
                return None;
            }
        };
        // Whatever an earlier leader of this very term has still under way comes before this
        // record, or not at all: only behind it is it known what there is to begin with.
        let node = self.journal.node();
        let barrier = ClusterRecord::NodeNamed { node, name: self.name.clone() };
        let settled = match self.journal.append_in(term, vec![barrier.encode()]).await {
            Ok(settled) => settled,
            Err(error) => {
                tracing::debug!(%error, "the lead is lost before it began");
                return None;
            }
        };
        if !self.library.reach(settled.0 + 1).await {
            return None;
        }
        let args = LeaderArgs {
            term,
            numerics: self.numerics,
            replicas: self.replicas,
            journal: self.journal.clone(),
            library: self.library.clone(),
            mail: Arc::clone(&self.mail),
            directory: self.directory.clone(),
        };
        match Actor::spawn(None, Leader, args).await {
            Ok((leader, _)) => {
                tracing::info!(term = term.0, "this node leads");
                self.lead.send_replace(Some(leader.clone()));
                // Where others look for a leader.
                self.gossip.set(keys::TERM, term.0.to_string());
                self.gossip.set(keys::ROLE, "leader".to_owned());
                Some((term, leader))
            }
            Err(error) => {
                tracing::error!(%error, "the leader cannot be started");
                None
            }
        }
    }

    fn census(&self) -> Census {
        Census {
            journal: self.journal.clone(),
            library: self.library.clone(),
            directory: self.directory.clone(),
            voters: self.voters.clone(),
        }
    }

    fn tell(&self, now: &Leadership) {
        let founded = if now.voters.is_empty() { "no" } else { "yes" };
        self.gossip.set(keys::FOUNDED, founded.to_owned());
        if !now.me {
            let role = if self.is_learner(now) { "learner" } else { "voter" };
            self.gossip.set(keys::ROLE, role.to_owned());
        }
    }

    fn is_learner(&self, now: &Leadership) -> bool {
        !now.voters.is_empty() && !now.voters.contains(&self.journal.node())
    }
}

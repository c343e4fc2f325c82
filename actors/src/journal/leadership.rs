//! Who leads a journal, as far as one of its members knows, and who its members are.
//! Only tells; to be sure of the lead, ask the others.

use super::raft::Raft;
use openraft::{RaftMetrics, ServerState};
use tokio::sync::watch;
use wallaby_core::ids::{NodeId, Term};

/// What a member believes about the lead. A leader that is cut off believes in itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leadership {
    /// The newest term it has heard of.
    pub term: Term,
    /// The leader of that term, once it is elected.
    pub leader: Option<NodeId>,
    /// Whether the leader is this member.
    pub me: bool,
    /// The members that vote. None as long as the journal is not founded.
    pub voters: Vec<NodeId>,
    /// The members that only follow.
    pub learners: Vec<NodeId>,
}

impl Leadership {
    pub(super) fn of(metrics: &RaftMetrics<u64, openraft::BasicNode>) -> Self {
        let membership = &metrics.membership_config;
        let learners = membership.membership().learner_ids().map(NodeId);
        let mut seen = Self {
            term: Term(metrics.current_term),
            leader: None,
            me: false,
            voters: membership.voter_ids().map(NodeId).collect(),
            learners: learners.collect(),
        };
        if metrics.running_state.is_ok() && metrics.state != ServerState::Shutdown {
            seen.leader = metrics.current_leader.map(NodeId);
            seen.me = metrics.state == ServerState::Leader;
        }
        seen
    }
}

/// Tells what the member believes from now on, until it stops.
pub(super) fn watched(raft: &Raft) -> watch::Receiver<Leadership> {
    let mut metrics = raft.metrics();
    let told = watch::Sender::new(Leadership::of(&metrics.borrow_and_update()));
    let watched = told.subscribe();
    tokio::spawn(async move {
        // Ends with the member, or with the last who wants to know.
        while tokio::select! {
            changed = metrics.changed() => changed.is_ok(),
            () = told.closed() => false,
        } {
            let seen = Leadership::of(&metrics.borrow_and_update());
            told.send_if_modified(|told| {
                let differs = *told != seen;
                *told = seen;
                differs
            });
        }
        let last = Leadership { leader: None, me: false, ..told.borrow().clone() };
        told.send_replace(last);
    });
    watched
}

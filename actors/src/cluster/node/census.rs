//! Sees to it that the voters are those of the configuration: a node that has come back under a
//! new number votes in place of the one that had its name.

use super::super::directory::{Directory, Presence};
use super::super::library::Library;
use crate::journal::{Journal, Leadership};
use std::collections::BTreeSet;
use wallaby_core::ids::NodeId;

/// What a leader's census needs.
#[derive(Clone)]
pub(super) struct Census {
    pub(super) journal: Journal,
    pub(super) library: Library,
    pub(super) directory: Directory,
    pub(super) voters: Vec<String>,
}

impl Census {
    /// Makes one change if one is due. Must not be dropped on the way: a change of voters has two
    /// halves, and between them both the old and the new voters are needed. What a leader that
    /// died has left halfway, its successor completes.
    pub(super) async fn hold(self, now: Leadership) {
        for name in &self.voters {
            let Some(listing) = self.directory.named(name) else { continue };
            let Some(id) = listing.id().filter(|_| listing.presence == Presence::Alive) else {
                continue;
            };
            let wanted = self.voters_with(&now, name, id);
            if wanted == now.voters.iter().copied().collect() {
                continue;
            }
            let follows = now.learners.contains(&id) || now.voters.contains(&id);
            let changed = if follows {
                self.journal.change_voters(wanted).await
            } else {
                self.journal.add_learner(id).await
            };
            match changed {
                Ok(()) => tracing::info!(node = name, id = id.0, "a voter under a new number"),
                Err(error) => tracing::warn!(node = name, %error, "a voter cannot be taken in yet"),
            }
            return;
        }
    }

    /// The voters with `id` in place of the one that had its name.
    fn voters_with(&self, now: &Leadership, name: &str, id: NodeId) -> BTreeSet<NodeId> {
        let place = self.voters.iter().position(|voter| voter == name);
        let founder = place.map(|place| NodeId(place as u64 + 1));
        let former = |node: &NodeId| {
            let recorded =
                self.library.read(|catalog| catalog.node_name(*node).map(|known| known == name));
            recorded.unwrap_or(Some(*node) == founder)
        };
        now.voters.iter().copied().filter(|node| !former(node)).chain([id]).collect()
    }
}

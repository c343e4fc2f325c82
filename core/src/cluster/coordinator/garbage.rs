//! Blobs that nobody needs: what failed tries, lost messages and earlier lives left on the nodes.
//! Whatever becomes superfluous in the ordinary course is released at once, by the engines.

use super::Coordinator;
use super::events::ClusterCommand;
use crate::ids::{Digest, Moment, NodeId, Stamp};
use std::collections::BTreeMap;

/// How long a blob must have been useless before it goes. A result that is on its way, and a
/// checkpoint that a roll-back is about to make again, become useful within this time.
const USELESS_MILLIS: u64 = 60_000;

/// How often the nodes' blobs are gone through.
const SWEEP_MILLIS: u64 = 5_000;

/// An order to remove a blob may be lost. After this time its node is asked what it has. Until then
/// it is not believed to have the blob that it was told to remove, unless that has come anew.
const RELEASED_MILLIS: u64 = 60_000;

/// What is thought to be of no use, and since when.
#[derive(Debug, Clone, Default)]
pub(super) struct Garbage {
    useless: BTreeMap<(NodeId, Digest), Moment>,
    swept: Moment,
    collected: u64,
    /// What nodes were told to remove: which stamp of it, and when.
    released: BTreeMap<(NodeId, Digest), (Stamp, Moment)>,
    /// The lives of nodes to which those orders went.
    lives: BTreeMap<NodeId, u64>,
    /// Nodes that may have missed such an order, and since when, or when they were asked last.
    unsure: BTreeMap<NodeId, Moment>,
}

impl Garbage {
    /// A result has just been told of: what it made is not useless yet.
    pub(super) fn spare(&mut self, state: Digest) {
        self.useless.retain(|(_, blob), _| *blob != state);
    }

    /// A blob is removed.
    pub(super) fn release(&mut self, node: NodeId, blob: Digest, stamp: Stamp, now: Moment) {
        self.collected += 1;
        self.released.insert((node, blob), (stamp, now));
        self.doubt(node, now);
    }

    /// A node is told something of which the outcome may not be heard of.
    pub(super) fn doubt(&mut self, node: NodeId, now: Moment) {
        self.unsure.entry(node).or_insert(now);
    }

    /// Whether what a node says of a blob is older than an order to remove it.
    pub(super) fn is_released(&self, node: NodeId, blob: &Digest, stamp: Stamp) -> bool {
        self.released.get(&(node, *blob)).is_some_and(|(released, _)| stamp <= *released)
    }

    /// A node has said what it has.
    pub(super) fn reported(&mut self, node: NodeId, now: Moment) {
        if self.released.keys().any(|(known, _)| *known == node) {
            self.unsure.insert(node, now);
        } else {
            self.unsure.remove(&node);
        }
    }

    /// A life of a node speaks. Another one than before has had no orders.
    pub(super) fn meet(&mut self, node: NodeId, boot: u64) {
        if self.lives.insert(node, boot) != Some(boot) {
            self.released.retain(|(known, _), _| *known != node);
            self.unsure.remove(&node);
        }
    }

    /// A node seems to be gone: if it comes back, it says what it has.
    pub(super) fn lose(&mut self, lost: NodeId) {
        self.unsure.remove(&lost);
    }

    /// Nodes that should be asked what they have.
    fn doubtful(&mut self, now: Moment) -> Vec<NodeId> {
        self.released.retain(|_, (_, at)| now.millis_since(*at) < RELEASED_MILLIS);
        let due =
            self.unsure.iter_mut().filter(|(_, at)| now.millis_since(**at) >= RELEASED_MILLIS);
        due.map(|(node, at)| {
            *at = now;
            *node
        })
        .collect()
    }

    /// How many blobs were removed.
    pub(super) fn collected(&self) -> u64 {
        self.collected
    }
}

impl Coordinator {
    /// Removes what has been useless for long enough.
    pub(super) fn collect_garbage(&mut self) {
        if self.now.millis_since(self.garbage.swept) < SWEEP_MILLIS {
            return;
        }
        self.garbage.swept = self.now;
        let asked = self.garbage.doubtful(self.now).into_iter();
        self.commands.extend(asked.map(|node| ClusterCommand::Ask { node }));
        let mut useless = BTreeMap::new();
        let mut due = Vec::new();
        for (node, host) in &self.hosts {
            for blob in host.held().filter(|blob| self.is_useless_on(*node, blob)) {
                let key = (*node, *blob);
                let since = self.garbage.useless.get(&key).copied().unwrap_or(self.now);
                if self.now.millis_since(since) >= USELESS_MILLIS {
                    due.push(key);
                } else {
                    useless.insert(key, since);
                }
            }
        }
        self.garbage.useless = useless;
        for (node, blob) in due {
            self.remove_from(node, blob);
        }
    }

    /// Orders a node to remove a blob, if it has it.
    pub(super) fn remove_from(&mut self, node: NodeId, blob: Digest) {
        if let Some(stamp) = self.hosts.get_mut(&node).and_then(|host| host.remove(&blob)) {
            self.garbage.release(node, blob, stamp, self.now);
            self.commands.push_back(ClusterCommand::Release { node, blob, stamp });
        }
    }

    /// Whether a blob may go from this node: nobody needs it, or it is data that is placed
    /// elsewhere and lies there.
    fn is_useless_on(&self, node: NodeId, blob: &Digest) -> bool {
        if !self.is_needed(blob) {
            return true;
        }
        let wanting = self.seats.values().filter(|seat| seat.keeps(blob) || seat.has_data(blob));
        let mut wanting = wanting.peekable();
        // Nobody but an upload: it is placed where it is.
        wanting.peek().is_some()
            && wanting.all(|seat| {
                let partitions = seat.partitions();
                let places = partitions.iter().zip(&seat.placement);
                let mut places = places.filter(|(digest, _)| *digest == blob).peekable();
                !seat.keeps(blob)
                    && places.peek().is_some()
                    && places.all(|(_, holders)| {
                        let has = |holder: &NodeId| {
                            self.hosts.get(holder).is_some_and(|host| host.holds(blob))
                        };
                        !holders.contains(&node) && !holders.is_empty() && holders.iter().all(has)
                    })
            })
    }
}
